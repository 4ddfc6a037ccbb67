/* An ExportLogsServiceRequest: in protobuf if the first byte is even, else in JSON. */
#include "otlp_invariants.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void event_holds(const rs_event *e) {
    hold(rs_str_starts(e->name, RS_STR("gen_ai.")) && rs_str_is_utf8(e->name));
    attrs_hold(&e->attrs);
    rs_buf once, twice;
    rs_arena arena;
    rs_event back;
    rs_buf_init(&once), rs_buf_init(&twice);
    rs_arena_init(&arena, 0);
    rs_otlp_encode_event(&once, e);
    hold(rs_otlp_decode_event(rs_buf_slice(&once), &arena, &back, NULL) == RS_OK);
    rs_otlp_encode_event(&twice, &back);
    hold(rs_str_eq(rs_buf_slice(&once), rs_buf_slice(&twice)));
    rs_buf_deinit(&once), rs_buf_deinit(&twice);
    rs_arena_deinit(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0) return 0;
    rs_str body = {(const char *)data + 1, size - 1};
    rs_arena arena;
    rs_loose_events events;
    rs_err err = {0};
    rs_arena_init(&arena, 16 << 20);
    rs_status status = data[0] % 2 == 0 ? rs_otlp_decode_logs_protobuf(body, &arena, &events, &err)
                                        : rs_otlp_decode_logs_json(body, &arena, &events, &err);
    hold(err.code == status && err.offset <= body.n);
    hold(status == RS_OK || events.n == 0);
    hold((events.rejected > 0) == (events.reject_reason[0] != 0) && events.others <= events.rejected);
    for (size_t i = 0; i < events.n; i++) event_holds(&events.items[i].event);
    rs_arena_deinit(&arena);
    return 0;
}
