"""What a fault's scenario is, and the list of all of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.faults.stage import Stage

STORES = ("sqlite", "postgresql")


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """A fault of the list in the design notes.

    `made` says how the fault is made, `seen` how the scenario was seen to fail, which `sabotage` repeats. `short`
    and `long` are numbers of events, or of restarts. `not_on` says for a store why the fault can't happen there;
    `differs` that both stores are tried in the short form too; `cluster` and `disk` ask for a place of its own;
    `note` is what a reader of the matrix must know.
    """

    number: int
    name: str
    run: Callable[[Stage], None]
    made: str
    seen: str
    sabotage: frozenset[str]
    short: int
    long: int
    not_on: tuple[tuple[str, str], ...] = ()
    differs: bool = False
    cluster: bool = False
    disk: bool = False
    duplicates_at_most: int | None = None
    note: str = ""

    def stores(self, *, short: bool) -> tuple[str, ...]:
        """Where it runs; in the short form on both stores only if they differ in what it touches."""
        possible = tuple(store for store in STORES if store not in dict(self.not_on))
        if not short or self.differs or len(possible) == 1:
            return possible
        return (STORES[self.number % 2],)


SCENARIOS: dict[int, Scenario] = {}


def fault(number: int, name: str, *, sabotage: str, **details: object) -> Callable[[Callable[[Stage], None]], Scenario]:
    """Enters a scenario into the list. `sabotage` names what is broken on purpose, separated by spaces."""

    def enter(run: Callable[[Stage], None]) -> Scenario:
        assert number not in SCENARIOS
        entered = Scenario(number=number, name=name, run=run, sabotage=frozenset(sabotage.split()), **details)
        SCENARIOS[number] = entered
        return entered

    return enter
