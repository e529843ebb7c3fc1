/* deflate.h - what is known of the compression that gzip, PNG and HDF5 share. */
#ifndef LS_STORE_DEFLATE_H
#define LS_STORE_DEFLATE_H

/* The most bytes that deflate makes of one (https://zlib.net/zlib_tech.html). */
enum { LS_DEFLATE_RATIO = 1032 };

#endif
