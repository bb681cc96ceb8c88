"""What open pages are told, and what they are answered with: at once, once for many changes, and made once for all."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from web.console import shared
from web.console.live import IDLE_SECONDS, SETTLE_SECONDS, Settling
from web.console.pages.desk import EVERYTHING
from web.console.shared import MOST_KEPT, Shared

OFFERS, WAITING = frozenset({"queue:offers"}), frozenset({"queue:waiting"})


class Making:
    """Makes bodies, each another than the one before."""

    def __init__(self) -> None:
        self.made = 0

    def __call__(self) -> bytes:
        self.made += 1
        return str(self.made).encode()


@pytest.fixture
def kept() -> Shared:
    return Shared(EVERYTHING)


def test_a_body_is_made_once_until_something_in_it_changes(kept: Shared) -> None:
    make = Making()
    assert [kept.body("offers", OFFERS, make) for _ in range(3)] == [b"1"] * 3
    kept.forget({"queue:waiting"})
    assert kept.body("offers", OFFERS, make) == b"1"
    for number, topic in enumerate(("queue:offers", EVERYTHING), start=2):
        kept.forget({topic})
        assert kept.body("offers", OFFERS, make) == str(number).encode()


def test_who_may_see_something_else_is_answered_with_something_else(kept: Shared) -> None:
    make = Making()
    assert kept.body(("offers", "lead"), OFFERS, make) != kept.body(("offers", "finance"), OFFERS, make)


def test_what_changes_while_a_body_is_made_is_not_missed(kept: Shared) -> None:
    make = Making()

    def make_and_change() -> bytes:
        body = make()
        kept.forget({"queue:offers"})
        return body

    assert kept.body("offers", OFFERS, make_and_change) == b"1"
    assert kept.body("offers", OFFERS, make) == b"2"


def test_many_who_ask_at_once_are_answered_with_one_body(kept: Shared) -> None:
    make, all_ask = Making(), threading.Barrier(8)

    def ask() -> bytes:
        all_ask.wait()
        return kept.body("offers", OFFERS, make)

    with ThreadPoolExecutor(8) as people:
        bodies = {asked.result() for asked in [people.submit(ask) for _ in range(8)]}
    assert (bodies, make.made) == ({b"1"}, 1)


def test_a_body_grows_old_and_there_are_never_too_many(kept: Shared, monkeypatch: pytest.MonkeyPatch) -> None:
    make = Making()
    for number in range(MOST_KEPT + 1):
        kept.body(number, WAITING, make)
    assert len(kept._kept) <= MOST_KEPT
    kept.body("offers", OFFERS, make)
    monkeypatch.setattr(shared, "KEPT_FOR_SECONDS", 0.0)
    made = make.made
    kept.body("offers", OFFERS, make)
    assert make.made == made + 1


def test_a_body_that_could_not_be_made_is_made_by_the_next_who_asks(kept: Shared) -> None:
    def fail() -> bytes:
        raise LookupError

    with pytest.raises(LookupError):
        kept.body("offers", OFFERS, fail)
    assert kept.body("offers", OFFERS, Making()) == b"1"


def test_the_first_change_is_told_at_once_and_those_that_follow_together() -> None:
    settling = Settling()
    settling.add(OFFERS)
    assert settling.due(10.0) == OFFERS
    assert settling.seconds_left(10.0) == IDLE_SECONDS
    settling.add(OFFERS)
    settling.add(WAITING)
    assert settling.due(10.1) == WAITING
    settling.add(OFFERS)
    assert settling.due(10.2) == set()
    assert settling.seconds_left(10.2) == pytest.approx(SETTLE_SECONDS - 0.2)
    assert settling.due(10.0 + SETTLE_SECONDS) == OFFERS
    assert settling.due(20.0) == set()
