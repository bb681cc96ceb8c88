"""Introducing a client to the therapist who accepted, and what is known of their therapy from others.

The message holds a link and nothing of the client; `application.introductions` has what it leads to.
"""

from __future__ import annotations

from chassis.ports import Invalid, UnitOfWork
from chassis.privacy.one_time_links import hash_of, new_token
from contracts.events.billing import FirstSessionAttended, SessionReversed
from contracts.events.intake import ContactReleased
from contracts.events.matching import MatchEnded, MatchEndUndone, TherapistMatched
from contracts.sealed import ClientContact, LinkSecret
from contracts.vocabulary import ContactPurpose
from services.notifications.application.queueing import encrypted, queue_to_client, queue_to_therapist
from services.notifications.dependencies import Dependencies
from services.notifications.domain.introductions import Link, Therapy
from services.notifications.domain.templates import Template
from services.notifications.store import introductions, people


def introduce(unit: UnitOfWork[Dependencies], event: ContactReleased, contact: ClientContact) -> None:
    """Keeps what the therapist may see, and writes to them that there is something to see, or something else."""
    if event.therapist_id is None:
        raise Invalid("an introduction names no therapist")
    client = people.client_as_known(unit.session, event.referral_id)
    if client and client.is_removed:
        return
    found = introductions.introduction_of(unit.session, event.referral_id, event.therapist_id)
    corrected = event.purpose is ContactPurpose.CORRECTION
    # The same therapist may be found a second time, for a request that was taken up again.
    anew = corrected or (found.contact_sequence > 0 and found.takes(unit.sequence))
    if found.takes(unit.sequence):
        found.contact, found.contact_sequence = encrypted(unit, event.referral_id, contact), unit.sequence
    key, token = f"{event.referral_id}:{event.therapist_id}", new_token()
    message_id = queue_to_therapist(
        unit,
        Template.CONTACT_CHANGED if corrected else Template.INTRODUCTION,
        therapist_id=event.therapist_id,
        referral_id=event.referral_id,
        key=f"{key}:{unit.sequence}" if anew else key,
        sealed=unit.dependencies.keyring.seal("notifications", LinkSecret(token=token)),
    )
    if message_id:
        unit.session.add(
            Link(
                token_hash=hash_of(token),
                referral_id=event.referral_id,
                therapist_id=event.therapist_id,
                made_at=unit.now,
            )
        )


def note_match(unit: UnitOfWork[Dependencies], event: TherapistMatched) -> None:
    """Tells the client, and has the introduction's page know since when."""
    queue_to_client(unit, Template.MATCHED, referral_id=event.referral_id, key=event.match_id)
    if therapy := _therapy(unit, event):
        therapy.matched_at = event.matched_at


def note_end(unit: UnitOfWork[Dependencies], event: MatchEnded) -> None:
    """From now on the therapist sees nothing of the client any more."""
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


Known = TherapistMatched | MatchEnded | MatchEndUndone | FirstSessionAttended | SessionReversed


def _therapy(unit: UnitOfWork[Dependencies], event: Known) -> Therapy | None:
    """None where nothing of the client is kept any more, nor is to be again."""
    client = people.client_as_known(unit.session, event.referral_id)
    if client and client.is_removed:
        return None
    return introductions.therapy_of(
        unit.session, event.match_id, referral_id=event.referral_id, therapist_id=event.therapist_id
    )
