/* The frames of records: checksums against the examples of RFC 3720, B.4, and the masks as TensorFlow defines them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "report/tfrecord_internal.h"

static uint32_t little_endian(const uint8_t *bytes) {
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

/* crc32c::Unmask of TensorFlow's crc32c.h */
static uint32_t unmasked(uint32_t masked) {
    uint32_t turned = masked - UINT32_C(0xa282ead8);
    return (turned >> 17) | (turned << 15);
}

static void expect_checksum(const uint8_t *data, int64_t bytes, uint32_t crc) {
    uint8_t record[LS_TFRECORD_HEAD_BYTES + 64 + LS_TFRECORD_TAIL_BYTES];
    memcpy(record + LS_TFRECORD_HEAD_BYTES, data, (size_t)bytes);
    ls_tfrecord_frame(record, bytes);
    assert_memory_equal(record + LS_TFRECORD_HEAD_BYTES, data, (size_t)bytes);
    assert_int_equal(little_endian(record), bytes);
    assert_int_equal(little_endian(record + 4), 0);
    assert_int_equal(unmasked(little_endian(record + LS_TFRECORD_HEAD_BYTES + bytes)), crc);
}

static void checksums_of_the_standard(void **unused) {
    (void)unused;
    uint8_t zeros[32] = {0}, ones[32], rising[32], falling[32];
    memset(ones, 0xff, sizeof ones);
    for (int i = 0; i < 32; i++) {
        rising[i] = (uint8_t)i;
        falling[i] = (uint8_t)(31 - i);
    }
    const uint8_t read_command[48] = {
        0x01, 0xc0, [16] = 0x14, [22] = 0x04, [26] = 0x00, [27] = 0x14, [31] = 0x18, 0x28, [40] = 0x02};
    expect_checksum(zeros, 32, 0x8a9136aa);
    expect_checksum(ones, 32, 0x62a8ab43);
    expect_checksum(rising, 32, 0x46dd794e);
    expect_checksum(falling, 32, 0x113fdb5c);
    expect_checksum(read_command, 48, 0xd9963a56);
    expect_checksum(zeros, 0, 0);
}

/* The head of a file that TensorFlow wrote: its first record is 24 bytes long. */
static void the_head_has_a_checksum_too(void **unused) {
    (void)unused;
    uint8_t record[LS_TFRECORD_HEAD_BYTES + 24 + LS_TFRECORD_TAIL_BYTES] = {0};
    const uint8_t head[LS_TFRECORD_HEAD_BYTES] = {24, 0, 0, 0, 0, 0, 0, 0, 0xa3, 0x7f, 0x4b, 0x22};
    ls_tfrecord_frame(record, 24);
    assert_memory_equal(record, head, sizeof head);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(checksums_of_the_standard),
                                       cmocka_unit_test(the_head_has_a_checksum_too)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
