"""Round-robin: whatever disturbs the machine for a while disturbs every contestant alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

EntryT = TypeVar("EntryT")
Say = Callable[[str], None]


def interleave(entries: Sequence[EntryT], rounds: int, measure: Callable[[int, EntryT], None], say: Say) -> list[str]:
    """Measures every entry once a round, each round beginning with another; what fails is said and gone past.

    Returns what failed, in words.
    """
    problems: list[str] = []
    for number in range(1, rounds + 1):
        begin = (number - 1) % len(entries) if entries else 0
        for entry in (*entries[begin:], *entries[:begin]):
            problem = attempt(lambda entry=entry: measure(number, entry))  # type: ignore[misc]  # noqa: B023
            if problem:
                problems.append(f"round {number}, {entry}: {problem}")
                say(problems[-1])
    return problems


def attempt(measure: Callable[[], None]) -> str:
    """What a measurement failed with, in words; empty if it didn't. One that fails must not lose the others."""
    try:
        measure()
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return ""
