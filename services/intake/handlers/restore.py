"""Repeats, after a restore, the erasures that were made since the backup."""

from __future__ import annotations

from chassis.ports import Timer, UnitOfWork
from chassis.privacy.restore import destroyed
from contracts.commands.privacy import ErasureReason
from contracts.vocabulary import ReferralId
from services.intake.application import referral_erasure
from services.intake.application.history import BY_RULE
from services.intake.dependencies import Dependencies
from services.intake.domain.states import State
from services.intake.store import referrals, tables


def erase_again(unit: UnitOfWork[Dependencies], timer: Timer) -> None:
    """The other services were restored too, so they are told again. Whoever asked after the backup is gone."""
    for subject_id in destroyed(unit.session, tables.data_keys):
        referral = referrals.find_referral(unit.session, ReferralId(subject_id))
        if referral is not None and referral.state is not State.ERASED:
            referral_erasure.erase_referral(unit, referral, by=BY_RULE, reason=ErasureReason.ERASED_BEFORE)
