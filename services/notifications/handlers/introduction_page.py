"""The page of an introduction: how the client is reached, for a therapist who typed a code.

A code is handled as the secrets of links are: it travels sealed, and only its hash is stored.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TypeVar

from chassis.audit.chain import AuditAction
from chassis.ports import UnitOfWork
from chassis.privacy.ephemeral_key import NotAKey, seal_to
from chassis.privacy.one_time_codes import digits_of, new_code
from chassis.privacy.sealing import Unopenable
from contracts.commands.notifications import (
    ClientPage,
    EnterClientCode,
    GetClientLink,
    GiveClientCode,
    GivenCode,
    RenewedIntroduction,
    RenewIntroduction,
    SendClientCode,
)
from contracts.london import day_of
from contracts.sealed import ClientContact, ClientLink, OneTimeCode, TypedCode
from contracts.shape import InvalidShape, Shape
from contracts.vocabulary import Channel, LinkState
from services.notifications.application.contacts import therapist_contact
from services.notifications.application.introductions import Found, find_by_token, find_newest, send_link
from services.notifications.application.queueing import queue_to_therapist
from services.notifications.dependencies import Dependencies
from services.notifications.domain.introductions import (
    Introduction,
    Link,
    Right,
    hash_of_code,
    hash_of_right,
    takes_texts,
)
from services.notifications.domain.templates import Template
from services.notifications.errors import CannotSeal, NoIntroduction
from services.notifications.store import introductions

HOUR = timedelta(hours=1)

READ_FOR = "introduction"

ShapeT = TypeVar("ShapeT", bound=Shape)


def open_client(unit: UnitOfWork[Dependencies], request: GetClientLink) -> ClientPage:
    """What a link opens. With `seal_to` the contact is read, which is recorded in the audit log. Raises CannotSeal."""
    asked = _opened(unit, ClientLink, request.sealed)
    found = find_by_token(unit, asked.token) if asked else None
    if asked is None or found is None:
        return ClientPage(state=LinkState.UNKNOWN)
    known = found.is_open and asked.right is not None and _is_known_browser(unit, found, asked.right)
    client = _read(unit, found, request.seal_to) if known and request.seal_to else None
    return _page(unit, found, known=known, client=client)


def send_client_code(unit: UnitOfWork[Dependencies], request: SendClientCode) -> ClientPage:
    """Sends a code by text message, unless the therapist has to wait for a new one. The page says which."""
    asked = _opened(unit, ClientLink, request.sealed)
    found = find_by_token(unit, asked.token) if asked else None
    if found is None:
        return ClientPage(state=LinkState.UNKNOWN)
    page = _page(unit, found)
    if not found.is_open or page.number_ends is None or page.wait_until is not None:
        return page
    code = _give_code(unit, found.introduction)
    queue_to_therapist(
        unit,
        Template.CLIENT_CODE,
        therapist_id=found.link.therapist_id,
        referral_id=found.link.referral_id,
        key=unit.new_id(),
        sealed=unit.dependencies.keyring.seal("notifications", OneTimeCode(code=code)),
        channel=Channel.TEXT,
    )
    return _page(unit, found)


def enter_client_code(unit: UnitOfWork[Dependencies], request: EnterClientCode) -> ClientPage:
    """If the code is right, this browser may see the client's contact for a while."""
    typed = _opened(unit, TypedCode, request.sealed)
    found = find_by_token(unit, typed.token) if typed else None
    if typed is None or found is None:
        return ClientPage(state=LinkState.UNKNOWN)
    if not found.is_open:
        return _page(unit, found)
    hashed = _hash_of_code(unit, found.introduction, digits_of(typed.code))
    known = found.introduction.try_code(hashed, at=unit.now, lasts=unit.dependencies.settings.code_lasts)
    if known:
        _remember_browser(unit, found.introduction, typed.right)
    return _page(unit, found, known=known)


def give_client_code(unit: UnitOfWork[Dependencies], request: GiveClientCode) -> GivenCode:
    """A code that the office reads out to the therapist. Raises NoIntroduction, CannotSeal."""
    found = _introduction_of(unit, request)
    if found is None or not found.is_open:
        raise NoIntroduction("No therapist may see this client at the moment, or the link in their letter is too old.")
    code = _give_code(unit, found.introduction)
    check = request.check.value
    unit.record_audit(AuditAction.CODE_GIVEN, who=unit.actor.who, subject_id=found.link.referral_id, reason=check)
    return GivenCode(
        therapist_id=found.link.therapist_id,
        sealed=_sealed_to(request.seal_to, OneTimeCode(code=code)),
        valid_until=unit.now + unit.dependencies.settings.code_lasts,
    )


def renew_introduction(unit: UnitOfWork[Dependencies], request: RenewIntroduction) -> RenewedIntroduction:
    """Writes to the therapist again, with another link. Raises NoIntroduction."""
    found = _introduction_of(unit, request)
    if found is None or found.state not in (LinkState.OPEN, LinkState.EXPIRED):
        raise NoIntroduction("No therapist may see this client at the moment.")
    link = found.link
    send_link(unit, link.referral_id, link.therapist_id, key=f"{unit.new_id()}", data={"again": True})
    unit.record_audit(AuditAction.LINK_RENEWED, who=unit.actor.who, subject_id=link.referral_id, reason=READ_FOR)
    return RenewedIntroduction(therapist_id=link.therapist_id)


def _introduction_of(unit: UnitOfWork[Dependencies], request: GiveClientCode | RenewIntroduction) -> Found | None:
    referral_id = request.referral_id
    if request.match_id is not None:
        therapy = introductions.find_therapy(unit.session, request.match_id)
        referral_id = therapy.referral_id if therapy else None
    return find_newest(unit, referral_id) if referral_id else None


def _page(
    unit: UnitOfWork[Dependencies], found: Found, *, known: bool = False, client: str | None = None
) -> ClientPage:
    if not found.is_open:
        return ClientPage(state=found.state)
    policy, introduction, therapy = unit.dependencies.settings, found.introduction, found.therapy
    sent = introductions.codes_sent(unit.session, introduction, since=unit.now - HOUR)
    return ClientPage(
        state=found.state,
        is_known=known,
        number_ends=_number_ends(unit, found.link),
        code_until=introduction.code_until(at=unit.now, lasts=policy.code_lasts),
        wait_until=introduction.wait_until(
            sent=sent, at=unit.now, lasts=policy.code_lasts, an_hour=policy.codes_an_hour
        ),
        matched_on=day_of(therapy.matched_at) if known and therapy and therapy.matched_at else None,
        contact_made_on=therapy.contact_made_on if known and therapy else None,
        first_session_on=therapy.first_session_on if known and therapy else None,
        not_attended=bool(known and therapy and therapy.not_attended),
        client=client,
    )


def _number_ends(unit: UnitOfWork[Dependencies], link: Link) -> str | None:
    """The last two digits of the number that a code would go to, by which the therapist knows the telephone."""
    if Channel.TEXT in unit.dependencies.by_hand:
        return None
    telephone = therapist_contact(unit, link.therapist_id).telephone
    return digits_of(telephone)[-2:] if telephone and takes_texts(telephone) else None


def _read(unit: UnitOfWork[Dependencies], found: Found, public_key: str) -> str:
    """How the client is reached, sealed to the reader's key. Raises CannotSeal."""
    introduction = found.introduction
    assert introduction.contact is not None
    contact = unit.dependencies.vault.decrypt(
        unit.session, introduction.referral_id, ClientContact, introduction.contact
    )
    sealed = _sealed_to(public_key, contact)
    who = f"therapist {introduction.therapist_id}"
    unit.record_audit(AuditAction.READ, who=who, subject_id=introduction.referral_id, reason=READ_FOR)
    return sealed


def _is_known_browser(unit: UnitOfWork[Dependencies], found: Found, right: str) -> bool:
    held = introductions.find_right(unit.session, hash_of_right(right, found.introduction))
    return held is not None and unit.now < held.until


def _remember_browser(unit: UnitOfWork[Dependencies], introduction: Introduction, right: str) -> None:
    """This browser may see this introduction from now on, or for longer than before."""
    until = unit.now + unit.dependencies.settings.known_lasts
    right_hash = hash_of_right(right, introduction)
    held = introductions.find_right(unit.session, right_hash)
    if held:
        held.until = until
        return
    unit.session.add(
        Right(
            right_hash=right_hash,
            referral_id=introduction.referral_id,
            therapist_id=introduction.therapist_id,
            until=until,
        )
    )


def _give_code(unit: UnitOfWork[Dependencies], introduction: Introduction) -> str:
    code = new_code()
    introduction.give_code(_hash_of_code(unit, introduction, code), at=unit.now)
    return code


def _hash_of_code(unit: UnitOfWork[Dependencies], introduction: Introduction, code: str) -> bytes:
    key = f"{unit.dependencies.settings.master_key}:{introduction.referral_id}:{introduction.therapist_id}"
    return hash_of_code(code, key=key.encode())


def _opened(unit: UnitOfWork[Dependencies], kind: type[ShapeT], sealed: str) -> ShapeT | None:
    """None if it can't be opened: then it belongs to no link."""
    try:
        return unit.dependencies.keyring.open(kind, sealed)
    except (Unopenable, InvalidShape):
        return None


def _sealed_to(public_key: str, shape: Shape) -> str:
    try:
        return seal_to(public_key, shape)
    except NotAKey as refusal:
        raise CannotSeal(f"This can't be answered: {refusal}.") from None
