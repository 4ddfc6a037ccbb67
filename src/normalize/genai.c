/* OpenTelemetry's semantic conventions for generative AI, old names and new.
 * Sources: opentelemetry.io/docs/specs/semconv/gen-ai and opentelemetry-semantic-conventions 0.66b1 (gen_ai_attributes). Old names:
 * gen_ai.system (now gen_ai.provider.name), gen_ai.prompt and gen_ai.completion as one JSON text, gen_ai.openai.request.*.
 * gen_ai.latency.* is of vLLM and servers like it (vllm/tracing). */
#include "normalize/dialect.h"

static const rs_row exact[] = {
    {RS_STR("user.id"), RS_FIELD_CUSTOMER, 1},
    {RS_STR("enduser.id"), RS_FIELD_CUSTOMER, 0},
    {RS_STR("error.type"), RS_FIELD_ERROR, 2},
    {RS_STR("error.message"), RS_FIELD_ERROR, 1},
    {RS_STR("gen_ai.prompt"), RS_FIELD_INPUT_MESSAGES, 1},
    {RS_STR("gen_ai.system"), RS_FIELD_PROVIDER, 1},
    {RS_STR("gen_ai.tool.name"), RS_FIELD_TOOL_NAME, 0},
    {RS_STR("gen_ai.agent.name"), RS_FIELD_AGENT_NAME, 0},
    {RS_STR("gen_ai.completion"), RS_FIELD_OUTPUT_MESSAGES, 1},
    {RS_STR("gen_ai.provider.name"), RS_FIELD_PROVIDER, 0},
    {RS_STR("gen_ai.request.model"), RS_FIELD_MODEL, 0},
    {RS_STR("gen_ai.workflow.name"), RS_FIELD_WORKFLOW, 0},
    {RS_STR("gen_ai.input.messages"), RS_FIELD_INPUT_MESSAGES, 0},
    {RS_STR("gen_ai.operation.name"), RS_FIELD_LOG_TYPE, 0},
    {RS_STR("gen_ai.response.model"), RS_FIELD_MODEL, 1},
    {RS_STR("deployment.environment"), RS_FIELD_ENVIRONMENT, 1},
    {RS_STR("gen_ai.conversation.id"), RS_FIELD_THREAD, 0},
    {RS_STR("gen_ai.output.messages"), RS_FIELD_OUTPUT_MESSAGES, 0},
    {RS_STR("gen_ai.tool.call.result"), RS_FIELD_OUTPUT, 2},
    {RS_STR("gen_ai.usage.total_cost"), RS_FIELD_COST, 0},
    {RS_STR("gen_ai.usage.input_tokens"), RS_FIELD_PROMPT_TOKENS, 0},
    {RS_STR("gen_ai.retrieval.documents"), RS_FIELD_OUTPUT, 3},
    {RS_STR("gen_ai.system_instructions"), RS_FIELD_SYSTEM_MESSAGE, 0},
    {RS_STR("gen_ai.tool.call.arguments"), RS_FIELD_INPUT, 2},
    {RS_STR("gen_ai.usage.output_tokens"), RS_FIELD_COMPLETION_TOKENS, 0},
    {RS_STR("gen_ai.usage.cache_read.input_tokens"), RS_FIELD_CACHED_TOKENS, 0},
    {RS_STR("gen_ai.usage.reasoning.output_tokens"), RS_FIELD_REASONING_TOKENS, 0},
    {RS_STR("gen_ai.tool.definitions"), RS_FIELD_TOOLS, 0},
    {RS_STR("server.address"), RS_FIELD_SERVER, 0},
    {RS_STR("gen_ai.openai.api_base"), RS_FIELD_SERVER, 1},
    {RS_STR("deployment.environment.name"), RS_FIELD_ENVIRONMENT, 0},
    {RS_STR("gen_ai.request.choice.count"), RS_FIELD_PARAMETER, 0, RS_STR("n")},
    {RS_STR("gen_ai.retrieval.query.text"), RS_FIELD_INPUT, 3},
    {RS_STR("gen_ai.server.time_to_first_token"), RS_FIELD_TTFT, 2},
    {RS_STR("gen_ai.response.time_to_first_chunk"), RS_FIELD_TTFT, 0},
    {RS_STR("gen_ai.response.time_to_first_token"), RS_FIELD_TTFT, 1},
    {RS_STR("gen_ai.latency.time_to_first_token"), RS_FIELD_TTFT, 3},
};

static const rs_row prefixes[] = {
    {RS_STR("gen_ai.request."), RS_FIELD_PARAMETER, 0},
    {RS_STR("gen_ai.openai.request."), RS_FIELD_PARAMETER, 1},
};

static const rs_log_alias log_types[] = {
    {RS_STR("chat"), RS_LOG_CHAT},
    {RS_STR("generate_content"), RS_LOG_CHAT},
    {RS_STR("text_completion"), RS_LOG_TEXT},
    {RS_STR("embeddings"), RS_LOG_EMBEDDING},
    {RS_STR("retrieval"), RS_LOG_TASK},
    {RS_STR("create_agent"), RS_LOG_AGENT},
    {RS_STR("invoke_agent"), RS_LOG_AGENT},
    {RS_STR("execute_tool"), RS_LOG_TOOL},
    {RS_STR("invoke_workflow"), RS_LOG_WORKFLOW},
};

const rs_dialect rs_dialect_genai = {
    .exact = exact,
    .nexact = RS_ARRAY_LEN(exact),
    .prefixes = prefixes,
    .nprefixes = RS_ARRAY_LEN(prefixes),
    .log_types = log_types,
    .nlog_types = RS_ARRAY_LEN(log_types),
};
