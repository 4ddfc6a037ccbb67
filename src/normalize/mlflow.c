/* MLflow, which exports its traces over OTLP where OTEL_EXPORTER_OTLP_TRACES_ENDPOINT is set.
 * Source: mlflow 3.17 of PyPI (tracing/constant.py) and what mlflow-tracing sent. Every value is a JSON text; inputs and outputs of a
 * model call are the request and the response of its API. */
#include "normalize/dialect.h"

static const rs_row exact[] = {
    {RS_STR("mlflow.spanType"), RS_FIELD_LOG_TYPE, 0},
    {RS_STR("mlflow.spanInputs"), RS_FIELD_REQUEST, 0},
    {RS_STR("mlflow.spanOutputs"), RS_FIELD_RESPONSE, 2},
    {RS_STR("mlflow.spanFunctionName"), RS_FIELD_TITLE, 0},
    {RS_STR("mlflow.chat.tools"), RS_FIELD_TOOLS, 0},
    {RS_STR("mlflow.chat.tokenUsage"), RS_FIELD_USAGE_JSON, 0},
    {RS_STR("mlflow.llm.model"), RS_FIELD_MODEL, 1},
    {RS_STR("mlflow.llm.provider"), RS_FIELD_PROVIDER, 0},
    {RS_STR("mlflow.llm.cost"), RS_FIELD_COST_JSON, 0},
    {RS_STR("mlflow.trace.user"), RS_FIELD_CUSTOMER, 0},
    {RS_STR("mlflow.trace.session"), RS_FIELD_THREAD, 0},
    {RS_STR("mlflow.user"), RS_FIELD_CUSTOMER, 1},
};

static const rs_log_alias log_types[] = {
    {RS_STR("LLM"), RS_LOG_CHAT},       {RS_STR("CHAT_MODEL"), RS_LOG_CHAT}, {RS_STR("CHAIN"), RS_LOG_TASK},
    {RS_STR("RETRIEVER"), RS_LOG_TASK}, {RS_STR("RERANKER"), RS_LOG_TASK},   {RS_STR("PARSER"), RS_LOG_TASK},
    {RS_STR("UNKNOWN"), RS_LOG_TASK}, /* a traced function of which nobody says more */
    {RS_STR("MEMORY"), RS_LOG_TASK},    {RS_STR("EVALUATOR"), RS_LOG_SCORE},
};

const rs_dialect rs_dialect_mlflow = {
    .exact = exact,
    .nexact = RS_ARRAY_LEN(exact),
    .log_types = log_types,
    .nlog_types = RS_ARRAY_LEN(log_types),
    .json_values = true,
};
