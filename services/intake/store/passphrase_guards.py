"""What passphrases are tried against: a referral's digest, or a decoy's."""

from __future__ import annotations

from dataclasses import fields
from secrets import token_bytes
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Table, bindparam, select, update
from sqlalchemy.orm import Session

from chassis.store.prepared import prepared
from chassis.store.unit_of_work import upsert
from services.intake.domain.passphrases import Guard
from services.intake.store.tables import decoys, referrals

# Every status request and withdrawal runs these, so they are built once.
_GUARDS = {
    table: select(*(table.c[field.name] for field in fields(Guard))).with_for_update() for table in (referrals, decoys)
}

_GUARD = prepared(_GUARDS[referrals].where(referrals.c.reference == bindparam("reference")))

_DECOY = prepared(_GUARDS[decoys].where(decoys.c.id == bindparam("decoy_id")))


def find_guard(session: Session, reference: str) -> Guard | None:
    """A referral's, locked until the unit ends."""
    return _guard(session.execute(_GUARD, {"reference": reference}).one_or_none())


def find_decoy(session: Session, decoy_id: UUID) -> Guard | None:
    return _guard(session.execute(_DECOY, {"decoy_id": decoy_id}).one_or_none())


def make_decoy(session: Session, decoy_id: UUID) -> Guard:
    """Inserts a decoy that was not there yet, with a digest that no passphrase has."""
    made = {"id": decoy_id, "passphrase_mark": token_bytes(32), "failed_passphrases": 0}
    session.execute(upsert(session, decoys).values(made).on_conflict_do_nothing())
    decoy = find_decoy(session, decoy_id)
    assert decoy is not None
    return decoy


def save_tries(session: Session, table: Table, guard: Guard) -> None:
    """Stores how many wrong tries there were, and until when it is locked."""
    tries = {"failed_passphrases": guard.failed_passphrases, "locked_until": guard.locked_until}
    session.execute(update(table).where(table.c.id == guard.id).values(tries))


def _guard(row: Row[Any] | None) -> Guard | None:
    return None if row is None else Guard(*tuple(row))
