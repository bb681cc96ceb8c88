"""Referrals of people who belong together, or of whom one harmed the other: linked by a person, and kept apart.

Nobody of the charity handles both: who has taken up or assessed the one is refused the other. Matching, which hears of
the link, gives them no therapist in common, unless a couple works with one by agreement.
"""

from __future__ import annotations

from chassis.ports import Refused, Unit
from contracts.commands.intake import AskLinks, Done, Link, Linked, LinkView, Unlink
from contracts.events.intake import ReferralsLinked, ReferralsUnlinked
from contracts.vocabulary import LinkId
from services.intake import store
from services.intake.domain.links import Link as KeptLink
from services.intake.domain.links import is_same_person
from services.intake.domain.referral import Referral, Step
from services.intake.refusals import get
from services.intake.tools import Tools

HANDLING = frozenset({Step.TAKE_UP, Step.ASSESS, Step.SIGNPOST})
"""The steps after which a person of the charity counts as handling a referral."""


class CannotLink(Refused):
    """A referral isn't linked to itself, nor twice to the same other one."""


class UnknownLink(Refused):
    """There is no such link, or it was undone."""


class HandlesLinkedReferral(Refused):
    """This person handles a referral that is linked to this one: a colleague takes it."""


def link(unit: Unit[Tools], request: Link) -> Linked:
    """Keeps two referrals apart from now on. Raises UnknownReferral, CannotLink."""
    one, other = get(unit, request.referral_id), get(unit, request.other_referral_id)
    known = store.live_links_of(unit.session, one.id)
    if one is other or any(other.id in (kept.referral_id, kept.other_id) for kept in known):
        raise CannotLink("These are the same referral, or linked already.")
    kept = KeptLink(
        id=LinkId(unit.new_id()),
        referral_id=one.id,
        other_id=other.id,
        kind=request.kind,
        linked_at=unit.now,
        linked_by=request.staff,
        reason=request.reason,
    )
    unit.session.add(kept)
    unit.emit(ReferralsLinked(link_id=kept.id, referral_id=one.id, other_referral_id=other.id, kind=kept.kind))
    in_common = one.therapist_id is not None and one.therapist_id == other.therapist_id
    return Linked(link_id=kept.id, share_a_therapist=in_common)


def unlink(unit: Unit[Tools], request: Unlink) -> Done:
    """The two need not be kept apart. What was on record of it stays. Raises UnknownLink."""
    kept = store.find_link(unit.session, request.link_id)
    if kept is None or not kept.undo(at=unit.now, by=request.staff, reason=request.reason):
        raise UnknownLink("There is no such link, or it was undone before.")
    unit.emit(
        ReferralsUnlinked(
            link_id=kept.id, referral_id=kept.referral_id, other_referral_id=kept.other_id, kind=kept.kind
        )
    )
    return Done()


def links(unit: Unit[Tools], request: AskLinks) -> list[LinkView]:
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


def refuse_who_handles_linked(unit: Unit[Tools], referral: Referral, staff: str) -> None:
    """Raises HandlesLinkedReferral."""
    others = [kept.other_than(referral.id) for kept in store.live_links_of(unit.session, referral.id)]
    if others and any(is_same_person(staff, one) for one in store.who_took(unit.session, HANDLING, others)):
        raise HandlesLinkedReferral(
            f"You handle a referral that is linked to {referral.reference}. Please leave this one to a colleague."
        )
