/* tfrecord.c - the frame around a record, and its checksum: CRC-32C, bit by bit turned into a table of 256 entries. A
 * library for it (ISA-L) would be faster than any run needs: an epoch writes a few megabytes at most. */
#include "report/tfrecord_internal.h"

#include <assert.h>
#include <endian.h>
#include <string.h>

/* The remainders of all bytes by Castagnoli's polynomial, least significant bit first (RFC 3720, B.4). */
static void make_table(uint32_t table[256]) {
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t rest = byte;
        for (int bit = 0; bit < 8; bit++) rest = rest >> 1 ^ (rest & 1 ? UINT32_C(0x82F63B78) : 0);
        table[byte] = rest;
    }
}

static uint32_t masked_checksum(const uint8_t *data, int64_t bytes) {
    uint32_t table[256], crc = UINT32_MAX;
    make_table(table);
    for (int64_t i = 0; i < bytes; i++) crc = crc >> 8 ^ table[(crc ^ data[i]) & 0xFF];
    crc = ~crc;
    return (crc >> 15 | crc << 17) + UINT32_C(0xa282ead8);
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
