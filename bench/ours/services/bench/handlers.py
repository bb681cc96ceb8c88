"""The job, twice: as a row of the ORM's and as a row of Core's. Written for one message, as in any service."""

from __future__ import annotations

from typing import Any

from services.bench.events import AttendanceNoted, AttendanceRecorded, AttendanceTold
from services.bench.store import Attendance, attendances

from chassis.ports import UnitOfWork

Noted = AttendanceNoted | AttendanceTold


def record_by_orm(unit: UnitOfWork[None], event: AttendanceNoted) -> None:
    unit.session.add(Attendance(**_values(event)))
    unit.emit(_recorded(event))


def record_by_core(unit: UnitOfWork[None], event: AttendanceTold) -> None:
    unit.insert(attendances, **_values(event))
    unit.emit(_recorded(event))


def _values(event: Noted) -> dict[str, Any]:
    return {
        "attendance_id": event.attendance_id,
        "referral_id": event.referral_id,
        "therapist_id": event.therapist_id,
        "attended_at": event.attended_at,
        "outward_code": event.outward_code,
        "sessions": event.sessions,
        "fee_pence": event.fee_pence,
        "note": event.note,
    }


def _recorded(event: Noted) -> AttendanceRecorded:
    return AttendanceRecorded(
        attendance_id=event.attendance_id,
        referral_id=event.referral_id,
        therapist_id=event.therapist_id,
        fee_pence=event.fee_pence,
    )
