"""Client and therapist part, and the client's search ends, or begins again where they were unhappy."""

from __future__ import annotations

from chassis.ports import UnitOfWork
from contracts.vocabulary import MatchEndReason
from services.matching.application import match_lifecycle, search
from services.matching.application.lookup import get_referral
from services.matching.dependencies import Dependencies
from services.matching.domain.offer import Match


def part(unit: UnitOfWork[Dependencies], match: Match, reason: MatchEndReason) -> bool:
    """A client who was unhappy gets another therapist. False if they had parted before."""
    if not match_lifecycle.end_match(unit, match, reason):
        return False
    referral = get_referral(unit, match.referral_id)
    if reason is MatchEndReason.CLIENT_UNHAPPY:
        referral.search_again()
        search.offer_next(unit, referral)
    else:
        referral.end()
    return True
