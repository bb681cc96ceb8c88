"""What matching does when a search pauses, goes on or stops: when intake says so, or for a safeguarding concern."""

from __future__ import annotations

from chassis.ports import UnitOfWork
from contracts.events.intake import (
    ReferralClosed,
    ReferralHeld,
    ReferralReopened,
    ReferralResumed,
    ReferralSignposted,
    ReferralWithdrawn,
    SafeguardingConcernRaised,
)
from contracts.events.notifications import SafeguardingAlertAcknowledged
from contracts.vocabulary import (
    ReferralId,
    Severity,
)
from services.matching.application import pauses, search
from services.matching.application.erasure_guard import unless_erased
from services.matching.application.lookup import expect_referral
from services.matching.dependencies import Dependencies
from services.matching.store import concerns


@unless_erased
def pause(unit: UnitOfWork[Dependencies], event: ReferralHeld) -> None:
    """The office paused the referral."""
    referral = expect_referral(unit, event.referral_id)
    if referral.advance_search(unit.sequence):
        pauses.pause(unit, referral)


@unless_erased
def resume(unit: UnitOfWork[Dependencies], event: ReferralResumed) -> None:
    referral = expect_referral(unit, event.referral_id)
    if referral.advance_search(unit.sequence):
        referral.resume()
        search.offer_next(unit, referral)


@unless_erased
def reopen(unit: UnitOfWork[Dependencies], event: ReferralReopened) -> None:
    """The referral is wanted after all. The search waits for its assessment, unless that arrived before."""
    referral = expect_referral(unit, event.referral_id)
    if referral.advance_search(unit.sequence):
        referral.reopen()
        pauses.apply_concerns(unit, referral.id)
        search.offer_next(unit, referral)


def note_concern(unit: UnitOfWork[Dependencies], event: SafeguardingConcernRaised) -> None:
    """An immediate concern comes first: nobody is asked about the client until a person has it in hand."""
    if event.severity is Severity.IMMEDIATE:
        concerns.note_concern(unit.session, event.concern_id, event.referral_id, immediate=True)
        pauses.apply_concerns(unit, event.referral_id)


def note_acknowledgement(unit: UnitOfWork[Dependencies], event: SafeguardingAlertAcknowledged) -> None:
    """A person has the concern in hand. This may come before the concern itself."""
    concerns.note_concern(unit.session, event.concern_id, event.referral_id, acknowledged=True)
    pauses.apply_concerns(unit, event.referral_id)


@unless_erased
def stop_withdrawn(unit: UnitOfWork[Dependencies], event: ReferralWithdrawn) -> None:
    """Of a duplicate, links and concerns count for the referral that it was merged into from now on."""
    referral = expect_referral(unit, event.referral_id)
    if not referral.advance_search(unit.sequence):
        return
    pauses.stop(unit, referral)
    referral.duplicate_of = event.merged_into_id
    if event.merged_into_id is not None:
        search.keep_apart(unit, event.merged_into_id)
        pauses.apply_concerns(unit, event.merged_into_id)


@unless_erased
def stop_signposted(unit: UnitOfWork[Dependencies], event: ReferralSignposted) -> None:
    _stop(unit, event.referral_id)


@unless_erased
def stop_closed(unit: UnitOfWork[Dependencies], event: ReferralClosed) -> None:
    _stop(unit, event.referral_id)


def _stop(unit: UnitOfWork[Dependencies], referral_id: ReferralId) -> None:
    referral = expect_referral(unit, referral_id)
    if referral.advance_search(unit.sequence):
        pauses.stop(unit, referral)
