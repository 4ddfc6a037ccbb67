/* What older clients send: spans out of request logs. */
#include "otlp_invariants.h"
#include "server/request_log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    rs_str body = {(const char *)data, size};
    rs_arena arena;
    rs_spans spans;
    rs_err err = {0};
    rs_arena_init(&arena, 16 << 20);
    rs_status status = rs_request_log_decode(body, 1764000000000000000, &arena, &spans, &err);
    hold(err.code == status && err.offset <= size);
    hold(status == RS_OK || spans.n == 0);
    for (size_t i = 0; i < spans.n; i++) {
        span_holds(&spans.items[i]);
        hold(!rs_str_eq(spans.items[i].name, (rs_str){0}));
        uint64_t any = 0;
        for (size_t b = 0; b < 8; b++) any |= spans.items[i].span_id[b];
        hold(any != 0 && spans.items[i].end_ns != 0);
    }
    rs_arena_deinit(&arena);
    return 0;
}
