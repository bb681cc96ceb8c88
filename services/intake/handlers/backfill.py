"""Marks for requests from before there were marks, so that who asks again is noticed whenever they asked first.

A migration sets the timer, once; the service does the rest, some at a time, because only it has the keys.
"""

from __future__ import annotations

from uuid import UUID

import structlog

from chassis.ports import Timer, UnitOfWork
from contracts.vocabulary import ReferralId
from services.intake.application.duplicate_detection import record_match_keys
from services.intake.application.records import decrypt_record
from services.intake.dependencies import Dependencies
from services.intake.store import possible_duplicates, referrals

BACKFILL_MATCH_KEYS = "mark_older"
AT_ONCE = 200

log = structlog.get_logger()


def backfill_match_keys(unit: UnitOfWork[Dependencies], timer: Timer) -> None:
    """Marks the next of them, the oldest first, and goes on after them as long as there are any."""
    after = timer.data.get("after")
    found = possible_duplicates.without_match_keys(unit.session, ReferralId(UUID(after)) if after else None, AT_ONCE)
    for referral in found:
        form = decrypt_record(unit, referral)
        record_match_keys(unit, referral, form, taken_up_by=referrals.taken_up_by(unit.session, referral.id))
    if len(found) == AT_ONCE:
        unit.set_timer(BACKFILL_MATCH_KEYS, timer.key, unit.now, {"after": str(found[-1].id)})
    elif found or after:
        log.info("older_requests_marked")
