"""A contact that somebody changes themselves: who is written to, with which code, and until when."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from chassis.ids import new_id
from contracts.events.intake import AnotherTherapistWanted, ContactChangeNoted
from contracts.events.notifications import MessageFailed
from contracts.reference import reference_for
from contracts.sealed import ContactLetter, SafeChannel, SafeContact, SafeHours
from contracts.vocabulary import Channel, ContactChangeStage, FailureReason, MatchId, MessageId, Party, ReferralId
from services.notifications.application.bounces import fail_undelivered
from services.notifications.application.composition import ComposedMessage
from services.notifications.application.delivery import NoProvider, _hand_over
from services.notifications.domain.messages import Message
from services.notifications.domain.templates import Recipient, Template
from services.notifications.gateways.templates import Text
from services.notifications.handlers import client_messages, office_messages
from services.notifications.handlers.bounces import BY_MAIL
from services.notifications.store import tables
from tests.unit.notifications.conftest import MONDAY_10, SETTINGS, Desk, body, desk_on

NEW = SafeContact(channel=SafeChannel.TEXT, telephone="07700 900456")
NEW_EMAIL = SafeContact(channel=SafeChannel.EMAIL, email="new@example.org", call_as="Sam")
OFFICE = "office@example.org"


def tell(
    desk: Desk,
    referral_id: ReferralId,
    stage: ContactChangeStage,
    contact: SafeContact | None = None,
    *,
    code: str | None = None,
    at: datetime = MONDAY_10,
) -> None:
    letter = contact and ContactLetter(reference=reference_for(referral_id), contact=contact, code=code)
    event = ContactChangeNoted(
        referral_id=referral_id,
        whose=Party.CLIENT,
        stage=stage,
        expires_at=at + timedelta(minutes=30) if code else None,
        sealed=desk.keyring.seal("notifications", letter) if letter else None,
    )
    desk.bench.hear(client_messages.notify_of_contact_change, event)


@pytest.mark.parametrize("hours", list(SafeHours))
def test_a_code_goes_at_once_to_the_new_contact_and_to_nobody_else(
    desk: Desk, referral_id: ReferralId, hours: SafeHours
) -> None:
    desk.release(referral_id)
    desk.run()
    before = len(desk.mail.sent)
    tell(desk, referral_id, ContactChangeStage.CODE_WANTED, replace(NEW, hours=hours), code="012345")
    desk.run()
    (message,) = desk.texts.sent
    assert message.to == "+447700900456"
    assert "your code is 012345" in message.text
    assert "by Monday 23 November 2026 at 10:30" in message.text
    assert len(desk.mail.sent) == before


def test_a_code_by_email_says_nothing_but_the_code(desk: Desk, referral_id: ReferralId) -> None:
    tell(desk, referral_id, ContactChangeStage.CODE_WANTED, NEW_EMAIL, code="012345")
    desk.run()
    (mail,) = desk.mail.to("new@example.org")
    assert "Leeward" not in mail.as_string()
    assert "012345" in body(mail)
    assert "01632 960002" in body(mail)


def test_a_code_that_is_over_is_not_sent(desk: Desk, referral_id: ReferralId) -> None:
    desk.texts.down = True
    tell(desk, referral_id, ContactChangeStage.CODE_WANTED, NEW, code="012345")
    desk.run()
    desk.texts.down = False
    desk.pass_time(hours=1)
    assert desk.texts.sent == []


def test_the_old_contact_is_told_when_it_is_safe_and_only_if_it_may_be(desk: Desk, referral_id: ReferralId) -> None:
    tell(desk, referral_id, ContactChangeStage.CHANGED, replace(NEW, hours=SafeHours.EVENING))
    desk.run()
    assert desk.texts.sent == []
    desk.pass_time(hours=8)
    (message,) = desk.texts.sent
    assert "from now on we reach you in another way" in message.text
    tell(desk, ReferralId(new_id()), ContactChangeStage.CHANGED)
    desk.run()
    assert len(desk.texts.sent) == 1
    assert len(desk.mail.to(OFFICE)) == 2, "the office hears of both"


def test_the_office_is_asked_to_confirm_and_told_of_a_wish(desk: Desk, referral_id: ReferralId) -> None:
    tell(desk, referral_id, ContactChangeStage.PERSON_WANTED)
    wish = AnotherTherapistWanted(referral_id=referral_id, match_id=MatchId(new_id()))
    desk.bench.hear(office_messages.notify_office_of_change_of_therapist, wish)
    desk.run()
    asked, wanted = desk.mail.to(OFFICE)
    assert "It doesn't count yet" in body(asked)
    assert "A client asks for another therapist" in body(wanted)


def test_a_code_is_nowhere_once_it_was_sent(desk: Desk, referral_id: ReferralId) -> None:
    tell(desk, referral_id, ContactChangeStage.CODE_WANTED, NEW, code="012345")
    desk.run()
    assert "012345" not in repr(desk.messages(referral_id))
    with desk.bench.database.unit() as unit:
        (message,) = unit.session.execute(select(tables.messages)).all()
    assert message.sealed is None
    assert "012345" not in repr(message)


@pytest.mark.parametrize("stage", [ContactChangeStage.CODE_WANTED, ContactChangeStage.CHANGED])
def test_without_a_gateway_for_text_messages_nothing_becomes_an_email_and_the_office_hears(
    keys: Path, database_file: Path, referral_id: ReferralId, stage: ContactChangeStage
) -> None:
    desk = desk_on(f"sqlite:///{database_file}", keys, by_hand=True)
    tell(desk, referral_id, stage, NEW, code="012345" if stage is ContactChangeStage.CODE_WANTED else None)
    desk.run()
    assert {mail["To"] for mail in desk.mail.sent} == {OFFICE}
    assert "012345" not in repr([body(mail) for mail in desk.mail.sent])
    (failed,) = desk.bench.emitted(MessageFailed)
    assert failed.reason is FailureReason.UNREACHABLE


def test_a_text_message_for_which_the_gateway_is_gone_meanwhile_becomes_no_email(
    desk: Desk, referral_id: ReferralId
) -> None:
    message = Message(
        id=MessageId(new_id()),
        business_key="invented",
        template=Template.CLIENT_CODE,
        recipient=Recipient.THERAPIST,
        queued_at=MONDAY_10,
    )
    letter = ComposedMessage("client_code", {}, SETTINGS.sender, "07700 900456", channel=Channel.TEXT)
    with desk.bench.database.reading() as unit:
        unit.dependencies = replace(unit.dependencies, texts=None)
        with pytest.raises(NoProvider):
            _hand_over(unit, message, letter, Text("", "012345", "en", "1"))
    assert desk.mail.sent == []


@pytest.mark.parametrize("comes_back", [False, True])
def test_a_code_that_did_not_arrive_leaves_the_contact_that_counts_alone(
    desk: Desk, referral_id: ReferralId, comes_back: bool
) -> None:
    desk.release(referral_id)
    desk.run()
    if not comes_back:
        desk.mail.refuses.add("new@example.org")
    tell(desk, referral_id, ContactChangeStage.CODE_WANTED, NEW_EMAIL, code="012345")
    desk.run()
    if comes_back:
        (view,) = (one for one in desk.messages(referral_id) if one.template == "contact_code")
        with desk.bench.database.unit() as unit:
            fail_undelivered(unit, view.message_id, BY_MAIL)
        desk.run()
    (told,) = desk.mail.to(OFFICE)
    assert "The contact that counts is as it was" in body(told)
    assert "record the new one: leeward referral contact" in body(told)
    assert "put right how they are reached" not in body(told)


def test_where_the_old_contact_could_not_be_told_nothing_is_to_be_put_right(
    desk: Desk, referral_id: ReferralId
) -> None:
    desk.mail.refuses.add("new@example.org")
    tell(desk, referral_id, ContactChangeStage.CHANGED, NEW_EMAIL)
    desk.run()
    told = body(desk.mail.to(OFFICE)[-1])
    assert "the old contact could not be told" in told
    assert "put right how they are reached" not in told
