"""The page of an introduction: how the client is reached, for a therapist who typed a code, and what they say.

A code travels as the secrets of links do: sealed, and kept as a hash alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

import structlog

from chassis.audit.chain import AuditAction
from chassis.ports import Invalid, NotYet, Refused, UnitOfWork
from chassis.privacy.ephemeral_key import NotAKey, seal_to
from chassis.privacy.one_time_codes import digits_of, new_code
from chassis.privacy.one_time_links import hash_of
from chassis.privacy.opening import open_or_park
from chassis.privacy.sealing import Unopenable
from contracts.commands.notifications import (
    AskClientLink,
    ClientPage,
    EnterClientCode,
    GiveClientCode,
    GivenCode,
    SendClientCode,
)
from contracts.events.notifications import TherapyReportAccepted
from contracts.events.web import TherapyReported
from contracts.london import day_of
from contracts.sealed import ClientContact, ClientLink, OneTimeCode, TherapyAnswer, TypedCode
from contracts.shape import InvalidShape, Shape
from contracts.vocabulary import Channel, LinkState, MatchEndReason, ReferralId, TherapyReport
from services.notifications.application.composition import therapist_contact
from services.notifications.application.queueing import queue_to_office, queue_to_therapist
from services.notifications.dependencies import Dependencies
from services.notifications.domain.introductions import (
    Introduction,
    Link,
    Right,
    Therapy,
    hash_of_code,
    hash_of_right,
    newest,
    state_of,
    takes_texts,
)
from services.notifications.domain.templates import Template
from services.notifications.store import introductions, people

HOUR = timedelta(hours=1)
CLOCKS_DIFFER = timedelta(minutes=1)
"""By so much, at most, do the site's clock and this one; and a page takes a moment to be sent."""

READ_FOR = "introduction"
ENDINGS = frozenset({MatchEndReason.COMPLETED, MatchEndReason.CLIENT_UNHAPPY, MatchEndReason.NOT_ATTENDED})
"""Why a therapy has ended, as its therapist may say. That the client withdraws is the client's word."""

ShapeT = TypeVar("ShapeT", bound=Shape)
log = structlog.get_logger()


class NoIntroduction(Refused):
    """Nobody is introduced to this client, or may see them at the moment."""


class CannotSeal(Refused):
    """The key that came with the question can't be sealed to."""


@dataclass(frozen=True)
class Found:
    """What a link opens, all of it locked or read in this unit."""

    link: Link
    introduction: Introduction
    therapy: Therapy | None
    state: LinkState

    @property
    def is_open(self) -> bool:
        return self.state is LinkState.OPEN


def open_client(unit: UnitOfWork[Dependencies], request: AskClientLink) -> ClientPage:
    """What a link opens; with `seal_to` it is a reading, and goes on record. Raises CannotSeal."""
    asked = _opened(unit, ClientLink, request.sealed)
    found = _find(unit, asked.token) if asked else None
    if asked is None or found is None:
        return ClientPage(state=LinkState.UNKNOWN)
    known = found.is_open and asked.right is not None and _is_known(unit, found, asked.right)
    client = _read(unit, found, request.seal_to) if known and request.seal_to else None
    return _page(unit, found, known=known, client=client)


def send_client_code(unit: UnitOfWork[Dependencies], request: SendClientCode) -> ClientPage:
    """Sends a code by text message, unless it is to be waited for. The page says which."""
    asked = _opened(unit, ClientLink, request.sealed)
    found = _find(unit, asked.token) if asked else None
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
    """If it is the code, the browser is known for a while."""
    typed = _opened(unit, TypedCode, request.sealed)
    found = _find(unit, typed.token) if typed else None
    if typed is None or found is None:
        return ClientPage(state=LinkState.UNKNOWN)
    if not found.is_open:
        return _page(unit, found)
    hashed = _hash_of_code(unit, found.introduction, digits_of(typed.code))
    known = found.introduction.try_code(hashed, at=unit.now, lasts=unit.dependencies.settings.code_lasts)
    if known:
        _know(unit, found.introduction, typed.right)
    return _page(unit, found, known=known)


def give_client_code(unit: UnitOfWork[Dependencies], request: GiveClientCode) -> GivenCode:
    """A code to be read out to the therapist. Raises NoIntroduction, CannotSeal."""
    referral_id = request.referral_id
    if request.match_id is not None:
        therapy = introductions.find_therapy(unit.session, request.match_id)
        referral_id = therapy.referral_id if therapy else None
    found = _newest(unit, referral_id) if referral_id else None
    if found is None or not found.is_open:
        raise NoIntroduction("No therapist may see this client at the moment, or the link in their letter is too old.")
    code = _give_code(unit, found.introduction)
    check = request.check.value
    unit.record_audit(AuditAction.CODE_GIVEN, who=request.staff, subject_id=found.link.referral_id, reason=check)
    return GivenCode(
        therapist_id=found.link.therapist_id,
        sealed=_sealed_to(request.seal_to, OneTimeCode(code=code)),
        valid_until=unit.now + unit.dependencies.settings.code_lasts,
    )


def take_therapy_report(unit: UnitOfWork[Dependencies], event: TherapyReported) -> None:
    """Tells whoever keeps the fact, as of when it was said. Says nothing where it is known already, and has the office
    ask where the link is open no more.

    Raises Invalid for what can't be opened, belongs to no introduction, or is no report that the page would send.
    """
    said = open_or_park(unit.dependencies.keyring, TherapyAnswer, event.sealed)
    found = _find(unit, said.token)
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
        _have_asked(unit, found.therapy, said.what, key=str(event.submission_id))
        return
    if found.therapy is None or found.therapy.matched_at is None:
        raise NotYet("the match that the report is about has not been heard of here")
    _refuse_impossible(unit, found.therapy, said)
    if _is_news(found.therapy, said.what):
        _accept(unit, found.therapy, said, said_at=said_at)


def _have_asked(unit: UnitOfWork[Dependencies], therapy: Therapy | None, what: TherapyReport, *, key: str) -> None:
    """A person asks whether they have met, as long as nobody has recorded it."""
    if what not in (TherapyReport.FIRST_SESSION, TherapyReport.NOT_ATTENDED) or therapy is None:
        return
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
    """What nobody else says again is noted here; a session and an end are what billing and matching make of it."""
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


def _is_news(therapy: Therapy, what: TherapyReport) -> bool:
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


def _find(unit: UnitOfWork[Dependencies], token: str) -> Found | None:
    link = introductions.find_link(unit.session, hash_of(token))
    return _looked_up(unit, link) if link else None


def _looked_up(unit: UnitOfWork[Dependencies], link: Link) -> Found | None:
    # The client before the introduction and the therapy, as whatever else is heard of them locks them.
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


def _newest(unit: UnitOfWork[Dependencies], referral_id: ReferralId) -> Found | None:
    """The introduction by which somebody may see this client, if there is one; otherwise any."""
    every = introductions.introductions_of(unit.session, referral_id)
    links = (introductions.newest_link(unit.session, one) for one in every)
    found = [one for link in links if link and (one := _looked_up(unit, link))]
    return max(found, key=lambda one: one.is_open, default=None)


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
    """The last two digits of the number that a code would go to, by which its owner knows which telephone it is."""
    if Channel.TEXT in unit.dependencies.by_hand:
        return None
    telephone = therapist_contact(unit, link.therapist_id).telephone
    return digits_of(telephone)[-2:] if telephone and takes_texts(telephone) else None


def _read(unit: UnitOfWork[Dependencies], found: Found, public_key: str) -> str:
    """How the client is reached, sealed to the reader. Raises CannotSeal."""
    introduction = found.introduction
    assert introduction.contact is not None
    contact = unit.dependencies.vault.decrypt(
        unit.session, introduction.referral_id, ClientContact, introduction.contact
    )
    sealed = _sealed_to(public_key, contact)
    who = f"therapist {introduction.therapist_id}"
    unit.record_audit(AuditAction.READ, who=who, subject_id=introduction.referral_id, reason=READ_FOR)
    return sealed


def _is_known(unit: UnitOfWork[Dependencies], found: Found, right: str) -> bool:
    held = introductions.find_right(unit.session, hash_of_right(right, found.introduction))
    return held is not None and unit.now < held.until


def _know(unit: UnitOfWork[Dependencies], introduction: Introduction, right: str) -> None:
    """The browser is known from now on, or goes on being known; to this introduction, whatever else it was shown."""
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
    """None for what can't be opened, which is nobody's link."""
    try:
        return unit.dependencies.keyring.open(kind, sealed)
    except (Unopenable, InvalidShape):
        return None


def _sealed_to(public_key: str, shape: Shape) -> str:
    try:
        return seal_to(public_key, shape)
    except NotAKey as refusal:
        raise CannotSeal(f"This can't be answered: {refusal}.") from None
