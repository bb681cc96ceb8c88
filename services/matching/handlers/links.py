"""What matching does when intake links two referrals, or unlinks them."""

from __future__ import annotations

from chassis.ports import UnitOfWork
from contracts.events.intake import (
    ReferralsLinked,
    ReferralsUnlinked,
)
from services.matching.application import search
from services.matching.dependencies import Dependencies
from services.matching.domain.links import Link
from services.matching.store import links, referrals


def note_link(unit: UnitOfWork[Dependencies], event: ReferralsLinked) -> None:
    """The two referrals may have no therapist in common from now on. Therapy that has begun is left to the office."""
    if not _advance_link(unit, event, stands=True):
        return
    # The first asked keeps the offer; either may not have been heard of yet, and is then kept apart when it is.
    for referral_id in (event.other_referral_id, event.referral_id):
        search.keep_apart(unit, referral_id)


def note_unlink(unit: UnitOfWork[Dependencies], event: ReferralsUnlinked) -> None:
    """Therapists who were excluded by the link may be asked again."""
    if not _advance_link(unit, event, stands=False):
        return
    for referral_id in (event.other_referral_id, event.referral_id):
        for id_ in sorted(referrals.all_of_person(unit.session, referral_id)):
            referral = referrals.find_referral(unit.session, id_)
            if referral is not None:
                search.offer_next(unit, referral)


def _advance_link(unit: UnitOfWork[Dependencies], event: ReferralsLinked | ReferralsUnlinked, *, stands: bool) -> bool:
    link = links.find_link(unit.session, event.link_id)
    if link is not None:
        return link.advance(stands=stands, sequence=unit.sequence)
    unit.session.add(
        Link(
            id=event.link_id,
            referral_id=event.referral_id,
            other_id=event.other_referral_id,
            kind=event.kind,
            stands=stands,
            sequence=unit.sequence,
        )
    )
    return True
