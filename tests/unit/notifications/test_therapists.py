"""What therapists are told."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import pytest

from chassis.ids import new_id
from chassis.ports import EventHandler, Invalid, NotYet
from contracts.event import Event
from contracts.sealed import SafeContact
from contracts.vocabulary import ReferralId, Respondent, TherapistId
from services.notifications import handlers
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
    (message,) = desk.post.sent
    assert message["To"] == THERAPIST_EMAIL
    return body(message)


def test_an_offer_says_until_when_and_nothing_about_the_client(
    desk: Desk, referral_id: ReferralId, therapist_id: TherapistId
) -> None:
    desk.admit(therapist_id)
    desk.release(referral_id, CLIENT_CALLS)
    offer = facts.offered(referral_id, therapist_id)
    desk.bench.hear(handlers.send_offer, offer)
    text = only_text(desk)
    assert "Wednesday 25 November 2026 at 10:00" in text
    assert f"https://portal.example.org/offers/{offer.offer_id}" in text
    assert CLIENT_NAME not in text
    assert str(referral_id) not in text
    assert "survivor" not in text


def test_an_offer_for_a_summer_s_day_expires_by_the_clock_on_the_wall(
    desk: Desk, referral_id: ReferralId, therapist_id: TherapistId
) -> None:
    desk.admit(therapist_id)
    offer = facts.offered(referral_id, therapist_id)
    desk.bench.hear(handlers.send_offer, replace(offer, expires_at=offer.expires_at.replace(month=7)))
    assert "at 11:00" in only_text(desk)


def test_an_offer_is_sent_once(desk: Desk, referral_id: ReferralId, therapist_id: TherapistId) -> None:
    desk.admit(therapist_id)
    offer = facts.offered(referral_id, therapist_id)
    for _ in range(3):
        desk.bench.hear(handlers.send_offer, offer)
        desk.run()
    assert len(desk.post.sent) == 1


def test_an_offer_that_was_taken_back_before_it_arrived_is_never_sent(
    desk: Desk, referral_id: ReferralId, therapist_id: TherapistId
) -> None:
    desk.admit(therapist_id)
    offer = facts.offered(referral_id, therapist_id)
    desk.bench.hear(handlers.take_offer_back, facts.taken_back(offer))
    desk.bench.hear(handlers.send_offer, offer)
    desk.run()
    assert desk.post.sent == []


def test_an_offer_that_was_taken_back_before_it_was_sent_is_never_sent(
    desk: Desk, referral_id: ReferralId, therapist_id: TherapistId
) -> None:
    desk.admit(therapist_id)
    offer = facts.offered(referral_id, therapist_id)
    desk.bench.hear(handlers.send_offer, offer)
    desk.bench.hear(handlers.take_offer_back, facts.taken_back(offer))
    desk.run()
    assert desk.post.sent == []


def test_an_offer_that_was_sent_is_taken_back_in_words(
    desk: Desk, referral_id: ReferralId, therapist_id: TherapistId
) -> None:
    desk.admit(therapist_id)
    offer = facts.offered(referral_id, therapist_id)
    desk.bench.hear(handlers.send_offer, offer)
    desk.run()
    for _ in range(2):
        desk.bench.hear(handlers.take_offer_back, facts.taken_back(offer))
    desk.run()
    assert len(desk.post.sent) == 2
    assert "no longer open" in body(desk.post.sent[-1])


def test_an_introduction_reaches_the_one_therapist_and_says_how_the_client_is_reached(
    desk: Desk, referral_id: ReferralId, therapist_id: TherapistId
) -> None:
    other = TherapistId(new_id())
    desk.admit(therapist_id)
    desk.admit(other, email="other@example.org")
    desk.release(referral_id, TELEPHONE, to=therapist_id)
    text = only_text(desk)
    assert CLIENT_NAME in text
    assert "01632 960123" in text
    assert "no, never" in text
    assert "Please be discreet" in text


@pytest.mark.parametrize(("contact", "says"), [(EMAIL, "robin@example.org"), (CLIENT_CALLS, "The client will call")])
def test_an_introduction_gives_only_the_way_that_is_safe(
    desk: Desk, referral_id: ReferralId, therapist_id: TherapistId, contact: SafeContact, says: str
) -> None:
    desk.admit(therapist_id)
    desk.release(referral_id, replace(contact, telephone="01632 960123"), to=therapist_id)
    text = only_text(desk)
    assert says in text
    assert "01632" not in text


def test_an_introduction_puts_no_address_into_the_book(
    desk: Desk, referral_id: ReferralId, therapist_id: TherapistId
) -> None:
    desk.admit(therapist_id)
    desk.release(referral_id, to=therapist_id)
    with pytest.raises(NotYet):
        desk.bench.hear(handlers.tell_client_of_match, facts.matched(referral_id))


def test_an_introduction_to_nobody_is_invalid(desk: Desk, referral_id: ReferralId, therapist_id: TherapistId) -> None:
    event = replace(desk.released(referral_id, to=therapist_id), therapist_id=None)
    with pytest.raises(Invalid, match="names no therapist"):
        desk.bench.hear(handlers.keep_contact, event)


def test_an_introduction_carries_the_client_s_details_no_longer_once_it_was_sent(
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
        (handlers.send_offer, facts.offered(referral_id, therapist_id)),
        (handlers.tell_of_membership, facts.membership_started(therapist_id)),
        (handlers.tell_of_renewal, facts.membership_renewed(therapist_id)),
        (handlers.tell_of_lapse, facts.membership_lapsed(therapist_id)),
        (handlers.tell_of_referral_fee, facts.fee_charged(referral_id, therapist_id)),
        (handlers.tell_of_credit, facts.fee_credited(referral_id, therapist_id)),
        (handlers.send_receipt, facts.paid(therapist_id)),
        (handlers.tell_of_suspension, facts.suspended(therapist_id)),
        (handlers.keep_contact, desk.released(referral_id, to=therapist_id)),
        (handlers.ask_for_form, facts.invited(desk.keyring, referral_id, therapist_id, Respondent.THERAPIST)),
    ]
    for handler, event in heard:
        with pytest.raises(NotYet):
            desk.bench.hear(handler, event, sequence=1)
    desk.admit(therapist_id)
    for number, (handler, event) in enumerate(heard, start=1):
        desk.bench.hear(handler, event, sequence=number)
    desk.run()
    assert len(desk.post.to(THERAPIST_EMAIL)) == len(heard)


@pytest.mark.parametrize(
    ("handler", "event", "says"),
    [
        (handlers.tell_of_membership, facts.membership_started, "£50.00, for 23 November 2026 to 22 November 2027"),
        (handlers.tell_of_renewal, facts.membership_renewed, "from 23 November 2027 to 22 November 2028"),
        (handlers.tell_of_lapse, facts.membership_lapsed, "lapsed on 23 November 2026"),
        (handlers.send_receipt, facts.paid, "£50.00"),
        (handlers.tell_of_suspension, facts.suspended, "insurance certificate that we hold has expired"),
        (handlers.tell_of_reinstatement, facts.reinstated, "we have your new insurance certificate"),
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
    desk.bench.hear(handlers.tell_of_referral_fee, facts.fee_charged(referral_id, therapist_id))
    assert "£1,234.56" in only_text(desk)


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_the_last_word_on_a_suspension_is_the_newest(
    desk: Desk, therapist_id: TherapistId, order: tuple[int, ...]
) -> None:
    desk.admit(therapist_id)
    heard: list[tuple[EventHandler, Event]] = [
        (handlers.tell_of_suspension, facts.suspended(therapist_id)),
        (handlers.tell_of_reinstatement, facts.reinstated(therapist_id)),
        (handlers.tell_of_suspension, facts.suspended(therapist_id)),
    ]
    for index in order:
        for _ in range(2):
            desk.bench.hear(*heard[index], sequence=index + 1)
            desk.run()
    subjects = [message["Subject"] for message in desk.post.sent]
    assert subjects[-1] == "No new offers for the moment"
    assert subjects.count("That has been put right") <= 1


def test_a_lapse_that_has_been_put_right_since_is_not_told(desk: Desk, therapist_id: TherapistId) -> None:
    desk.admit(therapist_id)
    desk.bench.hear(handlers.tell_of_renewal, facts.membership_renewed(therapist_id), sequence=2)
    desk.bench.hear(handlers.tell_of_lapse, facts.membership_lapsed(therapist_id), sequence=1)
    assert "goes on from" in only_text(desk)


def test_a_form_is_asked_of_the_therapist_by_link(
    desk: Desk, referral_id: ReferralId, therapist_id: TherapistId
) -> None:
    desk.admit(therapist_id)
    event = facts.invited(desk.keyring, referral_id, therapist_id, Respondent.THERAPIST)
    desk.bench.hear(handlers.ask_for_form, event)
    assert f"https://forms.example.org/f/{facts.TOKEN}" in only_text(desk)


def test_a_newer_address_is_used_and_an_older_one_that_comes_late_is_not(desk: Desk, therapist_id: TherapistId) -> None:
    desk.admit(therapist_id, email="new@example.org", sequence=4)
    desk.admit(therapist_id, email="old@example.org", sequence=2)
    desk.bench.hear(handlers.send_receipt, facts.paid(therapist_id))
    desk.run()
    assert [message["To"] for message in desk.post.sent] == ["new@example.org"]
    desk.admit(therapist_id, email="newest@example.org", sequence=5)
    desk.bench.hear(handlers.send_receipt, facts.paid(therapist_id))
    desk.run()
    assert desk.post.sent[-1]["To"] == "newest@example.org"


def test_an_address_that_cannot_be_opened_is_invalid(desk: Desk, therapist_id: TherapistId) -> None:
    with pytest.raises(Invalid):
        desk.bench.hear(
            handlers.keep_therapist_contact, replace(desk.contact_changed(therapist_id), sealed="not sealed")
        )


def test_the_office_hears_of_a_referral_that_waits_for_long_once(desk: Desk, referral_id: ReferralId) -> None:
    for _ in range(2):
        desk.bench.hear(handlers.tell_office_of_stall, facts.stalled(referral_id))
        desk.run()
    (message,) = desk.post.sent
    assert message["To"] == SETTINGS.office.address
    assert "nobody_near" in body(message)
