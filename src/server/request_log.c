#include "server/request_log.h"

#include "base/clock.h"
#include "base/ids.h"
#include "base/json_read.h"
#include "base/xxh.h"

#include <endian.h>
#include <math.h>
#include <stdio.h>

/* ---- the table ----------------------------------------------------------------------------------------- */

typedef enum field {
    AS_ATTRIBUTE, /* under another name */
    AS_MEMBERS,   /* of an object: each is an attribute, its name behind this one; else as AS_ATTRIBUTE */
    AS_LIST,      /* one message, in an array */
    TRACE_ID,
    SPAN_ID,
    PARENT_ID,
    NAME,
    START,
    END,
    LATENCY,
    STATUS_CODE,
    ERROR_BIT,
    ERROR_MESSAGE,
    USAGE,
    LEFT_OUT,
} field;

static const struct row {
    rs_str name;
    field as;
    rs_str attribute;
} rows[] = {
    {RS_STR("trace_unique_id"), TRACE_ID, {0}},
    {RS_STR("span_unique_id"), SPAN_ID, {0}},
    {RS_STR("span_parent_id"), PARENT_ID, {0}},
    {RS_STR("span_name"), NAME, {0}},
    {RS_STR("start_time"), START, {0}},
    {RS_STR("timestamp"), END, {0}},
    {RS_STR("latency"), LATENCY, {0}},
    {RS_STR("status_code"), STATUS_CODE, {0}},
    {RS_STR("error_bit"), ERROR_BIT, {0}},
    {RS_STR("error_message"), ERROR_MESSAGE, {0}},
    {RS_STR("usage"), USAGE, {0}},
    {RS_STR("log_type"), AS_ATTRIBUTE, RS_STR("respan.entity.log_type")},
    {RS_STR("model"), AS_ATTRIBUTE, RS_STR("gen_ai.request.model")},
    {RS_STR("provider_id"), AS_ATTRIBUTE, RS_STR("gen_ai.provider.name")},
    {RS_STR("input"), AS_ATTRIBUTE, RS_STR("traceloop.entity.input")},
    {RS_STR("output"), AS_ATTRIBUTE, RS_STR("traceloop.entity.output")},
    {RS_STR("messages"), AS_ATTRIBUTE, RS_STR("gen_ai.input.messages")},
    {RS_STR("prompt_messages"), AS_ATTRIBUTE, RS_STR("gen_ai.input.messages")},
    {RS_STR("completion_message"), AS_LIST, RS_STR("gen_ai.output.messages")},
    {RS_STR("completion_messages"), AS_ATTRIBUTE, RS_STR("gen_ai.output.messages")},
    {RS_STR("prompt_tokens"), AS_ATTRIBUTE, RS_STR("gen_ai.usage.input_tokens")},
    {RS_STR("completion_tokens"), AS_ATTRIBUTE, RS_STR("gen_ai.usage.output_tokens")},
    {RS_STR("prompt_cache_hit_tokens"), AS_ATTRIBUTE, RS_STR("gen_ai.usage.cache_read.input_tokens")},
    {RS_STR("prompt_cache_creation_tokens"), AS_ATTRIBUTE,
     RS_STR("gen_ai.usage.cache_creation.input_tokens")},
    {RS_STR("reasoning_tokens"), AS_ATTRIBUTE, RS_STR("gen_ai.usage.reasoning.output_tokens")},
    {RS_STR("cost"), AS_ATTRIBUTE, RS_STR("respan.usage.cost")},
    {RS_STR("time_to_first_token"), AS_ATTRIBUTE, RS_STR("respan.generation.time_to_first_token")},
    {RS_STR("customer_identifier"), AS_ATTRIBUTE, RS_STR("respan.customer_params.customer_identifier")},
    {RS_STR("customer_email"), AS_ATTRIBUTE, RS_STR("respan.customer_params.email")},
    {RS_STR("customer_name"), AS_ATTRIBUTE, RS_STR("respan.customer_params.name")},
    {RS_STR("customer_params"), AS_MEMBERS, RS_STR("respan.customer_params.")},
    {RS_STR("thread_identifier"), AS_ATTRIBUTE, RS_STR("respan.threads.thread_identifier")},
    {RS_STR("session_identifier"), AS_ATTRIBUTE, RS_STR("respan.sessions.session_identifier")},
    {RS_STR("trace_group_identifier"), AS_ATTRIBUTE, RS_STR("respan.trace.trace_group_identifier")},
    {RS_STR("span_workflow_name"), AS_ATTRIBUTE, RS_STR("traceloop.workflow.name")},
    {RS_STR("span_path"), AS_ATTRIBUTE, RS_STR("traceloop.entity.path")},
    {RS_STR("environment"), AS_ATTRIBUTE, RS_STR("respan.environment")},
    {RS_STR("metadata"), AS_MEMBERS, RS_STR("respan.metadata.")},
    {RS_STR("properties"), AS_MEMBERS, RS_STR("respan.metadata.")},
    {RS_STR("temperature"), AS_ATTRIBUTE, RS_STR("gen_ai.request.temperature")},
    {RS_STR("top_p"), AS_ATTRIBUTE, RS_STR("gen_ai.request.top_p")},
    {RS_STR("top_k"), AS_ATTRIBUTE, RS_STR("gen_ai.request.top_k")},
    {RS_STR("n"), AS_ATTRIBUTE, RS_STR("gen_ai.request.choice.count")},
    {RS_STR("max_tokens"), AS_ATTRIBUTE, RS_STR("gen_ai.request.max_tokens")},
    {RS_STR("max_completion_tokens"), AS_ATTRIBUTE, RS_STR("gen_ai.request.max_completion_tokens")},
    {RS_STR("frequency_penalty"), AS_ATTRIBUTE, RS_STR("gen_ai.request.frequency_penalty")},
    {RS_STR("presence_penalty"), AS_ATTRIBUTE, RS_STR("gen_ai.request.presence_penalty")},
    {RS_STR("stop"), AS_ATTRIBUTE, RS_STR("gen_ai.request.stop_sequences")},
    {RS_STR("stream"), AS_ATTRIBUTE, RS_STR("gen_ai.request.stream")},
    {RS_STR("tools"), AS_ATTRIBUTE, RS_STR("gen_ai.tool.definitions")},
    /* how the service was to answer: nothing of the call */
    {RS_STR("field_name"), LEFT_OUT, {0}},
    {RS_STR("delimiter"), LEFT_OUT, {0}},
    {RS_STR("disable_log"), LEFT_OUT, {0}},
    {RS_STR("disable_fallback"), LEFT_OUT, {0}},
    {RS_STR("encoding_format"), LEFT_OUT, {0}},
    {RS_STR("request_breakdown"), LEFT_OUT, {0}},
};

static const struct row *row_of(rs_str name) {
    for (size_t i = 0; i < RS_ARRAY_LEN(rows); i++)
        if (rs_str_eq(rows[i].name, name)) return &rows[i];
    return NULL;
}

/* ---- a log under construction -------------------------------------------------------------------------- */

typedef struct decoder {
    rs_json_reader r;
    rs_arena *arena;
    rs_spans spans;
    size_t spans_cap, attrs_cap;
    rs_attr *attrs; /* of the log at hand */
    uint32_t nattrs;
    uint64_t now_ns, first_ns, last_ns; /* of the request: for logs that do not say when */
    bool *timeless;                     /* by span */
    size_t timeless_cap;
    bool no_memory;
} decoder;

/* What its fields said. */
typedef struct request_log {
    rs_str trace_id, span_id, parent_id, name, error;
    double latency;
    uint64_t start_ns, end_ns; /* 0: not said */
    bool failed;
} request_log;

static bool out_of_memory(decoder *d) {
    d->no_memory = true;
    return false;
}

static bool add(decoder *d, rs_str key, rs_value value) {
    size_t n = d->nattrs;
    if (!rs_arena_grow(d->arena, (void **)&d->attrs, n, &d->attrs_cap, sizeof *d->attrs))
        return out_of_memory(d);
    d->attrs[d->nattrs++] = (rs_attr){key, value};
    return true;
}

static bool add_joined(decoder *d, rs_str prefix, rs_str name, rs_value value) {
    char *p = rs_arena_alloc(d->arena, prefix.n + name.n);
    if (!p) return out_of_memory(d);
    memcpy(p, prefix.p, prefix.n);
    if (name.n) memcpy(p + prefix.n, name.p, name.n);
    return add(d, (rs_str){p, prefix.n + name.n}, value);
}

/* The value that comes next, structures as their JSON text; EMPTY for null. */
static bool read_value(decoder *d, rs_value *out) {
    rs_str raw;
    long long i;
    *out = (rs_value){0};
    if (!rs_json_read_skip(&d->r, &raw)) return false;
    if (raw.p[0] == '{' || raw.p[0] == '[') {
        *out = (rs_value){RS_VALUE_STRING, .s = raw};
        return true;
    }
    rs_json_reader one;
    rs_json_read_init(&one, raw, d->arena);
    switch (rs_json_read(&one)) {
    case RS_JSON_STRING:
        *out = (rs_value){RS_VALUE_STRING, .s = one.text};
        return true;
    case RS_JSON_TRUE:
    case RS_JSON_FALSE:
        *out = (rs_value){RS_VALUE_BOOL, .b = raw.p[0] == 't'};
        return true;
    case RS_JSON_NUMBER:
        if (rs_str_to_i64(one.text, &i)) *out = (rs_value){RS_VALUE_INT, .i = i};
        else if (rs_str_to_double(one.text, &out->d)) out->type = RS_VALUE_DOUBLE;
        else *out = (rs_value){RS_VALUE_STRING, .s = one.text};
        return true;
    case RS_JSON_NULL:
        return true;
    default:
        return out_of_memory(d); /* it was valid before */
    }
}

/* A number as its text: an id may be one. */
static bool text_of(decoder *d, const rs_value *v, rs_str *out) {
    char digits[32];
    *out = v->s;
    if (v->type == RS_VALUE_STRING) return true;
    *out = (rs_str){0};
    if (v->type != RS_VALUE_INT) return true;
    int n = snprintf(digits, sizeof digits, "%lld", (long long)v->i);
    *out = rs_arena_copy(d->arena, (rs_str){digits, (size_t)n});
    return out->p || out_of_memory(d);
}

static double number_of(const rs_value *v) {
    double x = NAN;
    if (v->type == RS_VALUE_INT) return (double)v->i;
    if (v->type == RS_VALUE_DOUBLE) return v->d;
    if (v->type == RS_VALUE_STRING) (void)rs_str_to_double(v->s, &x);
    return x;
}

static uint64_t time_of(const rs_value *v) {
    uint64_t ns = 0;
    double seconds = v->type == RS_VALUE_STRING ? NAN : number_of(v);
    if (v->type == RS_VALUE_STRING && rs_clock_parse(v->s, &ns)) return ns;
    return seconds > 0 && seconds < 9.2e9 ? (uint64_t)(seconds * 1e9) : 0;
}

/* ---- fields -------------------------------------------------------------------------------------------- */

static bool take_members(decoder *d, rs_str prefix, rs_str object,
                         bool (*take)(decoder *, rs_str, rs_str, rs_value)) {
    rs_json_reader outer = d->r;
    rs_value value;
    bool ok = true;
    rs_json_read_init(&d->r, object, d->arena);
    ok = rs_json_read(&d->r) == RS_JSON_OBJECT;
    while (ok && rs_json_read(&d->r) == RS_JSON_KEY) {
        rs_str key = d->r.text;
        ok = read_value(d, &value) && (value.type == RS_VALUE_EMPTY || take(d, prefix, key, value));
    }
    d->r = outer;
    return ok || out_of_memory(d); /* it was valid before */
}

/* prompt_tokens and completion_tokens, or input_tokens and output_tokens. */
static bool take_usage(decoder *d, rs_str prefix, rs_str key, rs_value value) {
    if (rs_str_eq(key, RS_STR("prompt_tokens"))) key = RS_STR("input_tokens");
    if (rs_str_eq(key, RS_STR("completion_tokens"))) key = RS_STR("output_tokens");
    return add_joined(d, prefix, key, value);
}

static bool put_in_list(decoder *d, rs_str name, rs_str message) {
    char *p = rs_arena_alloc(d->arena, message.n + 2);
    if (!p) return out_of_memory(d);
    p[0] = '[';
    memcpy(p + 1, message.p, message.n);
    p[message.n + 1] = ']';
    return add(d, name, (rs_value){RS_VALUE_STRING, .s = {p, message.n + 2}});
}

static bool is_object(const rs_value *v) {
    return v->type == RS_VALUE_STRING && v->s.n && v->s.p[0] == '{' && rs_json_is_valid(v->s);
}

static bool take_field(decoder *d, request_log *log, rs_str name, rs_value v) {
    const struct row *row = row_of(name);
    if (!row) return add_joined(d, RS_STR("respan.log."), name, v);
    switch (row->as) {
    case TRACE_ID:
        return text_of(d, &v, &log->trace_id);
    case SPAN_ID:
        return text_of(d, &v, &log->span_id);
    case PARENT_ID:
        return text_of(d, &v, &log->parent_id);
    case NAME:
        return text_of(d, &v, &log->name);
    case START:
        log->start_ns = time_of(&v);
        return true;
    case END:
        log->end_ns = time_of(&v);
        return true;
    case LATENCY:
        log->latency = number_of(&v);
        return true;
    case STATUS_CODE:
        log->failed |= number_of(&v) >= 400;
        return add(d, RS_STR("respan.log.status_code"), v);
    case ERROR_BIT:
        log->failed |= number_of(&v) > 0;
        return true;
    case ERROR_MESSAGE:
        return text_of(d, &v, &log->error);
    case USAGE:
        return is_object(&v) ? take_members(d, RS_STR("gen_ai.usage."), v.s, take_usage)
                             : add(d, RS_STR("respan.log.usage"), v);
    case AS_MEMBERS:
        return is_object(&v) ? take_members(d, row->attribute, v.s, add_joined)
                             : add_joined(d, RS_STR("respan.log."), name, v);
    case AS_LIST:
        if (is_object(&v)) return put_in_list(d, row->attribute, v.s);
        return add(d, row->attribute, v);
    case AS_ATTRIBUTE:
        return add(d, row->attribute, v);
    case LEFT_OUT:
        break;
    }
    return true;
}

/* ---- ids, times ---------------------------------------------------------------------------------------- */

/* Hex, also with a UUID's dashes. */
static bool unhex(rs_str s, uint8_t *out, size_t n) {
    char digits[32];
    size_t at = 0;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '-' && s.n == 36) continue;
        if (at == 2 * n) return false;
        digits[at++] = s.p[i];
    }
    if (!rs_unhex((rs_str){digits, at}, out, n)) return false;
    for (size_t i = 0; i < n; i++)
        if (out[i]) return true;
    return false;
}

/* n is 16 or 8. Text that is no id is kept. */
static bool take_id(decoder *d, rs_str text, rs_str name, uint8_t *out, size_t n) {
    if (unhex(text, out, n)) return true;
    XXH128_canonical_t hash;
    XXH128_canonicalFromHash(&hash, XXH3_128bits(text.p, text.n));
    memcpy(out, hash.digest, n);
    out[n - 1] |= 1; /* never all zero */
    return add(d, name, (rs_value){RS_VALUE_STRING, .s = text});
}

/* Ids that it does not have itself. */
static void make_ids(const request_log *log, rs_str raw, rs_span *s) {
    XXH128_canonical_t hash;
    bool says_when = log->start_ns || log->end_ns;
    if (!log->span_id.n) rs_id_span(s->span_id);
    if (!log->trace_id.n) rs_id_trace(s->trace_id);
    if (!says_when) return;
    XXH128_canonicalFromHash(&hash, XXH3_128bits(raw.p, raw.n));
    hash.digest[7] |= 1;
    if (!log->span_id.n) memcpy(s->span_id, hash.digest, 8);
    if (!log->trace_id.n) memcpy(s->trace_id, hash.digest, 16);
}

static bool set_ids(decoder *d, const request_log *log, rs_str raw, rs_span *s) {
    make_ids(log, raw, s);
    if (log->trace_id.n &&
        !take_id(d, log->trace_id, RS_STR("respan.log.trace_unique_id"), s->trace_id, sizeof s->trace_id))
        return false;
    if (log->span_id.n &&
        !take_id(d, log->span_id, RS_STR("respan.log.span_unique_id"), s->span_id, sizeof s->span_id))
        return false;
    s->has_parent = log->parent_id.n && !rs_str_eq(log->parent_id, log->span_id);
    return !s->has_parent ||
           take_id(d, log->parent_id, RS_STR("respan.log.span_parent_id"), s->parent_id, sizeof s->parent_id);
}

/* False: it does not say when it was. */
static bool set_times(const request_log *log, rs_span *s) {
    uint64_t took = log->latency > 0 && log->latency < 1e9 ? (uint64_t)(log->latency * 1e9) : 0;
    s->start_ns = log->start_ns;
    s->end_ns = log->end_ns;
    if (!s->start_ns) s->start_ns = s->end_ns > took ? s->end_ns - took : s->end_ns;
    else if (!s->end_ns) s->end_ns = s->start_ns + took;
    return s->end_ns != 0;
}

/* ---- the request --------------------------------------------------------------------------------------- */

static const rs_resource no_resource;
static const rs_scope no_scope;

static bool finish(decoder *d, const request_log *log, rs_str raw) {
    size_t n = d->spans.n;
    if (!rs_arena_grow(d->arena, (void **)&d->spans.items, n, &d->spans_cap, sizeof *d->spans.items) ||
        !rs_arena_grow(d->arena, (void **)&d->timeless, n, &d->timeless_cap, sizeof *d->timeless))
        return out_of_memory(d);
    rs_span *s = &d->spans.items[n];
    *s = (rs_span){.resource = &no_resource, .scope = &no_scope, .name = log->name, .kind = 1};
    if (!set_ids(d, log, raw, s)) return false;
    d->timeless[n] = !set_times(log, s);
    if (!d->timeless[n] && s->start_ns < d->first_ns) d->first_ns = s->start_ns;
    if (!d->timeless[n] && s->end_ns > d->last_ns) d->last_ns = s->end_ns;
    if (!s->name.n) s->name = RS_STR("log");
    s->status = log->failed || log->error.n ? RS_STATUS_ERROR : RS_STATUS_UNSET;
    s->status_message = log->error;
    s->attrs.items = rs_arena_alloc(d->arena, d->nattrs * sizeof *d->attrs);
    if (!s->attrs.items) return out_of_memory(d);
    if (d->nattrs) memcpy(s->attrs.items, d->attrs, d->nattrs * sizeof *d->attrs);
    s->attrs.n = d->nattrs;
    d->spans.n++;
    return true;
}

static bool reject(decoder *d, const char *why) {
    if (d->spans.rejected++ == 0) snprintf(d->spans.reject_reason, sizeof d->spans.reject_reason, "%s", why);
    return true;
}

/* The object whose text is `raw`, valid JSON. */
static bool read_log(decoder *d, rs_str raw) {
    request_log log = {.latency = NAN};
    rs_json_reader outer = d->r;
    rs_value value;
    bool says_something = false;
    d->nattrs = 0;
    rs_json_read_init(&d->r, raw, d->arena);
    bool ok = rs_json_read(&d->r) == RS_JSON_OBJECT;
    while (ok && rs_json_read(&d->r) == RS_JSON_KEY) {
        rs_str key = d->r.text;
        ok = read_value(d, &value) && (value.type == RS_VALUE_EMPTY || take_field(d, &log, key, value));
        says_something = says_something || value.type != RS_VALUE_EMPTY;
    }
    d->r = outer;
    if (!ok) return out_of_memory(d); /* it was valid before */
    return says_something ? finish(d, &log, raw) : reject(d, "a log is an empty object");
}

/* The array that `raw` is, valid JSON. */
static bool read_array(decoder *d, rs_str raw) {
    rs_json_reader r;
    rs_str item;
    rs_json_read_init(&r, raw, NULL);
    if (rs_json_read(&r) != RS_JSON_ARRAY) return false;
    for (;;) {
        size_t at = r.at;
        while (memchr(" \t\r\n,", raw.p[at], 5)) at++;
        if (raw.p[at] == ']') return true;
        if (!rs_json_read_skip(&r, &item)) return false;
        if (item.p[0] == '{') {
            if (!read_log(d, item)) return false;
        } else {
            reject(d, "an item is no object");
        }
    }
}

/* {"data": […]}: its array; a log by itself has no such member. */
static rs_str data_of(rs_str body) {
    rs_json_reader r;
    rs_str raw;
    rs_json_read_init(&r, body, NULL);
    if (rs_json_read(&r) != RS_JSON_OBJECT) return (rs_str){0};
    while (rs_json_read(&r) == RS_JSON_KEY) {
        bool is_data = rs_str_eq(r.text, RS_STR("data"));
        if (!rs_json_read_skip(&r, &raw)) break;
        if (is_data && raw.p[0] == '[') return raw;
    }
    return (rs_str){0};
}

static void give_times(decoder *d) {
    bool known = d->last_ns != 0;
    for (size_t i = 0; i < d->spans.n; i++) {
        if (!d->timeless[i]) continue;
        d->spans.items[i].start_ns = known ? d->first_ns : d->now_ns;
        d->spans.items[i].end_ns = known ? d->last_ns : d->now_ns;
    }
}

rs_status rs_request_log_decode(rs_str body, uint64_t now_ns, rs_arena *arena, rs_spans *out, rs_err *err) {
    decoder d = {.arena = arena, .now_ns = now_ns, .first_ns = UINT64_MAX};
    rs_str whole;
    *out = (rs_spans){0};
    rs_json_read_init(&d.r, body, NULL);
    if (!rs_json_read_skip(&d.r, &whole) || rs_json_read(&d.r) != RS_JSON_END)
        return rs_fail(err, d.r.err.code, d.r.err.offset, "%s", d.r.err.message);
    rs_str data = whole.p[0] == '{' ? data_of(whole) : whole;
    if (whole.p[0] != '{' && whole.p[0] != '[')
        return rs_fail(err, RS_ERR_INVALID, 0, "an array of logs, or one, is expected here");
    bool ok = data.n ? read_array(&d, data) : read_log(&d, whole);
    if (!ok) return rs_fail(err, RS_ERR_MEMORY, 0, "the request needs more memory than it may have");
    give_times(&d);
    *out = d.spans;
    return RS_OK;
}
