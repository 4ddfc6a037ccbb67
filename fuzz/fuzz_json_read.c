/* JSON text: token by token with and without unescaping, and skipped as a whole. All agree on what is valid. */
#include "base/json_read.h"
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool read_all(rs_json_reader *r) {
    rs_json_token t;
    do {
        t = rs_json_read(r);
        if (t >= RS_JSON_KEY && t <= RS_JSON_NUMBER && !rs_str_is_utf8(r->text)) abort();
        if (r->value_at > r->in.n || r->at > r->in.n || r->depth > RS_JSON_MAX_DEPTH) abort();
    } while (t > RS_JSON_END);
    if (t == RS_JSON_ERROR && (!r->err.code || !r->err.message[0] || r->err.offset > r->in.n)) abort();
    if (t == RS_JSON_ERROR && rs_json_read(r) != RS_JSON_ERROR) abort();
    return t == RS_JSON_END;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    rs_str in = {(const char *)data, size}, raw = {0};
    rs_arena arena;
    rs_json_reader r;
    rs_arena_init(&arena, 0);
    rs_json_read_init(&r, in, &arena);
    bool valid = read_all(&r);
    if (valid != rs_json_is_valid(in)) abort();
    rs_json_read_init(&r, in, NULL);
    bool skipped = rs_json_read_skip(&r, &raw) && rs_json_read(&r) == RS_JSON_END;
    if (skipped != valid || (valid && !rs_json_is_valid(raw))) abort();
    rs_arena_deinit(&arena);
    return 0;
}
