"""Notes what an event changes in what is listed."""

from __future__ import annotations

from typing import Any

from chassis.ports import UnitOfWork
from services.console.dependencies import Dependencies
from services.console.domain.projection import CONCERN_RULES, RULES, apply, apply_to_concern
from services.console.domain.queues import place_of, place_of_concern
from services.console.store import queues, referrals


def note(unit: UnitOfWork[Dependencies], event: Any, number: int) -> bool:
    """Whether the referral that the event is about is still known; what the event changes is noted then."""
    referral = referrals.lock_referral(unit.session, event.referral_id, heard_at=unit.now)
    if referral is None:
        return False
    before = place_of(referral)
    apply(referral, event, number, unit.now)
    if type(event) in RULES:
        queues.put(unit.session, referral, before, place_of(referral))
    if type(event) in CONCERN_RULES:
        concern = referrals.lock_concern(unit.session, event.concern_id, event.referral_id)
        waited = place_of_concern(concern)
        apply_to_concern(concern, event)
        queues.put(unit.session, concern, waited, place_of_concern(concern))
    return True
