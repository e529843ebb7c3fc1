/* array_driver.c - a file driver for HDF5: it reads from a descriptor, and writes to memory. array_driver_internal.h
 * says why HDF5 does not open the files itself. */
#include "store/array_driver_internal.h"

#if H5_VERSION_GE(1, 13, 0)
#include <H5FDdevelop.h>
#endif
#include <errno.h>
#include <string.h>

#include "base/descriptor.h"
#include "base/integers.h"
#include "base/memory.h"
#include "store/hdf5.h"

/* --- a sparse file in memory: pages, sorted by their place and found by bisection --- */

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

static ls_status write_memory(ls_array_memory *memory, int64_t at, const void *data, int64_t bytes) {
    const char *next = data;
    for (int64_t part; bytes > 0; at += part, next += part, bytes -= part) {
        int64_t in_page = at % LS_ARRAY_PAGE_BYTES, begin = at - in_page;
        part = part_in_page(at, bytes);
        if (find_page(memory, begin) == NULL) LS_TRY(add_page(memory, begin));
        memcpy(find_page(memory, begin) + in_page, next, (size_t)part);
    }
    return LS_OK;
}

/* Reads zeros where nothing was written. */
static void read_memory(const ls_array_memory *memory, int64_t at, void *data, int64_t bytes) {
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

/* --- the driver --- */

/* A file as HDF5 sees it. */
typedef struct open_file {
    H5FD_t common; /* HDF5's part; it must come first */
    ls_array_backing *backing;
    haddr_t end; /* of the space that HDF5 has handed out */
} open_file;

static open_file *of(const H5FD_t *file) { return (open_file *)(uintptr_t)file; }

static H5FD_t *open_backing(const char *name, unsigned flags, hid_t access, haddr_t limit) {
    (void)name, (void)flags, (void)limit;
    ls_array_backing *const *backing = H5Pget_driver_info(access);
    open_file *file;
    if (backing == NULL || ls_alloc(&file, 1, sizeof *file, "an open file") != LS_OK) return NULL;
    file->backing = *backing;
    return &file->common;
}

static herr_t close_backing(H5FD_t *file) {
    ls_free(of(file));
    return 0;
}

/* The flags of HDF5's own file driver: the layout of a file depends on them. */
static herr_t query(const H5FD_t *file, unsigned long *flags) {
    (void)file;
    if (flags != NULL)
        *flags = H5FD_FEAT_AGGREGATE_METADATA | H5FD_FEAT_ACCUMULATE_METADATA | H5FD_FEAT_DATA_SIEVE |
                 H5FD_FEAT_AGGREGATE_SMALLDATA;
    return 0;
}

static haddr_t get_end(const H5FD_t *file, H5FD_mem_t type) {
    (void)type;
    return of(file)->end;
}

static herr_t set_end(H5FD_t *file, H5FD_mem_t type, haddr_t end) {
    (void)type;
    of(file)->end = end;
    return 0;
}

static haddr_t get_length(const H5FD_t *file, H5FD_mem_t type) {
    (void)type;
    return (haddr_t)of(file)->backing->bytes;
}

/* In the words of HDF5's own driver, which ls_hdf5_reason understands. */
static herr_t fail_read(void) {
    int number = errno != 0 ? errno : EIO;
    H5Epush2(H5E_DEFAULT, __FILE__, __func__, __LINE__, H5E_ERR_CLS, H5E_IO, H5E_READERROR,
             "file read failed: errno = %d, error message = '%s'", number,
             errno != 0 ? strerror(errno) : "the disk gives less than the file has");
    return -1;
}

/* HDF5 may read a little past the end, where nothing was written yet: zeros. */
static herr_t read_backing(H5FD_t *file, H5FD_mem_t type, hid_t transfer, haddr_t at, size_t bytes, void *data) {
    (void)type, (void)transfer;
    const ls_array_backing *backing = of(file)->backing;
    int64_t begin = (int64_t)at, wanted = (int64_t)bytes;
    if (backing->fd < 0) {
        read_memory(&backing->memory, begin, data, wanted);
        return 0;
    }
    int64_t there = ls_max(0, ls_min(wanted, backing->bytes - begin));
    memset((char *)data + there, 0, (size_t)(wanted - there));
    return ls_fd_read_at(backing->fd, data, there, begin) ? 0 : fail_read();
}

static herr_t write_backing(H5FD_t *file, H5FD_mem_t type, hid_t transfer, haddr_t at, size_t bytes, const void *data) {
    (void)type, (void)transfer;
    ls_array_backing *backing = of(file)->backing;
    int64_t begin = (int64_t)at, count = (int64_t)bytes;
    if (write_memory(&backing->memory, begin, data, count) != LS_OK) backing->lost = true;
    backing->bytes = ls_max(backing->bytes, begin + count);
    return 0;
}

/* HDF5 calls this when it closes a new file: now the length is known. */
static herr_t truncate_backing(H5FD_t *file, hid_t transfer, hbool_t closing) {
    (void)transfer, (void)closing;
    if (of(file)->backing->fd < 0) of(file)->backing->bytes = (int64_t)of(file)->end;
    return 0;
}

static const H5FD_class_t driver = {
#if H5_VERSION_GE(1, 13, 0)
    .version = H5FD_CLASS_VERSION,
    .value = (H5FD_class_value_t)600, /* our own number: the HDF Group assigns those up to 511 */
#endif
    .name = "lockstep",
    .maxaddr = INT64_MAX,
    .fc_degree = H5F_CLOSE_WEAK,
    .fapl_size = sizeof(ls_array_backing *),
    .open = open_backing,
    .close = close_backing,
    .query = query,
    .get_eoa = get_end,
    .set_eoa = set_end,
    .get_eof = get_length,
    .read = read_backing,
    .write = write_backing,
    .truncate = truncate_backing,
    .fl_map = H5FD_FLMAP_DICHOTOMY,
};

ls_status ls_array_driver_use(ls_array_backing *backing, hid_t access) {
    static hid_t id = H5I_INVALID_HID; /* HDF5 frees it at its end */
    if (id < 0) id = H5FDregister(&driver);
    if (id >= 0 && H5Pset_driver(access, id, &backing) >= 0) return LS_OK;
    return LS_RAISE(LS_ERROR, "HDF5 does not take a file driver: %s", ls_hdf5_reason());
}
