"""Notes what an event changes in what is listed."""

from __future__ import annotations

from typing import Any

from chassis.ports import UnitOfWork
from contracts.commands.console import WorkQueue
from contracts.events.console import ListChanged
from services.console.dependencies import Dependencies
from services.console.domain.projection import CONCERN_RULES, RULES, apply, apply_to_concern
from services.console.domain.queues import place_of, place_of_concern
from services.console.domain.referral import Referral
from services.console.store import queues, referrals


def note(unit: UnitOfWork[Dependencies], event: Any, number: int) -> bool:
    """Whether the referral that the event is about is still known; what the event changes is noted then."""
    referral = referrals.lock_referral(unit.session, event.referral_id, heard_at=unit.now)
    if referral is None:
        return False
    changed = _note_referral(unit, referral, event, number)
    if type(event) in CONCERN_RULES:
        changed |= _note_concern(unit, event)
    unit.emit(ListChanged(subject_id=referral.id, queues=tuple(sorted(queue.value for queue in changed))))
    return True


def _note_referral(unit: UnitOfWork[Dependencies], referral: Referral, event: Any, number: int) -> set[WorkQueue]:
    """The queues that look different now."""
    before = place_of(referral)
    apply(referral, event, number, unit.now)
    if type(event) not in RULES:
        return set()
    now = place_of(referral)
    queues.put(unit.session, referral, before, now)
    return {place.queue for place in (before, now) if place}


def _note_concern(unit: UnitOfWork[Dependencies], event: Any) -> set[WorkQueue]:
    concern = referrals.lock_concern(unit.session, event.concern_id, event.referral_id)
    before = place_of_concern(concern)
    apply_to_concern(concern, event)
    queues.put(unit.session, concern, before, place_of_concern(concern))
    return {WorkQueue.CONCERNS}
