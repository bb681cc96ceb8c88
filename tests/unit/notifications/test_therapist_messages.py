"""What therapists are told."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import permutations

import pytest

from chassis.ids import new_id
from chassis.ports import EventHandler, Invalid, NotYet
from contracts.event import Event
from contracts.reference import reference_for
from contracts.sealed import LinkSecret
from contracts.vocabulary import FeeCreditReason, ReferralId, Respondent, TherapistId
from services.notifications.handlers import (
    address_book,
    client_messages,
    introductions,
    office_messages,
    therapist_messages,
)
from tests.unit.notifications import facts
from tests.unit.notifications.conftest import (
    CLIENT_CALLS,
    CLIENT_NAME,
    EMAIL,
    SETTINGS,
    TELEPHONE,
    THERAPIST_EMAIL,
    THERAPIST_NAME,
    Desk,
    body,
)


def only_text(desk: Desk) -> str:
    desk.run()
    (message,) = desk.mail.sent
    assert message["To"] == THERAPIST_EMAIL
    return body(message)


def test_an_offer_says_until_when_and_nothing_about_the_client(
    desk: Desk, referral_id: ReferralId, therapist_id: TherapistId
) -> None:
    desk.admit(therapist_id)
    desk.release(referral_id, CLIENT_CALLS)
    sealed = desk.keyring.seal("notifications", LinkSecret(token="made-up-secret-of-a-link"))
    offer = replace(facts.offered(referral_id, therapist_id), sealed=sealed)
    desk.bench.hear(therapist_messages.send_offer, offer)
    text = only_text(desk)
    assert "Wednesday 25 November 2026 at 10:00" in text
    assert "https://forms.example.org/offer/made-up-secret-of-a-link" in text
    assert CLIENT_NAME not in text
    assert str(referral_id) not in text
    for fact in (offer.client_group.value, offer.work.value, "km", "person", "online"):
        assert fact not in text


def test_an_offer_for_a_summer_s_day_expires_by_the_clock_on_the_wall(
    desk: Desk, referral_id: ReferralId, therapist_id: TherapistId
) -> None:
    desk.admit(therapist_id)
    offer = facts.offered(referral_id, therapist_id)
    desk.bench.hear(therapist_messages.send_offer, replace(offer, expires_at=offer.expires_at.replace(month=7)))
    assert "at 11:00" in only_text(desk)


def test_an_offer_is_sent_once(desk: Desk, referral_id: ReferralId, therapist_id: TherapistId) -> None:
    desk.admit(therapist_id)
    offer = facts.offered(referral_id, therapist_id)
    for _ in range(3):
        desk.bench.hear(therapist_messages.send_offer, offer)
        desk.run()
    assert len(desk.mail.sent) == 1


def test_an_offer_that_was_taken_back_before_it_arrived_is_never_sent(
    desk: Desk, referral_id: ReferralId, therapist_id: TherapistId
) -> None:
    desk.admit(therapist_id)
    offer = facts.offered(referral_id, therapist_id)
    desk.bench.hear(therapist_messages.withdraw_offer, facts.taken_back(offer))
    desk.bench.hear(therapist_messages.send_offer, offer)
    desk.run()
    assert desk.mail.sent == []


def test_an_offer_that_was_taken_back_before_it_was_sent_is_never_sent(
    desk: Desk, referral_id: ReferralId, therapist_id: TherapistId
) -> None:
    desk.admit(therapist_id)
    offer = facts.offered(referral_id, therapist_id)
    desk.bench.hear(therapist_messages.send_offer, offer)
    desk.bench.hear(therapist_messages.withdraw_offer, facts.taken_back(offer))
    desk.run()
    assert desk.mail.sent == []


def test_an_offer_that_was_sent_is_taken_back_in_words(
    desk: Desk, referral_id: ReferralId, therapist_id: TherapistId
) -> None:
    desk.admit(therapist_id)
    offer = facts.offered(referral_id, therapist_id)
    desk.bench.hear(therapist_messages.send_offer, offer)
    desk.run()
    for _ in range(2):
        desk.bench.hear(therapist_messages.withdraw_offer, facts.taken_back(offer))
    desk.run()
    assert len(desk.mail.sent) == 2
    assert "no longer open" in body(desk.mail.sent[-1])


def test_an_introduction_reaches_the_one_therapist_and_tells_nothing_of_the_client(
    desk: Desk, referral_id: ReferralId, therapist_id: TherapistId
) -> None:
    other = TherapistId(new_id())
    desk.admit(therapist_id)
    desk.admit(other, email="other@example.org")
    desk.release(referral_id, TELEPHONE, to=therapist_id)
    text = only_text(desk)
    assert "https://forms.example.org/client/" in text
    assert CLIENT_NAME not in text
    assert "01632 960123" not in text


def test_an_introduction_puts_no_address_into_the_book(
    desk: Desk, referral_id: ReferralId, therapist_id: TherapistId
) -> None:
    desk.admit(therapist_id)
    desk.release(referral_id, to=therapist_id)
    with pytest.raises(NotYet):
        desk.bench.hear(introductions.note_match, facts.matched(referral_id))


def test_an_introduction_to_nobody_is_invalid(desk: Desk, referral_id: ReferralId, therapist_id: TherapistId) -> None:
    event = replace(desk.released(referral_id, to=therapist_id), therapist_id=None)
    with pytest.raises(Invalid, match="names no therapist"):
        desk.bench.hear(address_book.record_contact, event)


def test_an_introduction_carries_its_link_no_longer_once_it_was_sent(
    desk: Desk, referral_id: ReferralId, therapist_id: TherapistId
) -> None:
    desk.admit(therapist_id)
    desk.release(referral_id, to=therapist_id)
    desk.run()
    with desk.bench.database.reading() as unit:
        assert unit.session.connection().exec_driver_sql("SELECT sealed FROM message").scalar_one() is None


def test_every_message_waits_for_the_therapist_s_address(
    desk: Desk, referral_id: ReferralId, therapist_id: TherapistId
) -> None:
    heard: list[tuple[EventHandler, Event]] = [
        (therapist_messages.send_offer, facts.offered(referral_id, therapist_id)),
        (therapist_messages.notify_of_membership, facts.membership_started(therapist_id)),
        (therapist_messages.notify_of_renewal, facts.membership_renewed(therapist_id)),
        (therapist_messages.notify_of_lapse, facts.membership_lapsed(therapist_id)),
        (therapist_messages.notify_of_referral_fee, facts.fee_charged(referral_id, therapist_id)),
        (therapist_messages.notify_of_credit, facts.fee_credited(referral_id, therapist_id)),
        (therapist_messages.send_receipt, facts.paid(therapist_id)),
        (therapist_messages.notify_of_reminder, facts.membership_reminded(therapist_id)),
        (therapist_messages.notify_of_award, facts.subsidy_assigned(referral_id, therapist_id)),
        (therapist_messages.notify_of_fee_owed_again, facts.fee_owed_again(referral_id, therapist_id)),
        (therapist_messages.notify_of_reversed_payment, facts.payment_reversed(therapist_id)),
        (therapist_messages.notify_of_suspension, facts.suspended(therapist_id)),
        (address_book.record_contact, desk.released(referral_id, to=therapist_id)),
        (client_messages.ask_for_form, facts.invited(desk.keyring, referral_id, therapist_id, Respondent.THERAPIST)),
    ]
    for handler, event in heard:
        with pytest.raises(NotYet):
            desk.bench.hear(handler, event, sequence=1)
    desk.admit(therapist_id)
    for number, (handler, event) in enumerate(heard, start=1):
        desk.bench.hear(handler, event, sequence=number)
    desk.run()
    assert len(desk.mail.to(THERAPIST_EMAIL)) == len(heard)


@pytest.mark.parametrize(
    ("handler", "event", "says"),
    [
        (
            therapist_messages.notify_of_membership,
            facts.membership_started,
            "£50.00, for 23 November 2026 to 22 November 2027",
        ),
        (therapist_messages.notify_of_renewal, facts.membership_renewed, "from 23 November 2027 to 22 November 2028"),
        (therapist_messages.notify_of_reminder, facts.membership_reminded, "lapses on 24 December 2026"),
        (therapist_messages.notify_of_reversed_payment, facts.payment_reversed, "the bank has returned it"),
        (therapist_messages.notify_of_lapse, facts.membership_lapsed, "lapsed on 23 November 2026"),
        (therapist_messages.send_receipt, facts.paid, "£50.00"),
        (therapist_messages.notify_of_suspension, facts.suspended, "insurance certificate that we hold has expired"),
        (therapist_messages.notify_of_reinstatement, facts.reinstated, "we have your new insurance certificate"),
    ],
)
def test_a_therapist_is_told_in_plain_words(
    desk: Desk, therapist_id: TherapistId, handler: EventHandler, event: object, says: str
) -> None:
    desk.admit(therapist_id)
    desk.bench.hear(handler, event(therapist_id))  # type: ignore[operator]
    text = only_text(desk)
    assert says in text
    assert f"Dear {THERAPIST_NAME}" in text


def test_an_amount_is_written_as_money(desk: Desk, referral_id: ReferralId, therapist_id: TherapistId) -> None:
    desk.admit(therapist_id)
    desk.bench.hear(therapist_messages.notify_of_referral_fee, facts.fee_charged(referral_id, therapist_id))
    assert "£1,234.56" in only_text(desk)


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_the_last_word_on_a_suspension_is_the_newest(
    desk: Desk, therapist_id: TherapistId, order: tuple[int, ...]
) -> None:
    desk.admit(therapist_id)
    heard: list[tuple[EventHandler, Event]] = [
        (therapist_messages.notify_of_suspension, facts.suspended(therapist_id)),
        (therapist_messages.notify_of_reinstatement, facts.reinstated(therapist_id)),
        (therapist_messages.notify_of_suspension, facts.suspended(therapist_id)),
    ]
    for index in order:
        for _ in range(2):
            desk.bench.hear(*heard[index], sequence=index + 1)
            desk.run()
    subjects = [message["Subject"] for message in desk.mail.sent]
    assert subjects[-1] == "No new offers for the moment"
    assert subjects.count("That has been put right") <= 1


def test_a_lapse_that_has_been_put_right_since_is_not_told(desk: Desk, therapist_id: TherapistId) -> None:
    desk.admit(therapist_id)
    desk.bench.hear(therapist_messages.notify_of_renewal, facts.membership_renewed(therapist_id), sequence=2)
    desk.bench.hear(therapist_messages.notify_of_lapse, facts.membership_lapsed(therapist_id), sequence=1)
    assert "goes on from" in only_text(desk)


def test_a_reminder_that_comes_after_the_lapse_is_not_told(desk: Desk, therapist_id: TherapistId) -> None:
    desk.admit(therapist_id)
    desk.bench.hear(therapist_messages.notify_of_lapse, facts.membership_lapsed(therapist_id), sequence=3)
    desk.bench.hear(therapist_messages.notify_of_reminder, facts.membership_reminded(therapist_id), sequence=2)
    assert "lapsed on" in only_text(desk)


def test_the_therapist_is_told_what_a_fund_pays_of_whose_sessions_and_until_when(
    desk: Desk, referral_id: ReferralId, therapist_id: TherapistId
) -> None:
    desk.admit(therapist_id)
    desk.release(referral_id, CLIENT_CALLS)
    desk.bench.hear(therapist_messages.notify_of_award, facts.subsidy_assigned(referral_id, therapist_id))
    text = only_text(desk)
    assert "pays £25.00 of each session" in text
    assert "up to 10 sessions, the last on 31 March 2027" in text
    assert "by 21 February 2027, the money goes back" in text
    assert reference_for(referral_id) in text
    assert CLIENT_NAME not in text


@pytest.mark.parametrize(
    ("reason", "says"),
    [
        (None, "Because the client did not attend"),
        (FeeCreditReason.NOT_ATTENDED, "Because the client did not attend"),
        (FeeCreditReason.CLIENT_UNHAPPY, "looks for another therapist"),
        (FeeCreditReason.REFERRAL_GONE, "had taken the request back"),
    ],
)
def test_why_a_fee_is_given_back_is_told_as_it_is(
    desk: Desk, referral_id: ReferralId, therapist_id: TherapistId, reason: FeeCreditReason | None, says: str
) -> None:
    desk.admit(therapist_id)
    desk.bench.hear(
        therapist_messages.notify_of_credit, replace(facts.fee_credited(referral_id, therapist_id), reason=reason)
    )
    assert says in only_text(desk)


def test_a_receipt_says_what_stands_to_their_credit(desk: Desk, therapist_id: TherapistId) -> None:
    desk.admit(therapist_id)
    desk.bench.hear(
        therapist_messages.send_receipt, replace(facts.paid(therapist_id), outstanding_pence=0, credit_pence=50)
    )
    text = only_text(desk)
    assert "£0.50 stand to your credit" in text
    assert "still to be paid" not in text


def test_the_office_is_asked_whether_a_client_came_also_after_a_withdrawal(desk: Desk, referral_id: ReferralId) -> None:
    desk.release(referral_id, CLIENT_CALLS)
    desk.bench.hear(address_book.withdraw, facts.withdrawn(referral_id))
    desk.run()
    before = len(desk.mail.to(SETTINGS.office.address))
    event = facts.attendance_unrecorded(referral_id)
    for _ in range(2):
        desk.bench.hear(office_messages.notify_office_of_unrecorded_attendance, event)
        desk.run()
    assert len(desk.mail.to(SETTINGS.office.address)) == before + 1
    text = body(desk.mail.sent[-1])
    assert str(event.match_id) in text
    assert "24 October 2026" in text


def test_a_form_is_asked_of_the_therapist_by_link(
    desk: Desk, referral_id: ReferralId, therapist_id: TherapistId
) -> None:
    desk.admit(therapist_id)
    event = facts.invited(desk.keyring, referral_id, therapist_id, Respondent.THERAPIST)
    desk.bench.hear(client_messages.ask_for_form, event)
    assert f"https://forms.example.org/f/{facts.TOKEN}" in only_text(desk)


def test_a_newer_address_is_used_and_an_older_one_that_comes_late_is_not(desk: Desk, therapist_id: TherapistId) -> None:
    desk.admit(therapist_id, email="new@example.org", sequence=4)
    desk.admit(therapist_id, email="old@example.org", sequence=2)
    desk.bench.hear(therapist_messages.send_receipt, facts.paid(therapist_id))
    desk.run()
    assert [message["To"] for message in desk.mail.sent] == ["new@example.org"]
    desk.admit(therapist_id, email="newest@example.org", sequence=5)
    desk.bench.hear(therapist_messages.send_receipt, facts.paid(therapist_id))
    desk.run()
    assert desk.mail.sent[-1]["To"] == "newest@example.org"


def test_an_address_that_cannot_be_opened_is_invalid(desk: Desk, therapist_id: TherapistId) -> None:
    with pytest.raises(Invalid):
        desk.bench.hear(
            address_book.record_therapist_contact, replace(desk.contact_changed(therapist_id), sealed="not sealed")
        )


def test_the_office_hears_of_a_referral_that_waits_for_long_once(desk: Desk, referral_id: ReferralId) -> None:
    for _ in range(2):
        desk.bench.hear(office_messages.notify_office_of_stall, facts.stalled(referral_id))
        desk.run()
    (message,) = desk.mail.sent
    assert message["To"] == SETTINGS.office.address
    assert "no therapist is near enough" in body(message)
    assert "Please ask the client whether they can travel further" in body(message)


def test_a_credit_that_is_reversed_before_it_was_told_is_told_in_no_way(
    desk: Desk, referral_id: ReferralId, therapist_id: TherapistId
) -> None:
    desk.admit(therapist_id)
    reversed_ = facts.fee_owed_again(referral_id, therapist_id)
    credited = replace(facts.fee_credited(referral_id, therapist_id), credit_note_id=reversed_.credit_note_id)
    desk.bench.hear(therapist_messages.notify_of_credit, credited)
    desk.bench.hear(therapist_messages.notify_of_fee_owed_again, reversed_)
    desk.run()
    assert desk.mail.sent == []


def test_a_credit_is_not_told_after_its_reversal(
    desk: Desk, referral_id: ReferralId, therapist_id: TherapistId
) -> None:
    desk.admit(therapist_id)
    reversed_ = facts.fee_owed_again(referral_id, therapist_id)
    credited = replace(facts.fee_credited(referral_id, therapist_id), credit_note_id=reversed_.credit_note_id)
    desk.bench.hear(therapist_messages.notify_of_fee_owed_again, reversed_)
    desk.bench.hear(therapist_messages.notify_of_credit, credited)
    desk.run()
    assert len(desk.mail.sent) == 1


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("respondent", Respondent)
def test_a_form_that_was_cancelled_is_not_asked_for(
    desk: Desk, referral_id: ReferralId, therapist_id: TherapistId, respondent: Respondent, order: int
) -> None:
    desk.admit(therapist_id)
    desk.release(referral_id, EMAIL)
    desk.run()
    before = len(desk.mail.sent)
    invited = replace(
        facts.invited(desk.keyring, referral_id, therapist_id, respondent), invited_at=desk.bench.clock.now()
    )
    heard: list[tuple[EventHandler, Event]] = [
        (client_messages.ask_for_form, invited),
        (client_messages.stop_asking_for_form, facts.cancelled(invited)),
    ]
    for handler, event in heard[::order]:
        desk.bench.hear(handler, event)
    desk.run()
    assert len(desk.mail.sent) == before
    again = replace(invited, invited_at=desk.bench.clock.now() + timedelta(hours=1))
    desk.bench.hear(client_messages.ask_for_form, again)
    desk.run()
    assert len(desk.mail.sent) == before + 1, "asked once more they are written to"
