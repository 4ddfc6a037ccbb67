/* Respan's own names. They win over every other dialect's.
 * Sources: this project's wire names (include/respan.h) and the RespanSpanAttributes that the Python package respan-sdk 2.9.0
 * documents. respan.metadata.KEY and a respan.metadata holding a JSON object are both in use. */
#include "normalize/dialect.h"

static const rs_row exact[] = {
    {RS_STR("respan.cost"), RS_FIELD_COST, 1},
    {RS_STR("respan.metadata"), RS_FIELD_METADATA_JSON, 0},
    {RS_STR("respan.properties"), RS_FIELD_METADATA_JSON, 1},
    {RS_STR("respan.usage.cost"), RS_FIELD_COST, 0},
    {RS_STR("respan.call.nested"), RS_FIELD_NESTED, 0},
    {RS_STR("respan.environment"), RS_FIELD_ENVIRONMENT, 0},
    {RS_STR("respan.usage.source"), RS_FIELD_USAGE_SOURCE, 0},
    {RS_STR("respan.entity.log_type"), RS_FIELD_LOG_TYPE, 0},
    {RS_STR("respan.span.interrupted"), RS_FIELD_INTERRUPTED, 0},
    {RS_STR("respan.usage.prompt_tokens"), RS_FIELD_PROMPT_TOKENS, 0},
    {RS_STR("respan.usage.completion_tokens"), RS_FIELD_COMPLETION_TOKENS, 0},
    {RS_STR("respan.threads.thread_identifier"), RS_FIELD_THREAD, 0},
    {RS_STR("respan.sessions.session_identifier"), RS_FIELD_THREAD, 1},
    {RS_STR("respan.generation.tokens_per_second"), RS_FIELD_TOKENS_PER_SECOND, 0},
    {RS_STR("respan.generation.time_to_first_token"), RS_FIELD_TTFT, 0},
    {RS_STR("respan.customer_params.customer_identifier"), RS_FIELD_CUSTOMER, 0},
};

static const rs_row prefixes[] = {
    {RS_STR("respan.metadata."), RS_FIELD_METADATA, 0},
    {RS_STR("respan.model."), RS_FIELD_MODEL_FACT, 0},
};

const rs_dialect rs_dialect_respan = {
    .exact = exact,
    .nexact = RS_ARRAY_LEN(exact),
    .prefixes = prefixes,
    .nprefixes = RS_ARRAY_LEN(prefixes),
};
