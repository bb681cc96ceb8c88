"""What clients need of therapists, who is asked first, and indexes by which either finds the other.

Who waits already is found by a therapist with room as who begins to wait now is; whoever is in prison is offered no
session online from now on.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

NO, NONE, NO_LIST = sa.false(), "0", "[]"
INDEXES = {"duplicate_of": ["duplicate_of"], "waiting_needs": ["waiting_needs", "waiting_since", "id"]}


def upgrade() -> None:
    for table, columns in (("therapist", _therapists_columns()), ("referral", _referrals_columns())):
        for column in columns:
            op.add_column(table, column)
    op.create_index(op.f("ix_referral_person_id"), "referral", ["person_id"], unique=False)
    for name, found_by in INDEXES.items():
        there = sa.text(f"{name} IS NOT NULL")
        op.create_index(op.f(f"ix_referral_{name}"), "referral", found_by, sqlite_where=there, postgresql_where=there)
    op.create_index(op.f("ix_match_referral_id"), "match", ["referral_id"], unique=False)
    _create_index_of_therapists("therapist_group", sa.Column("client_group", sa.String(40), nullable=False), *_place())
    _create_index_of_therapists("therapist_language", sa.Column("language", sa.String(3), nullable=False))
    op.create_index(
        op.f("ix_therapist_group_client_group"),
        "therapist_group",
        ["client_group", "latitude", "longitude"],
        unique=False,
    )
    op.create_table(
        "opening",
        sa.Column("therapist_id", sa.Uuid(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tried_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tried_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(["therapist_id"], ["therapist.id"], name=op.f("fk_opening_therapist_id_therapist")),
        sa.PrimaryKeyConstraint("therapist_id", name=op.f("pk_opening")),
    )
    op.create_index(op.f("ix_opening_since"), "opening", ["since"], unique=False)
    op.create_table(
        "concern",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("referral_id", sa.Uuid(), nullable=False),
        sa.Column("immediate", sa.Boolean(), nullable=False),
        sa.Column("acknowledged", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_concern")),
    )
    op.create_index(op.f("ix_concern_referral_id"), "concern", ["referral_id"], unique=False)
    _fill_in()


def _create_index_of_therapists(table: str, found_by: sa.Column[Any], *others: sa.Column[Any]) -> None:
    op.create_table(
        table,
        found_by,
        sa.Column("therapist_id", sa.Uuid(), nullable=False),
        *others,
        sa.ForeignKeyConstraint(["therapist_id"], ["therapist.id"], name=op.f(f"fk_{table}_therapist_id_therapist")),
        sa.PrimaryKeyConstraint(found_by.name, "therapist_id", name=op.f(f"pk_{table}")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f(f"ix_{table}_therapist_id"), table, ["therapist_id"], unique=False)


def _therapists_columns() -> tuple[sa.Column[Any], ...]:
    return (
        sa.Column("works_with_interpreters", sa.Boolean(), nullable=False, server_default=NO),
        sa.Column("young_from_years", sa.Integer(), nullable=False, server_default=NONE),
        sa.Column("young_to_years", sa.Integer(), nullable=False, server_default="17"),
        sa.Column("away_until", sa.Date(), nullable=True),
        sa.Column("last_offered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expired_in_a_row", sa.Integer(), nullable=False, server_default=NONE),
        sa.Column("asked_last", sa.Boolean(), nullable=False, server_default=NO),
    )


def _referrals_columns() -> tuple[sa.Column[Any], ...]:
    return (
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("duplicate_of", sa.Uuid(), nullable=True),
        sa.Column("under_18", sa.Boolean(), nullable=False, server_default=NO),
        sa.Column("age_years", sa.Integer(), nullable=True),
        sa.Column("therapist_sex_only", sa.Boolean(), nullable=False, server_default=NO),
        sa.Column("required_languages", sa.JSON(), nullable=False, server_default=NO_LIST),
        sa.Column("preferred_languages", sa.JSON(), nullable=False, server_default=NO_LIST),
        sa.Column("interpreter_language", sa.String(length=3), nullable=True),
        sa.Column("most_per_session", sa.Integer(), nullable=True),
        sa.Column("online_allowed", sa.Boolean(), nullable=False, server_default=sa.true()),
        sa.Column("sought_at_release", sa.Boolean(), nullable=False, server_default=NO),
        sa.Column("assessment_sequence", sa.Integer(), nullable=False, server_default=NONE),
        sa.Column("concern_open", sa.Boolean(), nullable=False, server_default=NO),
        sa.Column("waited_seconds", sa.Integer(), nullable=False, server_default=NONE),
        sa.Column("stall_told", sa.Boolean(), nullable=False, server_default=NO),
        sa.Column("waiting_needs", sa.String(length=160), nullable=True),
    )


def _fill_in() -> None:
    op.execute("UPDATE referral SET person_id = id")
    op.execute(
        "UPDATE referral SET waiting_needs = client_group || '|' || competence"
        " || CASE WHEN work = 'couple' THEN '|couple' ELSE '|' END"
        " || CASE WHEN client_group = 'young_person' THEN '|young' ELSE '|' END || '||||'"
        " WHERE state = 'waiting' AND NOT on_hold AND competence IS NOT NULL"
    )
    op.execute(
        "UPDATE referral SET under_18 = (client_group = 'young_person'), online_allowed = (client_group <> 'in_prison')"
    )
    therapists = sa.table(
        "therapist",
        *(sa.column(name) for name in ("latitude", "longitude")),
        sa.column("id", sa.Uuid()),
        *(sa.column(name, sa.JSON()) for name in ("client_groups", "languages")),
    )
    groups = sa.table("therapist_group", sa.column("client_group"), sa.column("therapist_id", sa.Uuid()), *_place())
    languages = sa.table("therapist_language", sa.column("language"), sa.column("therapist_id", sa.Uuid()))
    for one in op.get_bind().execute(sa.select(therapists)).all():
        place = {"therapist_id": one.id, "latitude": one.latitude, "longitude": one.longitude}
        op.bulk_insert(groups, [{"client_group": group, **place} for group in sorted(set(one.client_groups))])
        op.bulk_insert(languages, [{"language": code, "therapist_id": one.id} for code in sorted(set(one.languages))])


def _place() -> tuple[sa.Column[Any], sa.Column[Any]]:
    return sa.Column("latitude", sa.Float(), nullable=True), sa.Column("longitude", sa.Float(), nullable=True)


def downgrade() -> None:
    for table in ("concern", "opening", "therapist_language", "therapist_group"):
        op.drop_table(table)
    op.drop_index(op.f("ix_match_referral_id"), table_name="match")
    for name in (*INDEXES, "person_id"):
        op.drop_index(op.f(f"ix_referral_{name}"), table_name="referral")
    for table, columns in (("therapist", _therapists_columns()), ("referral", _referrals_columns())):
        for column in columns:
            op.drop_column(table, column.name)
