"""What the office is told."""

from __future__ import annotations

from chassis.ports import Unit
from contracts.events.intake import AssessmentOverdue, ErasureOverdue
from contracts.events.matching import MatchingStalled
from services.notifications.domain.templates import Template
from services.notifications.handlers.queueing import queue_to_office
from services.notifications.tools import Tools


def tell_office_of_overdue_assessment(unit: Unit[Tools], event: AssessmentOverdue) -> None:
    queue_to_office(
        unit,
        Template.ASSESSMENT_OVERDUE,
        key=event.referral_id,
        referral_id=event.referral_id,
        data={
            "due_at": event.due_at.isoformat(),
            "taken_up": event.taken_up,
            "needs_safeguarding_lead": event.needs_safeguarding_lead,
        },
    )


def tell_office_of_overdue_erasure(unit: Unit[Tools], event: ErasureOverdue) -> None:
    """Goes out although the client is gone: somebody must see to it that they are."""
    queue_to_office(
        unit,
        Template.ERASURE_OVERDUE,
        key=event.referral_id,
        referral_id=event.referral_id,
        data={"erased_at": event.erased_at.isoformat(), "waiting_for": ", ".join(event.waiting_for)},
    )


def tell_office_of_stall(unit: Unit[Tools], event: MatchingStalled) -> None:
    queue_to_office(
        unit,
        Template.MATCHING_STALLED,
        key=f"{event.referral_id}:{event.waiting_since.isoformat()}",
        referral_id=event.referral_id,
        data={"reason": event.reason.value, "waiting_since": event.waiting_since.isoformat()},
    )
