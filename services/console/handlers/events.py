"""What the console does with every event: it keeps it, and notes what it changes in what is listed."""

from __future__ import annotations

from chassis.ports import UnitOfWork
from contracts.event import Event
from contracts.events.console import ErasureConfirmed, ListChanged
from contracts.events.intake import ReferralErased
from services.console.application.listing import note
from services.console.dependencies import Dependencies
from services.console.store import archive, opened, queues, referrals


def hear(unit: UnitOfWork[Dependencies], event: Event) -> None:
    """Keeps an event, unless it is about a referral that was erased."""
    if getattr(event, "referral_id", None) is None or note(unit, event, unit.sequence):
        archive.add_heard(unit, event)


def forget(unit: UnitOfWork[Dependencies], event: ReferralErased) -> None:
    """Forgets an erased referral: what is listed of it, and every event about it. Open pages are told."""
    left = queues.take_out(unit.session, [event.referral_id])
    referrals.erase(unit.session, event.referral_id, at=unit.now)
    opened.erase(unit.session, event.referral_id)
    archive.erase(unit.session, event.referral_id)
    unit.emit(ErasureConfirmed(referral_id=event.referral_id))
    unit.emit(ListChanged(subject_id=event.referral_id, queues=tuple(queue.value for queue in left)))
