"""Runs scenarios: one rig a store is kept for as many of them as don't need a place of their own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.faults import scenarios
from tests.faults.cluster import Cluster, clustered
from tests.faults.ground import Ground, prepared
from tests.faults.rig import Rig, rigged
from tests.faults.sabotage import spoil
from tests.faults.scenario import Scenario
from tests.faults.stage import Outcome, Stage
from tests.support.disk import small_disk

__all__ = ["Runner", "Unavailable", "running", "scenarios"]

SHORT_DEADLINE, LONG_DEADLINE = 60.0, 180.0
SABOTAGED_BACK_WITHIN = 30.0
"""Longer than any scenario takes in its short form when all is well."""


class Unavailable(Exception):
    """This machine can't make the fault; the message says why."""


class Runner:
    """Runs one scenario after another on shared ground."""

    def __init__(self, ground: Ground, stack: ExitStack, *, seed: int, short: bool) -> None:
        self.ground, self.seed, self.short = ground, seed, short
        self._stack = stack
        self._rigs: dict[str, Rig] = {}
        self._cluster: Cluster | None = None

    def run(self, scenario: Scenario, store: str) -> Outcome:
        """What came of it. Raises Unavailable."""
        if scenario.cluster or scenario.disk:
            with self._rig(scenario, store, frozenset()) as rig:
                return self._play(rig, scenario)
        if store not in self._rigs:
            name = f"{store}_shared"
            self._rigs[store] = self._stack.enter_context(rigged(self.ground, store, name))
        return self._play(self._rigs[store], scenario)

    def run_sabotaged(self, scenario: Scenario, store: str) -> Outcome:
        """What comes of it when a guarantee is broken on purpose, on a rig of its own."""
        with self._rig(scenario, store, scenario.sabotage) as rig:
            spoil(rig)
            return self._play(rig, scenario)

    @contextmanager
    def _rig(self, scenario: Scenario, store: str, sabotage: frozenset[str]) -> Iterator[Rig]:
        """A rig of its own, in the place that the scenario asks for."""
        name = f"{store}_{scenario.number}"
        with ExitStack() as stack:
            disk = stack.enter_context(small_disk()) if scenario.disk else None
            if scenario.disk and disk is None:
                raise Unavailable("no small file system can be had here: neither a mount nor a small /dev/shm")
            cluster = self._clustered() if scenario.cluster else None
            yield stack.enter_context(rigged(self.ground, store, name, sabotage=sabotage, disk=disk, cluster=cluster))

    def _clustered(self) -> Cluster:
        if self._cluster is None:
            self._cluster = self._stack.enter_context(clustered(self.ground.folder / "cluster"))
        self._cluster.revive()
        return self._cluster

    def _play(self, rig: Rig, scenario: Scenario) -> Outcome:
        deadline = SHORT_DEADLINE if self.short else LONG_DEADLINE
        size = scenario.short if self.short else scenario.long
        back_within = SABOTAGED_BACK_WITHIN if rig.sabotage else deadline
        stage = Stage(
            rig, scenario, size=size, seed=self.seed, deadline=deadline, back_within=back_within, hurry=self.short
        )
        try:
            scenario.run(stage)
            outcome = stage.settle()
        except TimeoutError as error:
            outcome = stage.give_up(str(error))
        if outcome.problems:
            rig.kill()  # so that the next scenario has a probe that nothing has happened to
        return outcome


@contextmanager
def running(folder: Path, *, seed: int, short: bool) -> Iterator[Runner]:
    """A runner for as long as the block runs."""
    with ExitStack() as stack:
        ground = stack.enter_context(prepared(folder))
        yield Runner(ground, stack, seed=seed, short=short)
