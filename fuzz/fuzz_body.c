/* A compressed body behind one byte that chooses its coding. */
#include "otlp/body.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const rs_encoding codings[] = {RS_ENCODING_GZIP, RS_ENCODING_DEFLATE, RS_ENCODING_ZSTD};
    enum { MAX = 100000 };
    if (size == 0) return 0;
    rs_buf out;
    rs_err err = {0};
    rs_buf_init(&out);
    rs_str body = {(const char *)data + 1, size - 1};
    rs_status status = rs_body_inflate(codings[data[0] % 3], body, MAX, &out, &err);
    if (status != err.code || out.n > MAX || out.cap > MAX || err.offset > body.n) abort();
    if (status != RS_OK && !err.message[0]) abort();
    rs_buf_deinit(&out);
    return 0;
}
