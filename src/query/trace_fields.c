/* The fields of a trace: its summary row, made by the store as spans come. */
#include "query/field.h"
#include "store/store.h"

#define GETTER(name) static bool get_##name(const void *row, rs_field_value *out)
#define GET(name, kind, value)                                                                               \
    GETTER(name) { return rs_field_set_##kind(out, value); }
#define TRACE ((const rs_trace_row *)row)

GETTER(trace_unique_id) { return rs_field_set_hex(out, TRACE->trace_id, 16); }
GETTER(root_span_unique_id) { return TRACE->has_root && rs_field_set_hex(out, TRACE->root_span_id, 8); }
GET(name, text, TRACE->name)
GET(log_type, text, rs_log_type_name(TRACE->log_type))
GET(start_time, time, TRACE->start_ns)
GET(end_time, time, TRACE->end_ns)
GET(span_count, count, TRACE->span_count)
GET(llm_call_count, count, TRACE->llm_call_count)
GET(error_count, count, TRACE->error_count)
GET(total_prompt_tokens, count, TRACE->prompt_tokens)
GET(total_completion_tokens, count, TRACE->completion_tokens)
GETTER(total_tokens) { return rs_field_set_sum(out, TRACE->prompt_tokens, TRACE->completion_tokens); }
GET(total_cost, real, TRACE->cost)
GET(time_to_first_token, real, TRACE->ttft)
GET(tokens_per_second, real, TRACE->tokens_per_second)
GET(model, text, TRACE->model)
GET(input, text, TRACE->input)
GET(output, text, TRACE->output)
GET(metadata, text, TRACE->metadata.n ? TRACE->metadata : RS_STR("{}"))
GET(customer_identifier, text, TRACE->customer)
GET(session_identifier, text, TRACE->thread)
GET(environment, text, TRACE->environment)
GET(error_message, text, TRACE->error_message)

GETTER(duration) {
    uint64_t ns = rs_lasted_ns(TRACE->start_ns, TRACE->end_ns);
    return rs_field_set_real(out, (double)ns / 1e9);
}

GETTER(running) {
    out->integer = TRACE->running;
    return true;
}

GETTER(status_code) {
    return rs_field_set_text(out, TRACE->error_count ? RS_STR("error")
                                  : TRACE->running   ? RS_STR("running")
                                                     : RS_STR("ok"));
}

static const rs_field fields[] = {
    {"trace_unique_id", RS_FIELD_TEXT, get_trace_unique_id, NULL, 0, "trace_id"},
    {"root_span_unique_id", RS_FIELD_TEXT, get_root_span_unique_id, NULL, 0, NULL},
    {"name", RS_FIELD_TEXT, get_name, "name", RS_FIELD_SEARCHED, NULL},
    {"log_type", RS_FIELD_TEXT, get_log_type, "log_type", RS_FIELD_ANY_SPAN, "type"},
    {"start_time", RS_FIELD_TIME, get_start_time, NULL, RS_FIELD_SORTS, NULL},
    {"end_time", RS_FIELD_TIME, get_end_time, NULL, 0, NULL},
    {"duration", RS_FIELD_REAL, get_duration, NULL, RS_FIELD_SORTS | RS_FIELD_SECONDS, "latency"},
    {"span_count", RS_FIELD_INT, get_span_count, NULL, RS_FIELD_SORTS, "spans"},
    {"llm_call_count", RS_FIELD_INT, get_llm_call_count, NULL, 0, NULL},
    {"error_count", RS_FIELD_INT, get_error_count, NULL, RS_FIELD_SORTS, "errors"},
    {"total_tokens", RS_FIELD_INT, get_total_tokens, NULL, RS_FIELD_SORTS, "tokens"},
    {"total_prompt_tokens", RS_FIELD_INT, get_total_prompt_tokens, NULL, 0, "prompt_tokens"},
    {"total_completion_tokens", RS_FIELD_INT, get_total_completion_tokens, NULL, 0, "completion_tokens"},
    {"total_cost", RS_FIELD_REAL, get_total_cost, NULL, RS_FIELD_SORTS, "cost"},
    {"time_to_first_token", RS_FIELD_REAL, get_time_to_first_token, NULL, RS_FIELD_SECONDS, "ttft"},
    {"tokens_per_second", RS_FIELD_REAL, get_tokens_per_second, NULL, 0, NULL},
    {"model", RS_FIELD_TEXT, get_model, "model", RS_FIELD_ANY_SPAN | RS_FIELD_SEARCHED | RS_FIELD_LAST_PART,
     NULL},
    {"input", RS_FIELD_TEXT, get_input, NULL, RS_FIELD_CONTENT | RS_FIELD_SEARCHED, NULL},
    {"output", RS_FIELD_TEXT, get_output, NULL, RS_FIELD_CONTENT | RS_FIELD_SEARCHED, NULL},
    {"metadata", RS_FIELD_JSON, get_metadata, NULL, 0, NULL},
    {"customer_identifier", RS_FIELD_TEXT, get_customer_identifier, "customer_identifier", RS_FIELD_ANY_SPAN,
     "user customer"},
    {"session_identifier", RS_FIELD_TEXT, get_session_identifier, "thread_identifier", RS_FIELD_ANY_SPAN,
     "session thread thread_identifier"},
    {"environment", RS_FIELD_TEXT, get_environment, "environment", RS_FIELD_ANY_SPAN, "env"},
    {"status_code", RS_FIELD_TEXT, get_status_code, "status_code", RS_FIELD_TAGS_ERROR,
     "status is"}, /* is:running */
    {"running", RS_FIELD_BOOL, get_running, NULL, RS_FIELD_ASKED, NULL},
    {"error_message", RS_FIELD_TEXT, get_error_message, NULL, 0, NULL},
};

static rs_str metadata_of(const void *row) { return TRACE->metadata; }

const rs_field_table rs_trace_fields = {"trace", fields, RS_ARRAY_LEN(fields), metadata_of, NULL};
