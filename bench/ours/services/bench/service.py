"""The measured service's table of contents."""

from __future__ import annotations

from services.bench import handlers, store
from services.bench.events import AttendanceNoted, AttendanceTold

from chassis.host.entrypoints import Chassis, health_check, lane, on


class BenchService:
    """Records attended sessions."""

    name = "bench"
    chassis = Chassis(metadata=store.metadata, dependencies=lambda env: None)

    inbox = lane(
        "inbox",
        on(AttendanceNoted, handlers.record_by_orm),
        on(AttendanceTold, handlers.record_by_core),
    )

    health = health_check()
