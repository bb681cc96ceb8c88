"""Deliveries in any order, any number of times, ask the same people for the same forms."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chassis.ids import new_id
from chassis.ports import EventHandler, NotYet
from contracts.event import Event
from contracts.vocabulary import MatchEndReason, ReferralId, Respondent, Stage
from services.evaluation.handlers import events
from tests.unit.evaluation.conftest import MONDAY_10, Study, a_study, ended, matched, received, undone, withdrawn

Fact = tuple[EventHandler, Event]

any_order = settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])


def tell(study: Study, story: list[Fact], order: list[int]) -> None:
    """Delivers in this order; what must wait is delivered again after everything else, as the retry queues do."""
    waiting = [story[index] for index in order]
    while waiting:
        again = []
        for handler, event in waiting:
            try:
                study.bench.hear(handler, event)
            except NotYet:
                again.append((handler, event))
        assert len(again) < len(waiting), "something waits for ever"
        waiting = again


def a_story(referral_id: ReferralId) -> list[Fact]:
    first, second = matched(referral_id), matched(referral_id)
    return [
        (events.note_referral, received(referral_id)),
        (events.ask_at_start, first),
        (events.ask_at_end, ended(first, MatchEndReason.CLIENT_UNHAPPY)),
        (events.ask_at_start, second),
        (events.ask_at_end, ended(second)),
    ]


@any_order
@given(order=st.permutations([*range(5), *range(5)]))
def test_everybody_is_asked_once_for_each_form_whatever_the_order(keys: Path, tmp_path: Path, order: list[int]) -> None:
    study = a_study(keys, f"sqlite:///{tmp_path / str(new_id())}.db")
    tell(study, a_story(ReferralId(new_id())), order)
    assert study.asked() == sorted(
        (stage, respondent) for stage in (Stage.START, Stage.END) for respondent in Respondent for _ in range(2)
    )


@any_order
@given(order=st.permutations([*range(6), *range(6)]))
def test_after_a_withdrawal_no_link_is_open_whatever_the_order(keys: Path, tmp_path: Path, order: list[int]) -> None:
    study = a_study(keys, f"sqlite:///{tmp_path / str(new_id())}.db")
    referral_id = ReferralId(new_id())
    tell(study, [*a_story(referral_id), (events.stop_withdrawn, withdrawn(referral_id))], order)
    asked = len(study.asked())
    study.pass_time(weeks=60)
    assert len(study.asked()) == asked
    assert set(study.states(referral_id).values()) <= {"cancelled"}


@any_order
@given(order=st.permutations([*range(4), *range(4)]))
def test_an_end_that_was_undone_leaves_the_work_going_on_whatever_the_order(
    keys: Path, tmp_path: Path, order: list[int]
) -> None:
    study = a_study(keys, f"sqlite:///{tmp_path / str(new_id())}.db")
    referral_id = ReferralId(new_id())
    match = matched(referral_id)
    story: list[Fact] = [
        (events.note_referral, received(referral_id)),
        (events.ask_at_start, match),
        (events.ask_at_end, ended(match)),
        (events.note_end_undone, undone(match)),
    ]
    tell(study, story, order)
    states = study.states(referral_id)
    assert {state for (stage, _), state in states.items() if stage is Stage.START} == {"open"}
    assert {state for (stage, _), state in states.items() if stage is Stage.END} <= {"cancelled"}
    study.pass_time(weeks=6)
    assert study.states(referral_id)[(Stage.REVIEW, Respondent.CLIENT)] == "open"
    study.bench.hear(events.ask_at_end, ended(match, at=MONDAY_10 + timedelta(weeks=7)))
    assert study.states(referral_id)[(Stage.END, Respondent.CLIENT)] == "open"
