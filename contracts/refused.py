"""What rules don't allow, said by name: one family for the rules themselves and for the commands that they refuse."""

from __future__ import annotations

from typing import ClassVar


class Refused(Exception):
    """A rule says no. The message tells a person what they can do; `name` tells a program.

    A caller of a command sees the class's own name, or the one that a subclass is declared under: `class
    AlreadyFinished(StepNotPossible, name="StepNotPossible")` is told apart within the service alone.
    """

    name: ClassVar[str] = "Refused"

    def __init_subclass__(cls, *, name: str | None = None) -> None:
        super().__init_subclass__()
        cls.name = name or cls.__name__
