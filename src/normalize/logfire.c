/* Logfire, and Pydantic AI under it.
 * Source: logfire 5.4 and pydantic-ai 2.68 of PyPI and what they sent. Model calls speak GenAI semconv beside it; before 2025 they had
 * request_data and response_data, and `events` with all messages in one list. logfire.msg is a span's name with its values in it. */
#include "normalize/dialect.h"

static const rs_row exact[] = {
    {RS_STR("logfire.msg"), RS_FIELD_TITLE, 0},
    {RS_STR("logfire.json_schema"), RS_FIELD_SCHEMA, 0},
    {RS_STR("logfire.tags"), RS_FIELD_METADATA, 0, RS_STR("tags")},
    {RS_STR("request_data"), RS_FIELD_REQUEST, 0},
    {RS_STR("response_data"), RS_FIELD_RESPONSE, 0},
    {RS_STR("events"), RS_FIELD_MESSAGE_EVENTS, 0},
    {RS_STR("operation.cost"), RS_FIELD_COST, 0},
    {RS_STR("gen_ai.usage.raw"), RS_FIELD_USAGE_JSON, 1},
    {RS_STR("gen_ai.usage.details.cache_read_tokens"), RS_FIELD_CACHED_TOKENS, 0},
    {RS_STR("gen_ai.usage.details.cached_tokens"), RS_FIELD_CACHED_TOKENS, 0},
    {RS_STR("gen_ai.usage.details.reasoning_tokens"), RS_FIELD_REASONING_TOKENS, 0},
    {RS_STR("gen_ai.aggregated_usage.input_tokens"), RS_FIELD_PROMPT_TOKENS, 2},
    {RS_STR("gen_ai.aggregated_usage.output_tokens"), RS_FIELD_COMPLETION_TOKENS, 2},
    {RS_STR("gen_ai.aggregated_usage.cache_read.input_tokens"), RS_FIELD_CACHED_TOKENS, 2},
    {RS_STR("gen_ai.aggregated_usage.details.reasoning_tokens"), RS_FIELD_REASONING_TOKENS, 2},
    {RS_STR("pydantic_ai.all_messages"), RS_FIELD_INPUT_MESSAGES, 0},
    {RS_STR("all_messages_events"), RS_FIELD_INPUT_MESSAGES, 1},
    {RS_STR("final_result"), RS_FIELD_OUTPUT, 0},
    {RS_STR("agent_name"), RS_FIELD_AGENT_NAME, 0},
    {RS_STR("model_name"), RS_FIELD_MODEL, 2},
    {RS_STR("tool_arguments"), RS_FIELD_INPUT, 1},
    {RS_STR("tool_response"), RS_FIELD_OUTPUT, 1},
};

const rs_dialect rs_dialect_logfire = {
    .exact = exact,
    .nexact = RS_ARRAY_LEN(exact),
};
