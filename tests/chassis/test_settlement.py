"""Settling a batch: one transaction for all, and whatever fails costs only itself."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import event, select
from sqlalchemy.exc import OperationalError

from chassis.bus.delivery import (
    SUSPECT_AFTER_RETURNS,
    Delivery,
    NotUnderstood,
    Subscription,
    Suspect,
    Understood,
    read,
)
from chassis.bus.failure_history import History
from chassis.bus.settlement import MAX_ATTEMPTS_ALONE, MAX_SET_ASIDE, Fate, Settled, Settler, StoreUnavailable
from chassis.ids import new_id
from chassis.ports import Invalid, NotYet, UnitOfWork
from chassis.store.unit_of_work import StoreUnit
from contracts.event import Event
from tests.chassis.conftest import START, Store, note_row

SUSPECT_ID = new_id()


class Noted(Event, publisher="tests", subject="note_id"):
    """A number to be written down once; `wish` says how the handler is to fail."""

    note_id: UUID
    number: int
    wish: str = "none"


class Bench:
    """A settler over a store whose handler does what each message wishes."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.commits = 0
        self.handled = 0
        self.subscriptions = {("tests", "Noted"): Subscription(Noted, self.note)}
        self.settler = Settler(self._unit, self.read)

    def note(self, unit: UnitOfWork[Any], noted: Noted) -> None:
        self.handled += 1
        unit.session.execute(self.store.note.insert().values(note_row(noted.number)))
        if noted.wish == "needs 1" and 1 not in self._visible(unit):
            raise NotYet("1 has not been noted")
        failures = {"invalid": Invalid("never right"), "bug": ZeroDivisionError("secret"), "not yet": NotYet("later")}
        if noted.wish == "dies":
            raise SystemExit("stands for a process that ends")
        if noted.wish in failures:
            raise failures[noted.wish]

    def read(self, delivery: Delivery) -> Understood | NotUnderstood:
        return read(delivery, self.subscriptions, one_user_each=True)

    def settle(self, *deliveries: Delivery) -> dict[int, Settled]:
        """What became of each, by delivery tag."""
        arrived = [Suspect(one) if one.is_suspect else self.read(one) for one in deliveries]
        settled = self.settler.settle(arrived)
        assert len(settled) == len(deliveries)
        return {one.delivery.delivery_tag: one for one in settled}

    def _visible(self, unit: UnitOfWork[Any]) -> set[int]:
        return set(unit.session.execute(select(self.store.note.c.number)).scalars())

    @contextmanager
    def _unit(self) -> Iterator[StoreUnit]:
        with self.store.database.unit() as unit:
            yield unit
        self.commits += 1


@pytest.fixture
def bench(store: Store) -> Bench:
    return Bench(store)


def delivery(tag: int, *, wish: str = "none", **changes: Any) -> Delivery:
    fields = {
        "body": json.dumps({"note_id": str(new_id()), "number": tag, "wish": wish}).encode(),
        "headers": {},
        "content_type": "application/json",
        "message_id": str(new_id()),
        "history": History("tests.events", "Noted"),
        "delivery_tag": tag,
        "received_at": START,
    }
    return Delivery(**(fields | changes))


def fates(settled: dict[int, Settled]) -> dict[int, str]:
    return {tag: one.fate.value for tag, one in sorted(settled.items())}


def test_a_whole_batch_is_one_transaction(bench: Bench) -> None:
    settled = bench.settle(*(delivery(tag) for tag in range(1, 101)))
    assert set(fates(settled).values()) == {"done"}
    assert (bench.commits, bench.store.numbers()) == (1, list(range(1, 101)))


def test_a_poison_message_costs_only_itself(bench: Bench) -> None:
    batch = [delivery(tag, wish="bug" if tag == 50 else "none") for tag in range(1, 101)]
    settled = bench.settle(*batch)
    assert settled[50].fate is Fate.RETRY
    assert bench.store.numbers() == [tag for tag in range(1, 101) if tag != 50]
    assert bench.commits == 1, "the other ninety-nine were committed together"


def test_many_failures_are_settled_one_by_one(bench: Bench) -> None:
    batch = [delivery(tag, wish="bug" if tag % 2 else "none") for tag in range(1, 41)]
    settled = bench.settle(*batch)
    assert bench.store.numbers() == list(range(2, 41, 2))
    assert [one.fate for one in settled.values()].count(Fate.RETRY) == 20
    assert bench.handled < 40 * (MAX_SET_ASIDE + 2)


def test_what_can_never_work_is_parked_at_once(bench: Bench) -> None:
    settled = bench.settle(delivery(1), delivery(2, wish="invalid"))
    assert fates(settled) == {1: "done", 2: "park"}


def test_what_comes_too_early_waits_and_is_no_failure(bench: Bench) -> None:
    settled = bench.settle(delivery(1), delivery(2, wish="not yet"))
    assert fates(settled) == {1: "done", 2: "later"}


def test_a_fact_and_what_it_builds_on_may_come_in_one_batch_in_any_order(bench: Bench) -> None:
    settled = bench.settle(delivery(2, wish="needs 1"), delivery(1))
    assert fates(settled) == {1: "done", 2: "done"}


def test_a_second_delivery_does_nothing(bench: Bench) -> None:
    id_ = str(new_id())
    bench.settle(delivery(1, message_id=id_))
    settled = bench.settle(delivery(2, message_id=id_))
    assert (fates(settled), bench.store.numbers()) == ({2: "done"}, [1])


def test_a_duplicate_within_a_batch_does_nothing(bench: Bench) -> None:
    id_ = str(new_id())
    bench.settle(delivery(1, message_id=id_), delivery(2, message_id=id_))
    assert bench.store.numbers() == [1]


def test_a_duplicate_of_what_was_rolled_back_takes_effect(bench: Bench) -> None:
    id_ = str(new_id())
    bench.settle(delivery(1, message_id=id_, wish="bug"))
    bench.settle(delivery(2, message_id=id_))
    assert bench.store.numbers() == [2]


def test_a_broken_rule_of_the_database_is_found_and_set_apart(bench: Bench) -> None:
    number_one_again = delivery(7, body=json.dumps({"note_id": str(new_id()), "number": 1}).encode())
    settled = bench.settle(delivery(1), number_one_again, delivery(3))
    assert fates(settled) == {1: "done", 3: "done", 7: "retry"}
    assert bench.store.numbers() == [1, 3]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"body": b"\xff"}, "not JSON"),
        ({"body": b"[" * 100_000}, "not JSON"),
        ({"body": b"[]"}, "Invalid input type"),
        ({"content_type": "text/plain"}, "content type"),
        ({"message_id": None}, "neither"),
        ({"message_id": "x"}, "not a UUID"),
        ({"history": History("tests.events", "Unheard")}, "doesn't handle"),
        ({"history": History("elsewhere.events", "Noted")}, "doesn't handle"),
        ({"history": History("tests.events", "Noted", "somebody")}, "another user"),
        ({"headers": {"cloudEvents_time": "yesterday"}}, "RFC 3339"),
        ({"headers": {"cloudEvents_sequence": "first"}}, "not a number"),
    ],
)
def test_what_cannot_be_read_is_parked_with_its_reason(bench: Bench, changes: dict[str, Any], reason: str) -> None:
    settled = bench.settle(delivery(1), delivery(2, **changes))
    assert fates(settled) == {1: "done", 2: "park"}
    assert reason in str(settled[2].error)


def test_a_database_that_is_away_is_nobodys_fault(bench: Bench) -> None:
    @event.listens_for(bench.store.database.engine, "begin")
    def fail(connection: Any) -> None:
        raise OperationalError("BEGIN", {}, Exception("gone"), connection_invalidated=True)

    with pytest.raises(StoreUnavailable):
        bench.settle(delivery(1))
    event.remove(bench.store.database.engine, "begin", fail)
    assert fates(bench.settle(delivery(1))) == {1: "done"}


def test_a_delivery_is_as_old_as_its_event(bench: Bench) -> None:
    hour_ago = START.replace(hour=9)
    assert bench.read(delivery(1, headers={"cloudEvents_time": hour_ago.isoformat()})).published_at == hour_ago
    assert bench.read(delivery(1)).published_at == START
    assert bench.read(delivery(1, headers={"cloudEvents_time": "yesterday"})).published_at == START


def test_what_fails_in_reading_is_parked_as_well(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Noted, "from_json", lambda data: {}["secret"])
    settled = bench.settle(delivery(1))
    assert (settled[1].fate, str(settled[1].error)) == (Fate.PARK, "reading it failed (KeyError)")


def test_what_the_process_does_not_survive_reading_is_parked_after_three_times_alone(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(data: Any) -> Noted:
        raise SystemExit("stands for a process that ends")

    monkeypatch.setattr(Noted, "from_json", die)
    suspect = delivery(1, headers={"x-delivery-count": SUSPECT_AFTER_RETURNS})
    for _ in range(MAX_ATTEMPTS_ALONE):
        with pytest.raises(SystemExit):
            bench.settle(suspect)
    assert bench.settle(suspect)[1].fate is Fate.PARK


def test_what_the_process_does_not_survive_is_parked_after_three_times_alone(bench: Bench) -> None:
    suspect = delivery(1, wish="dies", headers={"x-delivery-count": SUSPECT_AFTER_RETURNS})
    for _ in range(MAX_ATTEMPTS_ALONE):
        with pytest.raises(SystemExit):
            bench.settle(suspect)
    settled = bench.settle(suspect)
    assert settled[1].fate is Fate.PARK
    assert str(settled[1].error) == "the service died of it 3 times"


def test_a_suspect_that_is_survived_is_suspected_no_more(bench: Bench) -> None:
    suspect = {"x-delivery-count": SUSPECT_AFTER_RETURNS}
    for tag in range(1, MAX_ATTEMPTS_ALONE + 3):
        settled = bench.settle(delivery(tag, wish="bug", message_id=str(SUSPECT_ID), headers=suspect))
        assert settled[tag].fate is Fate.RETRY
    assert fates(bench.settle(delivery(9, message_id=str(SUSPECT_ID), headers=suspect))) == {9: "done"}
    assert bench.store.rows("attempt") == []
