"""Runs one program of programs/ against service.py and keeps what its tracing sent, as a golden case's request.

    PYTHON capture.py INTERPRETER programs/NAME.py OUT.pb|OUT.json
    PYTHON capture.py FOLDER programs/vercel.mjs OUT.json

INTERPRETER is that of an environment with the packages that requirements.txt has under [NAME]; FOLDER is where `npm install` put those that
package.json names. PYTHON is any with `opentelemetry-proto`, which every OTLP exporter brings, so INTERPRETER does for most.
Then `build/tests/golden/golden --update FOLDER_OF_OUT` writes what is kept of it: read the difference.

Logs that come go to OUT.logs.pb beside OUT.pb: their records become events of the spans, as the server joins them.

Requests of one program are put together into one (protobuf messages concatenate; JSON's arrays are joined). What names the machine is taken
out: attributes of the process and the host, and paths of the interpreter.
"""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
from typing import Any

from service import Service

HERE = pathlib.Path(__file__).resolve().parent
NAMES_THE_MACHINE = re.compile(
    r"^(process|host|os|thread|code|network|service\.instance)\."
    r"|^(gen_ai\.sdk|exception\.stacktrace|http\.url|url\.full|net\.|pid$)"
)


def is_private(key: str) -> bool:
    return bool(NAMES_THE_MACHINE.match(key))


def scrubbed(text: str, url: str) -> str:
    text = text.replace(url, "http://127.0.0.1:9999")
    return re.sub(r"/[\w./-]*/(site-packages|dialects[\w-]*|tests/golden/capture)/", "/", text)


def scrub_value(value: Any, url: str) -> None:
    """Of protobuf's AnyValue."""
    kind = value.WhichOneof("value")
    if kind == "string_value":
        value.string_value = scrubbed(value.string_value, url)
    elif kind == "array_value":
        for one in value.array_value.values:
            scrub_value(one, url)
    elif kind == "kvlist_value":
        for one in value.kvlist_value.values:
            scrub_value(one.value, url)


def scrub_attributes(attributes: Any, url: str) -> None:
    kept = [a for a in attributes if not is_private(a.key)]
    for one in kept:
        scrub_value(one.value, url)
    copies = [type(a).FromString(a.SerializeToString()) for a in kept]
    del attributes[:]
    attributes.extend(copies)


def protobuf(bodies: list[bytes], url: str) -> bytes:
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    request = ExportTraceServiceRequest.FromString(b"".join(bodies))
    for resource_spans in request.resource_spans:
        scrub_attributes(resource_spans.resource.attributes, url)
        for scope_spans in resource_spans.scope_spans:
            for span in scope_spans.spans:
                scrub_attributes(span.attributes, url)
                for event in span.events:
                    scrub_attributes(event.attributes, url)
    return bytes(request.SerializeToString())


def protobuf_logs(bodies: list[bytes], url: str) -> bytes:
    from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

    request = ExportLogsServiceRequest.FromString(b"".join(bodies))
    for resource_logs in request.resource_logs:
        scrub_attributes(resource_logs.resource.attributes, url)
        for scope_logs in resource_logs.scope_logs:
            for record in scope_logs.log_records:
                scrub_attributes(record.attributes, url)
                scrub_value(record.body, url)
    return bytes(request.SerializeToString())


def scrub_json(value: Any, url: str) -> Any:
    if isinstance(value, str):
        return scrubbed(value, url)
    if isinstance(value, dict):
        return {key: scrub_json(one, url) for key, one in value.items()}
    if isinstance(value, list):
        return [
            scrub_json(one, url) for one in value if not (isinstance(one, dict) and is_private(str(one.get("key", ""))))
        ]
    return value


def as_json(bodies: list[bytes], url: str) -> bytes:
    spans = [part for body in bodies for part in json.loads(body)["resourceSpans"]]
    text = json.dumps(scrub_json({"resourceSpans": spans}, url), ensure_ascii=False, indent=1)
    return text.encode() + b"\n"


def main() -> int:
    interpreter, program, out = sys.argv[1], pathlib.Path(sys.argv[2]).resolve(), pathlib.Path(sys.argv[3])
    service = Service()
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("OTEL_", "LANGFUSE_", "RESPAN_"))}
    environment |= {"CAPTURE_URL": service.url, "PYTHONPATH": str(HERE), "PYTHONDONTWRITEBYTECODE": "1"}
    # -P: programs have the names of packages
    command = [interpreter, "-P", str(program)]
    if program.suffix == ".mjs":  # modules are looked for beside the program
        command = ["node", str(shutil.copy(program, interpreter))]
    done = subprocess.run(command, env=environment, timeout=120)
    for path, headers in service.requests:
        print(path, headers.get("Content-Type"), headers.get("Content-Encoding"))
    if done.returncode or not service.bodies:
        print(f"{program.name}: status {done.returncode}, {len(service.bodies)} requests", file=sys.stderr)
        return 1
    make = as_json if service.bodies[0][:1] == b"{" else protobuf
    data = make(service.bodies, service.url)
    out.write_bytes(data)
    print(f"{out}: {len(data)} bytes of {sum(map(len, service.bodies))}")
    if service.logs:
        out.with_suffix(".logs.pb").write_bytes(protobuf_logs(service.logs, service.url))
    return 0


if __name__ == "__main__":
    sys.exit(main())
