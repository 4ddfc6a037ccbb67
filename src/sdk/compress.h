/* rs_compressor: request bodies made smaller, on the exporter's thread, with zlib or libzstd, which are loaded at the
 * first body that is compressed (library.h). Both are there wherever libcurl is: Debian's needs them.
 *
 * Memory: the library's working state (270 kB for gzip, up to 2 MB for zstd), and the result's
 * room, about that of the largest body of late: what would not become smaller is given up. */
#ifndef RS_SDK_COMPRESS_H
#define RS_SDK_COMPRESS_H

#include "base/buf.h"
#include "base/str.h"

typedef enum rs_coding { RS_CODING_NONE, RS_CODING_GZIP, RS_CODING_ZSTD } rs_coding;

typedef struct rs_compressor {
    void *gzip, *zstd; /* working states, NULL until they are needed */
    rs_buf out;
} rs_compressor;

static inline void rs_compressor_init(rs_compressor *c) { *c = (rs_compressor){0}; }
void rs_compressor_deinit(rs_compressor *c);

/* The body in that coding; valid until the next call. Empty if that is not worth it or cannot be done: no library, no
 * memory, too short, not smaller. */
rs_str rs_compress(rs_compressor *c, rs_coding coding, rs_str body);

/* What Content-Encoding calls it; NULL for none. */
const char *rs_coding_name(rs_coding coding);

#endif
