"""Letters to people with accounts at the console."""

from __future__ import annotations

from chassis.ports import UnitOfWork
from chassis.privacy.opening import open_or_park
from contracts.events.accounts import LetterTested, StaffInvited, StaffTold
from contracts.sealed import StaffLetter
from services.notifications.application.queueing import queue_to_staff
from services.notifications.dependencies import Dependencies
from services.notifications.domain.templates import Template


def send_link(unit: UnitOfWork[Dependencies], event: StaffInvited) -> None:
    """Each link once: a new one for the same person has a later end."""
    open_or_park(unit.dependencies.keyring, StaffLetter, event.sealed)
    queue_to_staff(
        unit,
        Template.STAFF_LINK,
        key=f"{event.account_id}:{event.expires_at.isoformat()}",
        data={"renews": event.renews, "expires_at": event.expires_at.isoformat()},
        sealed=event.sealed,
    )


def tell(unit: UnitOfWork[Dependencies], event: StaffTold) -> None:
    open_or_park(unit.dependencies.keyring, StaffLetter, event.sealed)
    data = {"matter": event.matter.value, "role": event.role.value if event.role else ""}
    queue_to_staff(
        unit,
        Template.STAFF_TOLD,
        key=event.notice_id,
        data={**data, "is_own": event.account_id == event.about_id},
        sealed=event.sealed,
    )


def send_test(unit: UnitOfWork[Dependencies], event: LetterTested) -> None:
    open_or_park(unit.dependencies.keyring, StaffLetter, event.sealed)
    queue_to_staff(unit, Template.STAFF_TEST, key=event.test_id, data={}, sealed=event.sealed)
