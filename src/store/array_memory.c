/* array_memory.c - a sparse file in memory: pages, sorted by their place and found by bisection. */
#include "store/array_memory_internal.h"

#include <string.h>

#include "base/integers.h"
#include "base/memory.h"

/* The index of the first page that begins at or after this byte. */
static int64_t find_place(const ls_array_memory *memory, int64_t at) {
    int64_t low = 0, high = memory->pages;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (memory->page[middle].at < at)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The bytes of the page that begins at this byte; NULL: there is none. */
static char *find_page(const ls_array_memory *memory, int64_t at) {
    int64_t place = find_place(memory, at);
    return place < memory->pages && memory->page[place].at == at ? memory->page[place].bytes : NULL;
}

static ls_status add_page(ls_array_memory *memory, int64_t at) {
    ls_array_page added = {.at = at};
    LS_TRY(ls_grow(&memory->page, &memory->room, memory->pages + 1, sizeof *memory->page, "the description of a file"));
    LS_TRY(ls_alloc(&added.bytes, LS_ARRAY_PAGE_BYTES, 1, "the description of a file"));
    ls_array_page *place = &memory->page[find_place(memory, at)];
    memmove(place + 1, place, (size_t)(memory->page + memory->pages - place) * sizeof *place);
    *place = added;
    memory->pages++;
    return LS_OK;
}

/* How many of the bytes are in the first one's page. */
static int64_t part_in_page(int64_t at, int64_t bytes) {
    return ls_min(bytes, LS_ARRAY_PAGE_BYTES - at % LS_ARRAY_PAGE_BYTES);
}

ls_status ls_array_memory_write(ls_array_memory *memory, int64_t at, const void *data, int64_t bytes) {
    const char *next = data;
    for (int64_t part; bytes > 0; at += part, next += part, bytes -= part) {
        int64_t in_page = at % LS_ARRAY_PAGE_BYTES, begin = at - in_page;
        part = part_in_page(at, bytes);
        if (find_page(memory, begin) == NULL) LS_TRY(add_page(memory, begin));
        memcpy(find_page(memory, begin) + in_page, next, (size_t)part);
    }
    return LS_OK;
}

void ls_array_memory_read(const ls_array_memory *memory, int64_t at, void *data, int64_t bytes) {
    char *next = data;
    for (int64_t part; bytes > 0; at += part, next += part, bytes -= part) {
        int64_t in_page = at % LS_ARRAY_PAGE_BYTES;
        const char *page = find_page(memory, at - in_page);
        part = part_in_page(at, bytes);
        if (page != NULL)
            memcpy(next, page + in_page, (size_t)part);
        else
            memset(next, 0, (size_t)part);
    }
}

void ls_array_memory_release(ls_array_memory *memory) {
    for (int64_t i = 0; i < memory->pages; i++) ls_free(memory->page[i].bytes);
    ls_free(memory->page);
    *memory = (ls_array_memory){0};
}
