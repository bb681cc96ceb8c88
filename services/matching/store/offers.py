"""Finds offers: by identifier, by the secret of a link, by referral or therapist."""

from __future__ import annotations

from sqlalchemy import (
    bindparam,
    delete,
    select,
)
from sqlalchemy.orm import Session

from chassis.store import identity_map
from chassis.store.prepared import prepared
from contracts.vocabulary import (
    OfferId,
    ReferralId,
    TherapistId,
)
from services.matching.domain.offer import Match, Offer, OfferState
from services.matching.store.tables import offers

_ASKED = prepared(
    select(offers.c.therapist_id).where(
        offers.c.referral_id == bindparam("referral_id"), offers.c.state != OfferState.WITHDRAWN
    )
)


def find_offer(session: Session, offer_id: OfferId) -> Offer | None:
    return identity_map.lock(session, Offer, offer_id)


def find_offer_by_token(session: Session, token_hash: bytes) -> Offer | None:
    wanted = select(Offer).where(offers.c.token_hash == token_hash).with_for_update()
    return session.execute(wanted).scalar_one_or_none()


def already_asked(session: Session, referral_id: ReferralId) -> set[TherapistId]:
    """Therapists who were offered this referral before, whatever they answered, unless the offer was withdrawn."""
    return set(session.execute(_ASKED, {"referral_id": referral_id}).scalars())


def open_offer_of(session: Session, referral_id: ReferralId) -> Offer | None:
    wanted = select(Offer).where(offers.c.referral_id == referral_id, offers.c.state == OfferState.OPEN)
    return session.execute(wanted.with_for_update()).scalar_one_or_none()


def open_offers(session: Session, therapist_id: TherapistId | None = None, limit: int | None = None) -> list[Offer]:
    """The oldest first."""
    wanted = select(Offer).where(offers.c.state == OfferState.OPEN).order_by(offers.c.offered_at, offers.c.id)
    if therapist_id is not None:
        wanted = wanted.where(offers.c.therapist_id == therapist_id)
    return list(session.execute(wanted.limit(limit)).scalars())


def newest_offers(session: Session, therapist_id: TherapistId, limit: int) -> list[Offer]:
    """The newest first, whatever became of them."""
    wanted = select(Offer).where(offers.c.therapist_id == therapist_id)
    return list(session.execute(wanted.order_by(offers.c.offered_at.desc(), offers.c.id).limit(limit)).scalars())


def drop_offers(session: Session, referral_id: ReferralId) -> None:
    session.flush()
    session.execute(delete(offers).where(offers.c.referral_id == referral_id))


def was_another_asked_since(session: Session, match: Match) -> bool:
    """Whether the referral was offered to another therapist since the match ended, or at the same moment."""
    found = select(offers.c.id).where(
        offers.c.referral_id == match.referral_id,
        offers.c.therapist_id != match.therapist_id,
        offers.c.offered_at >= match.ended_at,
    )
    return session.execute(found.limit(1)).first() is not None
