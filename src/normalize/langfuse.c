/* Langfuse, whose SDKs send OTLP.
 * Source: langfuse 5.0 of PyPI (_client/attributes.py) and what it sent. Inputs, outputs and metadata are JSON texts; kinds of tokens are listed
 * side by side in one object. A trace's name, user, session and tags stand on each of its spans. */
#include "normalize/dialect.h"

static const rs_row exact[] = {
    {RS_STR("langfuse.environment"), RS_FIELD_ENVIRONMENT, 0},
    {RS_STR("langfuse.release"), RS_FIELD_METADATA, 0, RS_STR("release")},
    {RS_STR("langfuse.version"), RS_FIELD_METADATA, 0, RS_STR("version")},
    {RS_STR("langfuse.user.id"), RS_FIELD_CUSTOMER, 0},
    {RS_STR("langfuse.session.id"), RS_FIELD_THREAD, 0},
    {RS_STR("langfuse.trace.name"), RS_FIELD_WORKFLOW, 0},
    {RS_STR("langfuse.trace.tags"), RS_FIELD_METADATA, 0, RS_STR("tags")},
    {RS_STR("langfuse.trace.input"), RS_FIELD_INPUT, 1},
    {RS_STR("langfuse.trace.output"), RS_FIELD_OUTPUT, 1},
    {RS_STR("langfuse.trace.metadata"), RS_FIELD_METADATA_JSON, 1},
    {RS_STR("langfuse.observation.type"), RS_FIELD_LOG_TYPE, 0},
    {RS_STR("langfuse.observation.input"), RS_FIELD_REQUEST, 0},
    {RS_STR("langfuse.observation.output"), RS_FIELD_RESPONSE, 0},
    {RS_STR("langfuse.observation.level"), RS_FIELD_METADATA, 0, RS_STR("level")},
    {RS_STR("langfuse.observation.status_message"), RS_FIELD_METADATA, 0, RS_STR("status_message")},
    {RS_STR("langfuse.observation.metadata"), RS_FIELD_METADATA_JSON, 0},
    {RS_STR("langfuse.observation.model.name"), RS_FIELD_MODEL, 0},
    {RS_STR("langfuse.observation.model.parameters"), RS_FIELD_PARAMETERS_JSON, 0},
    {RS_STR("langfuse.observation.usage_details"), RS_FIELD_USAGE_JSON, 0},
    {RS_STR("langfuse.observation.cost_details"), RS_FIELD_COST_JSON, 0},
    {RS_STR("langfuse.observation.completion_start_time"), RS_FIELD_FIRST_TOKEN_TIME, 0},
    {RS_STR("langfuse.observation.prompt.name"), RS_FIELD_METADATA, 0, RS_STR("prompt_name")},
    {RS_STR("langfuse.observation.prompt.version"), RS_FIELD_METADATA, 0, RS_STR("prompt_version")},
};

static const rs_row prefixes[] = {
    {RS_STR("langfuse.trace.metadata."), RS_FIELD_METADATA_QUOTED, 1},
    {RS_STR("langfuse.observation.metadata."), RS_FIELD_METADATA_QUOTED, 0},
};

static const rs_log_alias log_types[] = {
    {RS_STR("span"), RS_LOG_TASK},      {RS_STR("event"), RS_LOG_CUSTOM},    {RS_STR("chain"), RS_LOG_TASK},
    {RS_STR("retriever"), RS_LOG_TASK}, {RS_STR("evaluator"), RS_LOG_SCORE},
};

const rs_dialect rs_dialect_langfuse = {
    .exact = exact,
    .nexact = RS_ARRAY_LEN(exact),
    .prefixes = prefixes,
    .nprefixes = RS_ARRAY_LEN(prefixes),
    .log_types = log_types,
    .nlog_types = RS_ARRAY_LEN(log_types),
};
