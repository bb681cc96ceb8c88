"""Introducing a client to the therapist who accepted, and what is known of their therapy from others.

The message holds a link and nothing of the client; `application.introductions` has what it leads to.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog

from chassis.ports import Invalid, NotYet, UnitOfWork
from chassis.privacy.opening import open_or_park
from contracts.events.billing import FirstSessionAttended, SessionReversed
from contracts.events.matching import MatchEnded, MatchEndUndone, TherapistMatched
from contracts.events.notifications import TherapyReportAccepted
from contracts.events.web import TherapyReported
from contracts.london import day_of
from contracts.sealed import TherapyAnswer
from contracts.vocabulary import MatchEndReason, TherapyReport
from services.notifications.application.introductions import find_by_token
from services.notifications.application.queueing import queue_to_client, queue_to_office
from services.notifications.dependencies import Dependencies
from services.notifications.domain.introductions import (
    Therapy,
    hash_of_right,
)
from services.notifications.domain.templates import Template
from services.notifications.store import introductions, people

log = structlog.get_logger()
CLOCKS_DIFFER = timedelta(minutes=1)
"""How far the site's clock and this one may differ, with the moment that a page takes to be sent."""

ENDINGS = frozenset({MatchEndReason.COMPLETED, MatchEndReason.CLIENT_UNHAPPY, MatchEndReason.NOT_ATTENDED})
"""The reasons for an end that a therapist may give. That the client withdraws, only the client may say."""

TherapyEvent = TherapistMatched | MatchEnded | MatchEndUndone | FirstSessionAttended | SessionReversed


def note_match(unit: UnitOfWork[Dependencies], event: TherapistMatched) -> None:
    """Tells the client, and records since when they are matched, which the introduction's page shows."""
    queue_to_client(unit, Template.MATCHED, referral_id=event.referral_id, key=event.match_id)
    if therapy := _therapy(unit, event):
        therapy.matched_at = event.matched_at


def note_end(unit: UnitOfWork[Dependencies], event: MatchEnded) -> None:
    """From now on the link shows the therapist nothing about the client."""
    if therapy := _therapy(unit, event):
        therapy.end(at=event.ended_at, sequence=unit.sequence)


def note_end_undone(unit: UnitOfWork[Dependencies], event: MatchEndUndone) -> None:
    if therapy := _therapy(unit, event):
        therapy.end(at=None, sequence=unit.sequence)


def note_first_session(unit: UnitOfWork[Dependencies], event: FirstSessionAttended) -> None:
    if therapy := _therapy(unit, event):
        therapy.meet(on=event.attended_on, sequence=unit.sequence)


def note_session_reversed(unit: UnitOfWork[Dependencies], event: SessionReversed) -> None:
    """With the last of their sessions taken back, they have not met."""
    if not event.sessions and (therapy := _therapy(unit, event)):
        therapy.meet(on=None, sequence=unit.sequence)


def _therapy(unit: UnitOfWork[Dependencies], event: TherapyEvent) -> Therapy | None:
    """The therapy of a match; None if the client was erased, so that nothing may be stored about them."""
    client = people.client_as_known(unit.session, event.referral_id)
    if client and client.is_removed:
        return None
    return introductions.therapy_of(
        unit.session, event.match_id, referral_id=event.referral_id, therapist_id=event.therapist_id
    )


def record_therapy_report(unit: UnitOfWork[Dependencies], event: TherapyReported) -> None:
    """Passes on what a therapist reported, as of when they did. Does nothing if it is known already; if the link is no
    longer open, the office is asked to find out.

    Raises Invalid for what can't be opened, belongs to no introduction, or is no report that the page would send.
    """
    said = open_or_park(unit.dependencies.keyring, TherapyAnswer, event.sealed)
    found = find_by_token(unit, said.token)
    if found is None:
        raise Invalid("the report belongs to no introduction")
    right = introductions.find_right(unit.session, hash_of_right(said.right, found.introduction))
    if right is None:
        raise Invalid("no code was typed where the report comes from")
    said_at = min(unit.envelope.time, unit.now) if unit.envelope else unit.now
    if said_at >= right.until + CLOCKS_DIFFER:
        raise Invalid("the browser that the report comes from was known no more")
    if not found.is_open:
        log.warning("therapy_report_too_late", submission_id=str(event.submission_id), what=said.what.value)
        if found.therapy:
            _ask_office(unit, found.therapy, said, key=str(event.submission_id))
        return
    if found.therapy is None or found.therapy.matched_at is None:
        raise NotYet("the match that the report is about has not been heard of here")
    _refuse_impossible(unit, found.therapy, said)
    if _is_new(found.therapy, said.what):
        _accept(unit, found.therapy, said, said_at=said_at)


def _ask_office(unit: UnitOfWork[Dependencies], therapy: Therapy, said: TherapyAnswer, *, key: str) -> None:
    """Has the office find out what a therapist said too late, as long as nobody has recorded it."""
    if said.what in (TherapyReport.FIRST_SESSION, TherapyReport.NOT_ATTENDED):
        _ask_whether_they_met(unit, therapy, key=key)
    elif not therapy.has_ended and _is_new(therapy, said.what):
        queue_to_office(
            unit,
            Template.THERAPIST_REPORTED,
            key=key,
            referral_id=therapy.referral_id,
            data={
                "match_id": str(therapy.match_id),
                "what": said.what.value,
                "on": said.on.isoformat() if said.on else "",
                "reason": said.reason.value if said.reason else "",
            },
        )


def _ask_whether_they_met(unit: UnitOfWork[Dependencies], therapy: Therapy, *, key: str) -> None:
    if therapy.matched_at is None or therapy.first_session_on is not None or therapy.not_attended:
        return
    queue_to_office(
        unit,
        Template.ATTENDANCE_UNRECORDED,
        key=f"{therapy.match_id}:{key}",
        referral_id=therapy.referral_id,
        data={"match_id": str(therapy.match_id), "matched_on": day_of(therapy.matched_at).isoformat()},
    )


def _accept(unit: UnitOfWork[Dependencies], therapy: Therapy, said: TherapyAnswer, *, said_at: datetime) -> None:
    """Records here only what no other service will say again. Billing decides on a session, and matching on an end."""
    if said.what is TherapyReport.CONTACT_MADE:
        therapy.contact_made_on = said.on
    elif said.what is TherapyReport.NOT_ATTENDED:
        therapy.not_attended = True
    unit.emit(
        TherapyReportAccepted(
            match_id=therapy.match_id,
            referral_id=therapy.referral_id,
            therapist_id=therapy.therapist_id,
            what=said.what,
            reported_at=said_at,
            on=said.on,
            reason=said.reason,
        )
    )


def _is_new(therapy: Therapy, what: TherapyReport) -> bool:
    if what is TherapyReport.CONTACT_MADE:
        return therapy.contact_made_on is None
    if what is TherapyReport.ENDED:
        return True
    met = therapy.first_session_on is not None
    return not met and not (what is TherapyReport.NOT_ATTENDED and therapy.not_attended)


def _refuse_impossible(unit: UnitOfWork[Dependencies], therapy: Therapy, said: TherapyAnswer) -> None:
    """The page lets nobody send what is refused here. Raises Invalid."""
    if said.what in (TherapyReport.CONTACT_MADE, TherapyReport.FIRST_SESSION):
        assert therapy.matched_at is not None
        if said.on is None or not day_of(therapy.matched_at) <= said.on <= day_of(unit.now):
            raise Invalid("the day of the report is missing, before the match or still to come")
    if said.what is TherapyReport.ENDED and said.reason not in ENDINGS:
        raise Invalid("a therapist doesn't end a therapy for this reason")
