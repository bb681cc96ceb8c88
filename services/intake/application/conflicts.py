"""Conflicts of interest between linked referrals: nobody of the charity handles both, and links follow the people."""

from __future__ import annotations

from chassis.ports import UnitOfWork
from contracts.events.intake import ReferralsLinked
from contracts.vocabulary import LinkId, LinkKind, LinkReason, ReferralId
from services.intake.dependencies import Dependencies
from services.intake.domain.links import ReferralLink
from services.intake.domain.referral import Referral
from services.intake.domain.states import Step
from services.intake.errors import HandlesLinkedReferral
from services.intake.store import referral_links, referrals

HANDLING = frozenset({Step.TAKE_UP, Step.ASSESS, Step.SIGNPOST})
"""The steps after which a person of the charity counts as handling a referral."""


def carry_links(unit: UnitOfWork[Dependencies], *, of: Referral, to: Referral, by: str) -> None:
    """Copies the links of one referral to another of the same person: links belong to people.

    A referral that is asked again, merged or unmerged has all the links of the one it comes from.
    """
    known = {link.other_than(to.id) for link in referral_links.live_links_of(unit.session, to.id)}
    for link in referral_links.live_links_of(unit.session, of.id):
        other = link.other_than(of.id)
        if other != to.id and other not in known:
            keep_apart(unit, to.id, other, link.kind, by=by, reason=link.reason)


def keep_apart(
    unit: UnitOfWork[Dependencies],
    referral_id: ReferralId,
    other_id: ReferralId,
    kind: LinkKind,
    *,
    by: str,
    reason: LinkReason,
) -> LinkId:
    link = ReferralLink(
        id=LinkId(unit.new_id()),
        referral_id=referral_id,
        other_id=other_id,
        kind=kind,
        linked_at=unit.now,
        linked_by=by,
        reason=reason,
    )
    unit.session.add(link)
    unit.emit(ReferralsLinked(link_id=link.id, referral_id=referral_id, other_referral_id=other_id, kind=kind))
    return link.id


def handles_linked(unit: UnitOfWork[Dependencies], referral: Referral, staff: str) -> bool:
    others = [linked.other_than(referral.id) for linked in referral_links.live_links_of(unit.session, referral.id)]
    return bool(others) and staff in referrals.who_took(unit.session, HANDLING, others)


def refuse_who_handles_linked(unit: UnitOfWork[Dependencies], referral: Referral, staff: str) -> None:
    """Raises HandlesLinkedReferral."""
    if handles_linked(unit, referral, staff):
        raise HandlesLinkedReferral(
            f"You handle a referral that is linked to {referral.reference}. Please leave this one to a colleague."
        )
