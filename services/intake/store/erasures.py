"""Erasures, their confirmations and legal holds, and the deletion of everything about a person."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from chassis.store import identity_map
from chassis.store.unit_of_work import upsert
from contracts.vocabulary import ReferralId
from services.intake.domain.erasure import HOLDERS, Erasure, LegalHold
from services.intake.store.tables import (
    assessments,
    contact_changes,
    erasure_confirmations,
    erasures,
    legal_holds,
    match_keys,
    personal_records,
    possible_duplicates,
    told_apart,
)

PERSONAL = (
    personal_records.c.referral_id,
    assessments.c.referral_id,
    match_keys.c.referral_id,
    possible_duplicates.c.referral_id,
    possible_duplicates.c.other_id,
    told_apart.c.referral_id,
    told_apart.c.other_id,
    contact_changes.c.referral_id,
)
"""The columns that lead from a referral to what is encrypted under the person's key, or could identify them."""


def delete_personal_data(session: Session, referral_id: ReferralId) -> None:
    """Deletes every row that holds something about the person."""
    session.flush()
    for column in PERSONAL:
        session.execute(delete(column.table).where(column == referral_id))


def find_erasure(session: Session, referral_id: ReferralId) -> Erasure | None:
    return identity_map.lock(session, Erasure, referral_id)


def save_confirmation(session: Session, referral_id: ReferralId, service: str, at: datetime) -> None:
    """Stores the first confirmation of each service."""
    statement = upsert(session, erasure_confirmations)
    row = {"referral_id": referral_id, "service": service, "confirmed_at": at}
    session.execute(statement.values(row).on_conflict_do_nothing())


def confirmations(session: Session, referral_id: ReferralId) -> dict[str, datetime]:
    """When each service confirmed."""
    table = erasure_confirmations
    wanted = select(table.c.service, table.c.confirmed_at).where(table.c.referral_id == referral_id)
    return {service: at for service, at in session.execute(wanted.order_by(table.c.confirmed_at))}  # noqa: C416


def list_unconfirmed(session: Session, limit: int) -> list[Erasure]:
    """Those that not every service has confirmed, the oldest first."""
    erasure, confirmation = erasures, erasure_confirmations
    confirmed = select(func.count()).where(confirmation.c.referral_id == erasure.c.referral_id).scalar_subquery()
    wanted = select(Erasure).where(confirmed < len(HOLDERS)).order_by(erasure.c.erased_at, erasure.c.referral_id)
    return list(session.execute(wanted.limit(limit)).scalars())


def legal_holds_on(session: Session, referral_id: ReferralId) -> list[LegalHold]:
    """The oldest first."""
    table = legal_holds
    wanted = select(LegalHold).where(table.c.referral_id == referral_id).order_by(table.c.placed_at, table.c.id)
    return list(session.execute(wanted).scalars())
