/* Whatever decodes, normalizes: facts are valid UTF-8, JSON where they say so, and previews keep their bound. */
#include "base/json_read.h"
#include "normalize/normalize.h"
#include "otlp/decode.h"
#include <stdlib.h>

static void hold(bool what) {
    if (!what) abort();
}

static void check(const rs_facts *f) {
    hold(f->log_type < RS_LOG_TYPE_COUNT && f->prompt_tokens >= -1 && f->completion_tokens >= -1);
    hold(!f->input_is_json || rs_json_is_valid(f->input));
    hold(!f->output_is_json || rs_json_is_valid(f->output));
    hold(!f->tools.n || (f->tools.p[0] == '[' && rs_json_is_valid(f->tools)));
    hold(f->cached_tokens >= -1 && f->reasoning_tokens >= -1);
    hold(f->input_preview.n <= RS_PREVIEW_MAX && f->output_preview.n <= RS_PREVIEW_MAX);
    const rs_str texts[] = {f->model,         f->provider,      f->entity_name,   f->workflow, f->path,
                            f->customer,      f->thread,        f->input,         f->output,   f->environment,
                            f->error_message, f->input_preview, f->output_preview};
    for (size_t i = 0; i < RS_ARRAY_LEN(texts); i++) hold(rs_str_is_utf8(texts[i]));
    for (uint32_t i = 0; i < f->parameters.n; i++) hold(rs_str_is_utf8(f->parameters.items[i].key));
    for (uint32_t i = 0; i < f->metadata.n; i++) hold(rs_str_is_utf8(f->metadata.items[i].key));
    for (uint32_t i = 0; i < f->model_facts.n; i++) hold(rs_str_is_utf8(f->model_facts.items[i].key));
}

/* A store is given the previews that a reader would get. */
static void compare(const rs_facts *full, const rs_facts *for_store) {
    hold(rs_str_eq(full->input_preview, for_store->input_preview));
    hold(rs_str_eq(full->output_preview, for_store->output_preview));
    hold(full->prompt_tokens == for_store->prompt_tokens &&
         full->completion_tokens == for_store->completion_tokens);
    hold(full->log_type == for_store->log_type && for_store->input.n == 0 && for_store->output.n == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    rs_arena arena;
    rs_arena_init(&arena, 16 << 20);
    rs_spans spans = {0};
    if (rs_otlp_decode_protobuf((rs_str){(const char *)data, size}, &arena, &spans, NULL) == RS_OK)
        for (size_t i = 0; i < spans.n; i++) {
            rs_span for_store = spans.items[i];
            if (rs_normalize_span(&spans.items[i], &arena) != RS_OK) continue;
            check(&spans.items[i].facts);
            if (rs_normalize_for_store(&for_store, &arena) == RS_OK)
                compare(&spans.items[i].facts, &for_store.facts);
        }
    rs_arena_deinit(&arena);
    return 0;
}
