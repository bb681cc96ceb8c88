"""Twenty thousand mutated messages and commands stop nothing and cost nobody else anything."""

from __future__ import annotations

import pytest

from tests.mutations.storm import Storm, Tally
from tests.support.system import System

SENT = {"sqlite": 14_000, "postgresql": 6_000}
SEED = 1


@pytest.mark.timeout(480)  # as long as two cores need for so many, when others use them too
def test_nothing_that_can_be_sent_stops_a_service_or_fails_without_a_name(system: System) -> None:
    tally = Tally(system.store, SEED)
    Storm(system, tally).run(SENT[system.store])
    # How fast healthy requests are meanwhile is measured by `python -m tests.mutations`; here only that they arrive.
    assert tally.problems(p99_at_most=float("inf")) == []
    assert tally.sent == SENT[system.store]
    assert tally.parked > SENT[system.store] / 10
    assert len(tally.answers) > 10
    assert tally.latencies_ms
