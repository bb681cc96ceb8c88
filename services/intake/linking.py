"""Referrals of people who belong together, or of whom one harmed the other: linked by a person, and kept apart.

Nobody of the charity handles both: who has taken up or assessed the one is refused the other. Matching, which hears of
the link, gives them no therapist in common, unless a couple works with one by agreement.
"""

from __future__ import annotations

from chassis.ports import Refused, UnitOfWork
from contracts.commands.intake import AskLinks, Done, Link, Linked, LinkView, Unlink
from contracts.events.intake import ReferralsLinked, ReferralsUnlinked
from contracts.vocabulary import LinkId, LinkKind, LinkReason, ReferralId
from services.intake import store
from services.intake.dependencies import Dependencies
from services.intake.domain.links import Link as KeptLink
from services.intake.domain.links import is_same_person
from services.intake.domain.referral import Referral, Step
from services.intake.refusals import get, get_both
from services.intake.retention_store import SAME_PERSON, ids_tied_to

HANDLING = frozenset({Step.TAKE_UP, Step.ASSESS, Step.SIGNPOST})
"""The steps after which a person of the charity counts as handling a referral."""


class CannotLink(Refused):
    """A referral isn't linked to itself, nor twice to the same other one."""


class UnknownLink(Refused):
    """There is no such link, or it was undone."""


class HandlesLinkedReferral(Refused):
    """This person handles a referral that is linked to this one: a colleague takes it."""


def link(unit: UnitOfWork[Dependencies], request: Link) -> Linked:
    """Keeps two referrals apart from now on. Raises UnknownReferral, CannotLink."""
    one, other = get_both(unit, request.referral_id, request.other_referral_id)
    known = store.live_links_of(unit.session, one.id)
    if one is other or any(other.id in (kept.referral_id, kept.other_id) for kept in known):
        raise CannotLink("These are the same referral, or linked already.")
    link_id = _keep_apart(unit, one.id, other.id, request.kind, by=request.staff, reason=request.reason)
    in_common = one.therapist_id is not None and one.therapist_id == other.therapist_id
    return Linked(link_id=link_id, share_a_therapist=in_common)


def unlink(unit: UnitOfWork[Dependencies], request: Unlink) -> Done:
    """The two people need not be kept apart, in whichever of their referrals. What was on record of it stays.

    Raises UnknownLink.
    """
    named = store.find_link(unit.session, request.link_id)
    if named is None or named.undone_at is not None:
        raise UnknownLink("There is no such link, or it was undone before.")
    for kept in _between(unit, named):
        kept.undo(at=unit.now, by=request.staff, reason=request.reason)
        unit.emit(
            ReferralsUnlinked(
                link_id=kept.id, referral_id=kept.referral_id, other_referral_id=kept.other_id, kind=kept.kind
            )
        )
    return Done()


def _between(unit: UnitOfWork[Dependencies], named: KeptLink) -> list[KeptLink]:
    """All links that stand between the two people of this one: it was carried to what they asked again, or merged."""
    ones, others = (ids_tied_to(unit.session, id_, SAME_PERSON) for id_ in (named.referral_id, named.other_id))
    found = {
        kept.id: kept
        for one in sorted(ones)
        for kept in store.live_links_of(unit.session, one)
        if kept.other_than(one) in others
    }
    return list(found.values())


def carry_links(unit: UnitOfWork[Dependencies], *, of: Referral, to: Referral, by: str) -> None:
    """Who was kept apart from one referral's people is kept apart from the other's too: links belong to people.

    A referral that is asked again, merged or unmerged has all the links of the one it comes from.
    """
    known = {kept.other_than(to.id) for kept in store.live_links_of(unit.session, to.id)}
    for kept in store.live_links_of(unit.session, of.id):
        other = kept.other_than(of.id)
        if other != to.id and other not in known:
            _keep_apart(unit, to.id, other, kept.kind, by=by, reason=kept.reason)


def _keep_apart(
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


def links(unit: UnitOfWork[Dependencies], request: AskLinks) -> list[LinkView]:
    """The links of a referral that stand. Raises UnknownReferral."""
    referral = get(unit, request.referral_id)
    return [
        LinkView(
            link_id=kept.id,
            other_referral_id=kept.other_than(referral.id),
            kind=kept.kind,
            linked_at=kept.linked_at,
            linked_by=kept.linked_by,
        )
        for kept in store.live_links_of(unit.session, referral.id)
    ]


def refuse_who_handles_linked(unit: UnitOfWork[Dependencies], referral: Referral, staff: str) -> None:
    """Raises HandlesLinkedReferral."""
    others = [kept.other_than(referral.id) for kept in store.live_links_of(unit.session, referral.id)]
    if others and any(is_same_person(staff, one) for one in store.who_took(unit.session, HANDLING, others)):
        raise HandlesLinkedReferral(
            f"You handle a referral that is linked to {referral.reference}. Please leave this one to a colleague."
        )
