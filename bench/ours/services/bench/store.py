"""The one table that the measured service writes."""

from __future__ import annotations

from sqlalchemy import Column, Integer, String, Table, Uuid
from sqlalchemy.orm import registry

from chassis.store.tables import Instant, code, new_metadata
from contracts.vocabulary import Sessions

metadata = new_metadata()
mapper = registry(metadata=metadata)

attendances = Table(
    "attendance",
    metadata,
    Column("attendance_id", Uuid, primary_key=True),
    Column("referral_id", Uuid, nullable=False),
    Column("therapist_id", Uuid, nullable=False),
    Column("attended_at", Instant, nullable=False),
    Column("outward_code", String(4), nullable=False),
    Column("sessions", code(Sessions), nullable=False),
    Column("fee_pence", Integer, nullable=False),
    Column("note", String(500), nullable=False),
)


class Attendance:
    """A row of the ORM's."""

    def __init__(self, **values: object) -> None:
        for name, value in values.items():
            setattr(self, name, value)


mapper.map_imperatively(Attendance, attendances)
