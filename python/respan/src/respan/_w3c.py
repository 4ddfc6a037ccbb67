"""Context in and out of a process, by W3C's headers: `traceparent`, `tracestate` and `baggage`.

What comes in may be anything. It is read strictly: a header that breaks the standard is as if it were not there, and
what is kept of one is bounded.
"""

from __future__ import annotations

from . import _core
from ._propagate import ATTRIBUTES, as_text, portable, scope_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, MutableMapping
    from typing import Any

    Headers = Mapping[Any, Any] | Iterable[tuple[Any, Any]]

HEX = frozenset("0123456789abcdef")
TOKEN = frozenset("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
# In scope values, beside the attributes: what others put into the headers, passed on as it came.
FOREIGN_STATE, FOREIGN_BAGGAGE = "w3c.tracestate", "w3c.baggage"
STATE_MAX_CHARS = 512
BAGGAGE_MAX_CHARS, BAGGAGE_MAX_MEMBERS = 8192, 64
HEADERS_MAX = 1000
PREFIX = "respan."
METADATA = PREFIX + "metadata."


def _text(value: object) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value if isinstance(value, str) else ""


def _header(headers: Headers, name: str) -> list[str]:
    """Every value of that header, of a mapping or of pairs; names in any case, and as WSGI spells them."""
    found: list[str] = []
    names = (name, "http_" + name)
    try:
        items: Any = getattr(headers, "items", lambda: headers)()
        for n, (key, value) in enumerate(items):
            if n == HEADERS_MAX:
                break
            if _text(key).lower() in names:
                found += [_text(item) for item in (value if isinstance(value, (list, tuple)) else [value])]
    except (TypeError, ValueError):  # neither a mapping nor pairs
        return []
    return found


def parse_traceparent(text: str) -> tuple[str, str] | None:
    """(trace id, span id) of 00-{32 hex}-{16 hex}-{2 hex}; later versions may have more behind a further dash."""
    parts = text.strip(" \t").split("-", 4)
    if len(parts) < 4 or [len(part) for part in parts[:4]] != [2, 32, 16, 2]:
        return None
    version, trace_id, span_id, flags = parts[:4]
    if not HEX.issuperset(version + trace_id + span_id + flags) or version == "ff":
        return None
    if version == "00" and len(parts) > 4:
        return None
    if not trace_id.strip("0") or not span_id.strip("0"):
        return None
    return trace_id, span_id


def _printable(text: str) -> bool:
    return text.isascii() and text.isprintable()


def parse_baggage(text: str) -> list[tuple[str, str, str]]:
    """(key, decoded value, the member as it came) of each good member, up to the standard's limits."""
    from urllib.parse import unquote

    members = []
    for member in text[:BAGGAGE_MAX_CHARS].split(",")[:BAGGAGE_MAX_MEMBERS]:
        member = member.strip(" \t")
        key, equals, value = member.partition(";")[0].partition("=")
        key, value = key.strip(" \t"), value.strip(" \t")
        if key and equals and TOKEN.issuperset(key) and _printable(member) and not set(value) & set(' "\\'):
            members.append((key, unquote(value, errors="replace"), member))
    if len(text) > BAGGAGE_MAX_CHARS and members and text[BAGGAGE_MAX_CHARS] != ",":
        members.pop()  # cut in two
    return members


def _attributes_of(baggage: Iterable[tuple[str, str, str]]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for key, value, _ in baggage:
        if key.startswith(METADATA):
            values.setdefault("metadata", {})[key[len(METADATA) :]] = value
        elif key.startswith(PREFIX) and key[len(PREFIX) :] in ATTRIBUTES and key != PREFIX + "metadata":
            values[key[len(PREFIX) :]] = value
    return values


def _baggage_of(values: Mapping[str, Any]) -> list[str]:
    from urllib.parse import quote

    def member(key: str, value: str) -> str | None:
        return f"{PREFIX}{key}={quote(value, safe='')}" if TOKEN.issuperset(key) else None

    members: list[str | None] = []
    for key, value in portable(values).items():
        if key not in ATTRIBUTES:
            continue
        if isinstance(value, dict):
            members += [member(f"{key}.{item}", as_text(content)) for item, content in value.items()]
        else:
            members.append(member(key, value))
    return [text for text in members if text is not None]


def _join(members: Iterable[str]) -> str:
    """As many as the standard allows, from the first."""
    joined: list[str] = []
    room = BAGGAGE_MAX_CHARS
    for member in members:
        room -= len(member) + 1
        if room < -1 or len(joined) == BAGGAGE_MAX_MEMBERS:
            break
        joined.append(member)
    return ",".join(joined)


def inject(headers: MutableMapping[str, str], *, attributes: bool = False) -> None:
    """Writes the current span into `headers` (traceparent), with what extract() found of others (tracestate, baggage).

    attributes: also those of propagate_attributes() and of Respan(), as baggage. Leave it off for requests to others:
    they say who your users are. Without a current span, no traceparent is written.
    """
    try:
        found = _outgoing(attributes)
    except MemoryError:  # the request goes on, without them
        return
    for name, value in found:
        headers[name] = value


def _outgoing(attributes: bool) -> list[tuple[str, str]]:
    span, scope = _core.current_span(), _core.current_scope()
    values: Mapping[str, Any] = scope.values if scope is not None else {}
    found = []
    if span is not None:
        found.append(("traceparent", f"00-{span.trace_id}-{span.span_id}-01"))
        if values.get(FOREIGN_STATE):
            found.append(("tracestate", values[FOREIGN_STATE]))
    members = [*(_baggage_of(values) if attributes else ()), *values.get(FOREIGN_BAGGAGE, ())]
    if members:
        found.append(("baggage", _join(members)))
    return found


class extract:  # noqa: N801 (used like a function)
    """with extract(request.headers): spans that start inside lie under the span that `headers` name. Also async with.

    headers: a mapping, or (name, value) pairs; str or bytes; names in any case, or as in a WSGI environ.
    attributes: also take the sender's propagate_attributes() from the baggage. Leave it off for requests of strangers.
    """

    __slots__ = ("_baggage", "_ids", "_previous", "_state", "_values")

    def __init__(self, headers: Headers, *, attributes: bool = False) -> None:
        parents = _header(headers, "traceparent")
        self._ids = parse_traceparent(parents[0]) if len(parents) == 1 else None
        state = ",".join(_header(headers, "tracestate")) if self._ids is not None else ""
        self._state = state if len(state) <= STATE_MAX_CHARS and _printable(state) else ""
        baggage = parse_baggage(",".join(_header(headers, "baggage")))
        self._values = _attributes_of(baggage) if attributes else {}
        self._baggage = [member for key, _, member in baggage if not key.startswith(PREFIX)]
        self._previous: list[tuple[_core.Span | None, _core.Scope | None] | None] = []

    def __enter__(self) -> None:
        try:
            self._previous.append(self._make_current())
        except MemoryError:  # the program goes on, without them
            self._previous.append(None)

    def _make_current(self) -> tuple[_core.Span | None, _core.Scope | None]:
        span, scope = _core.surroundings() or (None, None)
        in_force = _core.current_scope()
        outer = in_force.values if in_force is not None else {}
        values = {**outer, **self._values}
        if self._values.get("metadata") and isinstance(outer.get("metadata"), dict):
            values["metadata"] = {**outer["metadata"], **self._values["metadata"]}
        if self._ids is not None:
            span = _core.remote_span(*self._ids)
            values[FOREIGN_STATE] = self._state
        if self._baggage:
            values[FOREIGN_BAGGAGE] = self._baggage
        return _core.swap_surroundings(span, scope_of(values) if values != outer else scope)

    def __exit__(self, *_: object) -> None:
        previous = self._previous.pop()
        if previous is not None:
            _core.restore_span(previous[0])
            _core.restore_scope(previous[1])

    async def __aenter__(self) -> None:
        self.__enter__()

    async def __aexit__(self, *_: object) -> None:
        self.__exit__()
