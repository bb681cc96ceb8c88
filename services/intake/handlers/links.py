"""Referrals of people who belong together, or of whom one harmed the other: linked by a person, and kept apart.

Nobody of the charity handles both: who has taken up or assessed the one is refused the other. Matching, which hears of
the link, gives them no therapist in common, unless a couple works with one by agreement.
"""

from __future__ import annotations

from chassis.ports import UnitOfWork
from contracts.commands.intake import Done, Link, Linked, LinkView, ListLinks, Unlink
from contracts.events.intake import ReferralsUnlinked
from contracts.vocabulary import ReferralId
from services.intake.application.conflicts import keep_apart
from services.intake.application.lookup import get_referral, get_two_referrals
from services.intake.dependencies import Dependencies
from services.intake.domain.links import ReferralLink
from services.intake.domain.states import State
from services.intake.errors import CannotLink, UnknownLink
from services.intake.store import referral_links
from services.intake.store.related_referrals import SAME_PERSON, ids_tied_to


def link(unit: UnitOfWork[Dependencies], request: Link) -> Linked:
    """Keeps two referrals apart from now on. Raises UnknownReferral, CannotLink."""
    first, other = get_two_referrals(unit, request.referral_id, request.other_referral_id)
    known = referral_links.live_links_of(unit.session, first.id)
    if first is other or any(other.id in (existing.referral_id, existing.other_id) for existing in known):
        raise CannotLink("These are the same referral, or linked already.")
    if State.ERASED in (first.state, other.state):
        raise CannotLink("One of the two was erased: nobody can say any more whom it is about.")
    link_id = keep_apart(unit, first.id, other.id, request.kind, by=unit.actor.who, reason=request.reason)
    in_common = first.therapist_id is not None and first.therapist_id == other.therapist_id
    return Linked(link_id=link_id, share_a_therapist=in_common)


def unlink(unit: UnitOfWork[Dependencies], request: Unlink) -> Done:
    """The two people need not be kept apart, in whichever of their referrals. What was on record of it stays.

    Raises UnknownLink.
    """
    named = referral_links.find_link(unit.session, request.link_id)
    if named is None or named.undone_at is not None or not _is_of(named, request.referral_id):
        raise UnknownLink("There is no such link, or it was undone before.")
    for found in _between_the_same_people(unit, named):
        found.undo(at=unit.now, by=unit.actor.who, reason=request.reason)
        unit.emit(
            ReferralsUnlinked(
                link_id=found.id, referral_id=found.referral_id, other_referral_id=found.other_id, kind=found.kind
            )
        )
    return Done()


def _is_of(link: ReferralLink, referral_id: ReferralId | None) -> bool:
    """Whether it is a link of this referral's, if one was named."""
    return referral_id in (None, link.referral_id, link.other_id)


def _between_the_same_people(unit: UnitOfWork[Dependencies], named: ReferralLink) -> list[ReferralLink]:
    """All links in force between the two people: links are copied to what they ask again, or merge."""
    ids_of_one = ids_tied_to(unit.session, named.referral_id, SAME_PERSON)
    ids_of_other = ids_tied_to(unit.session, named.other_id, SAME_PERSON)
    between = {
        standing.id: standing
        for id_ in sorted(ids_of_one)
        for standing in referral_links.live_links_of(unit.session, id_)
        if standing.other_than(id_) in ids_of_other
    }
    return list(between.values())


def list_links(unit: UnitOfWork[Dependencies], request: ListLinks) -> list[LinkView]:
    """The links of a referral that stand. Raises UnknownReferral."""
    referral = get_referral(unit, request.referral_id)
    return [
        LinkView(
            link_id=found.id,
            other_referral_id=found.other_than(referral.id),
            kind=found.kind,
            linked_at=found.linked_at,
            linked_by=found.linked_by,
        )
        for found in referral_links.live_links_of(unit.session, referral.id)
    ]
