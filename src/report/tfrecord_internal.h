/* tfrecord_internal.h - the frames around the records of TensorFlow's files, those of TensorBoard among them.
 *
 * A record is its length, a checksum of that, its data, and a checksum of them, all little-endian
 * (tensorflow/core/lib/io/record_writer.h). Checksums are CRC-32C (RFC 3720, B.4), turned and shifted so that
 * a checksum of data that holds checksums stays a good one. */
#ifndef LS_REPORT_TFRECORD_INTERNAL_H
#define LS_REPORT_TFRECORD_INTERNAL_H

#include <stdint.h>

enum { LS_TFRECORD_HEAD_BYTES = 12, LS_TFRECORD_TAIL_BYTES = 4, LS_TFRECORD_DATA_BYTES_MAX = INT32_MAX };

/* record: room for a head, the data, which stands there already, and a tail. Writes head and tail. */
void ls_tfrecord_frame(uint8_t *record, int64_t data_bytes);

#endif
