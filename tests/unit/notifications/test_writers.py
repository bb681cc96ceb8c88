"""Whoever writes for a client is a person of their own: who gets which letter, and what it says."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from chassis.ids import new_id
from contracts.events.intake import (
    AgreementAwaited,
    ContactReleased,
    CourseAwaited,
    HelpRequestRefused,
    ReferralHeld,
    ReferralReceived,
    ReferralReopened,
    ReferralResumed,
)
from contracts.reference import reference_for
from contracts.sealed import ClientContact, SafeChannel, SafeContact, SafeHours, WriterContact
from contracts.vocabulary import (
    AgeBand,
    ClientGroup,
    ContactPurpose,
    HoldReason,
    Known,
    ReferralId,
    RefusalReason,
    ReopeningReason,
    ResumptionReason,
    Route,
    Sessions,
    SubmissionId,
    TherapistId,
    WithdrawalReason,
)
from services.notifications.handlers import address_book, client_messages, introductions, office_messages
from tests.unit.notifications import facts
from tests.unit.notifications.conftest import CLIENT_NAME, MONDAY_10, OPEN_EMAIL, POST, Desk, body
from tests.unit.notifications.test_withdrawal import address_is_gone

WRITERS = SafeContact(channel=SafeChannel.EMAIL, email="pat@example.org", discreet=False)
MOTHER = WriterContact(name="Lee Parent", relationship="mother", contact=WRITERS)
CLIENTS_ADDRESS, WRITERS_ADDRESS, OFFICE = "robin@example.org", "pat@example.org", "office@example.org"


def tell(
    desk: Desk,
    referral_id: ReferralId,
    *,
    contact: SafeContact | None = None,
    writer: WriterContact | None = MOTHER,
    agrees: bool = True,
    purpose: ContactPurpose = ContactPurpose.ADDRESS_BOOK,
    to: TherapistId | None = None,
    name: str | None = CLIENT_NAME,
    addressee: str | None = None,
) -> None:
    known = ClientContact(
        referral_id=referral_id,
        reference=reference_for(referral_id),
        name=name,
        contact=contact,
        client_agrees=agrees,
        writer=writer,
        addressee=addressee,
    )
    sealed = desk.keyring.seal("notifications", known)
    event = ContactReleased(referral_id=referral_id, purpose=purpose, therapist_id=to, sealed=sealed)
    desk.bench.hear(address_book.record_contact, event)


def received(referral_id: ReferralId, group: ClientGroup = ClientGroup.FAMILY) -> ReferralReceived:
    return ReferralReceived(
        referral_id=referral_id,
        received_at=MONDAY_10,
        route=Route.GUARDIAN,
        client_group=group,
        age_band=AgeBand.UNKNOWN,
        outward_code="NP20",
        language="en",
        sessions=Sessions.EITHER,
        max_distance_km=30.0,
        subsidy_requested=False,
        known_to_authorities=Known.NO,
    )


def test_a_client_who_has_not_agreed_is_not_written_to_and_the_writer_is_told_why(
    desk: Desk, referral_id: ReferralId
) -> None:
    tell(desk, referral_id, agrees=False)
    desk.run()
    (letter,) = desk.mail.sent
    assert letter["To"] == WRITERS_ADDRESS
    assert "We don't get in touch with anybody who hasn't agreed" in body(letter)


def test_once_they_agree_they_are_written_to_and_the_writer_not_twice(desk: Desk, referral_id: ReferralId) -> None:
    tell(desk, referral_id, agrees=False)
    desk.run()
    tell(desk, referral_id, contact=OPEN_EMAIL)
    desk.run()
    assert [one["To"] for one in desk.mail.sent] == [WRITERS_ADDRESS, CLIENTS_ADDRESS]


def test_what_comes_next_goes_to_the_client_alone_if_they_can_be_written_to(
    desk: Desk, referral_id: ReferralId
) -> None:
    tell(desk, referral_id, contact=OPEN_EMAIL)
    desk.bench.hear(introductions.note_match, facts.matched(referral_id))
    desk.run()
    assert len(desk.mail.to(WRITERS_ADDRESS)) == 1
    assert "a therapist has agreed to see you" in body(desk.mail.to(CLIENTS_ADDRESS)[-1])


def test_and_otherwise_to_the_writer_in_words_of_their_own(desk: Desk, referral_id: ReferralId) -> None:
    tell(desk, referral_id)
    desk.bench.hear(introductions.note_match, facts.matched(referral_id))
    desk.bench.hear(client_messages.notify_client_of_subsidy, facts.subsidy_approved(referral_id))
    desk.bench.hear(address_book.signpost, facts.signposted(referral_id))
    desk.bench.hear(address_book.withdraw, facts.withdrawn(referral_id))
    desk.run()
    assert {one["To"] for one in desk.mail.sent} == {WRITERS_ADDRESS}
    assert all("your request" not in body(one) for one in desk.mail.sent)


def test_a_writer_is_not_asked_how_the_client_feels(desk: Desk, referral_id: ReferralId) -> None:
    """Nobody else's answers count, so the office is told that somebody has to ask."""
    tell(desk, referral_id)
    desk.bench.hear(client_messages.ask_for_form, facts.invited(desk.keyring, referral_id, TherapistId(new_id())))
    desk.run()
    assert len(desk.mail.to(WRITERS_ADDRESS)) == 1
    assert len(desk.mail.to(OFFICE)) == 1


def test_a_writer_who_must_not_be_written_to_openly_is_not(desk: Desk, referral_id: ReferralId) -> None:
    discreet = replace(MOTHER, contact=replace(WRITERS, discreet=True))
    tell(desk, referral_id, writer=discreet)
    desk.run()
    (letter,) = desk.mail.sent
    assert letter["Subject"] == f"Reference {reference_for(referral_id)}"
    assert "request" not in body(letter)


def test_a_writer_who_is_telephoned_is_called_by_the_office(desk: Desk, referral_id: ReferralId) -> None:
    calls = SafeContact(channel=SafeChannel.TELEPHONE, telephone="01632 960123")
    tell(desk, referral_id, writer=replace(MOTHER, contact=calls))
    desk.run()
    assert "Please tell somebody who wrote to us for a client that the request has come" in body(
        desk.mail.to(OFFICE)[0]
    )


def test_a_therapist_is_told_that_the_way_has_changed_each_time(
    desk: Desk, referral_id: ReferralId, therapist_id: TherapistId
) -> None:
    desk.admit(therapist_id)
    for contact in (OPEN_EMAIL, replace(OPEN_EMAIL, email="new@example.org")):
        tell(desk, referral_id, contact=contact, writer=None, purpose=ContactPurpose.CORRECTION, to=therapist_id)
    desk.run()
    assert len(desk.mail.sent) == 2
    assert not any("@example.org" in body(one) for one in desk.mail.sent)
    assert all("please don't use it again" in body(one) for one in desk.mail.sent)


# The office


def test_the_office_hears_of_a_new_request_at_once_and_once(desk: Desk, referral_id: ReferralId) -> None:
    tell(desk, referral_id, contact=OPEN_EMAIL, writer=None)
    for _ in range(2):  # it is said anew when something of it is corrected
        desk.bench.hear(office_messages.notify_office_of_request, received(referral_id))
    desk.run()
    (letter,) = desk.mail.to(OFFICE)
    text = body(letter)
    assert reference_for(referral_id) in letter["Subject"]
    assert "a partner or relative" in text
    assert "a parent or guardian" in text
    assert "safeguarding lead" not in text
    assert CLIENT_NAME not in text


def test_and_that_the_lead_must_see_a_young_persons(desk: Desk, referral_id: ReferralId) -> None:
    desk.bench.hear(office_messages.notify_office_of_request, received(referral_id, ClientGroup.YOUNG_PERSON))
    desk.run()
    assert "show it to the safeguarding lead first" in body(desk.mail.sent[0])


@pytest.mark.parametrize(
    ("reason", "says"),
    [
        (RefusalReason.UNSEALED, "sealed to a key that we don't have"),
        (RefusalReason.MALFORMED, "malformed, date_of_birth"),
        (RefusalReason.REPLAYED, None),
        (RefusalReason.NOT_RECOGNISED, None),
    ],
)
def test_the_office_hears_of_what_could_not_be_read(
    desk: Desk, referral_id: ReferralId, reason: RefusalReason, says: str | None
) -> None:
    field = "date_of_birth" if reason is RefusalReason.MALFORMED else None
    event = HelpRequestRefused(submission_id=SubmissionId(referral_id), reason=reason, field=field)
    desk.bench.hear(office_messages.notify_office_of_unreadable, event)
    desk.run()
    assert [says in body(one) for one in desk.mail.sent if says] == ([True] if says else [])
    assert len(desk.mail.sent) == bool(says)


@pytest.mark.parametrize("reason", [HoldReason.CLIENT_HAS_NOT_AGREED, HoldReason.CONSENT_TO_PASS_ON])
def test_the_office_is_reminded_of_whoever_must_still_be_asked(
    desk: Desk, referral_id: ReferralId, reason: HoldReason
) -> None:
    desk.release(referral_id, OPEN_EMAIL)
    for _ in range(2):
        desk.bench.hear(office_messages.ask_for_agreement, AgreementAwaited(referral_id=referral_id, reason=reason))
    desk.run()
    assert len(desk.mail.to(OFFICE)) == 2


def test_who_can_agree_to_be_found_a_therapist_is_asked_once(desk: Desk, referral_id: ReferralId) -> None:
    desk.release(referral_id, OPEN_EMAIL)
    awaited = AgreementAwaited(referral_id=referral_id, reason=HoldReason.CONSENT_TO_PASS_ON)
    for _ in range(2):
        desk.bench.hear(office_messages.ask_for_agreement, awaited)
    desk.run()
    _, asked = desk.mail.to(str(OPEN_EMAIL.email))
    assert asked["Subject"] == "One question before we look for somebody"
    assert "Without it we can't ask anybody, and your request waits" in body(asked)


def hear_of_consent(desk: Desk, referral_id: ReferralId, sequence: int | None = None) -> None:
    resumed = ReferralResumed(referral_id=referral_id, reason=ResumptionReason.CONSENT_GIVEN)
    desk.bench.hear(office_messages.stop_asking_for_agreement, resumed, sequence=sequence)


def test_who_has_agreed_meanwhile_is_not_asked_any_more(desk: Desk, referral_id: ReferralId) -> None:
    desk.release(referral_id, replace(OPEN_EMAIL, hours=SafeHours.EVENING))
    awaited = AgreementAwaited(referral_id=referral_id, reason=HoldReason.CONSENT_TO_PASS_ON)
    desk.bench.hear(office_messages.ask_for_agreement, awaited)
    hear_of_consent(desk, referral_id)
    desk.pass_time(hours=8)
    assert desk.mail.to(OFFICE) == []
    (received,) = desk.mail.to(str(OPEN_EMAIL.email))
    assert received["Subject"] == "We have your request"


def test_who_agreed_before_word_came_that_they_had_not_is_not_asked(desk: Desk, referral_id: ReferralId) -> None:
    desk.release(referral_id, OPEN_EMAIL)
    awaited = AgreementAwaited(referral_id=referral_id, reason=HoldReason.CONSENT_TO_PASS_ON)
    hear_of_consent(desk, referral_id, sequence=9)
    desk.bench.hear(office_messages.ask_for_agreement, awaited, sequence=8)
    desk.run()
    assert "consent_needed" not in desk.states(referral_id)
    assert desk.mail.to(OFFICE) == []
    desk.bench.hear(office_messages.ask_for_agreement, awaited, sequence=10)
    desk.run()
    assert desk.states(referral_id)["consent_needed"] == "sent", "it was taken back later"


def test_who_has_agreed_and_waits_for_a_course_is_not_asked_any_more(desk: Desk, referral_id: ReferralId) -> None:
    desk.release(referral_id, replace(OPEN_EMAIL, hours=SafeHours.EVENING))
    awaited = AgreementAwaited(referral_id=referral_id, reason=HoldReason.CONSENT_TO_PASS_ON)
    desk.bench.hear(office_messages.ask_for_agreement, awaited)
    held = ReferralHeld(referral_id=referral_id, reason=HoldReason.COURSE_WANTED)
    desk.bench.hear(office_messages.stop_asking_whoever_waits_for_a_course, held)
    desk.pass_time(hours=8)
    assert desk.states(referral_id)["consent_needed"] == "cancelled"
    assert desk.mail.to(OFFICE) == []


def test_the_office_is_told_each_time_of_who_waits_for_a_course(desk: Desk, referral_id: ReferralId) -> None:
    desk.release(referral_id, OPEN_EMAIL)
    for _ in range(2):
        desk.bench.hear(office_messages.notify_office_of_course, CourseAwaited(referral_id=referral_id))
    desk.run()
    assert ["Somebody waits for a course" in str(told["Subject"]) for told in desk.mail.to(OFFICE)] == [True, True]


def test_what_a_referral_otherwise_waited_for_says_nothing_of_consent(desk: Desk, referral_id: ReferralId) -> None:
    desk.release(referral_id, OPEN_EMAIL)
    awaited = AgreementAwaited(referral_id=referral_id, reason=HoldReason.CONSENT_TO_PASS_ON)
    desk.bench.hear(office_messages.ask_for_agreement, awaited)
    resumed = ReferralResumed(referral_id=referral_id, reason=ResumptionReason.INFORMATION_CAME)
    desk.bench.hear(office_messages.stop_asking_for_agreement, resumed)
    desk.run()
    assert desk.states(referral_id)["consent_needed"] == "sent"


@pytest.mark.parametrize("language", ["en", "cy"])
def test_who_has_taken_their_consent_back_is_not_told_that_they_never_gave_it(
    desk: Desk, referral_id: ReferralId, language: str
) -> None:
    desk.release(referral_id, OPEN_EMAIL, language=language)
    awaited = AgreementAwaited(referral_id=referral_id, reason=HoldReason.CONSENT_TO_PASS_ON)
    desk.bench.hear(office_messages.ask_for_agreement, awaited)
    desk.run()
    asked = body(desk.mail.to(str(OPEN_EMAIL.email))[-1])
    assert "for granted" not in asked
    assert "ganiataol" not in asked


def test_nobody_is_written_to_about_a_request_that_they_have_not_agreed_to(desk: Desk, referral_id: ReferralId) -> None:
    tell(desk, referral_id, contact=None)
    desk.run()
    before = len(desk.mail.sent)
    awaited = AgreementAwaited(referral_id=referral_id, reason=HoldReason.CLIENT_HAS_NOT_AGREED)
    desk.bench.hear(office_messages.ask_for_agreement, awaited)
    desk.run()
    assert [letter["To"] for letter in desk.mail.sent[before:]] == [OFFICE]


def test_what_goes_by_post_has_whoever_it_is_for_above_the_address(desk: Desk, referral_id: ReferralId) -> None:
    inside = replace(POST, address="HMP Invented\nInvented Road")
    tell(desk, referral_id, contact=inside, writer=None, addressee="Robin Invented A0000AA")
    desk.run()
    (message,) = desk.letters.sent
    assert message.to == "Robin Invented A0000AA\nHMP Invented\nInvented Road"
    assert "Leeward" not in message.text


def test_a_letter_that_anybody_might_open_is_left_to_a_person(desk: Desk, referral_id: ReferralId) -> None:
    tell(desk, referral_id, contact=POST, writer=None, name=None)
    desk.run()
    assert desk.letters.sent == []
    assert "How: letter" in body(desk.mail.to(OFFICE)[0])


# Slips


def reopened(referral_id: ReferralId) -> ReferralReopened:
    return ReferralReopened(referral_id=referral_id, reason=ReopeningReason.ENDED_BY_MISTAKE)


def test_what_was_withdrawn_by_mistake_goes_on_and_the_client_hears_of_it(desk: Desk, referral_id: ReferralId) -> None:
    tell(desk, referral_id, contact=OPEN_EMAIL, writer=None)
    desk.run()
    desk.bench.hear(
        address_book.withdraw,
        replace(facts.withdrawn(referral_id), final_at=desk.bench.clock.now() + timedelta(days=7)),
    )
    desk.run()
    desk.pass_time(hours=24)
    desk.bench.hear(address_book.reopen, reopened(referral_id))
    desk.bench.hear(introductions.note_match, facts.matched(referral_id))
    desk.pass_time(hours=24 * 14)
    told = [one["Subject"] for one in desk.mail.to(CLIENTS_ADDRESS)]
    assert told == [
        "We have your request",
        "Your request has been taken back",
        "Your request goes on",
        "Someone has agreed to see you",
    ]


@pytest.mark.parametrize("reason", [WithdrawalReason.CLIENT_ASKED, WithdrawalReason.NO_CONTACT])
def test_what_nobody_undoes_is_forgotten_when_that_is_over(
    desk: Desk, referral_id: ReferralId, reason: WithdrawalReason
) -> None:
    tell(desk, referral_id, contact=OPEN_EMAIL, writer=None)
    event = replace(facts.withdrawn(referral_id, reason), final_at=desk.bench.clock.now() + timedelta(days=7))
    desk.bench.hear(address_book.withdraw, event)
    desk.run()
    assert not address_is_gone(desk, referral_id)
    desk.pass_time(hours=24 * 7)
    assert address_is_gone(desk, referral_id)


def test_a_withdrawal_that_arrives_after_it_was_undone_has_no_effect(desk: Desk, referral_id: ReferralId) -> None:
    tell(desk, referral_id, contact=OPEN_EMAIL, writer=None)
    desk.bench.hear(address_book.reopen, reopened(referral_id), sequence=5)
    desk.bench.hear(address_book.withdraw, facts.withdrawn(referral_id), sequence=4)
    desk.bench.hear(introductions.note_match, facts.matched(referral_id))
    desk.run()
    assert desk.states(referral_id)["matched"] == "sent"


def test_a_client_who_did_not_write_is_not_thanked_for_it_nor_led_to_words_that_they_do_not_know(
    desk: Desk, referral_id: ReferralId
) -> None:
    tell(desk, referral_id, contact=OPEN_EMAIL)
    desk.run()
    (letter,) = desk.mail.to(CLIENTS_ADDRESS)
    assert "Somebody has asked us for help for you" in body(letter)
    assert "what you sent" not in body(letter)
    assert "how things stand" not in body(letter)
    (writers,) = desk.mail.to(WRITERS_ADDRESS)
    assert "how things stand" in body(writers)


def test_a_writer_who_gave_no_way_to_reach_the_client_is_told_that_we_come_back_to_them(
    desk: Desk, referral_id: ReferralId
) -> None:
    tell(desk, referral_id)
    desk.run()
    (letter,) = desk.mail.sent
    assert "we come back to you" in body(letter)
    assert "we get in touch with them" not in body(letter)
