"""What intake does about events of matching and billing: offers, matches, sessions, help with the cost."""

from __future__ import annotations

from chassis.ports import NotYet, UnitOfWork
from contracts.events.billing import (
    FirstSessionAttended,
    SessionReversed,
    SubsidyApproved,
    SubsidyDeclined,
    SubsidyResumed,
    SubsidyWaitlisted,
)
from contracts.events.intake import ReferralReopened
from contracts.events.matching import (
    MatchEnded,
    MatchEndUndone,
    MatchingStalled,
    OfferDeclined,
    OfferExpired,
    OfferWithdrawn,
    TherapistMatched,
    TherapistOffered,
)
from contracts.vocabulary import ClosureReason, ContactPurpose, MatchEndReason, ReferralId, ReopeningReason
from contracts.watermark import is_newer
from services.intake.application import agreements, contacts
from services.intake.application.closure import close_referral
from services.intake.application.history import BY_BILLING, BY_MATCHING, BY_RULE, record_step, take_step
from services.intake.application.lookup import get_or_wait
from services.intake.application.records import decrypt_record
from services.intake.dependencies import Dependencies
from services.intake.domain.referral import Referral
from services.intake.domain.states import State, Step
from services.intake.store import concerns, referrals


def note_offer(unit: UnitOfWork[Dependencies], event: TherapistOffered) -> None:
    _note_search(unit, event.referral_id, Step.OFFER)


def note_offer_declined(unit: UnitOfWork[Dependencies], event: OfferDeclined) -> None:
    _note_search(unit, event.referral_id, Step.SEEK_ON, event.reason)


def note_offer_expired(unit: UnitOfWork[Dependencies], event: OfferExpired) -> None:
    _note_search(unit, event.referral_id, Step.SEEK_ON)


def note_offer_withdrawn(unit: UnitOfWork[Dependencies], event: OfferWithdrawn) -> None:
    _note_search(unit, event.referral_id, Step.SEEK_ON, event.reason)


def note_stall(unit: UnitOfWork[Dependencies], event: MatchingStalled) -> None:
    _note_search(unit, event.referral_id, Step.SEEK_ON, event.reason)


def note_match(unit: UnitOfWork[Dependencies], event: TherapistMatched) -> None:
    """Hands the client's contact to the therapist who accepted, if the client agreed to that."""
    referral = _get_assessed_or_wait(unit, event.referral_id)
    if not referral.advance_matching_sequence(unit.sequence):
        return
    if not referral.record_match(match_id=event.match_id, therapist_id=event.therapist_id):
        return
    record_step(unit, referral, Step.MATCH, by=BY_MATCHING)
    agreements.introduce(unit, referral, decrypt_record(unit, referral))
    _begin_therapy(unit, referral)


def note_first_session(unit: UnitOfWork[Dependencies], event: FirstSessionAttended) -> None:
    """Therapy has begun; if the event of the match hasn't arrived yet, that is remembered until it does."""
    referral = get_or_wait(unit, event.referral_id)
    referral.record_attendance(event.match_id, sequence=unit.sequence)
    _begin_therapy(unit, referral)


def note_session_reversed(unit: UnitOfWork[Dependencies], event: SessionReversed) -> None:
    """A session didn't take place after all. If none is left, therapy has not begun yet."""
    referral = get_or_wait(unit, event.referral_id)
    if event.sessions == 0 and referral.reverse_attendance(event.match_id, sequence=unit.sequence):
        record_step(unit, referral, Step.NOT_BEGUN, by=BY_BILLING, reason=event.reason)


def note_match_ended(unit: UnitOfWork[Dependencies], event: MatchEnded) -> None:
    """A client who was unhappy gets another therapist; otherwise the referral ends, and is closed by rule if it may."""
    referral = _get_assessed_or_wait(unit, event.referral_id)
    if not referral.advance_matching_sequence(unit.sequence):
        return
    step = Step.PART if event.reason is MatchEndReason.CLIENT_UNHAPPY else Step.END
    if not referral.end_match(step):
        return
    record_step(unit, referral, step, by=BY_MATCHING, reason=event.reason)
    agreements.pause_for_agreement(unit, referral)
    if step is Step.END and not concerns.has_open_concern(unit.session, referral.id):
        attended = event.reason is not MatchEndReason.NOT_ATTENDED
        close_referral(
            unit, referral, ClosureReason.THERAPY_ENDED if attended else ClosureReason.NOT_ATTENDED, by=BY_RULE
        )


def note_match_end_undone(unit: UnitOfWork[Dependencies], event: MatchEndUndone) -> None:
    """The end was recorded by mistake. A client whose referral had been closed is written to again as before."""
    referral = _get_assessed_or_wait(unit, event.referral_id)
    if not referral.advance_matching_sequence(unit.sequence):
        return
    was_closed = referral.state is State.CLOSED
    if not referral.reinstate_match(match_id=event.match_id, therapist_id=event.therapist_id):
        return
    record_step(unit, referral, Step.GO_ON, by=BY_MATCHING, reason=event.reason)
    if was_closed:
        unit.emit(ReferralReopened(referral_id=referral.id, reason=ReopeningReason.MATCH_GOES_ON))
        contacts.release_contact(unit, referral, decrypt_record(unit, referral), ContactPurpose.ADDRESS_BOOK)
    _begin_therapy(unit, referral)


def _note_search(
    unit: UnitOfWork[Dependencies], referral_id: ReferralId, step: Step, reason: str | None = None
) -> None:
    """Records how the search goes, unless a newer event was handled before."""
    referral = _get_assessed_or_wait(unit, referral_id)
    if referral.advance_matching_sequence(unit.sequence) and referral.take_if_possible(step):
        record_step(unit, referral, step, by=BY_MATCHING, reason=reason)


def _begin_therapy(unit: UnitOfWork[Dependencies], referral: Referral) -> None:
    if referral.has_begun:
        take_step(unit, referral, Step.ATTEND, by=BY_BILLING)


def _get_assessed_or_wait(unit: UnitOfWork[Dependencies], referral_id: ReferralId) -> Referral:
    referral = get_or_wait(unit, referral_id)
    if not referral.is_assessed:
        raise NotYet("the referral's assessment is not recorded here yet")
    return referral


def note_subsidy_waitlisted(unit: UnitOfWork[Dependencies], event: SubsidyWaitlisted) -> None:
    _note_subsidy(unit, event, waits=True)


def note_subsidy_decided(
    unit: UnitOfWork[Dependencies], event: SubsidyApproved | SubsidyResumed | SubsidyDeclined
) -> None:
    _note_subsidy(unit, event, waits=False)


def _note_subsidy(
    unit: UnitOfWork[Dependencies],
    event: SubsidyWaitlisted | SubsidyApproved | SubsidyResumed | SubsidyDeclined,
    *,
    waits: bool,
) -> None:
    """Raises NotYet for a referral that isn't known here."""
    referral = referrals.find_referral(unit.session, event.referral_id)
    if referral is None:
        raise NotYet("the referral is not recorded here yet")
    if is_newer(unit.sequence, referral.money_sequence):
        referral.waits_for_money, referral.money_sequence = waits, unit.sequence
