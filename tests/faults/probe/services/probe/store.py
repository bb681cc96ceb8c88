"""One business row and two ledger lines an effect. Nothing here is unique, so that what is done twice is seen twice."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import Column, Integer, String, Table, Uuid, insert, select, update
from sqlalchemy.orm import Session

from chassis.store.tables import new_metadata

FEE_PENCE = 25_00

metadata = new_metadata()

effects = Table(
    "effect",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("run", String(64), nullable=False, index=True),
    Column("number", Integer, nullable=False),
    Column("case_id", Uuid, nullable=False),
)

lines = Table(
    "ledger_line",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("run", String(64), nullable=False, index=True),
    Column("number", Integer, nullable=False),
    Column("account", String(16), nullable=False),
    Column("pence", Integer, nullable=False),
)

balances = Table(
    "balance",
    metadata,
    Column("account", String(16), primary_key=True),
    Column("pence", Integer, nullable=False),
)


def record(session: Session, run: str, number: int, case_id: UUID) -> None:
    session.execute(insert(effects).values(run=run, number=number, case_id=case_id))
    for account, pence in (("fees", -FEE_PENCE), ("debtors", FEE_PENCE)):
        session.execute(insert(lines).values(run=run, number=number, account=account, pence=pence))


def is_recorded(session: Session, run: str, number: int) -> bool:
    """The business key."""
    wanted = select(effects.c.id).where(effects.c.run == run, effects.c.number == number)
    return session.execute(wanted).first() is not None


def lock_balance(session: Session, account: str) -> None:
    """Holds an account's row until the transaction ends."""
    session.execute(update(balances).where(balances.c.account == account).values(pence=balances.c.pence))
