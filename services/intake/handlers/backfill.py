"""Computes match keys for requests from before there were any, so that whoever asks again is noticed.

A migration sets the timer, once; the service does the rest in batches, because only it has the secret keys.
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
BATCH_SIZE = 200

log = structlog.get_logger()


def backfill_match_keys(unit: UnitOfWork[Dependencies], timer: Timer) -> None:
    """Handles the next batch, the oldest first, and sets the timer again while there are more."""
    after = timer.data.get("after")
    found = possible_duplicates.without_match_keys(unit.session, ReferralId(UUID(after)) if after else None, BATCH_SIZE)
    for referral in found:
        form = decrypt_record(unit, referral)
        record_match_keys(unit, referral, form, taken_up_by=referrals.taken_up_by(unit.session, referral.id))
    if len(found) == BATCH_SIZE:
        unit.set_timer(BACKFILL_MATCH_KEYS, timer.key, unit.now, {"after": str(found[-1].id)})
    elif found or after:
        log.info("older_requests_marked")
