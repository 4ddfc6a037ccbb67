"""The shape of a plugin for Respan(instrumentations=[…])."""

from typing import Protocol, runtime_checkable


@runtime_checkable
class Instrumentation(Protocol):
    """Has a name, of which one at a time is active in a Respan, and can be switched on and off."""

    name: str

    def activate(self) -> None: ...

    def deactivate(self) -> None: ...
