"""Puts the load generator's spans into Phoenix's own database, as its server would have, but a thousand at a time: over HTTP it takes
some 150 a second.

usage: .venv-phoenix/bin/python fill_phoenix.py DATABASE DUMP...       (dumps of `loadgen --dump`)

Runs while its server does not, on a database that it has made. Spans are decoded by Phoenix's own decoder and written through its
own models, with what its insert_span reckons of a span and of those below it; cost and sessions, which it keeps beside them, are left
out (its pages are then no slower for it). Each trace has to be whole in its dump, one behind the other.
"""

import struct
import sys
from dataclasses import asdict

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from phoenix.db import models
from phoenix.trace.otel import decode_otlp_span
from sqlalchemy import create_engine, event, insert, select

AT_ONCE = 10_000  # spans of whole traces, at least
TOKENS = "cumulative_llm_token_count_prompt", "cumulative_llm_token_count_completion"


def spans_of(dump):
    with open(dump, "rb") as file:
        while head := file.read(4):
            request = ExportTraceServiceRequest.FromString(file.read(struct.unpack("<I", head)[0]))
            for resource in request.resource_spans:
                for scope in resource.scope_spans:
                    yield from map(decode_otlp_span, scope.spans)


def count_of(span, which):
    if span.span_kind.value != "LLM":
        return None
    return int(span.attributes.get("llm", {}).get("token_count", {}).get(which, 0))


def row_of(span, trace):
    prompt, completion = count_of(span, "prompt"), count_of(span, "completion")
    return {
        "span_id": span.context.span_id,
        "trace_rowid": trace,
        "parent_id": span.parent_id,
        "span_kind": span.span_kind.value,
        "name": span.name,
        "start_time": span.start_time,
        "end_time": span.end_time,
        "attributes": span.attributes,
        "events": [asdict(one) for one in span.events],
        "status_code": span.status_code.value,
        "status_message": span.status_message,
        "cumulative_error_count": int(span.status_code.value == "ERROR"),
        TOKENS[0]: prompt or 0,
        TOKENS[1]: completion or 0,
        "llm_token_count_prompt": prompt,
        "llm_token_count_completion": completion,
    }


def add_up(rows):
    """Each span's own counts to all that are above it, the deepest first."""
    by_id = {row["span_id"]: row for row in rows}

    def depth(row):
        n = 0
        while row := by_id.get(row["parent_id"]):
            n += 1
        return n

    for row in sorted(rows, key=depth, reverse=True):
        if parent := by_id.get(row["parent_id"]):
            for name in ("cumulative_error_count", *TOKENS):
                parent[name] += row[name]


def write(connection, project, traces):
    rows = []
    for trace_id, spans in traces.items():
        made = connection.execute(
            insert(models.Trace).values(
                trace_id=trace_id,
                project_rowid=project,
                start_time=min(span.start_time for span in spans),
                end_time=max(span.end_time for span in spans),
            )
        )
        of_trace = [row_of(span, made.inserted_primary_key[0]) for span in spans]
        add_up(of_trace)
        rows += of_trace
    connection.execute(insert(models.Span), rows)
    connection.commit()
    return len(rows)


def main(database, *dumps):
    engine = create_engine(f"sqlite:///{database}")
    event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous=OFF"))
    written = 0
    with engine.connect() as connection:
        project = connection.scalar(select(models.Project.id).where(models.Project.name == "default"))
        for dump in dumps:
            traces, held, last = {}, 0, None
            for span in spans_of(dump):
                trace_id = span.context.trace_id
                if trace_id != last and held >= AT_ONCE:
                    written += write(connection, project, traces)
                    traces, held = {}, 0
                traces.setdefault(trace_id, []).append(span)
                held, last = held + 1, trace_id
            written += write(connection, project, traces)
    print(written)


main(*sys.argv[1:])
