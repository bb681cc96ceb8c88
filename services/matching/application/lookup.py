"""Referrals and therapists by identifier, locked.

`expect_…` is for what an event or a timer names, and waits where that has not arrived yet; `get_…` is for what a person
names, and refuses.
"""

from __future__ import annotations

from chassis.ports import NotYet, UnitOfWork
from contracts.vocabulary import (
    ReferralId,
    TherapistId,
)
from services.matching.dependencies import Dependencies
from services.matching.domain.referral import Referral
from services.matching.domain.therapist import Therapist
from services.matching.errors import UnknownReferral, UnknownTherapist
from services.matching.store import referrals, therapists

NO_SUCH_THERAPIST = "There is no such therapist. Please check the identifier."


def expect_referral(unit: UnitOfWork[Dependencies], referral_id: ReferralId) -> Referral:
    """Raises NotYet."""
    referral = referrals.find_referral(unit.session, referral_id)
    if referral is None:
        raise NotYet("the referral has not been heard of yet")
    return referral


def expect_therapist(unit: UnitOfWork[Dependencies], therapist_id: TherapistId) -> Therapist:
    """Raises NotYet."""
    therapist = therapists.find_therapist(unit.session, therapist_id)
    if therapist is None:
        raise NotYet("the therapist is not recorded yet")
    return therapist


def get_therapist(unit: UnitOfWork[Dependencies], therapist_id: TherapistId) -> Therapist:
    """Raises UnknownTherapist."""
    therapist = therapists.find_therapist(unit.session, therapist_id)
    if therapist is None:
        raise UnknownTherapist(NO_SUCH_THERAPIST)
    return therapist


def get_referral(unit: UnitOfWork[Dependencies], referral_id: ReferralId) -> Referral:
    """Raises UnknownReferral."""
    referral = referrals.find_referral(unit.session, referral_id)
    if referral is None:
        raise UnknownReferral("There is no such referral. Please check the identifier.")
    return referral
