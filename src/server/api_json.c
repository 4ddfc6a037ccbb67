#include "server/api_json.h"

#include "query/field.h"

#include <math.h>

static void write_value(rs_json *j, rs_field_type type, const rs_field_value *v) {
    switch (type) {
    case RS_FIELD_TEXT:
        rs_json_str(j, v->text);
        break;
    case RS_FIELD_INT:
        rs_json_int(j, v->integer);
        break;
    case RS_FIELD_REAL:
        rs_json_double(j, v->real);
        break;
    case RS_FIELD_BOOL:
        rs_json_bool(j, v->integer != 0);
        break;
    case RS_FIELD_JSON:
        rs_json_raw(j, v->text);
        break;
    case RS_FIELD_TIME:
        rs_json_time(j, (uint64_t)v->integer);
        break;
    }
}

static void write_fields(rs_json *j, const rs_field_table *table, const void *row, bool content) {
    for (size_t i = 0; i < table->n; i++) {
        const rs_field *f = &table->fields[i];
        rs_field_value v;
        if ((!content && (f->flags & RS_FIELD_CONTENT)) || (f->flags & RS_FIELD_ASKED)) continue;
        rs_json_key(j, rs_str_of(f->name));
        if (f->get(row, &v)) write_value(j, f->type, &v);
        else rs_json_null(j);
    }
}

void rs_api_write_trace(rs_json *j, const rs_trace_row *row, bool content) {
    write_fields(j, &rs_trace_fields, row, content);
    if (row->running) rs_json_put_bool(j, "running", true);
}

/* ---- what comes with a span in full -------------------------------------------------------------------- */

static void put_content(rs_json *j, const char *key, rs_str s, bool is_json) {
    rs_json_key(j, rs_str_of(key));
    if (!s.p) rs_json_null(j);
    else if (is_json) rs_json_raw(j, s);
    else rs_json_str(j, s);
}

static void put_attrs(rs_json *j, const char *key, const rs_attrs *attrs) {
    rs_json_key(j, rs_str_of(key));
    rs_attrs_write_json(j, attrs);
}

static void put_events(rs_json *j, const rs_span *span) {
    rs_json_key(j, RS_STR("events"));
    rs_json_array(j);
    for (uint32_t i = 0; i < span->nevents; i++) {
        const rs_event *e = &span->events[i];
        rs_json_object(j);
        rs_json_put_str(j, "name", e->name);
        rs_json_put_time(j, "time", e->time_ns);
        put_attrs(j, "attributes", &e->attrs);
        rs_json_object_end(j);
    }
    rs_json_array_end(j);
}

static void put_links(rs_json *j, const rs_span *span) {
    rs_json_key(j, RS_STR("links"));
    rs_json_array(j);
    for (uint32_t i = 0; i < span->nlinks; i++) {
        const rs_link *l = &span->links[i];
        rs_json_object(j);
        rs_json_put_hex(j, "trace_unique_id", l->trace_id, sizeof l->trace_id);
        rs_json_put_hex(j, "span_unique_id", l->span_id, sizeof l->span_id);
        rs_json_put_str_or_null(j, "trace_state", l->trace_state);
        put_attrs(j, "attributes", &l->attrs);
        rs_json_object_end(j);
    }
    rs_json_array_end(j);
}

static void put_origin(rs_json *j, const rs_resource *resource, const rs_scope *scope) {
    put_attrs(j, "resource", &resource->attrs);
    rs_json_key(j, RS_STR("scope"));
    rs_json_object(j);
    rs_json_put_str_or_null(j, "name", scope->name);
    rs_json_put_str_or_null(j, "version", scope->version);
    put_attrs(j, "attributes", &scope->attrs);
    rs_json_object_end(j);
}

/* Those of a process have it in common, and one service may say much of itself. */
static void put_same_origin(rs_json *j, const rs_span *span, rs_api_origin *o) {
    if (o->resource != span->resource || o->scope != span->scope) {
        rs_buf_clear(&o->text);
        rs_json text = rs_json_on(&o->text);
        put_origin(&text, span->resource, span->scope);
        o->resource = span->resource;
        o->scope = span->scope;
    }
    if (rs_buf_status(&o->text) != RS_OK) j->out->failed = rs_buf_status(&o->text);
    else rs_json_raw(j, rs_buf_slice(&o->text));
}

void rs_api_write_span(rs_json *j, const rs_span *span, bool content, rs_api_origin *origin) {
    write_fields(j, &rs_span_fields, span, content);
    if (span->running) rs_json_put_bool(j, "running", true);
    if (!content) return;
    const rs_facts *f = &span->facts;
    put_content(j, "input", f->input, f->input_is_json);
    put_content(j, "output", f->output, f->output_is_json);
    put_attrs(j, "metadata", &f->metadata);
    put_attrs(j, "parameters", &f->parameters);
    put_content(j, "tools", f->tools, true);
    put_attrs(j, "attributes", &span->attrs);
    put_events(j, span);
    put_links(j, span);
    if (origin) put_same_origin(j, span, origin);
    else put_origin(j, span->resource, span->scope);
}

void rs_api_bare_trace(rs_trace_row *row) {
    row->input = row->output = row->metadata = row->error_message = row->customer = row->thread = (rs_str){0};
}

void rs_api_bare_span(rs_span *span) {
    rs_facts *f = &span->facts;
    f->error_message = f->customer = f->thread = (rs_str){0};
}

/* ---- a span in a tree ---------------------------------------------------------------------------------- */

static void put_cut(rs_json *j, const char *key, rs_str s) {
    if (s.n) rs_json_put_str(j, key, rs_str_cut_utf8(s, RS_PREVIEW_MAX));
}

static void put_count(rs_json *j, const char *key, int64_t n) {
    if (n >= 0) rs_json_put_int(j, key, n);
}

static void put_real(rs_json *j, const char *key, double v) {
    if (isfinite(v)) rs_json_put_double(j, key, v);
}

void rs_api_write_branch(rs_json *j, const rs_span *span, uint64_t trace_start_ns) {
    const rs_facts *f = &span->facts;
    rs_json_put_hex(j, "span_unique_id", span->span_id, sizeof span->span_id);
    if (span->has_parent) rs_json_put_hex(j, "span_parent_id", span->parent_id, sizeof span->parent_id);
    put_cut(j, "name", f->entity_name.n ? f->entity_name : span->name);
    rs_json_put_str(j, "log_type", rs_log_type_name(f->log_type));
    rs_json_put_seconds(j, "start", rs_apart_ns(trace_start_ns, span->start_ns));
    rs_json_put_seconds(j, "latency", (int64_t)rs_lasted_ns(span->start_ns, span->end_ns));
    if (span->status != RS_STATUS_UNSET)
        rs_json_put_str(j, "status_code", span->status == RS_STATUS_ERROR ? RS_STR("error") : RS_STR("ok"));
    put_cut(j, "error_message", f->error_message);
    if (f->interrupted) rs_json_put_bool(j, "interrupted", true);
    if (span->running) rs_json_put_bool(j, "running", true);
    put_cut(j, "model", f->model);
    put_count(j, "prompt_tokens", f->prompt_tokens);
    put_count(j, "completion_tokens", f->completion_tokens);
    put_real(j, "cost", f->cost);
    put_real(j, "time_to_first_token", f->ttft);
}
