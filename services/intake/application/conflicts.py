"""Conflicts of interest between linked referrals: nobody of the charity handles both, and links follow the people."""

from __future__ import annotations

from chassis.ports import UnitOfWork
from contracts.events.intake import ReferralsLinked
from contracts.vocabulary import LinkId, LinkKind, LinkReason, ReferralId
from services.intake.dependencies import Dependencies
from services.intake.domain.links import Link as KeptLink
from services.intake.domain.links import is_same_person
from services.intake.domain.referral import Referral
from services.intake.domain.states import Step
from services.intake.errors import HandlesLinkedReferral
from services.intake.store import referral_links, referrals

HANDLING = frozenset({Step.TAKE_UP, Step.ASSESS, Step.SIGNPOST})
"""The steps after which a person of the charity counts as handling a referral."""


def carry_links(unit: UnitOfWork[Dependencies], *, of: Referral, to: Referral, by: str) -> None:
    """Who was kept apart from one referral's people is kept apart from the other's too: links belong to people.

    A referral that is asked again, merged or unmerged has all the links of the one it comes from.
    """
    known = {kept.other_than(to.id) for kept in referral_links.live_links_of(unit.session, to.id)}
    for kept in referral_links.live_links_of(unit.session, of.id):
        other = kept.other_than(of.id)
        if other != to.id and other not in known:
            keep_apart(unit, to.id, other, kept.kind, by=by, reason=kept.reason)


def keep_apart(
    unit: UnitOfWork[Dependencies], one: ReferralId, other: ReferralId, kind: LinkKind, *, by: str, reason: LinkReason
) -> LinkId:
    kept = KeptLink(
        id=LinkId(unit.new_id()),
        referral_id=one,
        other_id=other,
        kind=kind,
        linked_at=unit.now,
        linked_by=by,
        reason=reason,
    )
    unit.session.add(kept)
    unit.emit(ReferralsLinked(link_id=kept.id, referral_id=one, other_referral_id=other, kind=kind))
    return kept.id


def refuse_who_handles_linked(unit: UnitOfWork[Dependencies], referral: Referral, staff: str) -> None:
    """Raises HandlesLinkedReferral."""
    others = [kept.other_than(referral.id) for kept in referral_links.live_links_of(unit.session, referral.id)]
    if others and any(is_same_person(staff, one) for one in referrals.who_took(unit.session, HANDLING, others)):
        raise HandlesLinkedReferral(
            f"You handle a referral that is linked to {referral.reference}. Please leave this one to a colleague."
        )
