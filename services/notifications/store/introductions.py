"""Finds and stores introductions: whom a client was introduced to, by which links, and how their therapy goes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from chassis.store import identity_map
from contracts.vocabulary import MatchId, ReferralId, SuspensionReason, TherapistId
from services.notifications.domain.introductions import Introduction, Link, Right, Therapy
from services.notifications.domain.templates import Template
from services.notifications.store.tables import (
    introduction_links,
    introduction_rights,
    introductions,
    messages,
    suspensions,
    therapies,
)


def introduction_of(session: Session, referral_id: ReferralId, therapist_id: TherapistId) -> Introduction:
    """Locked; a new one, without a contact, if nothing was known of it."""
    identity_map.lock_key(session, Introduction, (referral_id, therapist_id))
    found = find_introduction(session, referral_id, therapist_id)
    if found is None:
        found = Introduction(referral_id=referral_id, therapist_id=therapist_id)
        session.add(found)
    return found


def find_introduction(session: Session, referral_id: ReferralId, therapist_id: TherapistId) -> Introduction | None:
    """Locked, so that no two codes are tried at the same time."""
    session.flush()
    wanted = select(Introduction).where(
        introductions.c.referral_id == referral_id, introductions.c.therapist_id == therapist_id
    )
    locking = wanted.with_for_update().execution_options(populate_existing=True)
    return session.execute(locking).scalar_one_or_none()


def introductions_of(session: Session, referral_id: ReferralId) -> Sequence[Introduction]:
    session.flush()
    return session.scalars(select(Introduction).where(introductions.c.referral_id == referral_id)).all()


def find_link(session: Session, token_hash: bytes) -> Link | None:
    return session.get(Link, token_hash)


def newest_link(session: Session, introduction: Introduction) -> Link | None:
    wanted = select(Link).where(
        introduction_links.c.referral_id == introduction.referral_id,
        introduction_links.c.therapist_id == introduction.therapist_id,
    )
    return session.scalars(wanted.order_by(introduction_links.c.made_at.desc()).limit(1)).first()


def find_right(session: Session, right_hash: bytes) -> Right | None:
    return session.get(Right, right_hash)


def therapy_of(session: Session, match_id: MatchId, *, referral_id: ReferralId, therapist_id: TherapistId) -> Therapy:
    """Locked; a new one if nothing was known of it."""
    identity_map.lock_key(session, Therapy, match_id)
    found = identity_map.lock(session, Therapy, match_id)
    if found is None:
        found = Therapy(match_id=match_id, referral_id=referral_id, therapist_id=therapist_id)
        session.add(found)
    return found


def find_therapy(session: Session, match_id: MatchId) -> Therapy | None:
    return identity_map.find(session, Therapy, match_id)


def therapies_of(session: Session, referral_id: ReferralId) -> Sequence[Therapy]:
    session.flush()
    return session.scalars(select(Therapy).where(therapies.c.referral_id == referral_id)).all()


def suspend(session: Session, therapist_id: TherapistId, reason: SuspensionReason) -> None:
    reinstate(session, therapist_id, reason)
    session.execute(suspensions.insert().values(therapist_id=therapist_id, reason=reason))


def reinstate(session: Session, therapist_id: TherapistId, reason: SuspensionReason) -> None:
    session.execute(
        delete(suspensions).where(suspensions.c.therapist_id == therapist_id, suspensions.c.reason == reason)
    )


def is_suspended(session: Session, therapist_id: TherapistId) -> bool:
    wanted = select(suspensions.c.reason).where(suspensions.c.therapist_id == therapist_id).limit(1)
    return session.execute(wanted).first() is not None


def codes_sent(session: Session, introduction: Introduction, *, since: datetime) -> Sequence[datetime]:
    """When codes for this introduction were queued for its therapist, after `since`."""
    wanted = select(messages.c.queued_at).where(
        messages.c.referral_id == introduction.referral_id,
        messages.c.therapist_id == introduction.therapist_id,
        messages.c.template == Template.CLIENT_CODE,
        messages.c.queued_at > since,
    )
    return session.scalars(wanted).all()


def forget(session: Session, referral_id: ReferralId) -> None:
    """Of an erased client nobody can see anything any more, and how their therapy went is deleted."""
    session.flush()
    gone = update(introductions).where(introductions.c.referral_id == referral_id)
    session.execute(gone.values(contact=None, code_hash=None, code_made_at=None))
    for table in (introduction_rights, therapies):
        session.execute(delete(table).where(table.c.referral_id == referral_id))
