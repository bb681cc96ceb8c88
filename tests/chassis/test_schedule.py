"""The durable schedule: what is due is done once, and nothing is forgotten."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from chassis.host.urgent_first import UrgentFirst
from chassis.ports import NotYet, Timer, UnitOfWork
from chassis.store.schedule import CLOCK_WOBBLE, EFFECT_LEASE, MAX_EFFECT_ATTEMPTS, Due, DueTimer, Scheduler, SideEffect
from chassis.store.unit_of_work import StoreUnit
from tests.chassis.conftest import Store, note_row

HOUR = timedelta(hours=1)


class Outside:
    """Something outside that counts how often it was acted upon, and may fail."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.acts = 0
        self.fails = False
        self.fails_for: str | None = None
        self.recorded: list[Any] = []
        self.given_up = 0

    def act(self, unit: UnitOfWork[Any], timer: Timer) -> str:
        self.acts += 1
        unit.session.execute(self.store.note.insert().values(note_row(self.acts)))
        if self.fails or timer.key == self.fails_for:
            raise ConnectionRefusedError("planted words")
        return "sent"

    def record(self, unit: UnitOfWork[Any], timer: Timer, result: Any) -> None:
        self.recorded.append(result)

    def failed(self, unit: UnitOfWork[Any], timer: Timer) -> None:
        self.given_up += 1


class Bench:
    def __init__(self, store: Store) -> None:
        self.store = store
        self.outside = Outside(store)
        self.fired: list[str] = []
        self.error: Exception | None = None
        self.fails_for: str | None = None
        self.cancels: str | None = None
        self.commits = self.calls = 0
        self.scheduler = Scheduler(store.database, self._unit)
        self.effect = SideEffect("send", self.outside.act, self.outside.record, self.outside.failed)

    def handler(self, unit: UnitOfWork[Any], timer: Timer) -> None:
        self.calls += 1
        unit.session.execute(self.store.note.insert().values(note_row(self.calls)))
        if self.error:
            raise self.error
        if timer.key == self.fails_for:
            raise ZeroDivisionError("planted words")
        if self.cancels:
            unit.cancel_timer("remind", self.cancels)
        self.fired.append(timer.key)

    def set(self, name: str, key: str, after: timedelta) -> None:
        with self.store.database.unit() as unit:
            unit.set_timer(name, key, unit.now + after)

    def due(self) -> list[DueTimer]:
        return self.scheduler.due(["remind", "send"])

    def fire_due(self) -> None:
        due = self.due()
        if sends := [timer for timer in due if timer.name == "send"]:
            self.scheduler.perform(self.effect, sends)
        if reminders := [timer for timer in due if timer.name == "remind"]:
            self.fire(reminders)

    def fire(self, timers: list[DueTimer]) -> None:
        self.scheduler.fire({"remind": Due("remind", self.handler)}, timers)

    @contextmanager
    def _unit(self) -> Iterator[StoreUnit]:
        with self.store.database.unit() as unit:
            yield unit
        self.commits += 1


@pytest.fixture
def bench(store: Store) -> Bench:
    return Bench(store)


def test_a_timer_fires_when_its_time_has_come_and_once(bench: Bench) -> None:
    bench.set("remind", "a", HOUR)
    bench.fire_due()
    assert bench.fired == []
    bench.store.clock.advance(HOUR)
    bench.fire_due()
    bench.fire_due()
    assert bench.fired == ["a"]


def test_the_longest_due_fires_first(bench: Bench) -> None:
    for key, hours in (("late", 3), ("early", 1), ("middle", 2)):
        bench.set("remind", key, hours * HOUR)
    bench.store.clock.advance(4 * HOUR)
    bench.fire_due()
    assert bench.fired == ["early", "middle", "late"]


def test_timers_give_way_after_a_while_and_the_rest_fire_in_the_next_unit(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    for key in ("a", "b", "c"):
        bench.set("remind", key, timedelta())
    monkeypatch.setattr("chassis.store.schedule.FIRE_SECONDS", 0.0)
    bench.fire_due()
    assert (bench.fired, bench.commits) == (["a", "b", "c"], 3)


def test_a_cancelled_timer_does_not_fire_even_if_it_was_seen_to_be_due(bench: Bench) -> None:
    bench.set("remind", "a", timedelta())
    (seen,) = bench.due()
    with bench.store.database.unit() as unit:
        unit.cancel_timer("remind", "a")
    bench.fire([seen])
    assert (bench.fired, bench.store.numbers()) == ([], [])


def test_a_timer_that_was_moved_meanwhile_is_left_alone(bench: Bench) -> None:
    bench.set("remind", "a", timedelta())
    (seen,) = bench.due()
    bench.set("remind", "a", HOUR)
    bench.fire([seen])
    assert bench.fired == []
    bench.store.clock.advance(HOUR)
    bench.fire_due()
    assert bench.fired == ["a"]


def put_right(bench: Bench) -> None:
    bench.store.clock.advance(-2 * HOUR)


def test_a_while_that_was_counted_by_a_clock_that_was_ahead_is_over_once_that_is_put_right(bench: Bench) -> None:
    bench.fire_due()
    bench.store.clock.advance(2 * HOUR)
    bench.fire_due()
    with bench.store.database.unit() as unit:
        unit.set_timer_after("remind", "a while", HOUR / 4)
        unit.set_timer("remind", "a moment", unit.now + HOUR / 4)
        unit.set_timer("send", "now", unit.now)
    put_right(bench)
    bench.fire_due()
    assert (bench.fired, bench.outside.acts) == (["a while"], 1)
    bench.store.clock.advance(2 * HOUR + HOUR / 4)
    bench.fire_due()
    assert bench.fired == ["a while", "a moment"]


def test_a_service_that_starts_after_the_clock_was_put_right_finds_it_out_too(bench: Bench) -> None:
    bench.store.clock.advance(2 * HOUR)
    with bench.store.database.unit() as unit:
        unit.set_timer_after("remind", "a", HOUR / 4)
    put_right(bench)
    bench.fire_due()
    assert bench.fired == ["a"]


def test_attempts_and_leases_end_too_when_the_clock_is_put_right(bench: Bench) -> None:
    bench.store.clock.advance(2 * HOUR)
    bench.outside.fails = True
    bench.set("send", "a", timedelta())
    bench.fire_due()
    assert bench.due() == []
    put_right(bench)
    bench.outside.fails = False
    bench.fire_due()
    assert bench.outside.recorded == ["sent"]


def test_a_clock_that_is_put_back_by_moments_hurries_nothing(bench: Bench) -> None:
    bench.fire_due()
    with bench.store.database.unit() as unit:
        unit.set_timer_after("remind", "a", HOUR)
    bench.store.clock.advance(-CLOCK_WOBBLE)
    bench.fire_due()
    assert bench.fired == []


def test_two_replicas_that_see_the_same_timer_fire_it_once(bench: Bench) -> None:
    bench.set("remind", "a", timedelta())
    seen = bench.due()
    for _ in range(2):
        bench.fire([seen[0]])
    assert bench.fired == ["a"]


def test_a_failed_handler_leaves_nothing_and_is_tried_again_later_and_later(bench: Bench) -> None:
    bench.set("remind", "a", timedelta())
    bench.error = ZeroDivisionError()
    for expected in (5, 30, 120, 600, 3600, 3600):
        bench.fire_due()
        (row,) = bench.store.rows("timer")
        assert row["due_at"] - bench.store.clock.now() == timedelta(seconds=expected)
        bench.store.clock.advance(timedelta(seconds=expected))
    assert bench.store.numbers() == []
    bench.error = None
    bench.fire_due()
    assert bench.fired == ["a"]


def test_what_comes_too_early_is_tried_again_and_is_no_failure(bench: Bench) -> None:
    bench.set("remind", "a", timedelta())
    bench.error = NotYet()
    for _ in range(20):
        bench.fire_due()
        bench.store.clock.advance(timedelta(seconds=5))
    (row,) = bench.store.rows("timer")
    assert row["attempts"] == 0


def test_an_effect_is_acted_and_recorded_once_and_keeps_nothing_that_it_wrote_while_acting(bench: Bench) -> None:
    bench.set("send", "a", timedelta())
    bench.fire_due()
    bench.fire_due()
    assert (bench.outside.acts, bench.outside.recorded, bench.store.numbers()) == (1, ["sent"], [])


def test_an_effect_whose_process_died_is_repeated_after_its_lease(bench: Bench) -> None:
    bench.set("send", "a", timedelta())
    (seen,) = bench.due()
    dying = SideEffect("send", bench.outside.act, _die, bench.outside.failed)
    with pytest.raises(KeyboardInterrupt):
        bench.scheduler.perform(dying, [seen])
    assert bench.due() == []
    bench.store.clock.advance(EFFECT_LEASE)
    bench.effect = SideEffect(
        "send", bench.outside.act, lambda *_: bench.fired.append("recorded"), bench.outside.failed
    )
    bench.fire_due()
    assert (bench.outside.acts, bench.fired) == (2, ["recorded"])


def test_what_was_acted_is_kept_all_at_once_before_it_is_recorded(bench: Bench) -> None:
    steps: list[str] = []
    bench.effect = SideEffect(
        "send",
        lambda unit, timer: steps.append(timer.key),
        lambda unit, timer, result: steps.append("recorded"),
        bench.outside.failed,
        flush=lambda unit: steps.append("kept"),
    )
    for key in "ab":
        bench.set("send", key, timedelta())
    bench.fire_due()
    assert steps == ["a", "b", "kept", "recorded", "recorded"]


def test_what_could_not_be_kept_is_acted_again_and_never_recorded_before(bench: Bench) -> None:
    outside, full = bench.outside, [OSError("planted words")]

    def keep(unit: UnitOfWork[Any]) -> None:
        if full:
            raise full.pop()

    bench.effect = SideEffect("send", outside.act, outside.record, outside.failed, flush=keep)
    for key in "ab":
        bench.set("send", key, timedelta())
    bench.fire_due()
    assert (outside.acts, outside.recorded, bench.due()) == (2, [], [])
    bench.store.clock.advance(timedelta(seconds=5))
    bench.fire_due()
    assert (outside.acts, outside.recorded, bench.store.rows("timer")) == (4, ["sent", "sent"], [])


def test_what_was_acted_before_the_store_went_away_is_kept(bench: Bench) -> None:
    kept: list[str] = []

    def act(unit: UnitOfWork[Any], timer: Timer) -> str:
        if timer.key == "b":
            raise OperationalError("", None, Exception())
        return timer.key

    bench.effect = SideEffect(
        "send", act, bench.outside.record, bench.outside.failed, flush=lambda unit: kept.append("a")
    )
    for key in "ab":
        bench.set("send", key, timedelta())
    with pytest.raises(OperationalError):
        bench.fire_due()
    assert kept == bench.outside.recorded == ["a"]


def test_an_effect_that_could_not_be_recorded_leaves_nothing_and_is_repeated(bench: Bench) -> None:
    bench.set("send", "a", timedelta())

    def fail(unit: UnitOfWork[Any], timer: Timer, result: Any) -> None:
        unit.session.execute(bench.store.note.insert().values(note_row(7)))
        raise ZeroDivisionError

    bench.effect = SideEffect("send", bench.outside.act, fail, bench.outside.failed)
    bench.fire_due()
    assert (bench.store.numbers(), len(bench.store.rows("timer"))) == ([], 1)
    bench.store.clock.advance(EFFECT_LEASE)
    bench.effect = SideEffect("send", bench.outside.act, bench.outside.record, bench.outside.failed)
    bench.fire_due()
    assert (bench.outside.acts, bench.outside.recorded) == (2, ["sent"])


def test_an_effect_that_never_works_is_given_up_and_said_so_once(bench: Bench) -> None:
    bench.set("send", "a", timedelta())
    bench.outside.fails = True
    for _ in range(MAX_EFFECT_ATTEMPTS + 3):
        bench.fire_due()
        bench.store.clock.advance(HOUR)
    assert (bench.outside.acts, bench.outside.given_up, bench.outside.recorded) == (MAX_EFFECT_ATTEMPTS, 1, [])
    assert bench.store.rows("timer") == []


def test_all_that_is_due_is_one_transaction(bench: Bench) -> None:
    for key in "abc":
        bench.set("remind", key, timedelta())
    bench.fire_due()
    assert (bench.fired, bench.commits) == (["a", "b", "c"], 1)


def test_a_timer_that_fails_costs_only_itself(bench: Bench) -> None:
    bench.fails_for = "b"
    for key in "abc":
        bench.set("remind", key, timedelta())
    bench.fire_due()
    assert [row["key"] for row in bench.store.rows("timer")] == ["b"]
    assert len(bench.store.numbers()) == 2, "what failed was rolled back, and the others' rows were kept"


def test_a_timer_that_an_earlier_one_cancels_does_not_fire(bench: Bench) -> None:
    bench.cancels = "b"
    for key in "abc":
        bench.set("remind", key, timedelta())
    bench.fire_due()
    assert bench.fired == ["a", "c"]


def test_effects_are_claimed_and_recorded_together_and_fail_apart(bench: Bench) -> None:
    bench.outside.fails_for = "b"
    for key in "abc":
        bench.set("send", key, timedelta())
    bench.fire_due()
    assert (bench.outside.recorded, bench.commits) == (["sent", "sent"], 1)
    (left,) = bench.store.rows("timer")
    assert (left["key"], left["attempts"]) == ("b", 1)


def test_what_a_slow_outside_world_leaves_no_time_for_is_left_as_it_was(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chassis.store.schedule.EFFECT_SECONDS", 0)
    for key in "ab":
        bench.set("send", key, timedelta())
    bench.fire_due()
    (left,) = bench.store.rows("timer")
    assert (bench.outside.acts, left["key"], left["attempts"]) == (1, "b", 0)
    assert bench.due(), "it is still due"


@pytest.mark.parametrize(("fresh_seconds", "reads"), [(60, [3]), (0, [3, 2, 1])])
def test_what_is_read_ahead_serves_many_while_it_is_fresh(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, fresh_seconds: float, reads: list[int]
) -> None:
    monkeypatch.setattr("chassis.store.schedule.FRESH_SECONDS", fresh_seconds)
    monkeypatch.setattr("chassis.store.schedule.EFFECT_SECONDS", 60)
    read, locked = [], []
    bench.effect = bench.effect.prefetch(
        read=lambda unit, timers: read.append(len(timers)), lock=lambda unit, timers: locked.append(len(timers))
    )
    for key in "abc":
        bench.set("send", key, timedelta())
    bench.fire_due()
    assert (bench.outside.recorded, read, locked) == (["sent"] * 3, reads, [3])


@pytest.mark.parametrize(("urgent", "stood_aside"), [(False, 3), (True, 0)])
def test_ordinary_effects_stand_aside_after_each_act_and_urgent_ones_never(
    bench: Bench, urgent: bool, stood_aside: int
) -> None:
    given: list[int] = []
    scheduler = Scheduler(bench.store.database, bench._unit, lambda: given.append(bench.outside.acts))
    for key in "abc":
        bench.set("send", key, timedelta())
    scheduler.perform(replace(bench.effect, urgent=urgent), scheduler.due(["send"]))
    assert given == [1, 2, 3][:stood_aside]
    assert bench.outside.acts == 3


@pytest.mark.parametrize("wait", [UrgentFirst.yield_turn, UrgentFirst.wait])
def test_whoever_yields_waits_until_what_is_urgent_is_done(wait: Callable[[UrgentFirst], None]) -> None:
    urgent, done = UrgentFirst(), []
    urgent.claim()

    def work() -> None:
        wait(urgent)
        done.append("ordinary")

    ordinary = threading.Thread(target=work)
    ordinary.start()
    ordinary.join(0.05)
    done.append("urgent")
    urgent.release()
    ordinary.join()
    assert done == ["urgent", "ordinary"]


def test_ordinary_work_goes_on_for_a_turn_before_it_yields_again(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[float] = []
    monkeypatch.setattr("chassis.host.urgent_first.time.sleep", given.append)
    monkeypatch.setattr("chassis.host.urgent_first.TURN_SECONDS", 600.0)
    urgent = UrgentFirst()
    for _ in range(3):
        urgent.yield_turn()
    assert given == [0]
    monkeypatch.setattr("chassis.host.urgent_first.TURN_SECONDS", 0.0)
    urgent.yield_turn()
    assert given == [0, 0]


def test_nobody_waits_for_ever_for_what_is_stuck(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chassis.host.urgent_first.LONGEST_SECONDS", 0.01)
    urgent = UrgentFirst()
    urgent.claim()
    urgent.yield_turn()


def test_an_effect_that_was_cancelled_while_it_acted_is_not_recorded(bench: Bench) -> None:
    def act(unit: UnitOfWork[Any], timer: Timer) -> str:
        if timer.key == "b":
            with bench.store.database.unit() as other:
                other.cancel_timer("send", "b")
        return timer.key

    bench.effect = SideEffect("send", act, bench.outside.record, bench.outside.failed)
    for key in "abc":
        bench.set("send", key, timedelta())
    bench.fire_due()
    assert bench.outside.recorded == ["a", "c"]
    assert bench.store.rows("timer") == []


def test_two_replicas_never_perform_the_same_effect(bench: Bench) -> None:
    bench.set("send", "a", timedelta())
    seen = bench.due()
    for _ in range(2):
        bench.scheduler.perform(bench.effect, seen)
    assert bench.outside.acts == 1


def _die(*_: object) -> None:
    raise KeyboardInterrupt
