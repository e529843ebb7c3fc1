/* synth_scenes.c - coloured landscapes for a network that colours grey pictures: what a thing is, and so its colour,
 * can be told from where it is, its shape, brightness and texture. Skies are smooth and brighten towards the horizon,
 * grass is dark and grained, sand and snow are light, roofs are triangles. Painted from back to front, in units of the
 * picture's height. */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/rng.h"
#include "data/importers_internal.h"
#include "tensor/random.h"

typedef enum kind { MEADOW, FOREST, VILLAGE, LAKE, DESERT, SNOW, KINDS } kind;
static const char *const class_names[KINDS] = {"meadow", "forest", "village", "lake", "desert", "snow"};

typedef struct scenes_options {
    int64_t count;
    char size[LS_SIZE_TEXT_MAX];
} scenes_options;

static const ls_option options[] = {
    {"count", LS_OPTION_INT, offsetof(scenes_options, count), .preset = "10000", .min = 1, .max = 1e12,
     .help = "how many", .letter = 'n'},
    {"size", LS_OPTION_STRING, offsetof(scenes_options, size), .preset = "32x32", .capacity = LS_SIZE_TEXT_MAX,
     .help = "HEIGHTxWIDTH of a picture"},
    LS_OPTIONS_END,
};

typedef struct scenes_source {
    int64_t h, w;
    ls_rng rng;
} scenes_source;

/* --- colours and chance --- */

typedef struct colour {
    float r, g, b; /* 0..1 */
} colour;

static const colour white = {1, 1, 1}, trunk = {0.33f, 0.2f, 0.1f}, crown = {0.16f, 0.42f, 0.1f},
                    fir = {0.06f, 0.28f, 0.13f};
static const colour roof = {0.68f, 0.2f, 0.13f}, wall = {0.9f, 0.84f, 0.7f}, door = {0.38f, 0.22f, 0.12f},
                    pane = {0.35f, 0.45f, 0.6f};
static const colour cactus = {0.25f, 0.45f, 0.2f}, ridge_day = {0.45f, 0.5f, 0.62f}, ridge_dusk = {0.3f, 0.22f, 0.34f};

/* The ground of each kind at the horizon and at the bottom, and how grained it is. */
static const struct ground {
    colour far, near;
    float grain;
} grounds[KINDS] = {
    [MEADOW] = {{0.5f, 0.66f, 0.25f}, {0.24f, 0.48f, 0.1f}, 0.22f},
    [FOREST] = {{0.36f, 0.52f, 0.2f}, {0.2f, 0.38f, 0.1f}, 0.22f},
    [VILLAGE] = {{0.48f, 0.62f, 0.26f}, {0.3f, 0.5f, 0.14f}, 0.18f},
    [LAKE] = {{0.4f, 0.58f, 0.22f}, {0.24f, 0.44f, 0.1f}, 0.2f},
    [DESERT] = {{0.93f, 0.8f, 0.52f}, {0.82f, 0.62f, 0.34f}, 0.05f},
    [SNOW] = {{0.95f, 0.97f, 1}, {0.82f, 0.88f, 0.96f}, 0.02f},
};

/* Time of day: what the sky is at the top and at the horizon, and what its light does to things. */
static const struct light {
    colour top, low, tint;
} lights[2] = {
    {{0.2f, 0.45f, 0.86f}, {0.76f, 0.88f, 0.98f}, {1, 1, 1}},
    {{0.13f, 0.12f, 0.33f}, {0.98f, 0.62f, 0.32f}, {0.62f, 0.52f, 0.56f}},
};

static colour mix(colour a, colour b, float share) {
    return (colour){a.r + (b.r - a.r) * share, a.g + (b.g - a.g) * share, a.b + (b.b - a.b) * share};
}

static colour shade(colour c, float by) { return (colour){c.r * by, c.g * by, c.b * by}; }

static colour tinted(colour c, colour tint) { return (colour){c.r * tint.r, c.g * tint.g, c.b * tint.b}; }

enum { CHANCES = 256 };

/* The random numbers of a scene, taken one after another. */
typedef struct chance {
    float number[CHANCES];
    int next;
} chance;

static float between(chance *c, float low, float high) { return low + (high - low) * c->number[c->next++ % CHANCES]; }

static int pick(chance *c, int low, int high) { return low + (int)between(c, 0, (float)(high - low + 1)); }

/* --- painting --- */

typedef struct scene {
    int64_t h, w;
    uint8_t *pixels;
    float width, pixel; /* of the picture and of a pixel */
    uint32_t grain_seed;
    kind kind;
    bool dusk;
    const struct light *light;
    float horizon;
    chance chance;
} scene;

/* Hash of a pixel, -1..1 (the finalizer of MurmurHash3, A. Appleby). */
static float grain_at(const scene *s, int64_t y, int64_t x) {
    uint32_t v = s->grain_seed ^ ((uint32_t)y * UINT32_C(0x9E3779B1) + (uint32_t)x * UINT32_C(0x85EBCA77));
    v = (v ^ v >> 16) * UINT32_C(0x85EBCA6B);
    v = (v ^ v >> 13) * UINT32_C(0xC2B2AE35);
    return (float)((v ^ v >> 16) >> 8) * 0x2p-24f - 1;
}

static float limit(float value) { return fminf(fmaxf(value, 0), 1); }

static uint8_t blend(uint8_t old, float new, float cover) {
    return (uint8_t)((float)old + (255 * limit(new) - (float)old) * cover + 0.5f);
}

static void put(const scene *s, int64_t y, int64_t x, colour c, float cover) {
    uint8_t *p = s->pixels + (y * s->w + x) * 3;
    p[0] = blend(p[0], c.r, cover);
    p[1] = blend(p[1], c.g, cover);
    p[2] = blend(p[2], c.b, cover);
}

typedef enum form { ELLIPSE, BOX, TRIANGLE } form;

typedef struct shape {
    form form;
    float x, y, rx, ry; /* its centre, half its width and height */
    colour colour;
    float grain, softness; /* softness: how wide its edge is, beyond a pixel */
} shape;

/* How far a point lies outside (inside: negative); near the edge is where it must be right. */
static float distance(const shape *o, float x, float y) {
    float dx = fabsf(x - o->x), dy = fabsf(y - o->y);
    if (o->form == ELLIPSE) {
        float qx = dx / o->rx, qy = dy / o->ry;
        return (sqrtf(qx * qx + qy * qy) - 1) * fminf(o->rx, o->ry);
    }
    float half = o->form == BOX ? o->rx : o->rx * (y - o->y + o->ry) / (2 * o->ry);
    return fmaxf(dx - half, dy - o->ry);
}

static int64_t to_pixel(float place, float pixel, int64_t count) {
    float at = place / pixel;
    return at <= 0 ? 0 : at >= (float)count ? count : (int64_t)at;
}

static void paint(const scene *s, shape o) {
    float edge = s->pixel + o.softness, reach = edge + s->pixel;
    int64_t top = to_pixel(o.y - o.ry - reach, s->pixel, s->h), bottom = to_pixel(o.y + o.ry + reach, s->pixel, s->h);
    int64_t left = to_pixel(o.x - o.rx - reach, s->pixel, s->w), right = to_pixel(o.x + o.rx + reach, s->pixel, s->w);
    colour lit = tinted(o.colour, s->light->tint);
    for (int64_t y = top; y < bottom; y++)
        for (int64_t x = left; x < right; x++) {
            float cover = limit(0.5f - distance(&o, ((float)x + 0.5f) * s->pixel, ((float)y + 0.5f) * s->pixel) / edge);
            if (cover > 0) put(s, y, x, shade(lit, 1 + o.grain * grain_at(s, y, x)), cover);
        }
}

/* --- what there is in a landscape --- */

static colour sky_at(const scene *s, float y) {
    return mix(s->light->top, s->light->low, powf(limit(y / s->horizon), 1.5f));
}

static void paint_sky(const scene *s) {
    for (int64_t y = 0; y < s->h; y++) {
        colour c = sky_at(s, ((float)y + 0.5f) * s->pixel);
        for (int64_t x = 0; x < s->w; x++) put(s, y, x, c, 1);
    }
}

/* Light of its own: painted brighter than the light's tint lets things be. */
static void paint_sun(scene *s) {
    float x = between(&s->chance, 0.1f, 0.9f) * s->width, up = between(&s->chance, 0.12f, 0.3f);
    colour day = {1, 0.96f, 0.62f}, dusk = {1.9f, 1.7f, 0.85f};
    paint(s, (shape){ELLIPSE, x, s->dusk ? s->horizon - 0.05f : up, 0.08f, 0.08f, s->dusk ? dusk : day,
                     .softness = 0.02f});
}

static void paint_clouds(scene *s) {
    for (int n = pick(&s->chance, 0, 2); n > 0; n--) {
        float x = between(&s->chance, 0, s->width), y = between(&s->chance, 0.08f, 0.3f);
        for (int puff = 0; puff < 3; puff++) {
            float at = x + between(&s->chance, -0.12f, 0.12f), r = between(&s->chance, 0.07f, 0.13f);
            paint(s, (shape){ELLIPSE, at, y, r, 0.4f * r, white, .softness = 0.04f});
        }
    }
}

/* A line across the picture: `height` above or below the horizon, in two waves. */
typedef struct outline {
    float level, height, phase[2], frequency[2];
} outline;

static outline draw_outline(scene *s, float level, float height, float frequency) {
    outline line = {.level = level, .height = height};
    for (int i = 0; i < 2; i++) {
        line.phase[i] = between(&s->chance, 0, 6.28f);
        line.frequency[i] = frequency * between(&s->chance, 0.6f, 1.4f) * (float)(1 + i);
    }
    return line;
}

static float outline_at(const outline *line, float x) {
    float first = sinf(line->frequency[0] * x + line->phase[0]), second = sinf(line->frequency[1] * x + line->phase[1]);
    return line->level + line->height * (0.65f * first + 0.35f * second);
}

/* All below a line, from one colour to another at the bottom. */
static void paint_below(const scene *s, const outline *line, colour far, colour near, float grain) {
    for (int64_t x = 0; x < s->w; x++) {
        float begin = outline_at(line, ((float)x + 0.5f) * s->pixel);
        for (int64_t y = to_pixel(begin - s->pixel, s->pixel, s->h); y < s->h; y++) {
            float below = ((float)y + 0.5f) * s->pixel - begin, depth = limit(below / (1 - begin));
            colour c = tinted(mix(far, near, depth), s->light->tint);
            put(s, y, x, shade(c, 1 + grain * (0.4f + 0.6f * depth) * grain_at(s, y, x)),
                limit(0.5f + below / s->pixel));
        }
    }
}

static void paint_mountains(scene *s) {
    if (pick(&s->chance, 0, 2) == 0) return;
    outline line = draw_outline(s, s->horizon - between(&s->chance, 0.08f, 0.16f), 0.06f, 6);
    colour c = s->dusk ? shade(ridge_dusk, 1.5f) : ridge_day; /* far off: its haze takes part in the light */
    paint_below(s, &line, c, c, 0.03f);
}

static void paint_ground(scene *s) {
    const struct ground *g = &grounds[s->kind];
    outline line = draw_outline(s, s->horizon, between(&s->chance, 0, 0.04f), 4);
    paint_below(s, &line, g->far, g->near, g->grain);
    if (s->kind != DESERT && s->kind != SNOW) return;
    outline dune = draw_outline(s, s->horizon + between(&s->chance, 0.12f, 0.25f), 0.05f, 3);
    paint_below(s, &dune, shade(g->far, 0.97f), shade(g->near, 0.94f), g->grain);
}

/* Water mirrors the sky, darker, in ripples that are narrower the farther they are. */
static void paint_water(scene *s) {
    float begin = s->horizon + between(&s->chance, 0.04f, 0.08f), end = between(&s->chance, 0.88f, 1.1f);
    float phase = between(&s->chance, 0, 6.28f);
    for (int64_t y = to_pixel(begin, s->pixel, s->h); y < to_pixel(end, s->pixel, s->h); y++) {
        float at = ((float)y + 0.5f) * s->pixel, depth = (at - begin) / (end - begin);
        colour mirrored = sky_at(s, s->horizon * (1 - depth)), blue = {0.1f, 0.28f, 0.5f};
        for (int64_t x = 0; x < s->w; x++) {
            float across = ((float)x + 0.5f) * s->pixel, ripple = sinf(60 * sqrtf(depth + 0.05f) + 3 * across + phase);
            put(s, y, x, shade(mix(mirrored, tinted(blue, s->light->tint), 0.45f), 1 + 0.1f * ripple), 1);
        }
    }
}

static void paint_tree(const scene *s, float x, float base, float size) {
    paint(s, (shape){BOX, x, base - 0.2f * size, 0.06f * size, 0.2f * size, trunk, .grain = 0});
    paint(s, (shape){ELLIPSE, x, base - 0.65f * size, 0.3f * size, 0.35f * size, crown, .grain = 0.35f});
}

static void paint_fir(const scene *s, float x, float base, float size) {
    paint(s, (shape){BOX, x, base - 0.1f * size, 0.05f * size, 0.1f * size, trunk, .grain = 0});
    paint(s, (shape){TRIANGLE, x, base - 0.4f * size, 0.28f * size, 0.25f * size, fir, .grain = 0.25f});
    paint(s, (shape){TRIANGLE, x, base - 0.68f * size, 0.2f * size, 0.28f * size, fir, .grain = 0.25f});
}

static void paint_house(const scene *s, float x, float base, float size) {
    paint(s, (shape){BOX, x, base - 0.3f * size, 0.4f * size, 0.3f * size, wall, .grain = 0});
    paint(s, (shape){TRIANGLE, x, base - 0.8f * size, 0.52f * size, 0.22f * size, roof, .grain = 0.06f});
    paint(s, (shape){BOX, x - 0.15f * size, base - 0.18f * size, 0.09f * size, 0.18f * size, door, .grain = 0});
    paint(s, (shape){BOX, x + 0.17f * size, base - 0.32f * size, 0.1f * size, 0.1f * size, pane, .grain = 0});
}

static void paint_cactus(const scene *s, float x, float base, float size) {
    paint(s, (shape){BOX, x, base - 0.4f * size, 0.07f * size, 0.4f * size, cactus, .grain = 0.1f});
    paint(s, (shape){BOX, x + 0.16f * size, base - 0.38f * size, 0.16f * size, 0.05f * size, cactus, .grain = 0.1f});
    paint(s, (shape){BOX, x + 0.27f * size, base - 0.52f * size, 0.05f * size, 0.17f * size, cactus, .grain = 0.1f});
}

typedef void (*paint_fn)(const scene *s, float x, float base, float size);

/* A row of things from the far to the near, which look larger. */
static void paint_row(scene *s, paint_fn thing, int count, float size) {
    for (int i = 0; i < count; i++) {
        float near = ((float)i + between(&s->chance, 0, 1)) / (float)count;
        float base = s->horizon + 0.05f + near * (0.9f - s->horizon), x = between(&s->chance, 0, s->width);
        thing(s, x, base, size * (0.6f + 0.8f * near) * between(&s->chance, 0.85f, 1.15f));
    }
}

static void paint_things(scene *s) {
    chance *c = &s->chance;
    paint_fn some_tree = pick(c, 0, 1) ? paint_tree : paint_fir;
    switch (s->kind) {
    case MEADOW:
        paint_row(s, some_tree, pick(c, 0, 2), 0.35f);
        break;
    case FOREST:
        paint_row(s, some_tree, pick(c, 5, 10), 0.45f);
        break;
    case VILLAGE:
        paint_row(s, some_tree, pick(c, 0, 2), 0.35f);
        paint_row(s, paint_house, pick(c, 1, 3), 0.32f);
        break;
    case LAKE:
        paint_water(s);
        break;
    case DESERT:
        paint_row(s, paint_cactus, pick(c, 0, 3), 0.3f);
        break;
    case SNOW:
        paint_row(s, paint_fir, pick(c, 1, 4), 0.4f);
        break;
    case KINDS:
        break;
    }
}

/* --- the importer --- */

static ls_status open_scenes(const ls_source_request *request, void **out, ls_source_info *info) {
    const scenes_options *o = request->options;
    int64_t h, w;
    LS_TRY(ls_size_parse(o->size, &h, &w));
    scenes_source *source;
    LS_TRY(ls_alloc(&source, 1, sizeof *source, "generated scenes"));
    *source = (scenes_source){h, w, ls_rng_stream(request->seed, LS_RNG_SYNTH, 0, 0)};
    *info = (ls_source_info){
        .count = o->count,
        .shape = {3, {h, w, 3}},
        .element = LS_ELEMENT_UINT8,
        .labelled = true,
        .classes = KINDS,
        .class_names = class_names,
    };
    *out = source;
    return LS_OK;
}

static ls_status sample_scenes(void *context, int64_t index, void *data, int32_t *label, const char **name) {
    const scenes_source *source = context;
    scene s = {
        .h = source->h, .w = source->w, .pixels = data, .pixel = 1 / (float)source->h, .kind = (kind)(index % KINDS)};
    ls_random_uniform(&source->rng, (uint64_t)index, CHANCES, s.chance.number);
    s.width = (float)s.w * s.pixel;
    s.grain_seed = (uint32_t)between(&s.chance, 0, 0x1p24f);
    s.dusk = between(&s.chance, 0, 1) < 0.3f;
    s.light = &lights[s.dusk];
    s.horizon = between(&s.chance, 0.42f, 0.62f);
    memset(data, 0, (size_t)(s.h * s.w * 3));
    paint_sky(&s);
    paint_sun(&s);
    paint_clouds(&s);
    paint_mountains(&s);
    paint_ground(&s);
    paint_things(&s);
    *label = (int32_t)s.kind;
    *name = NULL;
    return LS_OK;
}

const ls_importer_type ls_synth_scenes = {
    .name = "scenes",
    .generates = true,
    .usage = "",
    .help = "coloured landscapes whose colours can be inferred from their grey pictures",
    .options = options,
    .options_bytes = sizeof(scenes_options),
    .open = open_scenes,
    .sample = sample_scenes,
    .close = ls_free,
};
