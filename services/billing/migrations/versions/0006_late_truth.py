"""Money as it comes: awards' dates, people across referrals, payments and sessions that are taken back, credit.

A payment is no longer known by its reference, nor a session by its day, once one of them may be taken back; so their
tables are made anew, with what they held. What was paid is set against invoices by rows of its own from now on.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

INSTANT = sa.DateTime(timezone=True)
LONDON = ZoneInfo("Europe/London")
STANDS = sa.text("reversed_at IS NULL")
BEGIN_WITHIN, ASK_AFTER = timedelta(days=90), timedelta(days=30)
"""The policy's defaults, for awards and matches of before."""


def upgrade() -> None:
    _add_columns()
    _rebuild("attended_session", _create_sessions, {})
    _rebuild("credit_note", _create_credit_notes, {})
    _rebuild("payment", _create_payments, _payment_defaults())
    _create_allocations()
    _create_reversals()
    _date_awards()
    _allocate_payments()
    _set_timers()


def downgrade() -> None:
    """What was taken back is dropped, since the tables of before would take it for what stands."""
    for table in ("reversal", "allocation"):
        op.drop_table(table)
    for table, create in (
        ("attended_session", _create_sessions),
        ("credit_note", _create_credit_notes),
        ("payment", _create_payments),
    ):
        op.execute(f"DELETE FROM {table} WHERE reversed_at IS NOT NULL")  # noqa: S608 - our own names
        _rebuild(table, lambda create=create: create(before=True), {})
    op.execute("DELETE FROM timer WHERE name IN ('award_not_begun', 'ask_attendance', 'release_award')")
    for column in ("merged_into_id", "previous_id"):
        op.drop_index(f"ix_referral_{column}", "referral")
    for table, columns in ADDED.items():
        for column in columns:
            op.drop_column(table, column)


ADDED = {
    "referral": ("ended_at", "previous_id", "merged_into_id", "least_fee_pence"),
    "therapist": ("credit_pence",),
    "match": ("ended_at", "attendance_asked_at", "never_attended_at", "never_attended_by"),
    "fund": ("further_awards",),
    "award": ("starts_on", "pays_until", "new_person"),
    "subsidy_waiting_list": ("allowed_by",),
}


def _add_columns() -> None:
    for name, type_ in (("ended_at", INSTANT), ("previous_id", sa.Uuid()), ("merged_into_id", sa.Uuid())):
        op.add_column("referral", sa.Column(name, type_))
    op.add_column("referral", sa.Column("least_fee_pence", sa.Integer()))
    op.create_index("ix_referral_previous_id", "referral", ["previous_id"])
    op.create_index("ix_referral_merged_into_id", "referral", ["merged_into_id"])
    op.add_column("therapist", sa.Column("credit_pence", sa.Integer(), nullable=False, server_default="0"))
    for name in ("ended_at", "attendance_asked_at", "never_attended_at"):
        op.add_column("match", sa.Column(name, INSTANT))
    op.add_column("match", sa.Column("never_attended_by", sa.String(120)))
    op.add_column("fund", sa.Column("further_awards", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("award", sa.Column("starts_on", sa.Date(), nullable=False, server_default="1970-01-01"))
    op.add_column("award", sa.Column("pays_until", sa.Date()))
    op.add_column("award", sa.Column("new_person", sa.Boolean(), nullable=False, server_default=sa.true()))
    op.add_column("subsidy_waiting_list", sa.Column("allowed_by", sa.String(120)))


def _rebuild(name: str, create: Any, added: dict[Any, dict[str, Any]]) -> None:
    """Makes a table anew and puts its rows back, each with what was added for it."""
    bind = op.get_bind()
    rows = [dict(row) for row in bind.execute(sa.select(_reflected(name))).mappings()]
    op.drop_table(name)
    create()
    if rows:
        made = _reflected(name)
        whole = [{**row, **added.get(row["id"], {})} for row in rows]
        bind.execute(made.insert(), [{name: value for name, value in row.items() if name in made.c} for row in whole])


def _create_sessions(*, before: bool = False) -> None:
    op.create_table(
        "attended_session",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("match_id", sa.Uuid(), nullable=False),
        sa.Column("attended_on", sa.Date(), nullable=False),
        sa.Column("award_id", sa.Uuid()),
        sa.Column("drawn_pence", sa.Integer(), nullable=False),
        *([] if before else [sa.Column("reversed_at", INSTANT)]),
        sa.CheckConstraint("drawn_pence >= 0", name=op.f("ck_attended_session_drawn_pence")),
        sa.ForeignKeyConstraint(["award_id"], ["award.id"], name="fk_attended_session_award_id_award"),
        sa.ForeignKeyConstraint(["match_id"], ["match.id"], name="fk_attended_session_match_id_match"),
        sa.PrimaryKeyConstraint("id", name="pk_attended_session"),
        *([sa.UniqueConstraint("match_id", "attended_on", name="uq_attended_session_match_id")] if before else []),
    )
    if before:
        return
    _unique_while_it_stands("uq_attended_session_stands", "attended_session", ["match_id", "attended_on"])
    op.create_index("ix_attended_session_match_id", "attended_session", ["match_id"])


def _create_credit_notes(*, before: bool = False) -> None:
    op.create_table(
        "credit_note",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("invoice_id", sa.Uuid(), nullable=False),
        sa.Column("amount_pence", sa.Integer(), nullable=False),
        sa.Column("issued_on", sa.Date(), nullable=False),
        *([] if before else [sa.Column("reversed_at", INSTANT)]),
        sa.CheckConstraint("amount_pence > 0", name=op.f("ck_credit_note_amount_pence")),
        sa.ForeignKeyConstraint(["invoice_id"], ["invoice.id"], name="fk_credit_note_invoice_id_invoice"),
        sa.PrimaryKeyConstraint("id", name="pk_credit_note"),
        *([sa.UniqueConstraint("invoice_id", name="uq_credit_note_invoice_id")] if before else []),
    )
    if before:
        return
    _unique_while_it_stands("uq_credit_note_stands", "credit_note", ["invoice_id"])


def _create_payments(*, before: bool = False) -> None:
    if before:
        _create_payments_of_before()
        return
    op.create_table(
        "payment",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("therapist_id", sa.Uuid(), nullable=False),
        sa.Column("invoice_id", sa.Uuid(), nullable=False),
        sa.Column("reference", sa.String(64), nullable=False),
        sa.Column("bank_id", sa.String(64)),
        sa.Column("paid_on", sa.Date(), nullable=False),
        sa.Column("amount_pence", sa.Integer(), nullable=False),
        sa.Column("received_at", INSTANT, nullable=False),
        sa.Column("reversed_at", INSTANT),
        sa.CheckConstraint("amount_pence > 0", name=op.f("ck_payment_amount_pence")),
        sa.ForeignKeyConstraint(["invoice_id"], ["invoice.id"], name="fk_payment_invoice_id_invoice"),
        sa.ForeignKeyConstraint(["therapist_id"], ["therapist.id"], name="fk_payment_therapist_id_therapist"),
        sa.PrimaryKeyConstraint("id", name="pk_payment"),
        sa.UniqueConstraint("bank_id", name="uq_payment_bank_id"),
    )
    op.create_index("ix_payment_therapist_id", "payment", ["therapist_id"])
    op.create_index("ix_payment_invoice_id", "payment", ["invoice_id"])


def _create_payments_of_before() -> None:
    op.create_table(
        "payment",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("invoice_id", sa.Uuid(), nullable=False),
        sa.Column("reference", sa.String(64), nullable=False),
        sa.Column("amount_pence", sa.Integer(), nullable=False),
        sa.Column("received_at", INSTANT, nullable=False),
        sa.CheckConstraint("amount_pence > 0", name=op.f("ck_payment_amount_pence")),
        sa.ForeignKeyConstraint(["invoice_id"], ["invoice.id"], name="fk_payment_invoice_id_invoice"),
        sa.PrimaryKeyConstraint("id", name="pk_payment"),
        sa.UniqueConstraint("invoice_id", "reference", name="uq_payment_invoice_id"),
    )


def _create_allocations() -> None:
    op.create_table(
        "allocation",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("payment_id", sa.Uuid(), nullable=False),
        sa.Column("invoice_id", sa.Uuid(), nullable=False),
        sa.Column("pence", sa.Integer(), nullable=False),
        sa.Column("made_at", INSTANT, nullable=False),
        sa.CheckConstraint("pence <> 0", name=op.f("ck_allocation_pence")),
        sa.ForeignKeyConstraint(["invoice_id"], ["invoice.id"], name="fk_allocation_invoice_id_invoice"),
        sa.ForeignKeyConstraint(["payment_id"], ["payment.id"], name="fk_allocation_payment_id_payment"),
        sa.PrimaryKeyConstraint("id", name="pk_allocation"),
    )
    op.create_index("ix_allocation_payment_id", "allocation", ["payment_id"])
    op.create_index("ix_allocation_invoice_id", "allocation", ["invoice_id"])


def _create_reversals() -> None:
    op.create_table(
        "reversal",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("reversed_at", INSTANT, nullable=False),
        sa.Column("reversed_by", sa.String(120), nullable=False),
        sa.Column("reason", sa.String(40), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_reversal"),
    )


def _payment_defaults() -> dict[Any, dict[str, Any]]:
    payment, invoice = _reflected("payment"), _reflected("invoice")
    found = op.get_bind().execute(
        sa.select(payment.c.id, payment.c.received_at, invoice.c.therapist_id).join(
            invoice, invoice.c.id == payment.c.invoice_id
        )
    )
    return {row.id: {"therapist_id": row.therapist_id, "paid_on": _day(row.received_at)} for row in found}


def _date_awards() -> None:
    bind, award = op.get_bind(), _reflected("award")
    for id_, approved_at in bind.execute(sa.select(award.c.id, award.c.approved_at)).all():
        bind.execute(award.update().where(award.c.id == id_).values(starts_on=_day(approved_at)))


def _allocate_payments() -> None:
    """Each payment paid its own invoice; what has been given back since stands to the payer's credit."""
    bind = op.get_bind()
    payment, invoice, therapist = _reflected("payment"), _reflected("invoice"), _reflected("therapist")
    allocation = _reflected("allocation")
    overpaid = {
        row.id: row.paid_pence + row.credited_pence - row.amount_pence
        for row in bind.execute(sa.select(invoice))
        if row.paid_pence + row.credited_pence > row.amount_pence
    }
    for row in bind.execute(sa.select(payment).order_by(payment.c.received_at.desc())).all():
        freed = min(overpaid.get(row.invoice_id, 0), row.amount_pence)
        _allocate(allocation, row, row.amount_pence)
        if not freed:
            continue
        overpaid[row.invoice_id] -= freed
        _allocate(allocation, row, -freed)
        given_up = {invoice.c.paid_pence: invoice.c.paid_pence - freed}
        bind.execute(invoice.update().where(invoice.c.id == row.invoice_id).values(given_up))
        gained = {therapist.c.credit_pence: therapist.c.credit_pence + freed}
        bind.execute(therapist.update().where(therapist.c.id == row.therapist_id).values(gained))


def _allocate(allocation: sa.Table, payment: Any, pence: int) -> None:
    row = {"payment_id": payment.id, "invoice_id": payment.invoice_id, "made_at": payment.received_at}
    op.get_bind().execute(allocation.insert(), {"id": uuid4(), "pence": pence, **row})


def _set_timers() -> None:
    """Awards that have not begun and matches of which nothing is on record are looked after like new ones."""
    bind, award, match, session = (op.get_bind(), *map(_reflected, ("award", "match", "attended_session")))
    begun = sa.select(award.c.id, award.c.approved_at).where(award.c.state == "held", award.c.sessions_used == 0)
    for id_, approved_at in bind.execute(begun).all():
        _set_timer("award_not_begun", id_, approved_at + BEGIN_WITHIN)
    met = sa.select(session.c.match_id)
    unknown = sa.select(match.c.id, match.c.matched_at).where(
        match.c.id.not_in(met), sa.or_(match.c.end_reason.is_(None), match.c.end_reason == "client_unhappy")
    )
    for id_, matched_at in bind.execute(unknown).all():
        _set_timer("ask_attendance", id_, matched_at + ASK_AFTER)


def _set_timer(name: str, key: Any, due_at: datetime) -> None:
    row = {"name": name, "key": str(key), "due_at": due_at, "data": {}, "attempts": 0}
    op.get_bind().execute(_reflected("timer").insert(), row)


def _day(moment: datetime) -> Any:
    return moment.astimezone(LONDON).date()


def _unique_while_it_stands(name: str, table: str, columns: list[str]) -> None:
    op.create_index(name, table, columns, unique=True, sqlite_where=STANDS, postgresql_where=STANDS)


COLUMNS: dict[str, Any] = {
    "id": sa.Uuid(),
    "match_id": sa.Uuid(),
    "award_id": sa.Uuid(),
    "invoice_id": sa.Uuid(),
    "payment_id": sa.Uuid(),
    "therapist_id": sa.Uuid(),
    "data": sa.JSON(),
    **dict.fromkeys(("received_at", "approved_at", "matched_at", "made_at", "due_at", "reversed_at"), INSTANT),
}
"""The types of columns that a database doesn't tell by itself."""


def _reflected(name: str) -> sa.Table:
    """The table as it is at this moment of the migration."""
    bind = op.get_bind()
    columns = sa.inspect(bind).get_columns(name)
    return sa.Table(
        name, sa.MetaData(), *(sa.Column(one["name"], COLUMNS.get(one["name"], one["type"])) for one in columns)
    )
