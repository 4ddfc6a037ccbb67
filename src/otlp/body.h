/* Body decompression: Content-Encoding identity, gzip, deflate (zlib format) and zstd, bounded.
 * No I/O, any thread; the result is a malloc'd buffer that the caller frees by rs_buf_deinit. */
#ifndef RS_OTLP_BODY_H
#define RS_OTLP_BODY_H

#include "base/buf.h"

typedef enum rs_encoding {
    RS_ENCODING_IDENTITY,
    RS_ENCODING_GZIP,
    RS_ENCODING_DEFLATE,
    RS_ENCODING_ZSTD
} rs_encoding;

/* From a Content-Encoding header's value (case-insensitive, "" or "identity" for none).
 * RS_ERR_UNSUPPORTED for anything else, several codings included. */
RS_MUST_CHECK rs_status rs_encoding_parse(rs_str header, rs_encoding *out, rs_err *err);

/* Inflates `body` into `out` (initialised, empty). Never holds more than max bytes of output whatever the body
 * claims: RS_ERR_TOO_LARGE past it; RS_ERR_INVALID / RS_ERR_TRUNCATED for a bad stream. Not for IDENTITY. */
RS_MUST_CHECK rs_status rs_body_inflate(rs_encoding enc, rs_str body, size_t max, rs_buf *out, rs_err *err);

#endif
