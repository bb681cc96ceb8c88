"""What the measured service hears and says: an attended session, noted by a therapist, about 600 bytes as JSON."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from marshmallow import validate

from contracts.event import Event
from contracts.vocabulary import OutwardCode, Pence, Sessions

Note = Annotated[str, validate.Length(max=500)]


class AttendanceNoted(Event, publisher="bench_front", subject="attendance_id"):
    """The job: heard by the handler that writes through the ORM."""

    attendance_id: UUID
    referral_id: UUID
    therapist_id: UUID
    attended_at: datetime
    outward_code: OutwardCode
    sessions: Sessions
    fee_pence: Pence
    note: Note


class AttendanceTold(Event, publisher="bench_front", subject="attendance_id"):
    """The same job: heard by the handler that writes through Core."""

    attendance_id: UUID
    referral_id: UUID
    therapist_id: UUID
    attended_at: datetime
    outward_code: OutwardCode
    sessions: Sessions
    fee_pence: Pence
    note: Note


class AttendanceRecorded(Event, publisher="bench", subject="attendance_id"):
    """The follow-up event of either."""

    attendance_id: UUID
    referral_id: UUID
    therapist_id: UUID
    fee_pence: Pence
