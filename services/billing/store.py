"""What billing keeps, and how it is found. `get_…` raises, `find_…` may return None."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import Select, and_, bindparam, func, or_, select
from sqlalchemy.orm import Session

from chassis.store import rows
from chassis.store.prepared import prepared
from contracts.vocabulary import AwardId, FundId, InvoiceId, MatchId, PaymentId, ReferralId, TherapistId
from services.billing import tables
from services.billing.domain.awards import Award, AwardState
from services.billing.domain.funds import Fund
from services.billing.domain.invoices import Invoice
from services.billing.domain.ledger import Account, AccountKind, Journal, JournalKind, TrialBalance
from services.billing.domain.membership import Membership
from services.billing.tables import Match, Referral, Therapist, WaitingPlace

metadata = tables.metadata

T = TypeVar("T")
StatementT = TypeVar("StatementT", bound=Select[Any])


def _locked(found: StatementT) -> StatementT:
    """Read afresh as well as locked: what the session remembers may be older than what it waited for."""
    return found.with_for_update().execution_options(populate_existing=True)


# What every match or assessment asks is built once. The statements name their parameters.
_award, _fund, _invoice, _match = (
    tables.award_table.c,
    tables.fund_table.c,
    tables.invoice_table.c,
    tables.match_table.c,
)
_timer = metadata.tables["timer"].c
_of_referral = _award.referral_id == bindparam("referral_id")
_MATCHES_OF = prepared(
    select(Match).where(_match.referral_id == bindparam("referral_id")).order_by(_match.matched_at, _match.id)
)
_FEE_INVOICE = prepared(_locked(select(Invoice).where(_invoice.match_id == bindparam("match_id"))))
_OPEN_FUNDS = prepared(
    _locked(select(Fund).where(_fund.starts_on <= bindparam("on"), _fund.ends_on >= bindparam("on")).order_by(_fund.id))
)
_HELD_AWARD = prepared(_locked(select(Award).where(_of_referral, _award.state == AwardState.HELD)))
_LATEST_AWARD = prepared(select(Award).where(_of_referral).order_by(_award.approved_at.desc(), _award.id).limit(1))
_RECEIVED = prepared(select(_award.fund_id, func.sum(_award.drawn_pence)).where(_of_referral).group_by(_award.fund_id))
_ANY_DUE = (
    select(_timer.name)
    .where(_timer.name.in_(bindparam("timers", expanding=True)), _timer.due_at <= bindparam("at"))
    .limit(1)
)
_NEW_JOURNAL, _NEW_ENTRY = prepared(tables.journal_table.insert()), prepared(tables.entry_table.insert())


class NotFound(LookupError):
    """Nothing of this identifier is kept here."""


@dataclass(frozen=True)
class Payment:
    id: PaymentId
    amount_pence: int


@dataclass(frozen=True)
class FundMovements:
    """What a fund's journals add up to, in pence."""

    opened: int = 0
    committed: int = 0
    drawn: int = 0
    released: int = 0


def add(session: Session, row: object) -> None:
    """Keeps a new row, at once, so that rows which refer to it can follow."""
    session.add(row)
    session.flush()


def find_referral(session: Session, referral_id: ReferralId) -> Referral | None:
    return rows.find(session, Referral, referral_id)


def get_referral(session: Session, referral_id: ReferralId) -> Referral:
    return _required(find_referral(session, referral_id))


def find_match(session: Session, match_id: MatchId) -> Match | None:
    return rows.find(session, Match, match_id)


def matches_of(session: Session, referral_id: ReferralId) -> Sequence[Match]:
    """Every match of a referral, the earliest first."""
    return session.scalars(_MATCHES_OF, {"referral_id": referral_id}).all()


def find_current_match(session: Session, referral_id: ReferralId) -> Match | None:
    """The match that goes on: the latest of those that have not ended."""
    going_on = [match for match in matches_of(session, referral_id) if match.end_reason is None]
    return going_on[-1] if going_on else None


def find_therapist(session: Session, therapist_id: TherapistId) -> Therapist | None:
    return rows.find(session, Therapist, therapist_id)


def find_membership(session: Session, therapist_id: TherapistId) -> Membership | None:
    return rows.find(session, Membership, therapist_id)


def find_invoice(session: Session, invoice_id: InvoiceId) -> Invoice | None:
    """An invoice, locked, so that two payments can't both be the last."""
    return rows.lock(session, Invoice, invoice_id)


def get_invoice(session: Session, invoice_id: InvoiceId) -> Invoice:
    return _required(find_invoice(session, invoice_id))


def find_fee_invoice(session: Session, match_id: MatchId) -> Invoice | None:
    """The invoice for a match's referral fee, locked."""
    return session.scalars(_FEE_INVOICE, {"match_id": match_id}).one_or_none()


def invoices_of(session: Session, therapist_id: TherapistId) -> Sequence[Invoice]:
    """A therapist's invoices, the oldest first."""
    table = tables.invoice_table
    found = select(Invoice).where(table.c.therapist_id == therapist_id).order_by(table.c.issued_on, table.c.id)
    return session.scalars(found).all()


def add_credit_note(session: Session, id_: UUID, invoice: Invoice, pence: int, on: date) -> None:
    row = {"id": id_, "invoice_id": invoice.id, "amount_pence": pence, "issued_on": on}
    session.execute(tables.credit_note_table.insert(), row)


def find_payment(session: Session, invoice_id: InvoiceId, reference: str) -> Payment | None:
    table = tables.payment_table
    wanted = (table.c.invoice_id == invoice_id, table.c.reference == reference)
    row = session.execute(select(table.c.id, table.c.amount_pence).where(*wanted)).one_or_none()
    return Payment(row.id, row.amount_pence) if row else None


def add_payment(
    session: Session, payment: Payment, *, invoice_id: InvoiceId, reference: str, received_at: datetime
) -> None:
    row = {"id": payment.id, "amount_pence": payment.amount_pence, "received_at": received_at}
    session.execute(tables.payment_table.insert(), {**row, "invoice_id": invoice_id, "reference": reference})


def get_fund(session: Session, fund_id: FundId) -> Fund:
    """A fund, locked until the unit ends: nobody else moves its money meanwhile. Raises NotFound."""
    return _required(rows.lock(session, Fund, fund_id))


def find_fund_named(session: Session, name: str) -> Fund | None:
    return session.scalars(select(Fund).where(tables.fund_table.c.name == name)).one_or_none()


def open_funds(session: Session, *, on: date) -> Sequence[Fund]:
    """Every fund that is open on that day, locked in one order, so that two replicas can't wait for each other."""
    return session.scalars(_OPEN_FUNDS, {"on": on}).all()


def all_funds(session: Session) -> Sequence[Fund]:
    return session.scalars(select(Fund).order_by(tables.fund_table.c.ends_on, tables.fund_table.c.id)).all()


def find_award(session: Session, award_id: AwardId) -> Award | None:
    """An award, locked."""
    return rows.lock(session, Award, award_id)


def find_held_award(session: Session, referral_id: ReferralId) -> Award | None:
    """The referral's award that still has sessions to come, locked."""
    return session.scalars(_HELD_AWARD, {"referral_id": referral_id}).one_or_none()


def find_latest_award(session: Session, referral_id: ReferralId) -> Award | None:
    return session.scalars(_LATEST_AWARD, {"referral_id": referral_id}).one_or_none()


def held_awards_of(session: Session, fund_id: FundId) -> Sequence[Award]:
    table = tables.award_table
    found = select(Award).where(table.c.fund_id == fund_id, table.c.state == AwardState.HELD).order_by(table.c.id)
    return session.scalars(_locked(found)).all()


def received_by(session: Session, referral_id: ReferralId) -> Mapping[FundId, int]:
    """What each fund has paid for a client so far, in pence."""
    return {fund_id: int(pence) for fund_id, pence in session.execute(_RECEIVED, {"referral_id": referral_id})}


def find_place(session: Session, referral_id: ReferralId) -> WaitingPlace | None:
    return rows.find(session, WaitingPlace, referral_id)


def places_after(session: Session, after: tuple[datetime, ReferralId] | None, *, limit: int) -> Sequence[WaitingPlace]:
    """The next places of the subsidy waiting list, in the order in which they asked."""
    table = tables.waiting_table
    found = select(WaitingPlace).order_by(table.c.asked_at, table.c.referral_id).limit(limit)
    if after:
        asked_at, referral_id = after
        at_once = and_(table.c.asked_at == asked_at, table.c.referral_id > referral_id)
        found = found.where(or_(table.c.asked_at > asked_at, at_once))
    return session.scalars(found).all()


def is_any_due(session: Session, timers: Sequence[str], *, at: datetime) -> bool:
    """Whether one of these timers is due and has not fired yet."""
    return session.execute(_ANY_DUE, {"timers": timers, "at": at}).first() is not None


def add_session(
    session: Session, id_: UUID, *, match_id: MatchId, on: date, award_id: AwardId | None, drawn_pence: int
) -> None:
    row = {"id": id_, "match_id": match_id, "attended_on": on, "award_id": award_id, "drawn_pence": drawn_pence}
    session.execute(tables.session_table.insert(), row)


def has_session(session: Session, match_id: MatchId, on: date) -> bool:
    table = tables.session_table
    wanted = select(table.c.id).where(table.c.match_id == match_id, table.c.attended_on == on)
    return session.execute(wanted).first() is not None


def sessions_attended(session: Session, match_id: MatchId) -> int:
    table = tables.session_table
    counted = select(func.count()).select_from(table).where(table.c.match_id == match_id)
    return session.execute(counted).scalar_one()


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
    rows = session.execute(select(*by, func.sum(table.c.pence)).group_by(*by).order_by(*by))
    return TrialBalance({Account(kind, therapist, fund): int(pence) for kind, therapist, fund, pence in rows})


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
        drawn=by_kind.get(JournalKind.SUBSIDY_DRAWN_DOWN, 0),
        released=by_kind.get(JournalKind.SUBSIDY_RELEASED, 0),
    )


def _entry_rows(journal: Journal, journal_id: UUID) -> Iterable[dict[str, Any]]:
    for line, entry in enumerate(journal.entries, start=1):
        account = entry.account
        owners = {"therapist_id": account.therapist_id, "fund_id": account.fund_id}
        yield {"journal_id": journal_id, "line": line, "account": account.kind, "pence": entry.pence, **owners}


def _required(found: T | None) -> T:
    if found is None:
        raise NotFound("nothing of this identifier is kept here")
    return found
