/* synth_digits.c - draws digits like those of MNIST, for the demo and for tests: nothing needs to be downloaded.
 *
 * The ink is white on black, in a box of 20/28 of the side, with its centre of mass in the middle of the picture. There
 * are a few ways to write each digit; a way is a list of strokes, and a stroke is a curve through points. Every drawing
 * moves the points at random, bends, slants and turns the plane a little, and has a pen of its own width. In colour,
 * each digit has an ink and a paper of its own, so that a model can learn the colours from the grey picture. */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/rng.h"
#include "data/importers_internal.h"
#include "tensor/random.h"

enum { DIGITS = 10, POINTS_MAX = 16, STROKES_MAX = 4, SEGMENTS = 6, LINE_MAX = POINTS_MAX * SEGMENTS };

/* One way to write a digit: points x, y in a square of 100, y downwards, stroke after stroke. */
typedef struct way {
    int digit, strokes;
    int count[STROKES_MAX]; /* points of each stroke */
    uint8_t place[2 * POINTS_MAX];
} way;

static const way ways[] = {
    {0, 1, {9}, {55, 5, 27, 18, 14, 50, 24, 83, 50, 95, 76, 82, 86, 50, 76, 18, 50, 5}},
    {1, 1, {4}, {52, 5, 51, 35, 50, 65, 48, 95}},
    {1, 2, {2, 3}, {28, 27, 52, 5, 52, 5, 51, 50, 50, 95}},
    {1, 3, {2, 3, 2}, {30, 25, 52, 5, 52, 5, 51, 50, 50, 93, 26, 94, 76, 94}},
    {2, 2, {7, 3}, {18, 27, 33, 9, 60, 6, 78, 23, 70, 46, 45, 70, 18, 93, 18, 93, 50, 91, 86, 93}},
    {2, 1, {10}, {20, 20, 45, 5, 74, 20, 65, 50, 38, 82, 20, 92, 16, 80, 34, 76, 60, 90, 88, 86}},
    {3, 2, {5, 6}, {20, 15, 48, 5, 74, 20, 66, 39, 42, 48, 42, 48, 70, 55, 82, 74, 62, 93, 36, 95, 15, 83}},
    {4, 2, {5, 3}, {28, 6, 20, 34, 20, 54, 50, 56, 84, 50, 74, 10, 69, 50, 63, 95}},
    {4, 3, {3, 3, 3}, {62, 5, 40, 32, 13, 63, 13, 63, 50, 63, 90, 61, 62, 5, 62, 50, 60, 95}},
    {5, 3, {3, 3, 7}, {80, 7,  55, 7,  29, 8,  29, 8,  26, 25, 23, 44, 23,
                       44, 46, 37, 70, 45, 80, 65, 65, 88, 40, 95, 14, 87}},
    {6, 1, {10}, {68, 5, 42, 20, 25, 47, 21, 72, 37, 93, 62, 92, 77, 74, 66, 56, 44, 55, 24, 70}},
    {7, 2, {3, 3}, {14, 10, 50, 9, 83, 8, 83, 8, 62, 46, 42, 95}},
    {7, 3, {3, 3, 2}, {14, 12, 50, 8, 83, 8, 83, 8, 60, 46, 44, 95, 30, 52, 78, 48}},
    {8, 1, {12}, {73, 17, 50, 5, 28, 17, 35, 37, 62, 55, 78, 75, 60, 94, 38, 94, 22, 77, 38, 55, 66, 36, 72, 15}},
    {9, 1, {9}, {76, 22, 55, 6, 30, 13, 22, 34, 40, 49, 64, 41, 77, 20, 73, 55, 66, 95}},
    {9, 1, {10}, {75, 24, 55, 6, 30, 13, 22, 34, 40, 49, 64, 41, 76, 20, 75, 60, 58, 90, 28, 93}},
};
enum { WAYS = sizeof ways / sizeof ways[0] };

typedef struct digits_options {
    int64_t count;
    char size[LS_SIZE_TEXT_MAX];
    int channels; /* an index into ls_channels_names */
} digits_options;

static const ls_option options[] = {
    {"count", LS_OPTION_INT, offsetof(digits_options, count), .preset = "10000", .min = 1, .max = 1e12,
     .help = "how many samples", .letter = 'n'},
    {"size", LS_OPTION_STRING, offsetof(digits_options, size), .preset = "28x28", .capacity = LS_SIZE_TEXT_MAX,
     .help = "HEIGHTxWIDTH of a picture"},
    {"channels", LS_OPTION_CHOICE, offsetof(digits_options, channels), .preset = "1", .choices = ls_channels_names,
     .help = "1: grey, 3: each digit in a colour of its own"},
    LS_OPTIONS_END,
};

typedef struct digits_source {
    int64_t h, w, channels;
    ls_rng rng, normal_rng;
} digits_source;

static const char *const class_names[DIGITS] = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"};

/* --- the line of a drawing --- */

/* The points that the pen follows; pen[i]: whether it is down from point i to the next. */
typedef struct line {
    int count;
    float x[LINE_MAX], y[LINE_MAX];
    bool pen[LINE_MAX];
} line;

static void add_point(line *l, float x, float y, bool pen) {
    l->x[l->count] = x;
    l->y[l->count] = y;
    l->pen[l->count++] = pen;
}

/* The cubic of Catmull and Rom from p1 to p2, in the directions of the neighbours p0 and p3. */
static float curve(float p0, float p1, float p2, float p3, float t) {
    return 0.5f * (2 * p1 + t * (p2 - p0 + t * (2 * p0 - 5 * p1 + 4 * p2 - p3 + t * (3 * (p1 - p2) + p3 - p0))));
}

static void add_stroke(line *l, float (*p)[2], int count) {
    for (int i = 0; i + 1 < count; i++) {
        const float *a = p[i > 0 ? i - 1 : 0], *b = p[i], *c = p[i + 1], *d = p[i + 2 < count ? i + 2 : i + 1];
        for (int k = 0; k < SEGMENTS; k++) {
            float t = (float)k / SEGMENTS;
            add_point(l, curve(a[0], b[0], c[0], d[0], t), curve(a[1], b[1], c[1], d[1], t), true);
        }
    }
    add_point(l, p[count - 1][0], p[count - 1][1], false);
}

/* How much drawings differ, in units of the square: standard deviations. */
static const float shake = 0.03f, bend = 0.05f, slant_sd = 0.2f, turn_sd = 0.1f, stretch_sd = 0.15f;

static int choose_way(int digit, float u) {
    int first = 0, count = 0;
    while (ways[first].digit != digit) first++;
    while (first + count < WAYS && ways[first + count].digit == digit) count++;
    return first + (int)(u * (float)count);
}

/* A stroke that begins where the last one ended stays joined to it: both points move by the same amount. */
static void trace(const way *w, const float *normal, line *l) {
    float point[POINTS_MAX][2];
    l->count = 0;
    for (int stroke = 0, first = 0; stroke < w->strokes; first += w->count[stroke++]) {
        for (int i = first; i < first + w->count[stroke]; i++) {
            const uint8_t *place = w->place + 2 * i;
            bool joined = i == first && i > 0 && memcmp(place, place - 2, 2) == 0;
            const float *shift = normal + 2 * (joined ? i - 1 : i);
            for (int k = 0; k < 2; k++) point[i][k] = (float)place[k] / 100 + shake * shift[k];
        }
        add_stroke(l, point + first, w->count[stroke]);
    }
}

/* Bends the line by two slow waves; then stretches, slants and turns it about the middle. */
static void distort(line *l, const float *normal, const float *uniform) {
    float slant = 0.1f + slant_sd * normal[0], stretch = 0.9f * expf(stretch_sd * normal[2]);
    float c = cosf(turn_sd * normal[1]), s = sinf(turn_sd * normal[1]), pi = (float)M_PI;
    for (int i = 0; i < l->count; i++) {
        float along_y = sinf(pi * (1.3f * l->y[i] + 2 * uniform[0]));
        float along_x = sinf(pi * (1.6f * l->x[i] + 2 * uniform[1]));
        float y = l->y[i] - 0.5f + bend * normal[4] * along_x;
        float x = (l->x[i] - 0.5f + bend * normal[3] * along_y) * stretch - slant * y;
        l->x[i] = c * x - s * y;
        l->y[i] = s * x + c * y;
    }
}

/* Scales the line into a box of this side, and moves its centre of mass to the middle. */
static void set_in_box(line *l, float side, float middle_x, float middle_y) {
    float low[2] = {1e9f, 1e9f}, high[2] = {-1e9f, -1e9f};
    float length = 0, sum_x = 0, sum_y = 0;
    for (int i = 0; i < l->count; i++) {
        low[0] = fminf(low[0], l->x[i]), high[0] = fmaxf(high[0], l->x[i]);
        low[1] = fminf(low[1], l->y[i]), high[1] = fmaxf(high[1], l->y[i]);
        if (!l->pen[i]) continue;
        float segment = hypotf(l->x[i + 1] - l->x[i], l->y[i + 1] - l->y[i]);
        length += segment;
        sum_x += segment * (l->x[i] + l->x[i + 1]) / 2;
        sum_y += segment * (l->y[i] + l->y[i + 1]) / 2;
    }
    float scale = side / fmaxf(high[0] - low[0], high[1] - low[1]);
    for (int i = 0; i < l->count; i++) {
        l->x[i] = middle_x + (l->x[i] - sum_x / length) * scale;
        l->y[i] = middle_y + (l->y[i] - sum_y / length) * scale;
    }
}

/* --- ink --- */

typedef struct canvas {
    int64_t h, w;
    uint8_t *pixels;
} canvas;

static int64_t clamp(int64_t value, int64_t limit) { return value < 0 ? 0 : value > limit ? limit : value; }

static const float edge =
    1.4f; /* pixels from full ink to none; MNIST's edges are soft, because its pictures were reduced */

/* Draws the line from point i to the next. A pixel's ink follows from the distance of its centre. */
static void draw_segment(const canvas *out, const line *l, int i, float radius) {
    float ax = l->x[i], ay = l->y[i], dx = l->x[i + 1] - ax, dy = l->y[i + 1] - ay;
    float reach = radius + 1, squared = dx * dx + dy * dy + 1e-12f;
    int64_t left = clamp((int64_t)floorf(fminf(ax, ax + dx) - reach), out->w);
    int64_t right = clamp((int64_t)ceilf(fmaxf(ax, ax + dx) + reach), out->w);
    int64_t top = clamp((int64_t)floorf(fminf(ay, ay + dy) - reach), out->h);
    int64_t bottom = clamp((int64_t)ceilf(fmaxf(ay, ay + dy) + reach), out->h);
    for (int64_t y = top; y < bottom; y++)
        for (int64_t x = left; x < right; x++) {
            float px = (float)x + 0.5f - ax, py = (float)y + 0.5f - ay;
            float t = fminf(fmaxf((px * dx + py * dy) / squared, 0), 1);
            float rx = px - t * dx, ry = py - t * dy;
            float cover = (radius - sqrtf(rx * rx + ry * ry)) / edge + 0.5f;
            uint8_t value = (uint8_t)(255 * fminf(fmaxf(cover, 0), 1) + 0.5f);
            uint8_t *pixel = &out->pixels[y * out->w + x];
            if (value > *pixel) *pixel = value;
        }
}

/* Red, green and blue of each digit's ink. */
static const uint8_t inks[DIGITS][3] = {{235, 235, 235}, {230, 60, 50},  {70, 190, 80},  {70, 110, 240},
                                        {240, 200, 60},  {200, 80, 220}, {60, 210, 220}, {240, 130, 40},
                                        {150, 220, 50},  {250, 130, 180}};

/* Grey becomes colour, in place and from the end: white is the ink of the digit, black its dark complement. */
static void colour(uint8_t *pixels, int64_t count, const uint8_t ink[3]) {
    for (int64_t i = count - 1; i >= 0; i--) {
        int grey = pixels[i];
        for (int c = 0; c < 3; c++)
            pixels[3 * i + c] = (uint8_t)((grey * ink[c] + (255 - grey) * (255 - ink[c]) / 4) / 255);
    }
}

/* --- the importer --- */

static ls_status open_digits(const ls_source_request *request, void **out, ls_source_info *info) {
    const digits_options *o = request->options;
    int64_t h, w;
    LS_TRY(ls_size_parse(o->size, &h, &w));
    digits_source *source;
    LS_TRY(ls_alloc(&source, 1, sizeof *source, "generated digits"));
    *source = (digits_source){h, w, ls_channels(o->channels), ls_rng_stream(request->seed, LS_RNG_SYNTH, 0, 0),
                              ls_rng_stream(request->seed, LS_RNG_SYNTH, 1, 0)};
    *info = (ls_source_info){
        .count = o->count,
        .shape = {3, {h, w, source->channels}},
        .element = LS_ELEMENT_UINT8,
        .labelled = true,
        .classes = DIGITS,
        .class_names = class_names,
    };
    *out = source;
    return LS_OK;
}

enum { UNIFORMS = 6, NORMALS = 2 * POINTS_MAX + 6 };

static ls_status sample_digits(void *context, int64_t index, void *data, int32_t *label, const char **name) {
    const digits_source *source = context;
    canvas out = {source->h, source->w, data};
    float uniform[UNIFORMS], normal[NORMALS];
    ls_random_uniform(&source->rng, (uint64_t)index, UNIFORMS, uniform);
    ls_random_normal(&source->normal_rng, (uint64_t)index, NORMALS, normal);
    *label = (int32_t)(index % DIGITS);
    *name = NULL;
    line l;
    trace(&ways[choose_way(*label, uniform[0])], normal, &l);
    distort(&l, normal + 2 * POINTS_MAX, uniform + 1);
    float unit = (float)(out.h < out.w ? out.h : out.w) / 28; /* a pixel of MNIST's */
    float radius = (0.75f + 1.1f * uniform[3] * uniform[3] + 0.3f * uniform[4]) * unit;
    set_in_box(&l, 20 * unit - 2 * radius, (float)out.w / 2, (float)out.h / 2);
    memset(data, 0, (size_t)(out.h * out.w));
    for (int i = 0; i < l.count; i++) {
        float pressure = 1 + 0.18f * sinf(0.12f * (float)i + 6.28f * uniform[5]);
        if (l.pen[i]) draw_segment(&out, &l, i, radius * pressure);
    }
    if (source->channels == 3) colour(data, out.h * out.w, inks[*label]);
    return LS_OK;
}

const ls_importer_type ls_synth_digits = {
    .name = "digits",
    .generates = true,
    .usage = "",
    .help = "handwritten digits like MNIST's, drawn from strokes",
    .options = options,
    .options_bytes = sizeof(digits_options),
    .open = open_digits,
    .sample = sample_digits,
    .close = ls_free,
};
