"""The registry of `_rows.py`, and what became of its entries, as the dataclasses that are public."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ._rows import ROWS, is_automatic

AutoInstrumentationState = str  # enabled, disabled, missing, failed


@dataclass(frozen=True)
class AutoInstrumentationSpec:
    """One instrumentation: what it traces, and where it is found if it is installed."""

    id: str
    category: str
    provider: str
    sdk_package: str
    instrumentation_package: str
    entry_point: str
    import_path: str
    enabled_by_default: bool = True
    priority: int = 100
    aliases: tuple[str, ...] = ()
    conflicts_with: tuple[str, ...] = ()
    auto_disabled_reason: str | None = None
    constructor_kwargs: tuple[tuple[str, Any], ...] = ()


@dataclass(frozen=True)
class AutoInstrumentationStatus:
    """What became of one of them."""

    id: str
    name: str
    status: AutoInstrumentationState
    provider: str
    sdk_package: str
    instrumentation_package: str
    reason: str | None = None


AUTO_INSTRUMENTATION_REGISTRY: tuple[AutoInstrumentationSpec, ...] = tuple(
    AutoInstrumentationSpec(**row) for row in ROWS
)


def list_auto_instrumentation_specs(*, include_disabled: bool = True) -> tuple[AutoInstrumentationSpec, ...]:
    """Every entry, or only those that are switched on without being asked for."""
    return tuple(AutoInstrumentationSpec(**row) for row in ROWS if include_disabled or is_automatic(row))


def statuses(of: Iterable[Mapping[str, Any]]) -> tuple[AutoInstrumentationStatus, ...]:
    return tuple(AutoInstrumentationStatus(**status) for status in of)
