"""The chassis's own tables, which every service's database has beside the service's own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    JSON,
    Column,
    DateTime,
    Dialect,
    Enum,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    Uuid,
)

from chassis.store.append_only import forbid_changes

NAMING = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
"""Constraint names that are the same on every database, so that a migration can name them."""


class Instant(TypeDecorator[datetime]):
    """An aware datetime, stored in UTC on databases that store no time zone. Refuses naive values."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive datetime can't be stored")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def code(vocabulary: type[StrEnum]) -> Enum:
    """A column of a closed vocabulary, stored by its public values, with room for longer ones."""
    return Enum(vocabulary, native_enum=False, length=40, values_callable=lambda cls: [member.value for member in cls])


@dataclass(frozen=True)
class ChassisTables:
    """The tables that the unit of work, the relay and the schedule use."""

    inbox: Table
    outbox: Table
    subject_sequence: Table
    timer: Table
    story: Table
    attempt: Table
    audit_entry: Table
    received_command: Table


def chassis_tables(metadata: MetaData) -> ChassisTables:
    """Adds the chassis's tables to a service's metadata, or finds them there."""
    if "outbox" not in metadata.tables:
        _define(metadata)
    return ChassisTables(**{name: metadata.tables[name] for name in ChassisTables.__dataclass_fields__})


def new_metadata() -> MetaData:
    """A service's metadata, with the chassis's tables in it."""
    metadata = MetaData(naming_convention=NAMING)
    chassis_tables(metadata)
    return metadata


def data_key_table(metadata: MetaData) -> Table:
    """The wrapped data keys of the people whose personal data this service holds; see `chassis.privacy.vault`."""
    return Table(
        "data_key",
        metadata,
        Column("subject_id", Uuid, primary_key=True),
        Column("wrapped", LargeBinary, nullable=False),
        Column("created_at", Instant, nullable=False),
    )


# SQLite keeps a table without rowids in its primary key's own tree: one page less to write for every small row.
def _define(metadata: MetaData) -> None:
    Table(
        "inbox",
        metadata,
        Column("message_id", Uuid, primary_key=True),
        Column("handled_at", Instant, nullable=False),
        sqlite_with_rowid=False,
    )
    Table(
        "outbox",
        metadata,
        Column("id", Uuid, primary_key=True),
        Column("exchange", String(100), nullable=False),
        Column("routing_key", String(100), nullable=False),
        Column("headers", JSON, nullable=False),
        Column("body", Text, nullable=False),
        Column("created_at", Instant, nullable=False),
    )
    Table(
        "subject_sequence",
        metadata,
        Column("subject_id", Uuid, primary_key=True),
        Column("last", Integer, nullable=False),
        sqlite_with_rowid=False,
    )
    Table(
        "timer",
        metadata,
        Column("name", String(64), primary_key=True),
        Column("key", String(64), primary_key=True),
        Column("due_at", Instant, nullable=False),
        Column("data", JSON, nullable=False),
        Column("attempts", Integer, nullable=False, default=0),
        Column("counted_from", Instant),  # for a timer with a duration: when the duration started
        Index(None, "due_at"),
    )
    _define_story(metadata)
    Table(
        "attempt",  # see `chassis.store.attempts`
        metadata,
        Column("message_id", Uuid, primary_key=True),
        Column("tries", Integer, nullable=False),
        Column("first_at", Instant, nullable=False),
    )
    _define_audit(metadata)
    _define_received_commands(metadata)


def _define_story(metadata: MetaData) -> None:
    """Which events were emitted about a referral, what led to each, and when; see `chassis.store.event_log`."""
    Table(
        "story",
        metadata,
        Column("event_id", Uuid, primary_key=True),
        Column("type", String(100), nullable=False),
        Column("referral_id", Uuid, nullable=False, index=True),
        Column("correlation_id", Uuid, nullable=False, index=True),
        Column("causation_id", Uuid),
        Column("emitted_at", Instant, nullable=False),
        sqlite_with_rowid=False,
    )


def _define_audit(metadata: MetaData) -> None:
    """Who did what about whom, chained by hash; see `chassis.audit.chain`."""
    audit = Table(
        "audit_entry",
        metadata,
        Column("sequence", Integer, primary_key=True, autoincrement=False),
        Column("at", Instant, nullable=False),
        Column("who", String(120), nullable=False),
        Column("what", String(40), nullable=False),
        Column("subject_id", Uuid, index=True),
        Column("reason", String(64)),
        Column("previous", String(64), nullable=False),
        Column("hash", String(64), nullable=False),
    )
    forbid_changes(audit, "audit entries are only ever added", ("sequence",))


def _define_received_commands(metadata: MetaData) -> None:
    """Signed commands that were carried out, with their answers; see `chassis.access.once`."""
    Table(
        "received_command",
        metadata,
        Column("command_id", Uuid, primary_key=True),
        Column("who", String(120), nullable=False),
        Column("command", String(60), nullable=False),
        Column("digest", String(64), nullable=False),
        Column("signed_at", Instant, nullable=False),  # of the newest token
        Column("received_at", Instant, nullable=False),
        Column("answer", JSON),
        sqlite_with_rowid=False,
    )


Row = dict[str, Any]
