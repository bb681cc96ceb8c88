"""Finds clients and therapists: the address book."""

from __future__ import annotations

from sqlalchemy import (
    bindparam,
    select,
)
from sqlalchemy.orm import Session

from chassis.store import identity_map
from chassis.store.prepared import prepared
from contracts.vocabulary import (
    ReferralId,
    TherapistId,
)
from services.notifications.domain.people import Client, Therapist
from services.notifications.store.tables import clients, therapists

# These are run for every message, so they are compiled once and bypass the ORM.
_CLIENT = prepared(select(clients).where(clients.c.referral_id == bindparam("id")).with_for_update())

_THERAPIST = prepared(
    select(therapists.c.therapist_id).where(therapists.c.therapist_id == bindparam("id")).with_for_update()
)


def find_client(session: Session, referral_id: ReferralId) -> Client | None:
    return identity_map.lock(session, Client, referral_id)


def client_as_known(session: Session, referral_id: ReferralId) -> Client | None:
    """The client, locked, to be read only: changes to it are not saved."""
    session.flush()
    row = session.execute(_CLIENT, {"id": referral_id}).one_or_none()
    return Client(**row._mapping) if row else None


def read_client(session: Session, referral_id: ReferralId) -> Client | None:
    """Without a lock."""
    return identity_map.find(session, Client, referral_id)


def client_of(session: Session, referral_id: ReferralId) -> Client:
    """The client of a referral; a new one, without an address, if nothing was known of them."""
    client = find_client(session, referral_id)
    if client is None:
        client = Client(referral_id=referral_id)
        session.add(client)
    return client


def find_therapist(session: Session, therapist_id: TherapistId) -> Therapist | None:
    return identity_map.lock(session, Therapist, therapist_id)


def knows_therapist(session: Session, therapist_id: TherapistId) -> bool:
    session.flush()
    return session.execute(_THERAPIST, {"id": therapist_id}).one_or_none() is not None


def read_therapist(session: Session, therapist_id: TherapistId) -> Therapist | None:
    """Without a lock."""
    return identity_map.find(session, Therapist, therapist_id)
