"""What a machine may have written: held back for a person, lost never, and erased a week after it was discarded."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from contracts.commands.duplicates import Merge
from contracts.commands.intake import (
    ChangeContact,
    Discard,
    DiscardReason,
    GetHistory,
    Release,
    ReRefer,
    TakeUp,
)
from contracts.events.intake import AssessmentOverdue, ReferralErased, ReferralReceived, ReferralStepTaken
from contracts.sealed import SafeChannel, SafeContact
from contracts.vocabulary import ContactChangeReason, ContactPurpose, MergeReason, Party, ReReferralReason
from services.intake import errors
from services.intake.domain.referral import StepNotPossible
from services.intake.handlers import contact_changes, duplicates, lifecycle, queries, review
from tests.unit.intake.conftest import Asked, Intake
from tests.unit.intake.test_retention import DAY, held, hold, pass_time, shown

SAM = "console:somebody"
WEEK = timedelta(days=7)


@pytest.fixture
def intake(intake_on_each_store: Intake) -> Intake:
    return intake_on_each_store


def suspected(intake: Intake, **changes: Any) -> Asked:
    return intake.ask_for_help(suspected=("honeypot",), **changes)


def release(intake: Intake, asked: Asked) -> None:
    intake.ask(review.release, Release(referral_id=asked.referral_id))


def discard(intake: Intake, asked: Asked) -> None:
    intake.ask(review.discard, Discard(referral_id=asked.referral_id, reason=DiscardReason.ADVERTISING))


def possible(intake: Intake, asked: Asked) -> set[str]:
    return set(intake.ask(queries.get_history, GetHistory(referral_id=asked.referral_id)).possible)


def test_what_has_a_mark_waits_for_a_person_and_others_do_not(intake: Intake) -> None:
    marked, other = suspected(intake), intake.ask_for_help()
    assert (intake.state(marked.reference), intake.state(other.reference)) == ("in_review", "received")
    assert {"release", "discard"} <= possible(intake, marked)
    assert not {"take_up", "assess", "signpost", "hold", "merge"} & possible(intake, marked)
    assert not {"release", "discard"} & possible(intake, other)
    with pytest.raises(StepNotPossible, match="is in review"):
        intake.ask(lifecycle.take_up, TakeUp(referral_id=marked.referral_id))
    with pytest.raises(StepNotPossible):
        release(intake, other)


def test_whoever_wrote_it_is_told_what_everybody_is_told(intake: Intake) -> None:
    marked, other = suspected(intake), intake.ask_for_help()
    assert intake.status(marked.reference) == intake.status(other.reference)
    intake.withdraw(marked.reference)
    assert intake.state(marked.reference) == "withdrawn"


def test_released_it_goes_on_as_any_and_is_due_as_it_was(intake: Intake) -> None:
    marked = suspected(intake)
    due_at = intake.emitted(ReferralStepTaken)[-1].due_at
    intake.clock.advance(timedelta(hours=30))
    release(intake, marked)
    assert intake.steps(marked.referral_id)[-1] == ("release", "received", SAM, None)
    assert intake.emitted(ReferralStepTaken)[-1].due_at == due_at is not None
    assert [one.assess_by for one in intake.awaiting()] == [due_at]
    intake.assess(marked.referral_id)


def test_the_office_is_told_in_time_that_nobody_has_looked_at_it(intake: Intake) -> None:
    marked = suspected(intake)
    pass_time(intake, DAY * 4)
    assert [told.referral_id for told in intake.emitted(AssessmentOverdue)] == [marked.referral_id]


def test_a_danger_to_somebody_is_told_at_once_and_has_to_be_in_hand_before_it_is_discarded(intake: Intake) -> None:
    marked = suspected(intake, identifiable_person_at_risk=True)
    (concern,) = intake.concerns(marked.referral_id)
    with pytest.raises(errors.ConcernOpen, match="in hand yet"):
        discard(intake, marked)
    intake.acknowledge(concern.id, marked.referral_id)
    discard(intake, marked)
    assert intake.state(marked.reference) == "discarded"


def test_no_money_is_set_aside_before_it_is_released(intake: Intake) -> None:
    marked = suspected(intake, subsidy_requested=True)
    release(intake, marked)
    assert [told.subsidy_requested for told in intake.emitted(ReferralReceived)] == [False, True]


def test_nobody_is_written_to_before_it_is_released_because_the_address_may_be_anybodys(intake: Intake) -> None:
    marked = suspected(intake)
    moved = SafeContact(channel=SafeChannel.EMAIL, email="moved@example.org")
    change = ChangeContact(
        referral_id=marked.referral_id,
        whose=Party.CLIENT,
        contact=intake.seal(moved),
        reason=ContactChangeReason.MISTYPED,
    )
    intake.ask(contact_changes.change_contact, change)
    assert intake.released(ContactPurpose.ADDRESS_BOOK) == []
    release(intake, marked)
    ((_, known),) = intake.released(ContactPurpose.ADDRESS_BOOK)
    assert known.contact == moved


def test_discarded_it_can_be_released_for_a_week_and_is_then_erased(intake: Intake) -> None:
    kept, gone = suspected(intake), suspected(intake)
    for one in (kept, gone):
        discard(intake, one)
    assert intake.steps(gone.referral_id)[-1] == ("discard", "discarded", SAM, "advertising")
    assert "If you wrote it, please call us" in str(intake.status(gone.reference).words)
    assert shown(intake, gone.reference).due_at == intake.clock.now() + WEEK
    pass_time(intake, WEEK - timedelta(minutes=1))
    assert held(intake, kept, gone) == [True, True]
    release(intake, kept)
    pass_time(intake, timedelta(minutes=1))
    assert held(intake, kept, gone) == [True, False]
    assert [told.referral_id for told in intake.emitted(ReferralErased)] == [gone.referral_id]
    with pytest.raises(StepNotPossible):
        release(intake, gone)
    assert intake.state(kept.reference) == "received"


def test_a_legal_hold_keeps_what_was_discarded(intake: Intake) -> None:
    marked = suspected(intake)
    hold(intake, marked)
    discard(intake, marked)
    pass_time(intake, WEEK * 3)
    assert held(intake, marked) == [True]


def test_nothing_is_merged_into_what_waits_for_review(intake: Intake) -> None:
    marked, other = suspected(intake), intake.ask_for_help()
    request = Merge(referral_id=other.referral_id, into_referral_id=marked.referral_id, reason=MergeReason.SENT_TWICE)
    with pytest.raises(errors.CannotMergeInto, match="release it first"):
        intake.ask(duplicates.merge, request)


def test_who_asks_again_is_not_held_back_a_second_time(intake: Intake) -> None:
    marked = suspected(intake)
    release(intake, marked)
    intake.withdraw(marked.reference)
    again = intake.ask(
        lifecycle.re_refer, ReRefer(referral_id=marked.referral_id, reason=ReReferralReason.CLIENT_ASKED)
    )
    assert intake.state(again.reference) == "received"
