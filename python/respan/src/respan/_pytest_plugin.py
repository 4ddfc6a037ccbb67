"""The pytest fixture of respan.testing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from .testing import record_spans


@pytest.fixture
def respan_spans() -> Iterator[list[dict[str, Any]]]:
    """The spans that ended in this test so far, as dicts; see respan.testing. Nothing is sent."""
    with record_spans() as spans:
        yield spans
