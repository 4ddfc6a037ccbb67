/* The fields of a span's head: what the store keeps apart from content, so that lists and trees are cheap. */
#include "query/field.h"
#include "store/store.h"

#define GETTER(name) static bool get_##name(const void *row, rs_field_value *out)
#define GET(name, kind, value)                                                                               \
    GETTER(name) { return rs_field_set_##kind(out, value); }
#define SPAN ((const rs_span *)row)

GETTER(trace_unique_id) { return rs_field_set_hex(out, SPAN->trace_id, 16); }
GETTER(span_unique_id) { return rs_field_set_hex(out, SPAN->span_id, 8); }
GETTER(span_parent_id) { return SPAN->has_parent && rs_field_set_hex(out, SPAN->parent_id, 8); }
GET(span_name, text, SPAN->name)
GET(span_workflow_name, text, SPAN->facts.workflow)
GET(span_path, text, SPAN->facts.path)
GET(log_type, text, rs_log_type_name(SPAN->facts.log_type))
GET(model, text, SPAN->facts.model)
GET(provider, text, SPAN->facts.provider)
GET(start_time, time, SPAN->start_ns)
GET(timestamp, time, SPAN->end_ns)
GET(time_to_first_token, real, SPAN->facts.ttft)
GET(tokens_per_second, real, SPAN->facts.tokens_per_second)
GET(prompt_tokens, count, SPAN->facts.prompt_tokens)
GET(completion_tokens, count, SPAN->facts.completion_tokens)
GET(cached_tokens, count, SPAN->facts.cached_tokens)
GET(reasoning_tokens, count, SPAN->facts.reasoning_tokens)
GETTER(total_tokens) {
    return rs_field_set_sum(out, SPAN->facts.prompt_tokens, SPAN->facts.completion_tokens);
}
GET(usage_source, text, rs_usage_source_name(SPAN->facts.usage_source))
GET(cost, real, SPAN->facts.cost)
GET(cost_source, text, rs_cost_source_name(SPAN->facts.cost_source))
GET(error_message, text, SPAN->facts.error_message)
GET(thread_identifier, text, SPAN->facts.thread)
GET(customer_identifier, text, SPAN->facts.customer)
GET(environment, text, SPAN->facts.environment)

GET(name, text, SPAN->facts.entity_name.n ? SPAN->facts.entity_name : SPAN->name)

GETTER(kind) {
    static const char *const names[] = {"unspecified", "internal", "server",
                                        "client",      "producer", "consumer"};
    return rs_field_set_text(out, rs_str_of(names[SPAN->kind < RS_ARRAY_LEN(names) ? SPAN->kind : 0]));
}

GETTER(latency) {
    uint64_t ns = rs_lasted_ns(SPAN->start_ns, SPAN->end_ns);
    return !SPAN->running && rs_field_set_real(out, (double)ns / 1e9);
}

GETTER(status_code) {
    switch (SPAN->status) {
    case RS_STATUS_ERROR:
        return rs_field_set_text(out, RS_STR("error"));
    case RS_STATUS_OK:
        return rs_field_set_text(out, RS_STR("ok"));
    case RS_STATUS_UNSET:
        break;
    }
    return rs_field_set_text(out, RS_STR("unset"));
}

GETTER(interrupted) {
    out->integer = SPAN->facts.interrupted;
    return true;
}

static const rs_field fields[] = {
    {"trace_unique_id", RS_FIELD_TEXT, get_trace_unique_id, NULL, 0, "trace_id"},
    {"span_unique_id", RS_FIELD_TEXT, get_span_unique_id, NULL, 0, "span_id"},
    {"span_parent_id", RS_FIELD_TEXT, get_span_parent_id, NULL, 0, "parent_id"},
    {"span_name", RS_FIELD_TEXT, get_span_name, "name", RS_FIELD_SEARCHED, NULL},
    {"name", RS_FIELD_TEXT, get_name, "name", RS_FIELD_SEARCHED, NULL},
    {"span_workflow_name", RS_FIELD_TEXT, get_span_workflow_name, "workflow", 0, "workflow"},
    {"span_path", RS_FIELD_TEXT, get_span_path, NULL, 0, NULL},
    {"kind", RS_FIELD_TEXT, get_kind, NULL, 0, NULL},
    {"log_type", RS_FIELD_TEXT, get_log_type, "log_type", 0, "type"},
    {"model", RS_FIELD_TEXT, get_model, "model", RS_FIELD_SEARCHED | RS_FIELD_LAST_PART, NULL},
    {"provider", RS_FIELD_TEXT, get_provider, "provider", 0, NULL},
    {"start_time", RS_FIELD_TIME, get_start_time, NULL, 0, NULL},
    {"timestamp", RS_FIELD_TIME, get_timestamp, NULL, 0, NULL},
    {"latency", RS_FIELD_REAL, get_latency, NULL, RS_FIELD_SECONDS, "duration"},
    {"time_to_first_token", RS_FIELD_REAL, get_time_to_first_token, NULL, RS_FIELD_SECONDS, "ttft"},
    {"tokens_per_second", RS_FIELD_REAL, get_tokens_per_second, NULL, 0, NULL},
    {"prompt_tokens", RS_FIELD_INT, get_prompt_tokens, NULL, 0, NULL},
    {"completion_tokens", RS_FIELD_INT, get_completion_tokens, NULL, 0, NULL},
    {"cached_tokens", RS_FIELD_INT, get_cached_tokens, NULL, 0, NULL},
    {"reasoning_tokens", RS_FIELD_INT, get_reasoning_tokens, NULL, 0, NULL},
    {"total_tokens", RS_FIELD_INT, get_total_tokens, NULL, 0, "tokens"},
    {"usage_source", RS_FIELD_TEXT, get_usage_source, NULL, 0, NULL},
    {"cost", RS_FIELD_REAL, get_cost, NULL, 0, NULL},
    {"cost_source", RS_FIELD_TEXT, get_cost_source, NULL, 0, NULL},
    {"status_code", RS_FIELD_TEXT, get_status_code, "status_code", 0, "status is"},
    {"error_message", RS_FIELD_TEXT, get_error_message, NULL, 0, NULL},
    {"interrupted", RS_FIELD_BOOL, get_interrupted, NULL, 0, NULL},
    {"thread_identifier", RS_FIELD_TEXT, get_thread_identifier, "thread_identifier", 0,
     "session thread session_identifier"},
    {"customer_identifier", RS_FIELD_TEXT, get_customer_identifier, "customer_identifier", 0,
     "user customer"},
    {"environment", RS_FIELD_TEXT, get_environment, "environment", 0, "env"},
};

static const rs_attrs *attributes_of(const void *row) { return &SPAN->attrs; }

const rs_field_table rs_span_fields = {"span", fields, RS_ARRAY_LEN(fields), NULL, attributes_of};
