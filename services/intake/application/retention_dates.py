"""Until when all that one person asked is kept."""

from __future__ import annotations

from collections.abc import Sequence

from chassis.ports import UnitOfWork
from contracts.vocabulary import ReferralId
from services.intake.dependencies import Dependencies
from services.intake.domain.referral import Referral
from services.intake.domain.retention import RetentionDate, date_of, date_of_all
from services.intake.store import related_referrals, retention


def retention_date_for(unit: UnitOfWork[Dependencies], referral: Referral) -> RetentionDate:
    """Until when all that this person asked is kept, whatever may stop it then."""
    return retention_date_of(unit, referrals_of_person(unit, referral.id))


def referrals_of_person(unit: UnitOfWork[Dependencies], referral_id: ReferralId) -> list[Referral]:
    return related_referrals.tied_to(unit.session, referral_id, related_referrals.SAME_PERSON)


def retention_date_of(unit: UnitOfWork[Dependencies], file: Sequence[Referral]) -> RetentionDate:
    policy, session = unit.dependencies.retention, unit.session
    return date_of_all({one: date_of(one, retention.step_summary_of(session, one), policy) for one in file})
