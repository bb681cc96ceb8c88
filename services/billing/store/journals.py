"""The books: enters journals, and adds up what stands on accounts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from chassis.store.prepared import prepared
from contracts.vocabulary import (
    FundId,
    TherapistId,
)
from services.billing.domain.ledger import Account, AccountKind, Journal, JournalKind, TrialBalance
from services.billing.store import tables

_NEW_JOURNAL, _NEW_ENTRY = prepared(tables.journal_table.insert()), prepared(tables.entry_table.insert())


@dataclass(frozen=True)
class FundMovements:
    """What a fund's journals add up to, in pence; `drawn` without what was drawn for sessions taken back."""

    opened: int = 0
    committed: int = 0
    drawn: int = 0
    released: int = 0


def post(session: Session, journal: Journal, *, id_: UUID, at: datetime) -> None:
    """Enters a journal into the books. The database refuses a second one of the same kind and source."""
    row = {"id": id_, "kind": journal.kind, "source_id": journal.source_id, "posted_at": at}
    session.flush()
    session.execute(_NEW_JOURNAL, row)
    session.execute(_NEW_ENTRY, list(_entry_rows(journal, id_)))


def ledger_totals(session: Session) -> TrialBalance:
    """What stands on every account."""
    table = tables.entry_table
    by = (table.c.account, table.c.therapist_id, table.c.fund_id)
    found = session.execute(select(*by, func.sum(table.c.pence)).group_by(*by).order_by(*by))
    return TrialBalance({Account(kind, therapist, fund): int(pence) for kind, therapist, fund, pence in found})


def balance_of(session: Session, therapist_id: TherapistId) -> int:
    """What a therapist owes by the ledger, in pence; below nothing when the charity owes them."""
    table = tables.entry_table
    owed = (table.c.account == AccountKind.THERAPIST_RECEIVABLE, table.c.therapist_id == therapist_id)
    return int(session.execute(select(func.coalesce(func.sum(table.c.pence), 0)).where(*owed)).scalar_one())


def fund_movements(session: Session) -> Mapping[FundId, FundMovements]:
    """For each fund, what its journals say was opened, committed, drawn and released."""
    entry, journal = tables.entry_table, tables.journal_table
    moved = (
        select(entry.c.fund_id, journal.c.kind, func.sum(entry.c.pence))
        .join(journal, journal.c.id == entry.c.journal_id)
        .where(entry.c.fund_id.is_not(None), entry.c.pence > 0)
        .group_by(entry.c.fund_id, journal.c.kind)
    )
    sums: dict[FundId, dict[JournalKind, int]] = {}
    for fund_id, kind, pence in session.execute(moved):
        sums.setdefault(fund_id, {})[kind] = int(pence)
    return {fund_id: _movements(by_kind) for fund_id, by_kind in sums.items()}


def _movements(by_kind: Mapping[JournalKind, int]) -> FundMovements:
    return FundMovements(
        opened=by_kind.get(JournalKind.FUND_OPENED, 0),
        committed=by_kind.get(JournalKind.SUBSIDY_COMMITTED, 0),
        drawn=by_kind.get(JournalKind.SUBSIDY_DRAWN_DOWN, 0) - by_kind.get(JournalKind.SUBSIDY_DRAWDOWN_REVERSED, 0),
        released=by_kind.get(JournalKind.SUBSIDY_RELEASED, 0),
    )


def _entry_rows(journal: Journal, journal_id: UUID) -> Iterable[dict[str, Any]]:
    for line, entry in enumerate(journal.entries, start=1):
        account = entry.account
        owners = {"therapist_id": account.therapist_id, "fund_id": account.fund_id}
        yield {"journal_id": journal_id, "line": line, "account": account.kind, "pence": entry.pence, **owners}
