"""A referral's life: only legal steps are possible, in whatever order people and services take them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from chassis.ids import new_id
from contracts.vocabulary import MatchId, ReferralId, TherapistId
from services.intake.diagram import PAGE
from services.intake.domain.referral import (
    AlreadyFinished,
    CannotUndo,
    MergedIntoAnother,
    NotMerged,
    Referral,
    SafeguardingLeadFirst,
    StepNotPossible,
)
from services.intake.domain.state_diagram import page
from services.intake.domain.states import FINISHED, TRANSITIONS, UNASSESSED, State, Step, possible_steps
from tests.unit.intake.test_referral import NOW, a_referral

HEARD = (Step.OFFER, Step.SEEK_ON, Step.MATCH, Step.PART, Step.END)
OTHER = ReferralId(new_id())


def heard(referral: Referral, step: Step) -> bool:
    """Has the referral hear of a step as a handler does."""
    if step is Step.MATCH:
        return referral.record_match(match_id=MatchId(new_id()), therapist_id=TherapistId(new_id()))
    return referral.end_match(step) if step in (Step.PART, Step.END) else referral.take_if_possible(step)


APART = (*HEARD, Step.GO_ON, Step.MERGE, Step.UNMERGE, Step.WITHDRAW, Step.UNDO)
"""Steps that are tried by rules of their own."""


class LifeMachine(RuleBasedStateMachine):
    """Whatever is tried, by people and by facts, in any order."""

    @initialize(young=st.booleans())
    def receive(self, young: bool) -> None:
        self.referral = a_referral(young=young)
        self.history: list[tuple[Step, State, State]] = []
        self.visited = {State.RECEIVED}

    @rule(step=st.sampled_from([step for step in Step if step not in APART]))
    def take(self, step: Step) -> None:
        self._attempt(step, lambda: self.referral.take(step))

    @rule()
    def merge(self) -> None:
        self._attempt(Step.MERGE, lambda: self.referral.merge(OTHER))

    @rule()
    def unmerge(self) -> None:
        self._attempt(Step.UNMERGE, self.referral.unmerge)

    @rule()
    def withdraw(self) -> None:
        taken_back = self.referral.state is State.WITHDRAWN and self.referral.merged_into is None
        if taken_back:
            assert self.referral.withdraw() is False
        else:
            self._attempt(Step.WITHDRAW, lambda: self.referral.withdraw(undo_until=NOW))

    @rule()
    def undo(self) -> None:
        self._attempt(Step.UNDO, lambda: self.referral.undo(at=NOW))

    @rule(step=st.sampled_from(HEARD))
    def hear(self, step: Step) -> None:
        if not self.referral.is_assessed:
            return  # the handler waits: what matching says builds on the assessment
        before = self.referral.state
        assert heard(self.referral, step) is (before in TRANSITIONS[step].sources)
        if before in TRANSITIONS[step].sources:
            self.history.append((step, before, self.referral.state))

    @invariant()
    def its_state_is_where_legal_steps_lead(self) -> None:
        state = State.RECEIVED
        for step, before, after in self.history:
            assert state is before
            assert before in TRANSITIONS[step].sources
            assert after in TRANSITIONS[step].targets or (not TRANSITIONS[step].targets and after is before)
            state = after
        assert self.referral.state is state

    @invariant()
    def every_step_is_counted(self) -> None:
        assert self.referral.steps_taken == 1 + len(self.history)

    @invariant()
    def a_hold_or_a_merge_knows_where_it_was_and_nothing_else_does(self) -> None:
        merged = self.referral.state is State.WITHDRAWN and self.referral.merged_into is not None
        ended_on_hold = self.referral.state is State.WITHDRAWN and self.referral.undo_to is State.ON_HOLD
        waits = self.referral.state is State.ON_HOLD or merged or ended_on_hold
        assert (self.referral.state_before is not None) is waits

    @invariant()
    def no_young_person_is_assessed_without_the_lead(self) -> None:
        decided = any(step in (Step.ASSESS, Step.SIGNPOST) for step, _, _ in self.history)
        assert not (self.referral.young and decided and not self.referral.lead_signed)

    @invariant()
    def a_therapist_is_known_while_there_is_a_match(self) -> None:
        assert (self.referral.match_id is None) is (self.referral.therapist_id is None)
        if self.referral.state in (State.MATCHED, State.FIRST_SESSION_ATTENDED):
            assert self.referral.match_id is not None

    @invariant()
    def an_assessed_referral_is_never_unassessed_again(self) -> None:
        if any(step is Step.ASSESS for step, _, _ in self.history):
            assert self.referral.state not in UNASSESSED

    def _attempt(self, step: Step, take: Any) -> None:
        before, taken = self.referral.state, self.referral.steps_taken
        refused = _refusal_of(take)
        if refused is None:
            self.history.append((step, before, self.referral.state))
            return
        if isinstance(refused, (SafeguardingLeadFirst, NotMerged, MergedIntoAnother, CannotUndo)):
            assert step in (Step.ASSESS, Step.SIGNPOST, Step.UNMERGE, Step.RE_REFER, Step.UNDO)
        else:
            assert before not in TRANSITIONS[step].sources
            assert isinstance(refused, AlreadyFinished) is (before in FINISHED)
            assert before.words in str(refused)
        assert (self.referral.state, self.referral.steps_taken) == (before, taken)


def _refusal_of(take: Any) -> StepNotPossible | None:
    try:
        take()
    except StepNotPossible as refusal:
        return refusal
    return None


TestLifeMachine = LifeMachine.TestCase
TestLifeMachine.settings = settings(max_examples=200, stateful_step_count=20)


def test_the_drawing_is_up_to_date_and_shows_every_state() -> None:
    assert PAGE.read_text() == page()
    assert [state for state in State if f"> {state}:" not in page() and state is not State.ERASED] == []


def test_every_state_can_be_reached_and_left_or_is_the_last() -> None:
    reached = {state for legal in TRANSITIONS.values() for state in legal.targets}
    assert reached == set(State)
    left = {
        state for step, legal in TRANSITIONS.items() for state in legal.sources if step not in (Step.NOTE, Step.ERASE)
    }
    assert set(State) - left == {State.RE_REFERRED, State.ERASED}


def test_only_notes_and_erasing_are_left_when_somebody_has_asked_again_and_nothing_when_they_are_erased() -> None:
    assert possible_steps(State.RE_REFERRED) == [Step.NOTE]
    assert possible_steps(State.ERASED) == []


@pytest.mark.parametrize("before", [State.RECEIVED, State.AWAITING_ASSESSMENT, State.ASSESSED, State.MATCHING])
def test_a_hold_goes_on_where_it_was(before: State) -> None:
    referral = a_referral(state=before)
    referral.take(Step.HOLD)
    referral.take(Step.RESUME)
    assert (referral.state, referral.state_before) == (before, None)


@pytest.mark.parametrize("step", [Step.SIGN_OFF, Step.FIND_PLACE])
def test_what_is_done_meanwhile_leaves_the_hold_as_it_is(step: Step) -> None:
    referral = a_referral(state=State.AWAITING_ASSESSMENT)
    referral.take(Step.HOLD)
    referral.take(step)
    assert referral.state is State.ON_HOLD
    referral.take(Step.RESUME)
    assert referral.state is State.AWAITING_ASSESSMENT


def test_a_hold_of_an_open_offer_goes_on_with_the_search() -> None:
    referral = a_referral(state=State.OFFERED)
    referral.take(Step.HOLD)
    referral.take(Step.RESUME)
    assert referral.state is State.MATCHING


def test_a_match_that_was_made_meanwhile_ends_the_hold() -> None:
    referral = a_referral(state=State.OFFERED)
    referral.take(Step.HOLD)
    assert not referral.take_if_possible(Step.SEEK_ON)
    assert heard(referral, Step.MATCH)
    assert (referral.state, referral.state_before) == (State.MATCHED, None)


def test_the_first_session_is_known_once_both_it_and_the_match_are() -> None:
    referral = a_referral(state=State.OFFERED)
    match_id = MatchId(new_id())
    referral.record_attendance(match_id, sequence=1)
    assert not referral.has_begun
    referral.record_match(match_id=match_id, therapist_id=TherapistId(new_id()))
    assert referral.has_begun


def test_an_older_session_does_not_hide_a_newer_one() -> None:
    referral = a_referral(state=State.OFFERED)
    match_id = MatchId(new_id())
    referral.record_attendance(match_id, sequence=2)
    referral.record_attendance(MatchId(new_id()), sequence=1)
    referral.record_match(match_id=match_id, therapist_id=TherapistId(new_id()))
    assert referral.has_begun


def test_a_session_with_the_first_therapist_begins_nothing_with_the_second() -> None:
    referral = a_referral(state=State.OFFERED, attended_match_id=MatchId(new_id()))
    heard(referral, Step.MATCH)
    assert not referral.has_begun


@pytest.mark.parametrize("step", [Step.ASSESS, Step.SIGNPOST])
def test_a_young_persons_referral_passes_the_safeguarding_lead(step: Step) -> None:
    referral = a_referral(young=True)
    with pytest.raises(SafeguardingLeadFirst, match="the safeguarding lead signs it off first"):
        referral.take(step)
    referral.take(Step.SIGN_OFF)
    referral.take(step)


def test_a_refusal_says_the_state_and_what_is_possible() -> None:
    with pytest.raises(
        StepNotPossible, match=r"9C28-SAU2-5 is on hold, .*“assess”.*: sign off, find place, resume, record consent"
    ):
        a_referral(state=State.ON_HOLD).take(Step.ASSESS)
