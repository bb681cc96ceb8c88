"""Openings: therapists with room for whom the waiting list has still to be tried."""

from __future__ import annotations

from chassis.ports import UnitOfWork
from services.matching.application.timer_names import SERVE_WAITING_LIST
from services.matching.dependencies import Dependencies
from services.matching.domain.therapist import Therapist
from services.matching.store import waiting_list


def open_to_waiting_list(unit: UnitOfWork[Dependencies], therapist: Therapist) -> None:
    """Schedules a search of the waiting list for a therapist who has room. Does nothing for one who has none."""
    if therapist.can_be_asked:
        waiting_list.open_to_waiting_list(unit.session, therapist.id, unit.now)
        unit.set_timer(SERVE_WAITING_LIST, "all", unit.now)
