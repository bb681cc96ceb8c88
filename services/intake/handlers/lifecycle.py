"""Commands that move a referral from one state to the next."""

from __future__ import annotations

from dataclasses import replace

from chassis.ports import UnitOfWork
from contracts.commands.intake import (
    Close,
    Done,
    FindPlace,
    Hold,
    ReRefer,
    ReReferred,
    Resume,
    SignOff,
    Signpost,
    TakeUp,
    Undo,
    Withdraw,
)
from contracts.events.intake import ReferralHeld, ReferralReopened, ReferralResumed, ReferralSignposted
from contracts.sealed import HelpForm, Whereabouts
from contracts.vocabulary import ClientGroup, HoldReason, ReferralId, ReopeningReason, SubmissionId
from services.intake.application import agreements, closure, registration
from services.intake.application.conflicts import carry_links, refuse_who_handles_linked
from services.intake.application.history import record_step, take_step
from services.intake.application.lookup import get_as_seen, open_sealed
from services.intake.application.records import decrypt_record, replace_record
from services.intake.application.search_facts import publish_search_facts
from services.intake.dependencies import Dependencies
from services.intake.domain.states import State, Step
from services.intake.errors import UnknownPlace
from services.intake.gateways import postcodes
from services.intake.store import personal_records


def take_up(unit: UnitOfWork[Dependencies], request: TakeUp) -> Done:
    """Raises UnknownReferral, ChangedMeanwhile, StepNotPossible, HandlesLinkedReferral."""
    referral = get_as_seen(unit, request)
    refuse_who_handles_linked(unit, referral, unit.actor.who)
    take_step(unit, referral, Step.TAKE_UP, by=unit.actor.who)
    return Done()


def sign_off(unit: UnitOfWork[Dependencies], request: SignOff) -> Done:
    """Raises UnknownReferral, ChangedMeanwhile, StepNotPossible."""
    take_step(unit, get_as_seen(unit, request), Step.SIGN_OFF, by=unit.actor.who, note=request.note)
    return Done()


def find_place(unit: UnitOfWork[Dependencies], request: FindPlace) -> Done:
    """Corrects where a client is, and emits ReferralReceived again with a newer sequence number.

    Raises UnknownReferral, ChangedMeanwhile, StepNotPossible, HandlesLinkedReferral, UnknownPlace, NotSealedToIntake.
    """
    referral = get_as_seen(unit, request)
    refuse_who_handles_linked(unit, referral, unit.actor.who)
    typed = open_sealed(unit, Whereabouts, request.whereabouts)
    try:
        place = unit.dependencies.postcodes.resolve(typed.postcode)
    except postcodes.UnknownPlace as refusal:
        raise UnknownPlace(f"{refusal}.") from None
    take_step(unit, referral, Step.FIND_PLACE, by=unit.actor.who)
    referral.place = place.kind
    form = _moved(decrypt_record(unit, referral), typed.postcode)
    replace_record(unit, referral, form)
    publish_search_facts(unit, referral, form)
    return Done()


def _moved(form: HelpForm, postcode: str) -> HelpForm:
    """Of somebody in prison, where they will live counts once it is known."""
    if form.custody and form.client_group is ClientGroup.IN_PRISON:
        return replace(form, custody=replace(form.custody, release_postcode=postcode))
    return replace(form, postcode=postcode)


def pause(unit: UnitOfWork[Dependencies], request: Hold) -> Done:
    """Stops the search until the referral is resumed. Raises UnknownReferral, ChangedMeanwhile, StepNotPossible."""
    referral = get_as_seen(unit, request)
    referral.pause(request.reason)
    record_step(unit, referral, Step.HOLD, by=unit.actor.who, reason=request.reason, note=request.note)
    unit.emit(ReferralHeld(referral_id=request.referral_id, reason=request.reason))
    return Done()


def resume(unit: UnitOfWork[Dependencies], request: Resume) -> Done:
    """Lets the search go on; it is paused again if the client has taken an agreement back meanwhile.

    Raises UnknownReferral, ChangedMeanwhile, StepNotPossible.
    """
    referral = get_as_seen(unit, request)
    wanted_course = referral.held_for is HoldReason.COURSE_WANTED
    take_step(
        unit,
        referral,
        Step.RESUME,
        by=unit.actor.who,
        reason=request.reason,
        note=request.note,
    )
    registration.watch_assessment(unit, referral)
    if agreements.pause_for_agreement(unit, referral):
        return Done()
    unit.emit(ReferralResumed(referral_id=request.referral_id, reason=request.reason))
    if wanted_course:  # help with the cost, which a course has none of, may be wanted now
        publish_search_facts(unit, referral, decrypt_record(unit, referral))
    return Done()


def undo(unit: UnitOfWork[Dependencies], request: Undo) -> Done:
    """A referral that was withdrawn or signposted by mistake goes on where it was.

    Raises UnknownReferral, ChangedMeanwhile, StepNotPossible.
    """
    referral = get_as_seen(unit, request)
    referral.undo(at=unit.now)
    record_step(unit, referral, Step.UNDO, by=unit.actor.who, reason=request.reason, note=request.note)
    registration.watch_assessment(unit, referral)
    unit.emit(ReferralReopened(referral_id=referral.id, reason=ReopeningReason.ENDED_BY_MISTAKE))
    if referral.state is State.ON_HOLD and referral.held_for:
        agreements.announce_hold(unit, referral, referral.held_for)  # its reminders ended with it
    return Done()


def close(unit: UnitOfWork[Dependencies], request: Close) -> Done:
    """Raises UnknownReferral, ChangedMeanwhile, StepNotPossible."""
    closure.close_referral(unit, get_as_seen(unit, request), request.reason, by=unit.actor.who, note=request.note)
    return Done()


def re_refer(unit: UnitOfWork[Dependencies], request: ReRefer) -> ReReferred:
    """Opens a new referral for somebody whose last one is finished.

    Raises UnknownReferral, ChangedMeanwhile, StepNotPossible.

    What they said before is copied under a key of the new referral, so that either can be erased by itself.
    """
    before = get_as_seen(unit, request)
    take_step(unit, before, Step.RE_REFER, by=unit.actor.who, reason=request.reason, note=request.note)
    form = decrypt_record(unit, before)
    id_, submission_id = ReferralId(unit.new_id()), SubmissionId(unit.new_id())
    referral = registration.new_referral(unit, id_, submission_id, form, before.passphrase_mark)
    referral.passphrase_subject = before.passphrase_subject or before.id
    referral.previous_id = before.id
    version = personal_records.form_of(unit.session, before.id)
    registration.register(unit, referral, form, version, by=unit.actor.who, reason=request.reason)
    carry_links(unit, of=before, to=referral, by=unit.actor.who)
    return ReReferred(referral_id=referral.id, reference=referral.reference)


def signpost(unit: UnitOfWork[Dependencies], request: Signpost) -> Done:
    """Raises UnknownReferral, ChangedMeanwhile, StepNotPossible, SafeguardingLeadFirst, HandlesLinkedReferral."""
    referral = get_as_seen(unit, request)
    refuse_who_handles_linked(unit, referral, unit.actor.who)
    referral.signpost(undo_until=unit.now + unit.dependencies.settings.undo_within)
    record_step(unit, referral, Step.SIGNPOST, by=unit.actor.who, reason=request.reason)
    unit.emit(ReferralSignposted(referral_id=referral.id, reason=request.reason))
    return Done()


def withdraw(unit: UnitOfWork[Dependencies], request: Withdraw) -> Done:
    """Raises UnknownReferral, ChangedMeanwhile, StepNotPossible."""
    referral = get_as_seen(unit, request)
    by = unit.actor.who
    return Done(changed=closure.withdraw_referral(unit, referral, request.reason, by=by, note=request.note))
