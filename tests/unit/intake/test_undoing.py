"""A slip can be undone with a reason, for as long as nothing has been built on it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from contracts.commands.intake import Hold, ReRefer, Signpost, Undo, Withdraw
from contracts.events.intake import ReferralHeld, ReferralReopened
from contracts.vocabulary import (
    HoldReason,
    ReferralId,
    ReopeningReason,
    ReReferralReason,
    SignpostReason,
    UndoReason,
    WithdrawalReason,
)
from services.intake.domain.referral import StepNotPossible
from services.intake.handlers import lifecycle
from tests.unit.intake.conftest import Intake


def undo(intake: Intake, referral_id: ReferralId) -> None:
    intake.ask(lifecycle.undo, Undo(referral_id=referral_id, reason=UndoReason.WRONG_PERSON))


def by_mistake(intake: Intake, referral_id: ReferralId) -> None:
    reason = WithdrawalReason.NO_CONTACT
    intake.ask(lifecycle.withdraw, Withdraw(referral_id=referral_id, reason=reason))


@pytest.mark.parametrize("stage", ["received", "assessed", "on_hold"])
def test_what_was_withdrawn_by_mistake_goes_on_where_it_was(intake: Intake, stage: str) -> None:
    referral_id, reference = intake.ask_for_help()
    if stage != "received":
        intake.assess(referral_id)
    if stage == "on_hold":
        hold = Hold(referral_id=referral_id, reason=HoldReason.CLIENT_NOT_READY)
        intake.ask(lifecycle.pause, hold)
    by_mistake(intake, referral_id)
    undo(intake, referral_id)
    assert intake.state(reference) == stage
    (reopened,) = intake.emitted(ReferralReopened)
    assert reopened.reason is ReopeningReason.ENDED_BY_MISTAKE
    held = intake.all_emitted[-1]
    assert isinstance(held, ReferralHeld) is (stage == "on_hold"), "what it was on hold for is said again"


def test_what_was_signposted_by_mistake_goes_on_too(intake: Intake) -> None:
    referral_id, reference = intake.ask_for_help()
    request = Signpost(referral_id=referral_id, reason=SignpostReason.OUTSIDE_UK)
    intake.ask(lifecycle.signpost, request)
    undo(intake, referral_id)
    assert intake.state(reference) == "received"


def test_what_cannot_be_undone_says_what_to_do_instead(intake: Intake) -> None:
    in_therapy, _ = intake.ask_and_assess()
    intake.match(in_therapy)
    by_mistake(intake, in_therapy)
    long_ago, _ = intake.ask_for_help()
    by_mistake(intake, long_ago)
    _, reference = intake.ask_for_help()
    intake.withdraw(reference)
    own = intake.find(reference).referral_id
    for referral_id, why in ((in_therapy, "was with a therapist"), (own, "by the client themselves")):
        with pytest.raises(StepNotPossible, match=f"{why}.*re_refer"):
            undo(intake, referral_id)
    intake.clock.advance(timedelta(days=8))
    with pytest.raises(StepNotPossible, match=r"too long ago.*re_refer"):
        undo(intake, long_ago)
    intake.ask(lifecycle.re_refer, ReRefer(referral_id=long_ago, reason=ReReferralReason.CLIENT_ASKED))
    with pytest.raises(StepNotPossible, match="is re referred"):
        undo(intake, long_ago)
