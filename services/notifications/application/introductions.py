"""Introduces a client to a therapist, and finds what an introduction's link opens."""

from __future__ import annotations

from dataclasses import dataclass

from chassis.ports import Invalid, UnitOfWork
from chassis.privacy.one_time_links import hash_of, new_token
from contracts.events.intake import ContactReleased
from contracts.sealed import ClientContact, LinkSecret
from contracts.vocabulary import ContactPurpose, LinkState, ReferralId, TherapistId
from services.notifications.application.contacts import encrypt_contact
from services.notifications.application.queueing import queue_to_therapist
from services.notifications.dependencies import Dependencies
from services.notifications.domain.introductions import (
    Introduction,
    Link,
    Therapy,
    newest,
    state_of,
)
from services.notifications.domain.messages import Coded
from services.notifications.domain.templates import Template
from services.notifications.store import introductions, people


@dataclass(frozen=True)
class Found:
    """What a link opens, read in this unit of work; the introduction is locked."""

    link: Link
    introduction: Introduction
    therapy: Therapy | None
    state: LinkState

    @property
    def is_open(self) -> bool:
        return self.state is LinkState.OPEN


def find_by_token(unit: UnitOfWork[Dependencies], token: str) -> Found | None:
    link = introductions.find_link(unit.session, hash_of(token))
    return _look_up(unit, link) if link else None


def _look_up(unit: UnitOfWork[Dependencies], link: Link) -> Found | None:
    # The client before the introduction: all handlers lock them in this order, so that there is no deadlock.
    client = people.client_as_known(unit.session, link.referral_id)
    introduction = introductions.find_introduction(unit.session, link.referral_id, link.therapist_id)
    if introduction is None:
        return None
    gone = client is not None and (client.is_withdrawn or client.is_removed)
    suspended = introductions.is_suspended(unit.session, link.therapist_id)
    therapies = introductions.therapies_of(unit.session, link.referral_id)
    state = state_of(
        link,
        introduction,
        therapies,
        may_act=not gone and not suspended,
        at=unit.now,
        lasts=unit.dependencies.settings.introduction_lasts,
    )
    return Found(link, introduction, newest(therapies, link.therapist_id), state)


def find_newest(unit: UnitOfWork[Dependencies], referral_id: ReferralId) -> Found | None:
    """The introduction by which somebody may see this client: one whose link is open, or was; if there is none, any."""
    known = introductions.introductions_of(unit.session, referral_id)
    links = (introductions.newest_link(unit.session, introduction) for introduction in known)
    found = [opened for link in links if link and (opened := _look_up(unit, link))]
    return max(found, key=lambda opened: (opened.is_open, opened.state is LinkState.EXPIRED), default=None)


def introduce(unit: UnitOfWork[Dependencies], event: ContactReleased, contact: ClientContact) -> None:
    """Stores what the therapist may see, and writes to them that they can see it, or that it has changed."""
    if event.therapist_id is None:
        raise Invalid("an introduction names no therapist")
    client = people.client_as_known(unit.session, event.referral_id)
    if client and client.is_removed:
        return
    found = introductions.introduction_of(unit.session, event.referral_id, event.therapist_id)
    corrected = event.purpose is ContactPurpose.CORRECTION
    # The same therapist may be found a second time, for a request that was reopened.
    anew = corrected or (found.contact_sequence > 0 and found.takes(unit.sequence))
    if found.takes(unit.sequence):
        found.contact, found.contact_sequence = encrypt_contact(unit, event.referral_id, contact), unit.sequence
    key = f"{event.referral_id}:{event.therapist_id}"
    send_link(
        unit,
        event.referral_id,
        event.therapist_id,
        template=Template.CONTACT_CHANGED if corrected else Template.INTRODUCTION,
        key=f"{key}:{unit.sequence}" if anew else key,
    )


def send_link(
    unit: UnitOfWork[Dependencies],
    referral_id: ReferralId,
    therapist_id: TherapistId,
    *,
    key: str,
    template: Template = Template.INTRODUCTION,
    data: Coded | None = None,
) -> None:
    """Writes to the therapist with a new link, unless this message was queued before."""
    token = new_token()
    message_id = queue_to_therapist(
        unit,
        template,
        therapist_id=therapist_id,
        referral_id=referral_id,
        key=key,
        data=data,
        sealed=unit.dependencies.keyring.seal("notifications", LinkSecret(token=token)),
    )
    if message_id:
        unit.session.add(
            Link(token_hash=hash_of(token), referral_id=referral_id, therapist_id=therapist_id, made_at=unit.now)
        )
