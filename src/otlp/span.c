#include "otlp/span.h"

static const rs_str log_type_names[RS_LOG_TYPE_COUNT] = {
    [RS_LOG_UNKNOWN] = RS_STR("unknown"),
    [RS_LOG_TEXT] = RS_STR("text"),
    [RS_LOG_CHAT] = RS_STR("chat"),
    [RS_LOG_COMPLETION] = RS_STR("completion"),
    [RS_LOG_RESPONSE] = RS_STR("response"),
    [RS_LOG_EMBEDDING] = RS_STR("embedding"),
    [RS_LOG_TRANSCRIPTION] = RS_STR("transcription"),
    [RS_LOG_SPEECH] = RS_STR("speech"),
    [RS_LOG_WORKFLOW] = RS_STR("workflow"),
    [RS_LOG_TASK] = RS_STR("task"),
    [RS_LOG_TOOL] = RS_STR("tool"),
    [RS_LOG_AGENT] = RS_STR("agent"),
    [RS_LOG_HANDOFF] = RS_STR("handoff"),
    [RS_LOG_GUARDRAIL] = RS_STR("guardrail"),
    [RS_LOG_FUNCTION] = RS_STR("function"),
    [RS_LOG_CUSTOM] = RS_STR("custom"),
    [RS_LOG_GENERATION] = RS_STR("generation"),
    [RS_LOG_SCORE] = RS_STR("score"),
};

rs_str rs_log_type_name(rs_log_type t) {
    return (unsigned)t < RS_LOG_TYPE_COUNT ? log_type_names[t] : log_type_names[RS_LOG_UNKNOWN];
}

rs_log_type rs_log_type_from_name(rs_str name) {
    for (int t = 0; t < RS_LOG_TYPE_COUNT; t++)
        if (rs_str_eq(log_type_names[t], name)) return (rs_log_type)t;
    return RS_LOG_UNKNOWN;
}

bool rs_log_type_is_model_call(rs_log_type t) {
    return (t >= RS_LOG_TEXT && t <= RS_LOG_SPEECH) || t == RS_LOG_GENERATION;
}

rs_str rs_usage_source_name(rs_usage_source s) {
    switch (s) {
    case RS_USAGE_MEASURED:
        return RS_STR("measured");
    case RS_USAGE_REPORTED:
        return RS_STR("reported");
    case RS_USAGE_ESTIMATED:
        return RS_STR("estimated");
    case RS_USAGE_NONE:
        break;
    }
    return (rs_str){0};
}

rs_str rs_cost_source_name(rs_cost_source s) {
    static const rs_str names[] = {
        [RS_COST_SENT] = RS_STR("sent"),   [RS_COST_TOKENS] = RS_STR("tokens"),
        [RS_COST_TIME] = RS_STR("time"),   [RS_COST_LOCAL] = RS_STR("local"),
        [RS_COST_OUTER] = RS_STR("outer"),
    };
    return (unsigned)s < RS_ARRAY_LEN(names) ? names[s] : names[RS_COST_NONE];
}

const rs_attr *rs_attrs_find(const rs_attrs *a, rs_str key) {
    for (uint32_t i = a->n; i-- > 0;)
        if (rs_str_eq(a->items[i].key, key)) return &a->items[i];
    return NULL;
}
