"""Messages to the office."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from chassis.ports import UnitOfWork
from contracts.events.billing import AttendanceUnrecorded
from contracts.events.intake import (
    AgreementAwaited,
    AnotherTherapistWanted,
    AssessmentOverdue,
    CourseAwaited,
    ErasureOverdue,
    HelpRequestRefused,
    ReadingsStopped,
    ReferralHeld,
    ReferralReceived,
    ReferralResumed,
)
from contracts.events.matching import MatchingStalled, TherapistNotAnswering
from contracts.permissions import FrontEnd, account_of
from contracts.vocabulary import AgeBand, ClientGroup, HoldReason, ReferralId, RefusalReason, ResumptionReason
from services.notifications.application.queueing import cancel, queue_to_client, queue_to_office
from services.notifications.dependencies import Dependencies
from services.notifications.domain.templates import Template
from services.notifications.store import latest_facts, messages

AGREEMENT = "agreement"


def notify_office_of_request(unit: UnitOfWork[Dependencies], event: ReferralReceived) -> None:
    """At once, and once for each request: `ReferralReceived` comes again whenever something in it is corrected."""
    young = event.client_group is ClientGroup.YOUNG_PERSON or event.age_band is AgeBand.UNDER_18
    queue_to_office(
        unit,
        Template.REQUEST_ARRIVED,
        key=event.referral_id,
        referral_id=event.referral_id,
        data={"group": event.client_group.value, "route": event.route.value, "needs_safeguarding_lead": young},
    )


def notify_office_of_unreadable(unit: UnitOfWork[Dependencies], event: HelpRequestRefused) -> None:
    """Its sender was shown a reference, and nobody can read what they wrote."""
    if event.reason not in (RefusalReason.REPLAYED, RefusalReason.NOT_RECOGNISED):
        queue_to_office(
            unit,
            Template.REQUEST_UNREADABLE,
            key=event.submission_id,
            referral_id=None,
            data={"submission_id": str(event.submission_id), "reason": event.reason.value, "field": event.field or ""},
        )


def ask_for_agreement(unit: UnitOfWork[Dependencies], event: AgreementAwaited) -> None:
    """Has the office ask for agreement, each time, unless they are known to have agreed since. A client who has only to
    agree that we look for a therapist is written to as well, once.

    A client who has not agreed to a request at all is not written to; whoever wrote it was told at once.
    """
    if not latest_facts.advance(unit.session, event.referral_id, AGREEMENT, unit.sequence):
        return
    if event.reason is HoldReason.CONSENT_TO_PASS_ON:
        queue_to_client(unit, Template.CONSENT_NEEDED, referral_id=event.referral_id, key=event.referral_id)
    queue_to_office(
        unit,
        Template.AGREEMENT_AWAITED,
        key=f"{event.referral_id}:{unit.sequence}",
        referral_id=event.referral_id,
        data={"reason": event.reason.value},
    )


def stop_asking_for_agreement(unit: UnitOfWork[Dependencies], event: ReferralResumed) -> None:
    """They have agreed, so nobody is asked any more."""
    if event.reason is ResumptionReason.CONSENT_GIVEN:
        _stop_asking(unit, event.referral_id)


def stop_asking_whoever_waits_for_a_course(unit: UnitOfWork[Dependencies], event: ReferralHeld) -> None:
    """They have agreed to all that a search needs, and wait for something else now."""
    if event.reason is HoldReason.COURSE_WANTED:
        _stop_asking(unit, event.referral_id)


def _stop_asking(unit: UnitOfWork[Dependencies], referral_id: ReferralId) -> None:
    if latest_facts.advance(unit.session, referral_id, AGREEMENT, unit.sequence):
        for message in messages.queued_about_referral(unit.session, referral_id):
            if message.template in (Template.CONSENT_NEEDED, Template.AGREEMENT_AWAITED):
                cancel(unit, message)


def notify_office_of_course(unit: UnitOfWork[Dependencies], event: CourseAwaited) -> None:
    queue_to_office(
        unit,
        Template.COURSE_AWAITED,
        key=f"{event.referral_id}:{unit.sequence}",
        referral_id=event.referral_id,
        data={},
    )


def notify_office_of_overdue_assessment(unit: UnitOfWork[Dependencies], event: AssessmentOverdue) -> None:
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


def notify_office_of_overdue_erasure(unit: UnitOfWork[Dependencies], event: ErasureOverdue) -> None:
    """Sent although the client was erased: somebody must see to it that every service does it."""
    queue_to_office(
        unit,
        Template.ERASURE_OVERDUE,
        key=event.referral_id,
        referral_id=event.referral_id,
        data={"erased_at": event.erased_at.isoformat(), "waiting_for": ", ".join(event.waiting_for)},
    )


def notify_office_of_readings(unit: UnitOfWork[Dependencies], event: ReadingsStopped) -> None:
    _readings_stopped(unit, event.stop_id, event.front_end, event.account_id, event.stopped_at)


def notify_office_of_own_readings(unit: UnitOfWork[Dependencies], who: str) -> None:
    """What was read here, and not at intake."""
    front_end, account = account_of(who)
    _readings_stopped(unit, unit.new_id(), front_end, account, unit.now)


def _readings_stopped(
    unit: UnitOfWork[Dependencies], key: UUID, front_end: FrontEnd, account: UUID | None, at: datetime
) -> None:
    data = {"where": front_end.value, "account_id": str(account or ""), "stopped_at": at.isoformat()}
    queue_to_office(unit, Template.READINGS_STOPPED, key=key, referral_id=None, data=data)


def notify_office_of_stall(unit: UnitOfWork[Dependencies], event: MatchingStalled) -> None:
    queue_to_office(
        unit,
        Template.MATCHING_STALLED,
        key=f"{event.referral_id}:{event.waiting_since.isoformat()}",
        referral_id=event.referral_id,
        data={"reason": event.reason.value, "waiting_since": event.waiting_since.isoformat()},
    )


def notify_office_of_unrecorded_attendance(unit: UnitOfWork[Dependencies], event: AttendanceUnrecorded) -> None:
    """Also after a withdrawal: whether a fee is owed depends on it."""
    queue_to_office(
        unit,
        Template.ATTENDANCE_UNRECORDED,
        key=event.match_id,
        referral_id=event.referral_id,
        data={"match_id": str(event.match_id), "matched_on": event.matched_on.isoformat()},
    )


def notify_office_of_silence(unit: UnitOfWork[Dependencies], event: TherapistNotAnswering) -> None:
    """A person finds out what keeps the therapist from answering: it may only be an address."""
    queue_to_office(
        unit,
        Template.THERAPIST_NOT_ANSWERING,
        key=f"{event.therapist_id}:{unit.sequence}",
        referral_id=None,
        data={"therapist_id": str(event.therapist_id), "offers_expired": event.offers_expired},
    )


def notify_office_of_change_of_therapist(unit: UnitOfWork[Dependencies], event: AnotherTherapistWanted) -> None:
    """The client waits for somebody of the charity to get in touch with them."""
    queue_to_office(
        unit,
        Template.ANOTHER_WANTED,
        key=f"{event.referral_id}:{unit.sequence}",
        referral_id=event.referral_id,
        data={"match_id": str(event.match_id)},
    )
