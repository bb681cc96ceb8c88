"""Referrals and matches that an event names, which may not have arrived yet: then the event waits."""

from __future__ import annotations

from chassis.ports import NotYet
from contracts.vocabulary import (
    MatchId,
    ReferralId,
)
from services.billing.dependencies import BillingUnit
from services.billing.domain.matches import Match
from services.billing.domain.referrals import Referral
from services.billing.store import matches, referrals


def expect_referral(unit: BillingUnit, referral_id: ReferralId) -> Referral:
    """The referral that an event is about. Raises NotYet while its ReferralReceived has not arrived."""
    referral = referrals.find_referral(unit.session, referral_id)
    if referral is None:
        raise NotYet(f"referral {referral_id} has not been received here")
    return referral


def expect_match(unit: BillingUnit, match_id: MatchId) -> Match:
    """The match that an event is about. Raises NotYet while its TherapistMatched has not arrived."""
    match = matches.find_match(unit.session, match_id)
    if match is None:
        raise NotYet(f"match {match_id} has not been heard of here")
    return match
