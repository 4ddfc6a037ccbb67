"""mlflow-tracing: autologged OpenAI calls and traced functions, exported over OTLP."""

import os
import time

os.environ.update(
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=os.environ["CAPTURE_URL"] + "/v1/traces",
    OTEL_EXPORTER_OTLP_TRACES_PROTOCOL="http/protobuf",
    OTEL_SERVICE_NAME="capture",
    MLFLOW_TRACE_ENABLE_OTLP_DUAL_EXPORT="false",
)

import calls
import mlflow

mlflow.openai.autolog()


@mlflow.trace(span_type="TOOL")
def look_up(city: str) -> dict[str, bool]:
    return {"rain": True}


@mlflow.trace(span_type="AGENT", attributes={"plan": "pro"})
def answer(question: str) -> str:
    mlflow.update_current_trace(metadata={"mlflow.trace.user": "user-1", "mlflow.trace.session": "session-1"})
    look_up("Bern")
    return calls.all_calls(calls.client())


answer("Weather in Bern?")
mlflow.flush_trace_async_logging()
time.sleep(1)  # its exporter is a batch processor that nobody may flush
