"""When a process that keeps ending is started again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from leeward.runtime.restarts import FLAPS_WITHIN, LONGEST_SECONDS, WELL_SECONDS, Restarts, recent

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def waits(restarts: Restarts, *, ran_seconds: float, times: int) -> list[float]:
    """How long it has to wait each time, if it runs so long every time."""
    now, found = 1_000.0, []
    for _ in range(times):
        restarts.ended(now=now, started=now - ran_seconds)
        wait = next(wait for wait in range(1_000) if restarts.is_due(now + wait))
        restarts.started(at=NOON)
        found.append(float(wait))
        now += wait + ran_seconds
    return found


def test_it_is_started_at_once_and_after_ever_longer_up_to_a_minute() -> None:
    assert waits(Restarts(), ran_seconds=1, times=8) == [0, 2, 4, 8, 16, 32, LONGEST_SECONDS, LONGEST_SECONDS]


def test_what_has_run_well_for_a_while_begins_anew() -> None:
    restarts = Restarts()
    waits(restarts, ran_seconds=1, times=4)
    assert waits(restarts, ran_seconds=WELL_SECONDS, times=3) == [0, 0, 0]
    assert restarts.total == 7


def test_why_is_said_once_in_a_row() -> None:
    restarts = Restarts()
    assert restarts.ended(now=100, started=99)
    assert not restarts.ended(now=101, started=99), "it is the same end"
    restarts.started(at=NOON)
    assert not restarts.ended(now=103, started=102)
    restarts.started(at=NOON)
    assert restarts.ended(now=103 + WELL_SECONDS, started=103)


def test_only_restarts_of_the_last_while_are_remembered() -> None:
    restarts = Restarts()
    restarts.started(at=NOON)
    restarts.started(at=NOON + FLAPS_WITHIN)
    assert (restarts.total, restarts.recent) == (2, [NOON + FLAPS_WITHIN])
    assert recent(restarts.recent, at=NOON + 2 * FLAPS_WITHIN + timedelta(seconds=1)) == []
