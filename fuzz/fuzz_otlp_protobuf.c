/* An ExportTraceServiceRequest in protobuf. */
#include "otlp_invariants.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    rs_str body = {(const char *)data, size};
    rs_arena arena;
    rs_spans spans;
    rs_err err = {0};
    rs_arena_init(&arena, 16 << 20);
    rs_status status = rs_otlp_decode_protobuf(body, &arena, &spans, &err);
    decoded_holds(status, &spans, &err, body);
    rs_arena_deinit(&arena);
    return 0;
}
