"""Finds links between referrals, and the therapists whom a link excludes."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import (
    bindparam,
    or_,
    select,
)
from sqlalchemy.orm import Session

from chassis.store import identity_map
from chassis.store.prepared import prepared
from contracts.vocabulary import (
    LinkId,
    LinkKind,
    ReferralId,
    TherapistId,
)
from services.matching.domain.links import Link
from services.matching.domain.offer import OfferState
from services.matching.store.tables import links, matches, offers

_LINKED = prepared(
    select(links.c.kind, links.c.referral_id, links.c.other_id).where(
        links.c.stands,
        or_(links.c.referral_id == bindparam("referral_id"), links.c.other_id == bindparam("referral_id")),
    )
)


def find_link(session: Session, link_id: LinkId) -> Link | None:
    return identity_map.lock(session, Link, link_id)


def linked_to(session: Session, referral_ids: Collection[ReferralId]) -> set[tuple[LinkKind, ReferralId]]:
    """The referrals that any of these is linked to, and how."""
    found: set[tuple[LinkKind, ReferralId]] = set()
    for id_ in referral_ids:
        for kind, *pair in session.execute(_LINKED, {"referral_id": id_}):
            found.add((kind, pair[1] if pair[0] == id_ else pair[0]))
    return found


def therapists_of(session: Session, referral_ids: Collection[ReferralId]) -> set[TherapistId]:
    """Therapists with a match, past or present, or an open offer for any of these referrals."""
    matched = select(matches.c.therapist_id).where(matches.c.referral_id.in_(referral_ids))
    offered = select(offers.c.therapist_id).where(
        offers.c.referral_id.in_(referral_ids), offers.c.state == OfferState.OPEN
    )
    return set(session.execute(matched.union(offered)).scalars())
