/* OpenLLMetry (Traceloop), which respan-ai builds on: traceloop.* and the names that OpenTelemetry's GenAI group had before 2024.
 * Sources: opentelemetry-semantic-conventions-ai 0.4.x and 0.5.1 (SpanAttributes), opentelemetry-instrumentation-transformers 0.62,
 * and what respan-tracing 2.24 sends. Association properties are metadata but for those that say who and which
 * conversation. */
#include "normalize/dialect.h"

static const rs_row exact[] = {
    {RS_STR("llm.user"), RS_FIELD_CUSTOMER, 3},
    {RS_STR("llm.top_k"), RS_FIELD_PARAMETER, 1, RS_STR("top_k")},
    {RS_STR("llm.top_p"), RS_FIELD_PARAMETER, 1, RS_STR("top_p")},
    {RS_STR("llm.vendor"), RS_FIELD_PROVIDER, 1},
    {RS_STR("gen_ai.user"), RS_FIELD_CUSTOMER, 2},
    {RS_STR("llm.max_tokens"), RS_FIELD_PARAMETER, 1, RS_STR("max_tokens")},
    {RS_STR("llm.usage.cost"), RS_FIELD_COST, 1},
    {RS_STR("llm.temperature"), RS_FIELD_PARAMETER, 1, RS_STR("temperature")},
    {RS_STR("llm.is_streaming"), RS_FIELD_PARAMETER, 1, RS_STR("stream")},
    {RS_STR("llm.request.type"), RS_FIELD_LOG_TYPE, 1},
    {RS_STR("llm.request.model"), RS_FIELD_MODEL, 1},
    {RS_STR("llm.request.top_p"), RS_FIELD_PARAMETER, 1, RS_STR("top_p")},
    {RS_STR("llm.response.model"), RS_FIELD_MODEL, 2},
    {RS_STR("gen_ai.is_streaming"), RS_FIELD_PARAMETER, 1, RS_STR("stream")},
    {RS_STR("traceloop.span.kind"), RS_FIELD_LOG_TYPE, 0},
    {RS_STR("llm.presence_penalty"), RS_FIELD_PARAMETER, 1, RS_STR("presence_penalty")},
    {RS_STR("llm.frequency_penalty"), RS_FIELD_PARAMETER, 1, RS_STR("frequency_penalty")},
    {RS_STR("llm.request.functions"), RS_FIELD_TOOLS, 0},
    {RS_STR("gen_ai.usage.cache_read_input_tokens"), RS_FIELD_CACHED_TOKENS, 0},
    {RS_STR("gen_ai.usage.reasoning_tokens"), RS_FIELD_REASONING_TOKENS, 0},
    {RS_STR("llm.usage.cache_read_input_tokens"), RS_FIELD_CACHED_TOKENS, 1},
    {RS_STR("llm.usage.reasoning_tokens"), RS_FIELD_REASONING_TOKENS, 1},
    {RS_STR("llm.openai.api_base"), RS_FIELD_SERVER, 0},
    {RS_STR("traceloop.entity.name"), RS_FIELD_ENTITY_NAME, 0},
    {RS_STR("traceloop.entity.path"), RS_FIELD_PATH, 0},
    {RS_STR("llm.request.max_tokens"), RS_FIELD_PARAMETER, 1, RS_STR("max_tokens")},
    {RS_STR("llm.usage.total_tokens"), RS_FIELD_TOTAL_TOKENS, 1},
    {RS_STR("traceloop.entity.input"), RS_FIELD_INPUT, 0},
    {RS_STR("llm.chat.stop_sequences"), RS_FIELD_PARAMETER, 1, RS_STR("stop_sequences")},
    {RS_STR("llm.request.temperature"), RS_FIELD_PARAMETER, 1, RS_STR("temperature")},
    {RS_STR("llm.usage.prompt_tokens"), RS_FIELD_PROMPT_TOKENS, 1},
    {RS_STR("traceloop.entity.output"), RS_FIELD_OUTPUT, 0},
    {RS_STR("traceloop.workflow.name"), RS_FIELD_WORKFLOW, 0},
    {RS_STR("gen_ai.usage.total_tokens"), RS_FIELD_TOTAL_TOKENS, 0},
    {RS_STR("gen_ai.usage.prompt_tokens"), RS_FIELD_PROMPT_TOKENS, 0},
    {RS_STR("llm.usage.completion_tokens"), RS_FIELD_COMPLETION_TOKENS, 1},
    {RS_STR("llm.request.reasoning_effort"), RS_FIELD_PARAMETER, 1, RS_STR("reasoning_effort")},
    {RS_STR("gen_ai.usage.completion_tokens"), RS_FIELD_COMPLETION_TOKENS, 0},
    {RS_STR("llm.request.repetition_penalty"), RS_FIELD_PARAMETER, 1, RS_STR("repetition_penalty")},
    {RS_STR("traceloop.association.properties.chat_id"), RS_FIELD_THREAD, 2},
    {RS_STR("traceloop.association.properties.user_id"), RS_FIELD_CUSTOMER, 0},
    {RS_STR("traceloop.association.properties.session_id"), RS_FIELD_THREAD, 0},
    {RS_STR("traceloop.association.properties.environment"), RS_FIELD_ENVIRONMENT, 0},
    {RS_STR("traceloop.association.properties.conversation_id"), RS_FIELD_THREAD, 1},
    {RS_STR("traceloop.association.properties.thread_identifier"), RS_FIELD_THREAD, 0},
    {RS_STR("traceloop.association.properties.customer_identifier"), RS_FIELD_CUSTOMER, 0},
};

static const rs_row prefixes[] = {
    {RS_STR("gen_ai.prompt."), RS_FIELD_INPUT_PART, 0},
    {RS_STR("gen_ai.completion."), RS_FIELD_OUTPUT_PART, 0},
    {RS_STR("llm.request.functions."), RS_FIELD_TOOL_PART, 0},
    {RS_STR("llm.prompts."), RS_FIELD_INPUT_PART, 1},
    {RS_STR("llm.completions."), RS_FIELD_OUTPUT_PART, 1},
    {RS_STR("llm.watsonx."), RS_FIELD_PARAMETER, 2},
    {RS_STR("traceloop.association.properties."), RS_FIELD_METADATA, 0},
};

static const rs_log_alias log_types[] = {
    {RS_STR("embedding"), RS_LOG_EMBEDDING},
    {RS_STR("embeddings"), RS_LOG_EMBEDDING},
    {RS_STR("rerank"), RS_LOG_TASK},
};

const rs_dialect rs_dialect_openllmetry = {
    .exact = exact,
    .nexact = RS_ARRAY_LEN(exact),
    .prefixes = prefixes,
    .nprefixes = RS_ARRAY_LEN(prefixes),
    .log_types = log_types,
    .nlog_types = RS_ARRAY_LEN(log_types),
};
