"""Links between referrals of people who are kept apart."""

from __future__ import annotations

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from chassis.store import identity_map
from chassis.store.prepared import prepared
from contracts.vocabulary import LinkId, ReferralId
from services.intake.domain.links import ReferralLink
from services.intake.store.tables import links

# Every command about a referral runs this, so it is built once.
_LIVE_LINKS = prepared(
    select(ReferralLink)
    .where(
        (links.c.referral_id == bindparam("referral_id")) | (links.c.other_id == bindparam("referral_id")),
        links.c.undone_at.is_(None),
    )
    .order_by(links.c.linked_at, links.c.id)
)


def find_link(session: Session, link_id: LinkId) -> ReferralLink | None:
    return identity_map.lock(session, ReferralLink, link_id)


def live_links_of(session: Session, referral_id: ReferralId) -> list[ReferralLink]:
    """The links in force, the oldest first."""
    return list(session.execute(_LIVE_LINKS, {"referral_id": referral_id}).scalars())
