/* OpenInference (Arize Phoenix and the instrumentations around it).
 * Source: github.com/Arize-ai/openinference, spec/semantic_conventions.md. A span's kind is in capitals; messages are flat attributes
 * with `message.` in every name; parameters are one JSON text. */
#include "normalize/dialect.h"

static const rs_row exact[] = {
    {RS_STR("metadata"), RS_FIELD_METADATA_JSON, 0},
    {RS_STR("tool.name"), RS_FIELD_TOOL_NAME, 0},
    {RS_STR("agent.name"), RS_FIELD_AGENT_NAME, 0},
    {RS_STR("llm.system"), RS_FIELD_PROVIDER, 1},
    {RS_STR("session.id"), RS_FIELD_THREAD, 0},
    {RS_STR("input.value"), RS_FIELD_REQUEST, 3},
    {RS_STR("llm.provider"), RS_FIELD_PROVIDER, 0},
    {RS_STR("output.value"), RS_FIELD_RESPONSE, 3},
    {RS_STR("llm.cost.total"), RS_FIELD_COST, 0},
    {RS_STR("llm.model_name"), RS_FIELD_MODEL, 0},
    {RS_STR("tool.parameters"), RS_FIELD_INPUT, 1},
    {RS_STR("exception.message"), RS_FIELD_ERROR, 0},
    {RS_STR("reranker.model_name"), RS_FIELD_MODEL, 2},
    {RS_STR("embedding.model_name"), RS_FIELD_MODEL, 1},
    {RS_STR("llm.token_count.total"), RS_FIELD_TOTAL_TOKENS, 0},
    {RS_STR("llm.token_count.prompt"), RS_FIELD_PROMPT_TOKENS, 0},
    {RS_STR("openinference.span.kind"), RS_FIELD_LOG_TYPE, 0},
    {RS_STR("llm.invocation_parameters"), RS_FIELD_PARAMETERS_JSON, 0},
    {RS_STR("llm.token_count.completion"), RS_FIELD_COMPLETION_TOKENS, 0},
    {RS_STR("llm.token_count.prompt_details.cache_read"), RS_FIELD_CACHED_TOKENS, 0},
    {RS_STR("llm.token_count.completion_details.reasoning"), RS_FIELD_REASONING_TOKENS, 0},
    {RS_STR("embedding.invocation_parameters"), RS_FIELD_PARAMETERS_JSON, 0},
    {RS_STR("tag.tags"), RS_FIELD_METADATA, 0, RS_STR("tags")},
};

static const rs_row prefixes[] = {
    {RS_STR("llm.input_messages."), RS_FIELD_INPUT_PART, 0},
    {RS_STR("llm.output_messages."), RS_FIELD_OUTPUT_PART, 0},
    {RS_STR("llm.choices."), RS_FIELD_OUTPUT_PART, 1},
    {RS_STR("llm.tools."), RS_FIELD_TOOL_PART, 0},
    {RS_STR("embedding.embeddings."), RS_FIELD_INPUT_PART, 2},
};

static const rs_log_alias log_types[] = {
    {RS_STR("LLM"), RS_LOG_CHAT},
    {RS_STR("CHAIN"), RS_LOG_TASK},
    {RS_STR("RETRIEVER"), RS_LOG_TASK},
    {RS_STR("RERANKER"), RS_LOG_TASK},
    {RS_STR("EMBEDDING"), RS_LOG_EMBEDDING},
    {RS_STR("PROMPT"), RS_LOG_TASK},
    {RS_STR("EVALUATOR"), RS_LOG_SCORE},
};

const rs_dialect rs_dialect_openinference = {
    .exact = exact,
    .nexact = RS_ARRAY_LEN(exact),
    .prefixes = prefixes,
    .nprefixes = RS_ARRAY_LEN(prefixes),
    .log_types = log_types,
    .nlog_types = RS_ARRAY_LEN(log_types),
};
