/* seal.c - writes and verifies the seal of a checkpoint: a hash over all its bytes, in HDF5's user block, so that a
 * damaged file is found before HDF5 opens it. */
#include "store/seal.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include "base/descriptor.h"
#include "base/integers.h"
#include "base/memory.h"

enum { FORMAT = 1, BLOCK_BYTES = 4 << 20, HASH_AT = LS_SEAL_BYTES - 16 };
static const char magic[8] = "LOCKSTEP";

typedef struct seal {
    char magic[8];
    uint32_t format, block_bytes; /* little-endian */
    uint64_t file_bytes;
    char zeros[HASH_AT - 24];
    XXH128_canonical_t hash;
} seal;
_Static_assert(sizeof(seal) == LS_SEAL_BYTES, "a seal fills the user block");

/* A file that cannot be read may be whole, so this is LS_ERROR, also where the disk gives fewer bytes than the file
 * has. */
static ls_status fail_read(const char *path) {
    ls_status status = errno == ENOENT ? LS_INVALID : LS_ERROR;
    return LS_RAISE(status, "%s: cannot be read: %s", path,
                    errno != 0 ? strerror(errno) : "the disk gives less than it has");
}

static ls_status hash_blocks(int fd, const char *path, int64_t file_bytes, void *buffer, XXH3_state_t *state) {
    for (int64_t at = LS_SEAL_BYTES; at < file_bytes; at += BLOCK_BYTES) {
        int64_t bytes = file_bytes - at < BLOCK_BYTES ? file_bytes - at : BLOCK_BYTES;
        if (!ls_fd_read_at(fd, buffer, bytes, at)) return fail_read(path);
        XXH128_canonical_t hash;
        XXH128_canonicalFromHash(&hash, XXH3_128bits(buffer, (size_t)bytes));
        XXH3_128bits_update(state, &hash, sizeof hash);
    }
    return LS_OK;
}

/* The hash of a file with this seal. */
static ls_status hash_file(int fd, const char *path, const seal *s, XXH128_canonical_t *hash) {
    void *buffer = NULL;
    XXH3_state_t *state = XXH3_createState();
    ls_status status = ls_alloc(&buffer, BLOCK_BYTES, 1, "a block of a checkpoint");
    if (status == LS_OK && state == NULL) status = LS_RAISE(LS_ERROR, "no memory to verify %s", path);
    if (status == LS_OK) {
        XXH3_128bits_reset(state);
        XXH3_128bits_update(state, s, HASH_AT);
        status = hash_blocks(fd, path, (int64_t)le64toh(s->file_bytes), buffer, state);
    }
    if (status == LS_OK) XXH128_canonicalFromHash(hash, XXH3_128bits_digest(state));
    XXH3_freeState(state);
    ls_free(buffer);
    return status;
}

ls_status ls_seal_write(const ls_file *file) {
    struct stat info;
    if (fstat(file->fd, &info) != 0) return LS_RAISE(LS_ERROR, "%s: %s", file->path, strerror(errno));
    seal s = {
        .format = htole32(FORMAT), .block_bytes = htole32(BLOCK_BYTES), .file_bytes = htole64((uint64_t)info.st_size)};
    memcpy(s.magic, magic, sizeof magic);
    LS_TRY(hash_file(file->fd, file->path, &s, &s.hash));
    if (ls_fd_write_at(file->fd, &s, sizeof s, 0)) return LS_OK;
    return LS_RAISE(LS_ERROR, "%s: cannot be sealed: %s", file->path, strerror(errno));
}

static ls_status check_header(const char *path, const seal *s, int64_t file_bytes) {
    if (memcmp(s->magic, magic, sizeof magic) != 0) return LS_RAISE(LS_INVALID, "%s: not a Lockstep checkpoint", path);
    if (le32toh(s->format) != FORMAT || le32toh(s->block_bytes) != BLOCK_BYTES)
        return LS_RAISE(LS_INVALID, "%s: damaged, or of another version of Lockstep (format %u; this one reads %d)",
                        path, le32toh(s->format), FORMAT);
    if ((int64_t)le64toh(s->file_bytes) != file_bytes)
        return LS_RAISE(LS_INVALID, "%s: damaged: it has %lld of its %llu bytes", path, (long long)file_bytes,
                        (unsigned long long)le64toh(s->file_bytes));
    return LS_OK;
}

static ls_status verify(int fd, const char *path) {
    struct stat info;
    seal s = {0};
    if (fstat(fd, &info) != 0) return fail_read(path);
    if (!S_ISREG(info.st_mode)) return LS_RAISE(LS_INVALID, "%s: not a file", path);
    if (!ls_fd_read_at(fd, &s, ls_min(info.st_size, LS_SEAL_BYTES), 0)) return fail_read(path);
    LS_TRY(check_header(path, &s, info.st_size));
    XXH128_canonical_t hash;
    LS_TRY(hash_file(fd, path, &s, &hash));
    if (memcmp(&hash, &s.hash, sizeof hash) == 0) return LS_OK;
    return LS_RAISE(LS_INVALID, "%s: damaged: its content does not match its hash", path);
}

ls_status ls_seal_verify(const char *path) {
    int fd = ls_fd_open(path, O_RDONLY | O_NONBLOCK); /* a pipe of that name must not block */
    if (fd < 0) return fail_read(path);
    ls_status status = verify(fd, path);
    close(fd);
    return status;
}
