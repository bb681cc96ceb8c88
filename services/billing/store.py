"""What billing keeps, and how it is found. `get_…` raises, `find_…` may return None."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import Select, and_, bindparam, func, or_, select
from sqlalchemy.orm import Session

from chassis.store import identity_map
from chassis.store.prepared import prepared
from contracts.vocabulary import (
    AwardId,
    CreditNoteId,
    FundId,
    InvoiceId,
    MatchEndReason,
    MatchId,
    PaymentId,
    ReferralId,
    SessionId,
    TherapistId,
)
from services.billing import tables
from services.billing.domain.awards import Award, AwardState
from services.billing.domain.fees import Ending
from services.billing.domain.funds import Fund
from services.billing.domain.invoices import Invoice
from services.billing.domain.ledger import Account, AccountKind, Journal, JournalKind, TrialBalance
from services.billing.domain.membership import Membership
from services.billing.tables import AttendedSession, Match, Payment, Referral, Therapist, WaitingPlace

metadata = tables.metadata

T = TypeVar("T")
StatementT = TypeVar("StatementT", bound=Select[Any])


def _locked(found: StatementT) -> StatementT:
    """Read afresh as well as locked: what the session remembers may be older than what it waited for."""
    return found.with_for_update().execution_options(populate_existing=True)


# What every match or assessment asks is built once. The statements name their parameters.
_award, _fund, _invoice, _match, _session, _referral = (
    tables.award_table.c,
    tables.fund_table.c,
    tables.invoice_table.c,
    tables.match_table.c,
    tables.session_table.c,
    tables.referral_table.c,
)
_timer = metadata.tables["timer"].c
_of_referral = _award.referral_id == bindparam("referral_id")
_MATCHES_OF = prepared(
    select(Match).where(_match.referral_id == bindparam("referral_id")).order_by(_match.matched_at, _match.id)
)
_SESSIONS_ATTENDED = prepared(
    select(func.count())
    .select_from(tables.session_table)
    .where(_session.match_id == bindparam("match_id"), _session.reversed_at.is_(None))
)
_FEE_INVOICE = prepared(_locked(select(Invoice).where(_invoice.match_id == bindparam("match_id"))))
_OPEN_FUNDS = prepared(
    _locked(select(Fund).where(_fund.starts_on <= bindparam("on"), _fund.ends_on >= bindparam("on")).order_by(_fund.id))
)
_HELD_AWARD = prepared(_locked(select(Award).where(_of_referral, _award.state == AwardState.HELD)))
_LATEST_AWARD = prepared(
    select(Award).where(_of_referral).order_by(_award.approved_at.desc(), _award.id.desc()).limit(1)
)
_SAME_PERSON = select(_referral.id, _referral.previous_id, _referral.merged_into_id).where(
    or_(
        _referral.id.in_(bindparam("known", expanding=True)),
        _referral.previous_id.in_(bindparam("known", expanding=True)),
        _referral.merged_into_id.in_(bindparam("known", expanding=True)),
    )
)
_promised = func.sum(_award.committed_pence - _award.released_pence)
_RECEIVED = (
    select(_award.fund_id, _promised)
    .where(_award.referral_id.in_(bindparam("referral_ids", expanding=True)))
    .group_by(_award.fund_id)
    .having(_promised > 0)
)
_ANY_DUE = (
    select(_timer.name)
    .where(_timer.name.in_(bindparam("timers", expanding=True)), _timer.due_at <= bindparam("at"))
    .limit(1)
)
_NEW_JOURNAL, _NEW_ENTRY = prepared(tables.journal_table.insert()), prepared(tables.entry_table.insert())


class NotFound(LookupError):
    """Nothing of this identifier is kept here."""


@dataclass(frozen=True)
class Reversal:
    """Who took something back, when and why."""

    at: datetime
    by: str
    reason: str


@dataclass(frozen=True)
class FundMovements:
    """What a fund's journals add up to, in pence; `drawn` without what was drawn for sessions taken back."""

    opened: int = 0
    committed: int = 0
    drawn: int = 0
    released: int = 0


def add(session: Session, row: object) -> None:
    """Keeps a new row, at once, so that rows which refer to it can follow."""
    session.add(row)
    session.flush()


def find_referral(session: Session, referral_id: ReferralId) -> Referral | None:
    return identity_map.find(session, Referral, referral_id)


def get_referral(session: Session, referral_id: ReferralId) -> Referral:
    return _required(find_referral(session, referral_id))


def find_match(session: Session, match_id: MatchId) -> Match | None:
    return identity_map.find(session, Match, match_id)


def matches_of(session: Session, referral_id: ReferralId) -> Sequence[Match]:
    """Every match of a referral, the earliest first."""
    return session.scalars(_MATCHES_OF, {"referral_id": referral_id}).all()


def find_current_match(session: Session, referral_id: ReferralId) -> Match | None:
    """The match that goes on: the latest of those that have not ended."""
    going_on = [match for match in matches_of(session, referral_id) if match.end_reason is None]
    return going_on[-1] if going_on else None


def find_match_on(
    session: Session, referral_id: ReferralId, day: date, match_id: MatchId | None = None
) -> Match | None:
    """The match in which client and therapist could meet on that day, locked, so that no session is noted twice.

    The latest of several, or the one that is named.
    """
    possible = [one for one in matches_of(session, referral_id) if one.covers(day) and match_id in (None, one.id)]
    match = identity_map.lock(session, Match, possible[-1].id) if possible else None
    return match if match and match.covers(day) else None


def unrecorded_matches(session: Session, *, matched_before: datetime, limit: int) -> Sequence[Match]:
    """Matches of which nobody knows whether client and therapist have met, the oldest first.

    Those made before a moment, and those that have ended in another way than one that tells.
    """
    met = select(_session.match_id).where(_session.reversed_at.is_(None))
    ended_silently = _match.end_reason.in_((MatchEndReason.WITHDRAWN, MatchEndReason.CLIENT_UNHAPPY))
    going_on = and_(_match.end_reason.is_(None), _match.matched_at < matched_before)
    closed = select(_referral.id).where(_referral.ending == Ending.CLOSED)
    charged = select(_invoice.match_id).where(_invoice.match_id.is_not(None), _invoice.credited_pence == 0)
    found = (
        select(Match)
        .where(
            _match.id.not_in(met),
            _match.id.in_(charged),
            _match.referral_id.not_in(closed),
            _match.never_attended_at.is_(None),
            or_(ended_silently, going_on),
        )
        .order_by(_match.matched_at, _match.id)
        .limit(limit)
    )
    return session.scalars(found).all()


def get_match(session: Session, match_id: MatchId) -> Match:
    return _required(find_match(session, match_id))


def lock_match(session: Session, match_id: MatchId) -> Match | None:
    return identity_map.lock(session, Match, match_id)


def find_therapist(session: Session, therapist_id: TherapistId) -> Therapist | None:
    return identity_map.find(session, Therapist, therapist_id)


def lock_therapist(session: Session, therapist_id: TherapistId) -> Therapist:
    """A therapist, locked, so that no credit of theirs is set against two invoices. Raises NotFound."""
    return _required(identity_map.lock(session, Therapist, therapist_id))


def find_membership(session: Session, therapist_id: TherapistId) -> Membership | None:
    return identity_map.find(session, Membership, therapist_id)


def find_invoice(session: Session, invoice_id: InvoiceId) -> Invoice | None:
    """An invoice, not locked: its therapist is."""
    return identity_map.find(session, Invoice, invoice_id)


def lock_invoice(session: Session, invoice_id: InvoiceId) -> Invoice:
    """An invoice, locked. Raises NotFound."""
    return _required(identity_map.lock(session, Invoice, invoice_id))


def find_fee_invoice(session: Session, match_id: MatchId) -> Invoice | None:
    """The invoice for a match's referral fee, locked."""
    return session.scalars(_FEE_INVOICE, {"match_id": match_id}).one_or_none()


def invoices_of(session: Session, therapist_id: TherapistId) -> Sequence[Invoice]:
    """A therapist's invoices, the oldest first."""
    table = tables.invoice_table
    found = select(Invoice).where(table.c.therapist_id == therapist_id).order_by(table.c.issued_on, table.c.id)
    return session.scalars(found).all()


def lock_unsettled(session: Session, therapist_id: TherapistId) -> Sequence[Invoice]:
    """What a therapist still owes, locked, the oldest first."""
    owed = _invoice.amount_pence > _invoice.paid_pence + _invoice.credited_pence
    found = select(Invoice).where(_invoice.therapist_id == therapist_id, owed)
    return session.scalars(_locked(found.order_by(_invoice.issued_on, _invoice.id))).all()


def add_credit_note(session: Session, id_: UUID, invoice: Invoice, pence: int, on: date) -> None:
    row = {"id": id_, "invoice_id": invoice.id, "amount_pence": pence, "issued_on": on}
    session.execute(tables.credit_note_table.insert(), row)


def reverse_credit_note(session: Session, invoice: Invoice, *, at: datetime) -> CreditNoteId:
    """Marks the credit note that stands as taken back; its identifier."""
    table = tables.credit_note_table
    stands = (table.c.invoice_id == invoice.id, table.c.reversed_at.is_(None))
    id_: CreditNoteId = session.execute(select(table.c.id).where(*stands)).scalar_one()
    session.execute(table.update().where(table.c.id == id_).values(reversed_at=at))
    return id_


def find_payment(session: Session, payment_id: PaymentId) -> Payment | None:
    """A payment, locked."""
    return identity_map.lock(session, Payment, payment_id)


def find_payment_at_bank(session: Session, bank_id: str) -> Payment | None:
    """The payment that the bank knows by this. If there is none, nobody else adds it until the unit ends."""
    identity_map.lock_key(session, Payment, bank_id)
    return session.scalars(select(Payment).where(tables.payment_table.c.bank_id == bank_id)).one_or_none()


def lock_payment_id(session: Session, payment_id: PaymentId) -> None:
    """Lets nobody else add a payment of this identifier until the unit ends."""
    identity_map.lock_key(session, Payment, payment_id)


def find_same_payment(
    session: Session, invoice_id: InvoiceId, *, reference: str, paid_on: date, pence: int
) -> Payment | None:
    """A payment that stands and looks the same, of those without an identifier of the bank's."""
    table = tables.payment_table.c
    same = (table.invoice_id == invoice_id, table.reference == reference, table.amount_pence == pence)
    stands = (table.paid_on == paid_on, table.bank_id.is_(None), table.reversed_at.is_(None))
    return session.scalars(select(Payment).where(*same, *stands).order_by(table.received_at).limit(1)).one_or_none()


def spare_payments(session: Session, therapist_id: TherapistId) -> Sequence[tuple[PaymentId, int]]:
    """The therapist's payments of which something is in no invoice yet, the oldest first, and how much."""
    payment, allocation = tables.payment_table.c, tables.allocation_table.c
    used = select(allocation.payment_id, func.sum(allocation.pence).label("pence")).group_by(allocation.payment_id)
    theirs = select(payment.id).where(payment.therapist_id == therapist_id)
    used_up = used.where(allocation.payment_id.in_(theirs)).subquery()
    spare = payment.amount_pence - func.coalesce(used_up.c.pence, 0)
    found = (
        select(payment.id, spare)
        .outerjoin(used_up, used_up.c.payment_id == payment.id)
        .where(payment.therapist_id == therapist_id, payment.reversed_at.is_(None), spare > 0)
        .order_by(payment.received_at, payment.id)
    )
    return [(payment_id, int(pence)) for payment_id, pence in session.execute(found)]


def allocated(
    session: Session, *, payment_id: PaymentId | None = None, invoice_id: InvoiceId | None = None
) -> Sequence[tuple[PaymentId, InvoiceId, int]]:
    """What of a payment is in which invoices, or of which payments in an invoice; the newest first."""
    table = tables.allocation_table.c
    pence = func.sum(table.pence)
    wanted = table.payment_id == payment_id if payment_id else table.invoice_id == invoice_id
    found = (
        select(table.payment_id, table.invoice_id, pence)
        .where(wanted)
        .group_by(table.payment_id, table.invoice_id)
        .having(pence > 0)
        .order_by(func.max(table.made_at).desc(), table.payment_id, table.invoice_id)
    )
    return [(payment, invoice, int(sum_)) for payment, invoice, sum_ in session.execute(found)]


def allocate(
    session: Session, id_: UUID, *, payment_id: PaymentId, invoice_id: InvoiceId, pence: int, at: datetime
) -> None:
    row = {"id": id_, "payment_id": payment_id, "invoice_id": invoice_id, "pence": pence, "made_at": at}
    session.execute(tables.allocation_table.insert(), row)


def find_reversal(session: Session, id_: UUID) -> Reversal | None:
    """Who took the payment or session of this identifier back."""
    table = tables.reversal_table.c
    found = session.execute(select(table.reversed_at, table.reversed_by, table.reason).where(table.id == id_))
    row = found.one_or_none()
    return Reversal(row.reversed_at, row.reversed_by, row.reason) if row else None


def add_reversal(session: Session, id_: UUID, reversal: Reversal) -> None:
    row = {"id": id_, "reversed_at": reversal.at, "reversed_by": reversal.by, "reason": reversal.reason}
    session.execute(tables.reversal_table.insert(), row)


def get_fund(session: Session, fund_id: FundId) -> Fund:
    """A fund, locked until the unit ends: nobody else moves its money meanwhile. Raises NotFound."""
    return _required(identity_map.lock(session, Fund, fund_id))


def find_fund_named(session: Session, name: str) -> Fund | None:
    """The fund of this name. If there is none, nobody else opens one until the unit ends."""
    identity_map.lock_key(session, Fund, name)
    return session.scalars(select(Fund).where(tables.fund_table.c.name == name)).one_or_none()


def open_funds(session: Session, *, on: date) -> Sequence[Fund]:
    """Every fund that is open on that day, locked in one order, so that two replicas can't wait for each other."""
    return session.scalars(_OPEN_FUNDS, {"on": on}).all()


def all_funds(session: Session) -> Sequence[Fund]:
    return session.scalars(select(Fund).order_by(tables.fund_table.c.ends_on, tables.fund_table.c.id)).all()


def find_award(session: Session, award_id: AwardId) -> Award | None:
    """An award, locked."""
    return identity_map.lock(session, Award, award_id)


def find_held_award(session: Session, referral_id: ReferralId) -> Award | None:
    """The referral's award that still has sessions to come, locked."""
    return session.scalars(_HELD_AWARD, {"referral_id": referral_id}).one_or_none()


def find_latest_award(session: Session, referral_id: ReferralId) -> Award | None:
    return session.scalars(_LATEST_AWARD, {"referral_id": referral_id}).one_or_none()


def paying_award_of(session: Session, referral_id: ReferralId, day: date) -> Award | None:
    """The award that a session of that day would draw down: it holds money and covers the day."""
    holding = _award.state.in_((AwardState.HELD, AwardState.CLOSING))
    awards = session.scalars(_locked(select(Award).where(_award.referral_id == referral_id, holding)))
    return next((award for award in awards.all() if award.covers(day)), None)


def closing_awards_of(session: Session, referral_id: ReferralId) -> Sequence[Award]:
    """Those whose money is reserved for sessions that took place and are still to be reported, the oldest first."""
    found = select(Award).where(_award.referral_id == referral_id, _award.state == AwardState.CLOSING)
    return session.scalars(_locked(found.order_by(_award.approved_at, _award.id))).all()


def held_awards_of(session: Session, fund_id: FundId) -> Sequence[Award]:
    table = tables.award_table
    found = select(Award).where(table.c.fund_id == fund_id, table.c.state == AwardState.HELD).order_by(table.c.id)
    return session.scalars(_locked(found)).all()


def same_person(session: Session, referral_id: ReferralId) -> frozenset[ReferralId]:
    """Every referral of the person whose referral this is: those taken up again, and those merged into one another."""
    known = frozenset({referral_id})
    while True:
        found = session.execute(_SAME_PERSON, {"known": sorted(known)})
        more = known | {one for row in found for one in row if one is not None}
        if more == known:
            return known
        known = more


def received_by(session: Session, referral_ids: Iterable[ReferralId]) -> Mapping[FundId, int]:
    """What each fund has paid or promised to a client on these referrals, in pence; no fund that gave nothing."""
    found = session.execute(_RECEIVED, {"referral_ids": sorted(referral_ids)})
    return {fund_id: int(pence) for fund_id, pence in found}


def referrals_that_fit_nobody(session: Session, *, above_pence: int) -> Sequence[Referral]:
    """Those for whom every therapist within reach costs more than `above_pence`, as far as is known."""
    return session.scalars(select(Referral).where(_referral.least_fee_pence > above_pence)).all()


def find_place(session: Session, referral_id: ReferralId) -> WaitingPlace | None:
    return identity_map.find(session, WaitingPlace, referral_id)


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


def has_session(session: Session, match_id: MatchId, on: date) -> bool:
    stands = (_session.match_id == match_id, _session.attended_on == on, _session.reversed_at.is_(None))
    return session.execute(select(_session.id).where(*stands)).first() is not None


def sessions_attended(session: Session, match_id: MatchId) -> int:
    """How many sessions are on record and were not taken back."""
    session.flush()
    return int(session.execute(_SESSIONS_ATTENDED, {"match_id": match_id}).scalar_one())


def find_session(session: Session, session_id: SessionId) -> AttendedSession | None:
    """A session, locked."""
    return identity_map.lock(session, AttendedSession, session_id)


def last_session_of(session: Session, award_id: AwardId) -> date | None:
    """The day of the last session that an award paid."""
    wanted = select(func.max(_session.attended_on)).where(_session.award_id == award_id, _session.reversed_at.is_(None))
    last: date | None = session.execute(wanted).scalar_one()
    return last


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


def _required(found: T | None) -> T:
    if found is None:
        raise NotFound("nothing of this identifier is kept here")
    return found
