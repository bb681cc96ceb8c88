"""Deliveries in any order, and more than once: the end is the same."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chassis.ids import new_id
from chassis.ports import NotYet
from contracts.event import Event
from contracts.vocabulary import ClosureReason, MatchEndReason, TherapistId
from services.billing.store import tables
from tests.unit.billing.making import (
    HANDLERS,
    Bench,
    admitted,
    assessed,
    closed,
    ended,
    matched,
    referral,
    signposted,
    withdrawn,
)

RESERVED_FOR = timedelta(days=31)
"""By then nothing is reserved any more for sessions that nobody has reported."""

THERAPIST = TherapistId(new_id())
ASKED = referral()
MATCH = matched(ASKED.referral_id, fee=45_00, therapist_id=THERAPIST)
BEGINNING = (ASKED, assessed(ASKED.referral_id), MATCH)

ENDINGS: dict[str, tuple[Event, ...]] = {
    "going on": (),
    "completed": (ended(MATCH, MatchEndReason.COMPLETED), closed(ASKED.referral_id)),
    "not attended": (ended(MATCH, MatchEndReason.NOT_ATTENDED), closed(ASKED.referral_id, ClosureReason.NOT_ATTENDED)),
    "admitted": (admitted(THERAPIST),),
}
GONE: dict[str, tuple[Event, ...]] = {
    "withdrawn": (withdrawn(ASKED.referral_id), ended(MATCH, MatchEndReason.WITHDRAWN)),
    "signposted": (signposted(ASKED.referral_id), ended(MATCH, MatchEndReason.WITHDRAWN)),
}


def sequences_of(story: Sequence[Event]) -> dict[int, int]:
    """The number of each event among its publisher's about its subject, as it was published."""
    counts: dict[Any, int] = {}
    numbers = {}
    for event in story:
        counts[event.publisher, event.subject] = counts.get((event.publisher, event.subject), 0) + 1
        numbers[id(event)] = counts[event.publisher, event.subject]
    return numbers


def deliver(bench: Bench, story: Sequence[Event], order: Sequence[Event]) -> None:
    """Delivers in an order of its own; what says "not yet" waits at the end of the queue."""
    numbers, waiting, patience = sequences_of(story), deque(order), 200
    while waiting:
        event = waiting.popleft()
        try:
            bench.hear(HANDLERS[type(event)], event, sequence=numbers[id(event)])
        except NotYet:
            patience -= 1
            assert patience, "an event waits for ever"
            waiting.append(event)
        bench.settle()


def outcome(bench: Bench) -> dict[str, Any]:
    """What the story came to, without the identifiers and moments that differ from run to run."""
    subsidy, account = bench.subsidy(ASKED.referral_id), bench.account(THERAPIST)
    award = subsidy.award
    fund = bench.funds()[0]
    return {
        "waits": subsidy.is_waiting,
        "held": award.held_pence if award else 0,
        "per session": award.pence_per_session if award and award.held_pence else 0,
        "fund": (fund.available_pence, fund.committed_pence, fund.drawn_pence, fund.awards_made),
        "invoices": [(one.kind, one.outstanding_pence) for one in account.invoices],
        "balanced": bench.books().is_balanced,
    }


def run(bench: Bench, story: Sequence[Event], order: Sequence[Event]) -> dict[str, Any]:
    """The outcome of an order, on a store that holds nothing else."""
    with bench.database.unit() as unit:
        for table in reversed(tables.metadata.sorted_tables):
            unit.session.execute(table.delete())
    bench.open_fund()
    deliver(bench, story, order)
    bench.clock.advance(RESERVED_FOR)
    bench.settle()
    came_to = outcome(bench)
    bench.clock.advance(-RESERVED_FOR)
    return came_to


@pytest.mark.parametrize("ending", ENDINGS)
def test_every_order_comes_to_the_same_end(ending: str) -> None:
    bench, story = Bench(), BEGINNING + ENDINGS[ending]
    expected = run(bench, story, story)
    assert expected["balanced"]
    for order in permutations(story):
        assert run(bench, story, order) == expected


@pytest.mark.parametrize("ending", GONE)
def test_in_every_order_a_referral_that_is_gone_holds_nothing_and_nothing_is_credited_by_silence(
    ending: str,
) -> None:
    bench, story = Bench(), BEGINNING + GONE[ending]
    for order in permutations(story):
        came_to = run(bench, story, order)
        assert (came_to["held"], came_to["waits"], came_to["balanced"]) == (0, False, True)
        assert came_to["fund"] == (5_500_00, 0, 0, 0)
        assert sum(pence for kind, pence in came_to["invoices"] if kind == "referral_fee") == 30_00


def test_in_every_order_a_client_who_changes_therapist_has_an_award_and_both_are_charged() -> None:
    second = matched(ASKED.referral_id, fee=50_00, therapist_id=THERAPIST)
    bench = Bench()
    story = (*BEGINNING, ended(MATCH, MatchEndReason.CLIENT_UNHAPPY), second)
    for order in permutations(story):
        came_to = run(bench, story, order)
        assert [one for one in came_to["invoices"] if one[0] == "referral_fee"] == [("referral_fee", 30_00)] * 2
        # £25 or £30 a session: an award is fitted to each therapist it has known, and never raised.
        assert came_to["held"] in (250_00, 300_00)
        assert came_to["fund"][:3] == (5_500_00 - came_to["held"], came_to["held"], 0)


@settings(max_examples=40)
@given(st.data())
def test_every_delivery_may_come_again_at_any_time(data: st.DataObject) -> None:
    bench, story = Bench(), BEGINNING + ENDINGS[data.draw(st.sampled_from(sorted(ENDINGS)))]
    repeated = [*story, *data.draw(st.lists(st.sampled_from(story), max_size=6))]
    order = data.draw(st.permutations(repeated))
    assert run(bench, story, order) == run(bench, story, story)
