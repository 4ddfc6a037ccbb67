#include "otlp/log_record.h"

#include <stdio.h>

/* The older way to name an event; takes the attribute away. */
static rs_str take_event_name(rs_build *b) {
    rs_str name = {0};
    size_t kept = 0;
    for (size_t i = 0; i < b->nattrs; i++) {
        const rs_attr *a = &b->attrs[i];
        if (a->value.type == RS_VALUE_STRING && rs_str_eq(a->key, RS_STR("event.name"))) name = a->value.s;
        else b->attrs[kept++] = *a;
    }
    b->nattrs = kept;
    return name;
}

static bool add_attr(rs_build *b, rs_str key, const rs_value *value) {
    rs_attr *a = rs_build_attr(b);
    if (a) *a = (rs_attr){key, *value};
    return a != NULL;
}

/* What the event says beside its attributes. */
static bool add_body(rs_build *b, const rs_value *body) {
    size_t at = 0;
    rs_str key;
    rs_value value;
    if (body->type == RS_VALUE_EMPTY) return true;
    if (body->type != RS_VALUE_KVLIST) return add_attr(b, RS_STR("body"), body);
    while (rs_value_next(body, &at, &key, &value))
        if (!add_attr(b, key, &value)) return false;
    return true;
}

static bool reject(rs_build *b, rs_str name, const char *why) {
    rs_loose_events *out = &b->loose;
    b->nattrs = 0;
    if (out->rejected++ > 0) return true;
    name = rs_str_cut_utf8(name, 60);
    snprintf(out->reject_reason, sizeof out->reject_reason, "log record \"%.*s\": %s", RS_STR_ARG(name), why);
    return true;
}

void rs_build_reject_log(rs_build *b, const char *why) { (void)reject(b, (rs_str){"", 0}, why); }

bool rs_build_finish_log(rs_build *b, rs_log_record *r) {
    rs_event *e = &r->of.event;
    rs_str older = take_event_name(b);
    if (!e->name.n) e->name = older;
    if (!rs_str_starts(e->name, RS_STR("gen_ai."))) {
        b->loose.others++;
        return reject(b, e->name, "only events of GenAI (gen_ai.*) are kept here, with their spans");
    }
    if (!r->ids.trace || rs_id_is_zero(r->of.trace_id, sizeof r->of.trace_id) || !r->ids.span ||
        rs_id_is_zero(r->of.span_id, sizeof r->of.span_id))
        return reject(b, e->name, "it does not say of which span it is");
    if (!e->time_ns) e->time_ns = r->observed_ns;
    if (!add_body(b, &r->body) || !rs_build_take_attrs(b, 0, &e->attrs)) return false;
    rs_loose_events *out = &b->loose;
    if (!rs_arena_grow(b->arena, (void **)&out->items, out->n, &b->loose_cap, sizeof *out->items))
        return rs_build_fail(b, RS_ERR_MEMORY, 0, "the request needs more memory than it may have");
    out->items[out->n++] = r->of;
    return true;
}
