"""Whoever changes what somebody else has changed since they looked is told so: who, what and when."""

from __future__ import annotations

import pytest

from chassis.testing import somebody
from contracts.commands.intake import ChangeNeeds, GetHistory, Hold, TakeUp, Withdraw
from contracts.vocabulary import ConsentTold, HoldReason, NeedsChangeReason, ReferralId, WithdrawalReason
from services.intake.errors import ChangedMeanwhile
from services.intake.handlers import lifecycle, needs, queries
from tests.unit.intake.conftest import Intake

SAM, ALEX = somebody("sam"), somebody("alex")


@pytest.fixture
def intake(intake_on_each_store: Intake) -> Intake:
    return intake_on_each_store


def seen(intake: Intake, referral_id: ReferralId) -> int:
    """The number of the last step that whoever looks now sees."""
    number: int = intake.ask(queries.get_history, GetHistory(referral_id=referral_id)).steps[-1].number
    return number


def test_who_looked_before_another_changed_it_is_told_who_changed_what_and_when(intake: Intake) -> None:
    referral_id = intake.ask_for_help().referral_id
    looked = seen(intake, referral_id)
    change = ChangeNeeds(
        referral_id=referral_id,
        reason=NeedsChangeReason.CLIENT_ASKED,
        told=ConsentTold.BY_TELEPHONE,
        max_distance_km=12,
    )
    intake.ask(needs.change_needs, change, by=SAM)
    with pytest.raises(ChangedMeanwhile) as refused:
        intake.ask(lifecycle.take_up, TakeUp(referral_id=referral_id, seen=looked), by=ALEX)
    when = intake.clock.now().isoformat()
    (change_seen,) = (refused.value.details or {})["changes"]
    assert change_seen == {"who": "console:sam", "what": "change_needs", "when": when, "fields": ["max_distance_km"]}
    intake.ask(lifecycle.take_up, TakeUp(referral_id=referral_id, seen=seen(intake, referral_id)), by=ALEX)


def test_of_two_who_looked_at_the_same_the_second_is_refused(intake: Intake) -> None:
    referral_id = intake.ask_for_help().referral_id
    looked = seen(intake, referral_id)
    intake.ask(lifecycle.pause, Hold(referral_id=referral_id, seen=looked, reason=HoldReason.CLIENT_NOT_READY), by=SAM)
    with pytest.raises(ChangedMeanwhile, match="Look again"):
        withdraw = Withdraw(referral_id=referral_id, seen=looked, reason=WithdrawalReason.NO_CONTACT)
        intake.ask(lifecycle.withdraw, withdraw, by=ALEX)


def test_who_says_nothing_of_what_they_saw_is_not_held_up(intake: Intake) -> None:
    referral_id = intake.ask_for_help().referral_id
    intake.ask(lifecycle.take_up, TakeUp(referral_id=referral_id), by=SAM)
    intake.ask(lifecycle.withdraw, Withdraw(referral_id=referral_id, reason=WithdrawalReason.NO_CONTACT), by=ALEX)
