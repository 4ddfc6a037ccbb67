/* OpenLIT, which speaks GenAI semconv with names of its own and old ones.
 * Source: openlit 1.45 of PyPI (semcov/__init__.py) and what it sent. A cost of 0 is what it says of models whose price it does not know. */
#include "normalize/dialect.h"

static const rs_row exact[] = {
    {RS_STR("gen_ai.usage.cost"), RS_FIELD_COST_BUT_0, 0},
    {RS_STR("gen_ai.request.user"), RS_FIELD_CUSTOMER, 0},
    {RS_STR("gen_ai.request.is_stream"), RS_FIELD_PARAMETER, 1, RS_STR("stream")},
    {RS_STR("gen_ai.environment"), RS_FIELD_ENVIRONMENT, 1},
    {RS_STR("gen_ai.endpoint"), RS_FIELD_KEPT, 0},
    {RS_STR("gen_ai.tool.args"), RS_FIELD_INPUT, 1},
    {RS_STR("gen_ai.tool.input"), RS_FIELD_INPUT, 1},
    {RS_STR("gen_ai.tool.output"), RS_FIELD_OUTPUT, 1},
    {RS_STR("gen_ai.content.prompt"), RS_FIELD_INPUT_MESSAGES, 1},
    {RS_STR("gen_ai.content.completion"), RS_FIELD_OUTPUT_MESSAGES, 1},
    {RS_STR("gen_ai.client.token.usage"), RS_FIELD_TOTAL_TOKENS, 0},
    {RS_STR("gen_ai.usage.prompt_tokens_details.cache_read"), RS_FIELD_CACHED_TOKENS, 0},
    {RS_STR("gen_ai.usage.completion_tokens_details.reasoning"), RS_FIELD_REASONING_TOKENS, 0},
    {RS_STR("function.args"), RS_FIELD_INPUT, 2},
};

static const rs_log_alias log_types[] = {
    {RS_STR("vectordb"), RS_LOG_TASK},
    {RS_STR("framework"), RS_LOG_TASK},
    {RS_STR("image"), RS_LOG_GENERATION},
    {RS_STR("audio"), RS_LOG_SPEECH},
};

const rs_dialect rs_dialect_openlit = {
    .exact = exact,
    .nexact = RS_ARRAY_LEN(exact),
    .log_types = log_types,
    .nlog_types = RS_ARRAY_LEN(log_types),
};
