/* List requests: a table, a JSON body, and (behind a NUL) parameters as name=value&…; then tags are made, a row is asked.
 * What is refused must say why. */
#include "query/list.h"
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static rs_status read_parameters(rs_list *list, rs_str text, rs_arena *arena, rs_err *err) {
    rs_status st = RS_OK;
    while (st == RS_OK && text.n > 0) {
        const char *end = memchr(text.p, '&', text.n);
        rs_str pair = {text.p, end ? (size_t)(end - text.p) : text.n};
        const char *equals = pair.n ? memchr(pair.p, '=', pair.n) : NULL;
        rs_str name = {pair.p, equals ? (size_t)(equals - pair.p) : pair.n};
        st = rs_list_set(list, name, rs_str_from(pair, name.n + 1), arena, err);
        text = rs_str_from(text, pair.n + 1);
    }
    return st;
}

/* Each row that may be had, with and without what else is known: more evidence never turns yes into no, or no into yes. */
static void ask(rs_list *list, bool traces, rs_arena *arena) {
    rs_trace_row trace = {.span_count = 1,
                          .name = RS_STR("name"),
                          .model = RS_STR("a/m"),
                          .metadata = RS_STR("{\"a\":1,\"b\":\"x\\ny\"}")};
    rs_attr attrs[] = {{RS_STR("respan.metadata.a"), {.type = RS_VALUE_INT, .i = 1}},
                       {RS_STR("respan.model.dtype"), {.type = RS_VALUE_STRING, .s = RS_STR("x")}}};
    rs_span span = {
        .name = RS_STR("name"), .kind = 1, .facts.model = RS_STR("a/m"), .attrs = {.items = attrs, .n = 2}};
    rs_spans spans = {.items = &span, .n = 1};
    rs_filter_plan plan;
    rs_err err = {0};
    const void *row = traces ? (const void *)&trace : (const void *)&span;
    if (rs_filter_make_plan(&list->filter, arena, &plan, &err) != RS_OK) {
        if (!err.message[0]) abort();
        return;
    }
    for (size_t g = 0; g < plan.ngroups; g++)
        for (size_t i = 0; i < plan.groups[g].n; i++)
            if (plan.groups[g].items[i] >= plan.ntags) abort();
    uint64_t *tags = rs_arena_zalloc(arena, plan.ntags / 64 + 1, sizeof *tags);
    if (!tags) return;
    memset(tags, 0xff, (plan.ntags / 64 + 1) * sizeof *tags);
    rs_evidence tagged = {.row = row, .tags = traces ? tags : NULL}, little = {.row = row}, all = little;
    rs_filter_judge(&list->filter, &tagged); /* tags that promise everything: what they say is believed */
    all.spans = traces ? &spans : NULL;
    all.in_full = true;
    rs_truth before = rs_filter_judge(&list->filter, &little), after = rs_filter_judge(&list->filter, &all);
    if (after == RS_MAYBE || (before != RS_MAYBE && after != before)) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0) return 0;
    bool traces = data[0] & 1;
    rs_str in = {(const char *)data + 1, size - 1};
    const char *nul = in.n ? memchr(in.p, 0, in.n) : NULL;
    rs_str body = {in.p, nul ? (size_t)(nul - in.p) : in.n};
    rs_arena arena;
    rs_list list;
    rs_err err = {0};
    rs_arena_init(&arena, 16 << 20);
    rs_list_init(&list, traces ? &rs_trace_fields : &rs_span_fields);
    rs_status st = body.n ? rs_list_set_json(&list, body, &arena, &err) : RS_OK;
    if (st == RS_OK) st = read_parameters(&list, rs_str_from(in, body.n + 1), &arena, &err);
    if (st == RS_OK) ask(&list, traces, &arena);
    else if (!err.message[0]) abort();
    rs_arena_deinit(&arena);
    return 0;
}
