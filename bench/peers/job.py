"""What every peer does with a message: validate it, write one row idempotently and commit, say what follows.

`python -m bench.peers.job` makes the table in the database that DATABASE_URL names.
"""

from __future__ import annotations

import os
import sqlite3
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from marshmallow import EXCLUDE, Schema, fields, validate
from sqlalchemy import DateTime, Engine, String, create_engine, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column


class Base(DeclarativeBase):
    pass


class Attendance(Base):
    __tablename__ = "attendance"

    attendance_id: Mapped[UUID] = mapped_column(primary_key=True)
    referral_id: Mapped[UUID]
    therapist_id: Mapped[UUID]
    attended_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    outward_code: Mapped[str] = mapped_column(String(4))
    sessions: Mapped[str] = mapped_column(String(40))
    fee_pence: Mapped[int]
    note: Mapped[str] = mapped_column(String(500))


class AttendanceSchema(Schema):
    """The same checks as those of `bench/ours/services/bench/events.py`."""

    class Meta:
        unknown = EXCLUDE

    attendance_id = fields.UUID(required=True)
    referral_id = fields.UUID(required=True)
    therapist_id = fields.UUID(required=True)
    attended_at = fields.AwareDateTime(required=True)
    outward_code = fields.String(required=True, validate=validate.Regexp(r"^[A-Z]{1,2}[0-9][A-Z0-9]?$"))
    sessions = fields.String(required=True, validate=validate.OneOf(("in_person", "online", "either")))
    fee_pence = fields.Integer(required=True, strict=True, validate=validate.Range(min=0, max=10_000_000_00))
    note = fields.String(required=True, validate=validate.Length(max=500))


class RecordedSchema(Schema):
    attendance_id = fields.UUID()
    referral_id = fields.UUID()
    therapist_id = fields.UUID()
    fee_pence = fields.Integer()


_attendance, _recorded = AttendanceSchema(), RecordedSchema()


@cache
def engine() -> Engine:
    """One per process, made when it is first needed, so that no connection crosses a fork."""
    url = os.environ["DATABASE_URL"]
    if not url.startswith("sqlite"):
        return create_engine(url, pool_size=10)
    made = create_engine(url, pool_size=10, connect_args={"timeout": 30, "check_same_thread": False})

    @event.listens_for(made, "connect")
    def prepare(connection: sqlite3.Connection, record: object) -> None:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")

    return made


def record(data: dict[str, Any]) -> dict[str, Any]:
    """Validates, writes and commits; returns the data of the follow-up event. Raises ValidationError."""
    values = _attendance.load(data)
    insert = postgresql.insert if engine().dialect.name == "postgresql" else sqlite.insert
    with Session(engine()) as session:
        session.execute(insert(Attendance).values(**values).on_conflict_do_nothing())
        session.commit()
    said: dict[str, Any] = _recorded.dump(values)
    return said


if __name__ == "__main__":
    Base.metadata.create_all(engine())
