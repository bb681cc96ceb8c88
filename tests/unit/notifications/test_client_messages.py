"""What clients are told, and how."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from chassis.ids import new_id
from chassis.ports import Invalid, NotYet
from chassis.privacy.sealing import Keyring, make_keys
from contracts.commands.notifications import ListMessages
from contracts.events.intake import ContactReleased
from contracts.events.notifications import MessageFailed, MessageSent
from contracts.reference import reference_for
from contracts.sealed import LinkSecret, SafeChannel, SafeContact, SafeHours
from contracts.vocabulary import (
    Channel,
    ConcernId,
    ContactPurpose,
    FailureReason,
    MatchId,
    ReferralId,
    Respondent,
    SubsidyWaitReason,
    TherapistId,
)
from services.notifications.errors import NothingAskedAfter
from services.notifications.handlers import address_book, client_messages, introductions, queries
from services.notifications.store import tables
from tests.unit.notifications import facts
from tests.unit.notifications.conftest import (
    CLIENT_CALLS,
    EMAIL,
    EVENING,
    NO_ADDRESS,
    OPEN_EMAIL,
    POST,
    SETTINGS,
    TELEPHONE,
    TEXT,
    WORDING,
    Desk,
    body,
    desk_on,
    plain,
)

ADDRESS, OFFICE = "robin@example.org", SETTINGS.office.address


def test_a_client_is_told_that_the_request_has_arrived_and_what_happens_next(
    desk: Desk, referral_id: ReferralId
) -> None:
    desk.release(referral_id, OPEN_EMAIL)
    desk.run()
    (message,) = desk.mail.to(ADDRESS)
    assert reference_for(referral_id) in body(message)
    assert "What happens next" in body(message)
    (sent,) = desk.bench.emitted(MessageSent)
    assert (sent.template, sent.channel, sent.referral_id) == ("request_received", Channel.EMAIL, referral_id)


def test_a_discreet_message_comes_from_a_sender_and_under_a_subject_that_tell_nothing(
    desk: Desk, referral_id: ReferralId
) -> None:
    desk.release(referral_id, EMAIL)
    desk.run()
    (message,) = desk.mail.to(ADDRESS)
    assert message["From"] == str(SETTINGS.discreet_sender)
    assert message["Subject"] == f"Reference {reference_for(referral_id)}"
    assert "Leeward" not in message.as_string()
    assert message["Message-ID"].endswith("@example.org>")


def test_another_contact_for_the_same_referral_does_not_announce_it_again(desk: Desk, referral_id: ReferralId) -> None:
    desk.release(referral_id)
    desk.release(referral_id, replace(EMAIL, email="new@example.org"))
    desk.run()
    assert [message["To"] for message in desk.mail.sent] == ["new@example.org"]


def test_an_older_contact_that_comes_late_is_not_used(desk: Desk, referral_id: ReferralId) -> None:
    desk.release(referral_id, replace(EMAIL, email="new@example.org"), sequence=5)
    desk.release(referral_id, replace(EMAIL, email="old@example.org"), sequence=2)
    desk.run()
    assert [message["To"] for message in desk.mail.sent] == ["new@example.org"]


def test_an_evening_client_is_written_to_in_the_evening(desk: Desk, referral_id: ReferralId) -> None:
    desk.release(referral_id, EVENING)
    desk.pass_time(hours=6, minutes=59)
    assert desk.mail.sent == []
    desk.pass_time(minutes=1)
    assert len(desk.mail.to(ADDRESS)) == 1


def test_a_message_that_was_held_up_waits_for_the_next_safe_hours(desk: Desk, referral_id: ReferralId) -> None:
    desk.release(referral_id, EVENING)
    desk.bench.clock.advance(timedelta(hours=12))  # ten at night: the service was down all evening
    desk.run()
    assert desk.mail.sent == []
    desk.pass_time(hours=19)
    assert len(desk.mail.to(ADDRESS)) == 1


def test_a_client_who_changes_to_the_telephone_is_not_written_to_any_more(desk: Desk, referral_id: ReferralId) -> None:
    desk.release(referral_id, EVENING)
    desk.release(referral_id, TELEPHONE)
    desk.pass_time(hours=8)
    assert desk.mail.to(ADDRESS) == []
    assert len(desk.mail.to(OFFICE)) == 1


def test_staff_are_asked_to_telephone_in_the_way_that_is_safe(desk: Desk, referral_id: ReferralId) -> None:
    contact = replace(
        EMAIL,
        channel=SafeChannel.TELEPHONE,
        hours=SafeHours.EVENING,
        call_as="Pat",
        telephone="01632 960123",
        address="1 Invented Street",
    )
    desk.release(referral_id, contact)
    desk.run()
    (call,) = desk.mail.sent
    assert call["To"] == OFFICE
    assert reference_for(referral_id) in body(call)
    assert "01632 960123" not in call.as_string()
    assert "Robin" not in call.as_string()
    assert "Invented Street" not in call.as_string()
    assert "When: 17:00 to 20:00 Leave a message: no, never Say that you are: Pat" in body(call)
    assert "Please be discreet" in body(call)
    assert "Please tell a client that the request has come" in body(call)
    assert "a person will read it" in body(call), "what we would have written to them"
    (sent,) = desk.bench.emitted(MessageSent)
    assert sent.channel is Channel.STAFF_CALL


def test_nothing_goes_to_a_client_who_calls_and_it_is_kept_until_they_do(desk: Desk, referral_id: ReferralId) -> None:
    desk.release(referral_id, CLIENT_CALLS)
    desk.run()
    assert desk.mail.sent == []
    assert desk.bench.all_emitted == []
    assert desk.states(referral_id) == {"request_received": "kept"}


@pytest.mark.parametrize(
    ("contact", "says", "never"),
    [
        (TEXT, "there is something for you to read", "a person will read it"),
        (POST, "There is something for you to read", "a person will read it"),
        (replace(POST, discreet=False), "a person will read it", "Write no more"),
    ],
)
def test_whoever_writes_in_our_place_writes_no_more_than_we_would(
    keys: Path, database_file: Path, referral_id: ReferralId, contact: SafeContact, says: str, never: str
) -> None:
    desk = desk_on(f"sqlite:///{database_file}", keys, by_hand=True)
    desk.release(referral_id, contact)
    desk.run()
    (call,) = desk.mail.to("office@example.org")
    assert says in body(call)
    assert never not in body(call)
    hidden = contact.discreet or contact is TEXT
    assert ("01632 960002" in body(call)) is hidden
    assert ("01632 960001" in body(call)) is not hidden


def test_by_a_discreet_letter_the_office_writes_under_the_name_that_the_client_knows(
    keys: Path, database_file: Path, referral_id: ReferralId
) -> None:
    desk = desk_on(f"sqlite:///{database_file}", keys, by_hand=True)
    desk.release(referral_id, replace(POST, call_as="Sam from the library"))
    desk.run()
    (call,) = desk.mail.to("office@example.org")
    assert "give this reference. Sam from the library" in body(call)
    assert "Leeward" not in body(call)


def test_what_a_discreet_telephone_call_tells_is_for_the_client_alone(desk: Desk, referral_id: ReferralId) -> None:
    desk.release(referral_id, TELEPHONE)
    desk.run()
    (call,) = desk.mail.to("office@example.org")
    assert "say nothing of it to anybody else, and leave none of it as a message" in body(call)
    assert "a person will read it" in body(call)
    assert "01632 960002" in body(call)
    assert "01632 960001" not in body(call)


def test_a_client_without_an_address_is_reported_and_looked_after_by_the_office(
    desk: Desk, referral_id: ReferralId
) -> None:
    desk.release(referral_id, NO_ADDRESS)
    desk.run()
    (failed,) = desk.bench.emitted(MessageFailed)
    assert failed.reason is FailureReason.NO_ADDRESS
    (told,) = desk.mail.sent
    assert told["To"] == OFFICE
    assert str(failed.message_id) in body(told)


def test_a_client_is_told_once_of_each_match(desk: Desk, referral_id: ReferralId) -> None:
    desk.release(referral_id, OPEN_EMAIL)
    first = facts.matched(referral_id)
    for event in (first, first, facts.matched(referral_id)):
        desk.bench.hear(introductions.note_match, event)
    desk.run()
    texts = [body(message) for message in desk.mail.to(ADDRESS)]
    assert sum("a therapist has agreed to see you" in text for text in texts) == 2


def test_news_waits_until_the_address_has_arrived(desk: Desk, referral_id: ReferralId) -> None:
    event = facts.matched(referral_id)
    with pytest.raises(NotYet):
        desk.bench.hear(introductions.note_match, event)
    desk.release(referral_id)
    desk.bench.hear(introductions.note_match, event)
    assert "matched" in desk.states(referral_id)


def test_a_subsidy_is_told_with_what_it_pays(desk: Desk, referral_id: ReferralId) -> None:
    desk.release(referral_id, OPEN_EMAIL)
    desk.bench.hear(client_messages.notify_client_of_subsidy, facts.subsidy_approved(referral_id))
    desk.run()
    assert "up to £45.00 a session, for up to 12 sessions" in body(desk.mail.to(ADDRESS)[-1])


@pytest.mark.parametrize(
    ("reason", "says", "office"),
    [
        (SubsidyWaitReason.NO_MONEY, "no money that we may use", False),
        (SubsidyWaitReason.NO_ELIGIBLE_FUND, "no money that we may use", False),
        (SubsidyWaitReason.NO_THERAPIST_FITS, "less than what the therapists near you take", True),
        (SubsidyWaitReason.AWARD_USED_UP, "are used up", True),
        (SubsidyWaitReason.AREA_TO_BE_CONFIRMED, "tell us your full postcode", True),
    ],
)
def test_a_client_is_told_why_they_wait_for_a_subsidy_and_the_office_what_it_can_do(
    desk: Desk, referral_id: ReferralId, reason: SubsidyWaitReason, says: str, office: bool
) -> None:
    desk.release(referral_id, OPEN_EMAIL)
    desk.bench.hear(
        client_messages.notify_client_of_subsidy_wait, facts.subsidy_waitlisted(referral_id, reason), sequence=1
    )
    desk.run()
    assert says in body(desk.mail.to(ADDRESS)[-1])
    assert len(desk.mail.to(OFFICE)) == office


@pytest.mark.parametrize("match_id", [None, MatchId(new_id())])
def test_the_office_hears_of_whoever_waits_for_money_while_therapy_is_going_on(
    desk: Desk, referral_id: ReferralId, match_id: MatchId | None
) -> None:
    """As when an ending was undone whose award has gone back, and no fund can pay any more."""
    desk.release(referral_id, OPEN_EMAIL)
    event = replace(facts.subsidy_waitlisted(referral_id, SubsidyWaitReason.NO_MONEY), match_id=match_id)
    desk.bench.hear(client_messages.notify_client_of_subsidy_wait, event, sequence=1)
    desk.run()
    told = [body(one) for one in desk.mail.to(OFFICE)]
    assert ["sees a therapist already waits for a subsidy" in one for one in told] == ([True] if match_id else [])


def test_a_wait_is_told_again_when_there_is_another_wait_for_the_same_reason(
    desk: Desk, referral_id: ReferralId
) -> None:
    desk.release(referral_id, OPEN_EMAIL)
    desk.run()
    wait = (client_messages.notify_client_of_subsidy_wait, facts.subsidy_waitlisted(referral_id))
    heard = [wait, (client_messages.notify_client_of_subsidy, facts.subsidy_approved(referral_id)), wait]
    for number, (handler, event) in enumerate(heard, start=1):
        for _ in range(2):
            desk.bench.hear(handler, event, sequence=number)
            desk.run()
    assert len(desk.mail.to(ADDRESS)) == 1 + len(heard)


def test_a_client_is_told_that_no_subsidy_is_needed_and_how_to_object(desk: Desk, referral_id: ReferralId) -> None:
    desk.release(referral_id, OPEN_EMAIL)
    desk.bench.hear(client_messages.notify_client_of_subsidy_decline, facts.subsidy_declined(referral_id), sequence=1)
    desk.run()
    text = body(desk.mail.to(ADDRESS)[-1])
    assert "you can pay what a session costs" in text
    assert "If that is not so" in text
    assert desk.mail.to(OFFICE) == []


def test_a_decline_is_told_discreetly_to_whom_that_is_safer(desk: Desk, referral_id: ReferralId) -> None:
    desk.release(referral_id, EMAIL)
    desk.bench.hear(client_messages.notify_client_of_subsidy_decline, facts.subsidy_declined(referral_id), sequence=1)
    desk.run()
    message = desk.mail.to(ADDRESS)[-1]
    assert message["Subject"] == f"Reference {reference_for(referral_id)}"
    assert "cost" not in body(message)


def test_the_office_hears_of_a_decline_while_therapy_is_going_on(desk: Desk, referral_id: ReferralId) -> None:
    desk.release(referral_id, OPEN_EMAIL)
    event = facts.subsidy_declined(referral_id, MatchId(new_id()))
    desk.bench.hear(client_messages.notify_client_of_subsidy_decline, event, sequence=1)
    desk.run()
    assert "asked for a subsidy" in body(desk.mail.to(OFFICE)[-1])


def test_a_decline_that_was_overtaken_is_not_told(desk: Desk, referral_id: ReferralId) -> None:
    desk.release(referral_id, OPEN_EMAIL)
    desk.bench.hear(client_messages.notify_client_of_subsidy, facts.subsidy_approved(referral_id), sequence=2)
    desk.bench.hear(client_messages.notify_client_of_subsidy_decline, facts.subsidy_declined(referral_id), sequence=1)
    desk.run()
    assert "subsidy_declined" not in desk.states(referral_id)


def test_a_wait_for_a_subsidy_that_has_been_approved_since_is_not_told(desk: Desk, referral_id: ReferralId) -> None:
    desk.release(referral_id, OPEN_EMAIL)
    desk.bench.hear(client_messages.notify_client_of_subsidy, facts.subsidy_approved(referral_id), sequence=2)
    desk.bench.hear(client_messages.notify_client_of_subsidy_wait, facts.subsidy_waitlisted(referral_id), sequence=1)
    desk.run()
    assert "subsidy_waiting" not in desk.states(referral_id)


def test_a_wait_that_has_not_been_told_yet_is_overtaken_by_the_approval(desk: Desk, referral_id: ReferralId) -> None:
    desk.release(referral_id, EVENING)
    desk.bench.hear(client_messages.notify_client_of_subsidy_wait, facts.subsidy_waitlisted(referral_id))
    desk.bench.hear(client_messages.notify_client_of_subsidy, facts.subsidy_approved(referral_id))
    desk.pass_time(hours=8)
    assert desk.states(referral_id)["subsidy_waiting"] == "cancelled"
    assert desk.states(referral_id)["subsidy_approved"] == "sent"


def test_a_client_who_is_signposted_is_told_kindly(desk: Desk, referral_id: ReferralId) -> None:
    desk.release(referral_id, OPEN_EMAIL)
    desk.bench.hear(address_book.signpost, facts.signposted(referral_id))
    desk.run()
    assert "another service can do more for you" in body(desk.mail.to(ADDRESS)[-1])


def test_a_form_is_asked_for_by_a_neutral_link(desk: Desk, referral_id: ReferralId, therapist_id: TherapistId) -> None:
    desk.release(referral_id)
    desk.bench.hear(client_messages.ask_for_form, facts.invited(desk.keyring, referral_id, therapist_id))
    desk.run()
    assert f"https://forms.example.org/f/{facts.TOKEN}" in plain(desk.mail.to(ADDRESS)[-1]).splitlines()


def test_the_form_s_secret_is_gone_once_it_was_sent(
    desk: Desk, referral_id: ReferralId, therapist_id: TherapistId
) -> None:
    desk.release(referral_id)
    desk.bench.hear(client_messages.ask_for_form, facts.invited(desk.keyring, referral_id, therapist_id))
    desk.run()
    with desk.bench.database.reading() as unit:
        rows = unit.session.connection().exec_driver_sql("SELECT sealed FROM message").all()
    assert rows == [(None,), (None,)]


def test_a_link_that_cannot_be_opened_is_invalid(
    desk: Desk, referral_id: ReferralId, therapist_id: TherapistId
) -> None:
    desk.release(referral_id)
    event = facts.invited(desk.keyring, referral_id, therapist_id, Respondent.THERAPIST)
    with pytest.raises(Invalid):
        desk.bench.hear(client_messages.ask_for_form, replace(event, sealed="not sealed"))


def test_a_contact_that_is_sealed_to_somebody_else_is_invalid(
    desk: Desk, referral_id: ReferralId, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("others")
    make_keys(folder, "notifications")
    sealed = Keyring(folder).seal("notifications", LinkSecret(token=facts.TOKEN))
    event = ContactReleased(referral_id=referral_id, purpose=ContactPurpose.ADDRESS_BOOK, sealed=sealed)
    with pytest.raises(Invalid):
        desk.bench.hear(address_book.record_contact, event)


def test_a_contact_of_another_referral_is_invalid(desk: Desk, referral_id: ReferralId) -> None:
    event = replace(desk.released(referral_id), referral_id=ReferralId(new_id()))
    with pytest.raises(Invalid, match="another referral"):
        desk.bench.hear(address_book.record_contact, event)


def test_messages_are_listed_without_their_content(desk: Desk, referral_id: ReferralId) -> None:
    desk.release(referral_id, replace(EMAIL, hours=SafeHours.MORNING))
    desk.run()
    (view,) = desk.messages(referral_id)
    assert (view.template, view.recipient, view.channel, view.state) == (
        "request_received",
        "client",
        Channel.EMAIL,
        "sent",
    )
    assert "robin" not in str(view.to_json()).lower()


def test_messages_are_listed_of_something_and_not_of_everything(desk: Desk) -> None:
    assert desk.bench.ask(queries.list_messages, ListMessages(concern_id=ConcernId(new_id()))) == []
    with pytest.raises(NothingAskedAfter):
        desk.bench.ask(queries.list_messages, ListMessages())


def test_what_went_out_is_kept_by_template_language_and_version(desk: Desk, referral_id: ReferralId) -> None:
    desk.release(referral_id, OPEN_EMAIL)
    desk.run()
    (message,) = messages_stored(desk)
    version = WORDING.versions("request_received")["en"]
    assert message == f"request_received/en/{version}"


def test_a_discreet_message_is_a_reference_and_a_link_from_a_neutral_sender(
    desk: Desk, referral_id: ReferralId
) -> None:
    desk.release(referral_id, EMAIL)
    desk.run()
    (message,) = desk.mail.to(ADDRESS)
    assert message["From"] == str(SETTINGS.discreet_sender)
    reference = reference_for(referral_id)
    assert message["Subject"] == f"Reference {reference}"
    assert "https://forms.example.org/s" in body(message)
    assert messages_stored(desk) == [f"discreet/en/{WORDING.versions('discreet')['en']}"]


def test_a_client_who_chose_welsh_is_written_to_in_welsh(desk: Desk, referral_id: ReferralId) -> None:
    desk.release(referral_id, OPEN_EMAIL, language="cy")
    desk.run()
    (message,) = desk.mail.to(ADDRESS)
    assert message["Content-Language"] == "cy"
    assert "Diolch i chi am ofyn am help" in body(message)


def messages_stored(desk: Desk) -> list[str | None]:
    with desk.bench.database.reading() as unit:
        return list(unit.session.execute(select(tables.messages.c.wording)).scalars())


def test_a_client_who_chose_text_messages_gets_a_reference_and_a_link(desk: Desk, referral_id: ReferralId) -> None:
    assert TEXT.telephone == "07700 900123", "as it was kept before numbers were read"
    desk.release(referral_id, replace(TEXT, discreet=False, email="robin@example.org"))
    desk.run()
    (message,) = desk.texts.sent
    assert message.to == "+447700900123"
    reference = reference_for(referral_id)
    assert message.text == (
        f"{reference}: there is something for you to read. https://forms.example.org/s or call 01632 960002."
    )
    assert (desk.mail.sent, desk.letters.sent) == ([], [])
    assert [event.channel for event in desk.bench.emitted(MessageSent)] == [Channel.TEXT]


def test_a_text_message_waits_for_safe_hours_and_is_given_up_when_refused(desk: Desk, referral_id: ReferralId) -> None:
    desk.texts.refuses.add("+447700900123")
    desk.release(referral_id, replace(TEXT, hours=SafeHours.EVENING))
    desk.pass_time(hours=6)
    assert desk.bench.all_emitted == []
    desk.pass_time(hours=1)
    (failed,) = desk.bench.emitted(MessageFailed)
    assert (failed.channel, failed.reason) == (Channel.TEXT, FailureReason.REJECTED)
    assert [message["To"] for message in desk.mail.sent] == [OFFICE]


def test_a_client_who_chose_post_gets_a_letter(desk: Desk, referral_id: ReferralId) -> None:
    desk.release(referral_id, replace(POST, discreet=False))
    desk.run()
    (message,) = desk.letters.sent
    assert message.to == "Robin Invented\n1 Invented Street"
    assert "Thank you for asking for help" in message.text
    assert desk.mail.sent == []


def test_whoever_is_written_to_by_post_is_asked_by_a_person_and_gets_no_link_on_paper(
    desk: Desk, referral_id: ReferralId, therapist_id: TherapistId
) -> None:
    desk.release(referral_id, POST)
    desk.run()
    sent = len(desk.letters.sent)
    desk.bench.hear(client_messages.ask_for_form, facts.invited(desk.keyring, referral_id, therapist_id))
    desk.run()
    assert len(desk.letters.sent) == sent
    assert "Send them the questions on paper" in body(desk.mail.to(OFFICE)[-1])


def test_a_gateway_that_is_away_is_tried_again(desk: Desk, referral_id: ReferralId) -> None:
    desk.letters.down = True
    desk.release(referral_id, POST)
    desk.run()
    assert desk.states(referral_id) == {"request_received": "queued"}
    desk.letters.down = False
    desk.pass_time(minutes=1)
    assert len(desk.letters.sent) == 1
