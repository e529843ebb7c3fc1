#include "report/tfrecord_internal.h"

#include <assert.h>
#include <endian.h>
#include <isa-l/crc.h>
#include <string.h>

/* ISA-L leaves it to the caller to begin with ones and to invert the end. */
static uint32_t masked_checksum(uint8_t *data, int64_t bytes) {
    uint32_t crc = ~crc32_iscsi(data, (int)bytes, UINT32_MAX);
    return ((crc >> 15) | (crc << 17)) + UINT32_C(0xa282ead8);
}

static void put_checksum(uint8_t *data, int64_t bytes) {
    uint32_t checksum = htole32(masked_checksum(data, bytes));
    memcpy(data + bytes, &checksum, sizeof checksum);
}

void ls_tfrecord_frame(uint8_t *record, int64_t data_bytes) {
    assert(data_bytes <= LS_TFRECORD_DATA_BYTES_MAX);
    uint64_t length = htole64((uint64_t)data_bytes);
    memcpy(record, &length, sizeof length);
    put_checksum(record, sizeof length);
    put_checksum(record + LS_TFRECORD_HEAD_BYTES, data_bytes);
}
