"""The base of all refusals: exceptions, each with a name, for what the rules don't allow, in domain and commands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar


class Refused(Exception):
    """A rule says no. The message tells a person what they can do; `name` tells a program.

    A caller of a command sees the class's own name, or the one that a subclass is declared under: `class
    AlreadyFinished(StepNotPossible, name="StepNotPossible")` is a class of its own only within the service.
    """

    name: ClassVar[str] = "Refused"
    details: Mapping[str, Any] | None = None
    """What a program may show besides the message, ready for JSON."""

    def __init_subclass__(cls, *, name: str | None = None) -> None:
        super().__init_subclass__()
        cls.name = name or cls.__name__
