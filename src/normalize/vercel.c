/* The Vercel AI SDK (npm: ai), versions 4 to 6.
 * Source: ai-sdk.dev/docs/ai-sdk-core/telemetry and what ai 6.0 sent. A call is two spans: ai.generateText, which runs tools and asks again,
 * and an ai.generateText.doGenerate for each request to the model. Both say the tokens: the outer one is no model call, else
 * they would count twice. */
#include "normalize/dialect.h"

static const rs_row exact[] = {
    {RS_STR("ai.operationId"), RS_FIELD_LOG_TYPE, 0},
    {RS_STR("ai.model.id"), RS_FIELD_MODEL, 0},
    {RS_STR("ai.response.model"), RS_FIELD_MODEL, 1},
    {RS_STR("ai.model.provider"), RS_FIELD_PROVIDER, 0},
    {RS_STR("ai.telemetry.functionId"), RS_FIELD_WORKFLOW, 0},
    {RS_STR("ai.telemetry.metadata.userId"), RS_FIELD_CUSTOMER, 0},
    {RS_STR("ai.telemetry.metadata.user_id"), RS_FIELD_CUSTOMER, 1},
    {RS_STR("ai.telemetry.metadata.sessionId"), RS_FIELD_THREAD, 0},
    {RS_STR("ai.telemetry.metadata.session_id"), RS_FIELD_THREAD, 1},
    {RS_STR("ai.prompt"), RS_FIELD_REQUEST, 1},
    {RS_STR("ai.prompt.messages"), RS_FIELD_INPUT_MESSAGES, 0},
    {RS_STR("ai.prompt.tools"), RS_FIELD_TOOLS, 0},
    {RS_STR("ai.prompt.toolChoice"), RS_FIELD_PARAMETER, 0, RS_STR("tool_choice")},
    {RS_STR("ai.settings.maxTokens"), RS_FIELD_PARAMETER, 2, RS_STR("max_tokens")},
    {RS_STR("ai.settings.maxOutputTokens"), RS_FIELD_PARAMETER, 1, RS_STR("max_tokens")},
    {RS_STR("ai.settings.topP"), RS_FIELD_PARAMETER, 1, RS_STR("top_p")},
    {RS_STR("ai.settings.topK"), RS_FIELD_PARAMETER, 1, RS_STR("top_k")},
    {RS_STR("ai.settings.stopSequences"), RS_FIELD_PARAMETER, 1, RS_STR("stop_sequences")},
    {RS_STR("ai.settings.presencePenalty"), RS_FIELD_PARAMETER, 1, RS_STR("presence_penalty")},
    {RS_STR("ai.settings.frequencyPenalty"), RS_FIELD_PARAMETER, 1, RS_STR("frequency_penalty")},
    {RS_STR("ai.response.text"), RS_FIELD_OUTPUT_PART, 0, RS_STR("0.content")},
    {RS_STR("ai.response.object"), RS_FIELD_OUTPUT_PART, 0, RS_STR("0.content")},
    {RS_STR("ai.response.reasoning"), RS_FIELD_OUTPUT_PART, 0, RS_STR("0.reasoning")},
    {RS_STR("ai.response.toolCalls"), RS_FIELD_OUTPUT_PART, 0, RS_STR("0.tool_calls")},
    {RS_STR("ai.response.finishReason"), RS_FIELD_OUTPUT_PART, 0, RS_STR("0.finish_reason")},
    {RS_STR("ai.response.msToFirstChunk"), RS_FIELD_TTFT_MS, 0},
    {RS_STR("ai.response.msToFirstToken"), RS_FIELD_TTFT_MS, 0},
    {RS_STR("ai.response.avgOutputTokensPerSecond"), RS_FIELD_TOKENS_PER_SECOND, 0},
    {RS_STR("ai.response.avgCompletionTokensPerSecond"), RS_FIELD_TOKENS_PER_SECOND, 0},
    {RS_STR("ai.usage.inputTokens"), RS_FIELD_PROMPT_TOKENS, 0},
    {RS_STR("ai.usage.promptTokens"), RS_FIELD_PROMPT_TOKENS, 0},
    {RS_STR("ai.usage.tokens"), RS_FIELD_PROMPT_TOKENS, 1},
    {RS_STR("ai.usage.outputTokens"), RS_FIELD_COMPLETION_TOKENS, 0},
    {RS_STR("ai.usage.completionTokens"), RS_FIELD_COMPLETION_TOKENS, 0},
    {RS_STR("ai.usage.totalTokens"), RS_FIELD_TOTAL_TOKENS, 0},
    {RS_STR("ai.usage.cachedInputTokens"), RS_FIELD_CACHED_TOKENS, 1},
    {RS_STR("ai.usage.inputTokenDetails.cacheReadTokens"), RS_FIELD_CACHED_TOKENS, 0},
    {RS_STR("ai.usage.reasoningTokens"), RS_FIELD_REASONING_TOKENS, 1},
    {RS_STR("ai.usage.outputTokenDetails.reasoningTokens"), RS_FIELD_REASONING_TOKENS, 0},
    {RS_STR("ai.toolCall.name"), RS_FIELD_TOOL_NAME, 0},
    {RS_STR("ai.toolCall.args"), RS_FIELD_INPUT, 0},
    {RS_STR("ai.toolCall.result"), RS_FIELD_OUTPUT, 0},
    {RS_STR("ai.value"), RS_FIELD_INPUT, 1},
    {RS_STR("ai.values"), RS_FIELD_INPUT, 1},
};

static const rs_row prefixes[] = {
    {RS_STR("ai.telemetry.metadata."), RS_FIELD_METADATA, 0},
    {RS_STR("ai.settings."), RS_FIELD_PARAMETER, 2},
};

static const rs_log_alias log_types[] = {
    {RS_STR("ai.generateText.doGenerate"), RS_LOG_CHAT},
    {RS_STR("ai.streamText.doStream"), RS_LOG_CHAT},
    {RS_STR("ai.generateObject.doGenerate"), RS_LOG_CHAT},
    {RS_STR("ai.streamObject.doStream"), RS_LOG_CHAT},
    {RS_STR("ai.embed.doEmbed"), RS_LOG_EMBEDDING},
    {RS_STR("ai.embedMany.doEmbed"), RS_LOG_EMBEDDING},
    {RS_STR("ai.toolCall"), RS_LOG_TOOL},
    {RS_STR("ai.generateText"), RS_LOG_TASK},
    {RS_STR("ai.streamText"), RS_LOG_TASK},
    {RS_STR("ai.generateObject"), RS_LOG_TASK},
    {RS_STR("ai.streamObject"), RS_LOG_TASK},
    {RS_STR("ai.embed"), RS_LOG_TASK},
    {RS_STR("ai.embedMany"), RS_LOG_TASK},
};

const rs_dialect rs_dialect_vercel = {
    .exact = exact,
    .nexact = RS_ARRAY_LEN(exact),
    .prefixes = prefixes,
    .nprefixes = RS_ARRAY_LEN(prefixes),
    .log_types = log_types,
    .nlog_types = RS_ARRAY_LEN(log_types),
};
