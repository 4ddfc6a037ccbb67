#include "store/span_text.h"

static bool each_of(const rs_attrs *attrs, rs_buf *scratch, rs_text_fn fn, void *ctx) {
    for (uint32_t i = 0; i < attrs->n; i++) {
        const rs_value *v = &attrs->items[i].value;
        if (v->type == RS_VALUE_STRING) {
            if (v->s.n > 0 && !fn(ctx, v->s)) return false;
        } else if (v->type == RS_VALUE_ARRAY || v->type == RS_VALUE_KVLIST) {
            rs_buf_clear(scratch);
            rs_json j = rs_json_on(scratch);
            rs_value_write_json(&j, v);
            if (rs_buf_status(scratch) != RS_OK || !fn(ctx, rs_buf_slice(scratch))) return false;
        }
    }
    return true;
}

rs_status rs_span_each_text(const rs_span *s, rs_buf *scratch, rs_text_fn fn, void *ctx) {
    rs_buf_clear(scratch);
    bool more = (s->name.n == 0 || fn(ctx, s->name)) &&
                (s->status_message.n == 0 || fn(ctx, s->status_message)) &&
                each_of(&s->attrs, scratch, fn, ctx);
    for (uint32_t i = 0; more && i < s->nevents; i++) more = each_of(&s->events[i].attrs, scratch, fn, ctx);
    return rs_buf_status(scratch);
}

typedef struct search {
    const rs_phrase *phrase;
    bool found;
} search;

static bool look(void *ctx, rs_str text) {
    search *s = ctx;
    s->found = rs_phrase_is_in(s->phrase, text);
    return !s->found;
}

rs_status rs_span_says(const rs_span *s, const rs_phrase *phrase, rs_buf *scratch, bool *says) {
    search at = {.phrase = phrase};
    rs_status st = rs_span_each_text(s, scratch, look, &at);
    *says = at.found;
    return st;
}
