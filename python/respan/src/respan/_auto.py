"""Switches on what is installed of the registry: respan's own plugins, else OpenTelemetry's instrumentors.

Nothing that is not installed is an error, and nothing is imported but what is switched on.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module

from ._rows import ROWS, is_automatic

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from typing import Any

    Row = dict[str, Any]

PLUGINS, INSTRUMENTORS = "respan.instrumentations", "opentelemetry_instrumentor"

# Names that Instruments (and people) use, where the registry has another.
IDS = {
    "alephalpha": "aleph-alpha",
    "bedrock": "aws-bedrock",
    "crew": "crewai",
    "google-generativeai": "google-genai",
    "mistral": "mistralai",
    "transformers": "huggingface",
}
# OpenTelemetry's names, where they are not the registry's, with "_" or as they are.
INSTRUMENTOR_NAMES = {
    "aleph-alpha": ("alephalpha",),
    "aws-bedrock": ("bedrock", "boto3"),
    "chroma": ("chromadb",),
    "google-genai": ("google_genai", "google_generativeai"),
    "grpc": ("grpc_client",),
    "huggingface": ("transformers",),
    "vertexai": ("vertexai", "google_cloud_aiplatform"),
}
THREADING = "threading"


class MissingError(Exception):
    """It is not installed, or chose not to be switched on."""


def ids_of(instruments: Iterable[object] | None) -> set[str]:
    """Registry ids (or OpenTelemetry's names, with "-") of members of Instruments, or of their values."""
    names = {str(getattr(item, "value", item)).lower().replace("_", "-") for item in instruments or ()}
    return {IDS.get(name, name) for name in names}


def _beyond_the_registry(name: str) -> Row:
    package = f"opentelemetry-instrumentation-{name}"
    plain = dict.fromkeys(("id", "provider", "sdk_package", "entry_point"), name)
    empty: dict[str, Any] = dict.fromkeys(("aliases", "conflicts_with", "constructor_kwargs"), ())
    return {**plain, **empty, "instrumentation_package": package, "import_path": ""}


def _files() -> Iterator[str]:
    """entry_points.txt of each installed distribution that calls itself an instrumentation."""
    for folder in dict.fromkeys(sys.path):
        try:
            names = os.listdir(folder or ".")
        except OSError:
            continue
        for name in names:
            if "instrumentation" in name and name.endswith(".dist-info"):
                yield os.path.join(folder, name, "entry_points.txt")


def entry_points() -> dict[tuple[str, str], str]:
    """(group, name) -> "module:attribute". importlib.metadata costs ten times as much, and reads every distribution."""
    found: dict[tuple[str, str], str] = {}
    for path in _files():
        try:
            with open(path, encoding="utf-8", errors="replace") as file:
                lines = file.read().splitlines()
        except OSError:  # it has none
            continue
        group = ""
        for line in lines:
            name, equals, target = line.partition("=")
            if line.startswith("["):
                group = line.strip("[] \t")
            elif equals:
                found.setdefault((group, name.strip()), target.partition("[")[0].strip())
    return found


def _load(target: str) -> Any:
    module, _, name = target.partition(":")
    loaded = import_module(module)
    for part in name.split("."):
        loaded = getattr(loaded, part)
    return loaded


def _find(row: Row, points: Mapping[tuple[str, str], str]) -> Any:
    """An instance of what traces that SDK."""
    kind: Any = None
    plugin = points.get((PLUGINS, row["entry_point"]))
    if plugin is not None:
        kind = _load(plugin)
    elif row["import_path"]:
        try:
            kind = _load(row["import_path"])
        except (ImportError, AttributeError):
            pass
    if kind is not None:
        return kind(**dict(row["constructor_kwargs"]))
    for name in INSTRUMENTOR_NAMES.get(row["id"], (row["id"].replace("-", "_"), row["id"])):
        target = points.get((INSTRUMENTORS, name))
        if target is not None:
            from ._otel_instrumentor import OTELInstrumentor

            instrumentor = _load(target)()
            if getattr(instrumentor, "is_instrumented_by_opentelemetry", False):
                raise MissingError("the program has switched it on itself")
            return OTELInstrumentor(instrumentor)
    raise MissingError(f"neither {row['instrumentation_package']} nor OpenTelemetry's instrumentor is installed")


def _off(row: Row, chosen: set[str] | None, blocked: set[str], names: set[str]) -> str | None:
    """Why it is not to be switched on."""
    if row["id"] in blocked:
        return "among block_instruments"
    if chosen is not None and row["id"] not in chosen:
        return "not among instruments"
    if chosen is None and not is_automatic(row):
        return row["auto_disabled_reason"] or "disabled by default"
    if names & {row["id"], row["entry_point"], *row["aliases"]}:
        return "already activated explicitly"
    conflicts = names & set(row["conflicts_with"])
    return f"conflicts with {', '.join(sorted(conflicts))}" if conflicts else None


def switch_on(
    chosen: set[str] | None, blocked: set[str], active: dict[str, Any], activate: Callable[[Any], None]
) -> list[dict[str, str | None]]:
    """Activates what is installed and adds it to `active`, by name. A status for each entry, in order of priority.

    chosen: these, whatever the registry says of them; None: those that are on by default. blocked: none of these.
    """
    points = entry_points()
    rows = sorted(ROWS, key=lambda row: (row["priority"], row["id"]))
    known = {row["id"] for row in rows}
    rows += [_beyond_the_registry(name) for name in sorted((chosen or set()) - known - {THREADING})]
    names = {name.lower() for name in active}
    statuses: list[dict[str, str | None]] = []
    for row in rows:
        name, status, reason = row["id"], "disabled", _off(row, chosen, blocked, names)
        if reason is None:
            try:
                instrumentation = _find(row, points)
                name = str(getattr(instrumentation, "name", name))
                if name.lower() not in names:
                    activate(instrumentation)
                    if getattr(instrumentation, "_is_instrumented", True) is False:
                        raise MissingError("what it traces is not installed, or it chose not to be switched on")
                    active[name] = instrumentation
                    names |= {name.lower(), row["id"], row["entry_point"], *row["aliases"]}
                    status = "enabled"
                else:
                    reason = "already activated explicitly"
            except MissingError as missing:
                status, reason = "missing", str(missing)
            except Exception as error:
                from ._log import warn_of

                warn_of(error, "Instrumentation %s could not be switched on", row["id"])
                status, reason = "failed", f"{type(error).__name__}: {error}"
        about = {key: row[key] for key in ("provider", "sdk_package", "instrumentation_package")}
        statuses.append({"id": row["id"], "name": name, "status": status, **about, "reason": reason})
    return statuses
