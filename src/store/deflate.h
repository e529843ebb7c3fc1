/* deflate.h - the limit of the compression that gzip, PNG and HDF5 share. What a header claims is held against it
 * before memory is allocated. */
#ifndef LS_STORE_DEFLATE_H
#define LS_STORE_DEFLATE_H

/* The most bytes that one byte of deflate can become (https://zlib.net/zlib_tech.html). */
enum { LS_DEFLATE_RATIO = 1032 };

#endif
