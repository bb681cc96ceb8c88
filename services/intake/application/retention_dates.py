"""Until when all of one person's referrals are kept: the last of their dates."""

from __future__ import annotations

from collections.abc import Sequence

from chassis.ports import UnitOfWork
from contracts.vocabulary import ReferralId
from services.intake.dependencies import Dependencies
from services.intake.domain.referral import Referral
from services.intake.domain.retention import RetentionDate, date_of, date_of_all
from services.intake.store import related_referrals, retention


def retention_date_for(unit: UnitOfWork[Dependencies], referral: Referral) -> RetentionDate:
    """When all that this person asked is due to be erased, unless something stops it then."""
    return retention_date_of(unit, referrals_of_person(unit, referral.id))


def referrals_of_person(unit: UnitOfWork[Dependencies], referral_id: ReferralId) -> list[Referral]:
    return related_referrals.tied_to(unit.session, referral_id, related_referrals.SAME_PERSON)


def retention_date_of(unit: UnitOfWork[Dependencies], file: Sequence[Referral]) -> RetentionDate:
    policy, session = unit.dependencies.retention, unit.session
    return date_of_all(
        {referral: date_of(referral, retention.step_summary_of(session, referral), policy) for referral in file}
    )
