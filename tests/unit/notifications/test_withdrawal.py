"""After a withdrawal: confirmed to whoever asked, then silence, and the address is gone."""

from __future__ import annotations

import pytest

from contracts.events.notifications import MessageFailed
from contracts.vocabulary import ReferralId, TherapistId, WithdrawalReason
from services.notifications.handlers import (
    address_book,
    client_messages,
    introductions,
    office_messages,
    therapist_messages,
)
from services.notifications.store import people
from tests.unit.notifications import facts
from tests.unit.notifications.conftest import (
    CLIENT_CALLS,
    EVENING,
    NO_ADDRESS,
    OPEN_EMAIL,
    TELEPHONE,
    Desk,
    body,
)

ADDRESS = "robin@example.org"


def address_is_gone(desk: Desk, referral_id: ReferralId) -> bool:
    with desk.bench.database.reading() as unit:
        client = people.read_client(unit.session, referral_id)
        keys = (
            unit.session.connection()
            .exec_driver_sql("SELECT count(*) FROM data_key WHERE length(wrapped) > 0")
            .scalar_one()
        )
    return client is not None and client.contact is None and client.is_removed and keys == 0


def test_the_client_is_told_and_then_forgotten(desk: Desk, referral_id: ReferralId) -> None:
    desk.release(referral_id, OPEN_EMAIL)
    desk.run()
    desk.bench.hear(address_book.withdraw, facts.withdrawn(referral_id))
    assert not address_is_gone(desk, referral_id)
    desk.run()
    assert "has been taken back" in body(desk.mail.to(ADDRESS)[-1])
    assert address_is_gone(desk, referral_id)


def test_what_was_waiting_to_be_sent_is_not_sent_but_for_the_confirmation(desk: Desk, referral_id: ReferralId) -> None:
    desk.release(referral_id, EVENING)
    desk.bench.hear(introductions.note_match, facts.matched(referral_id))
    desk.bench.hear(address_book.withdraw, facts.withdrawn(referral_id))
    assert set(desk.states(referral_id).values()) == {"cancelled", "queued"}
    desk.pass_time(hours=8)
    assert desk.states(referral_id) == {
        "request_received": "cancelled",
        "matched": "cancelled",
        "withdrawal_confirmed": "sent",
    }
    assert len(desk.mail.sent) == 1


def test_nothing_new_is_said_afterwards(desk: Desk, referral_id: ReferralId, therapist_id: TherapistId) -> None:
    desk.admit(therapist_id)
    desk.release(referral_id)
    desk.bench.hear(address_book.withdraw, facts.withdrawn(referral_id))
    desk.run()
    before = len(desk.mail.sent)
    desk.bench.hear(introductions.note_match, facts.matched(referral_id))
    desk.bench.hear(client_messages.notify_client_of_subsidy, facts.subsidy_approved(referral_id))
    desk.bench.hear(client_messages.ask_for_form, facts.invited(desk.keyring, referral_id, therapist_id))
    desk.bench.hear(therapist_messages.send_offer, facts.offered(referral_id, therapist_id))
    desk.bench.hear(office_messages.notify_office_of_stall, facts.stalled(referral_id))
    desk.release(referral_id, to=therapist_id)
    desk.run()
    assert len(desk.mail.sent) == before
    assert set(desk.states(referral_id)) == {"request_received", "withdrawal_confirmed"}


def test_what_a_therapist_owes_or_is_owed_is_still_said(
    desk: Desk, referral_id: ReferralId, therapist_id: TherapistId
) -> None:
    desk.admit(therapist_id)
    desk.bench.hear(address_book.withdraw, facts.withdrawn(referral_id))
    desk.bench.hear(therapist_messages.notify_of_credit, facts.fee_credited(referral_id, therapist_id))
    desk.run()
    assert len(desk.mail.sent) == 1


def test_an_introduction_that_was_waiting_never_reaches_the_therapist(
    desk: Desk, referral_id: ReferralId, therapist_id: TherapistId
) -> None:
    desk.admit(therapist_id)
    desk.release(referral_id, to=therapist_id)
    desk.bench.hear(address_book.withdraw, facts.withdrawn(referral_id))
    desk.run()
    assert desk.mail.sent == []


def test_a_withdrawal_that_comes_before_the_address_is_confirmed_when_it_arrives(
    desk: Desk, referral_id: ReferralId
) -> None:
    desk.bench.hear(address_book.withdraw, facts.withdrawn(referral_id), sequence=3)
    desk.release(referral_id, sequence=1)
    desk.run()
    assert desk.states(referral_id) == {"withdrawal_confirmed": "sent"}
    assert address_is_gone(desk, referral_id)


def test_an_address_that_comes_after_it_was_removed_is_not_kept(desk: Desk, referral_id: ReferralId) -> None:
    desk.release(referral_id, sequence=1)
    desk.bench.hear(address_book.withdraw, facts.withdrawn(referral_id), sequence=3)
    desk.run()
    sent = len(desk.mail.sent)
    desk.release(referral_id, sequence=4)
    desk.run()
    assert address_is_gone(desk, referral_id)
    assert len(desk.mail.sent) == sent


def test_a_client_who_could_not_be_reached_is_not_written_to(desk: Desk, referral_id: ReferralId) -> None:
    desk.release(referral_id)
    desk.bench.hear(address_book.withdraw, facts.withdrawn(referral_id, WithdrawalReason.NO_CONTACT))
    desk.run()
    assert desk.mail.sent == []
    assert address_is_gone(desk, referral_id)


def test_withdrawing_twice_confirms_once(desk: Desk, referral_id: ReferralId) -> None:
    desk.release(referral_id)
    for _ in range(2):
        desk.bench.hear(address_book.withdraw, facts.withdrawn(referral_id))
        desk.run()
    assert len(desk.mail.to(ADDRESS)) == 1


def test_a_second_withdrawal_does_not_take_the_confirmation_of_the_first_away(
    desk: Desk, referral_id: ReferralId
) -> None:
    desk.release(referral_id, EVENING)
    desk.bench.hear(address_book.withdraw, facts.withdrawn(referral_id))
    desk.bench.hear(address_book.withdraw, facts.withdrawn(referral_id, WithdrawalReason.NO_CONTACT))
    desk.pass_time(hours=8)
    assert desk.states(referral_id)["withdrawal_confirmed"] == "sent"


@pytest.mark.parametrize("contact", [TELEPHONE, CLIENT_CALLS, NO_ADDRESS])
def test_the_address_is_forgotten_whatever_way_the_client_chose(
    desk: Desk, referral_id: ReferralId, contact: object
) -> None:
    desk.release(referral_id, contact)  # type: ignore[arg-type]
    desk.bench.hear(address_book.withdraw, facts.withdrawn(referral_id))
    desk.run()
    assert address_is_gone(desk, referral_id)


def test_the_address_is_forgotten_even_if_the_confirmation_cannot_be_sent(desk: Desk, referral_id: ReferralId) -> None:
    desk.release(referral_id)
    desk.run()
    desk.mail.refuses.add(ADDRESS)
    desk.bench.hear(address_book.withdraw, facts.withdrawn(referral_id))
    desk.run()
    assert [failed.template for failed in desk.bench.emitted(MessageFailed)] == ["withdrawal_confirmed"]
    assert address_is_gone(desk, referral_id)


def test_a_closed_referral_keeps_its_address_for_the_follow_up_and_no_longer(
    desk: Desk, referral_id: ReferralId
) -> None:
    desk.release(referral_id)
    desk.bench.hear(address_book.close, facts.closed(referral_id))
    desk.pass_time(days=364)
    assert not address_is_gone(desk, referral_id)
    desk.pass_time(days=1)
    assert address_is_gone(desk, referral_id)


def test_what_comes_after_the_address_was_forgotten_is_dropped_and_does_not_wait(
    desk: Desk, referral_id: ReferralId, therapist_id: TherapistId
) -> None:
    desk.release(referral_id)
    desk.bench.hear(address_book.close, facts.closed(referral_id))
    desk.pass_time(days=366)
    sent = len(desk.mail.sent)
    desk.bench.hear(client_messages.ask_for_form, facts.invited(desk.keyring, referral_id, therapist_id))
    desk.run()
    assert len(desk.mail.sent) == sent


def test_an_open_offer_is_taken_back_from_a_therapist_after_a_withdrawal(
    desk: Desk, referral_id: ReferralId, therapist_id: TherapistId
) -> None:
    desk.admit(therapist_id)
    offer = facts.offered(referral_id, therapist_id)
    desk.bench.hear(therapist_messages.send_offer, offer)
    desk.run()
    desk.bench.hear(address_book.withdraw, facts.withdrawn(referral_id))
    desk.bench.hear(therapist_messages.withdraw_offer, facts.taken_back(offer))
    desk.run()
    assert desk.states(referral_id) == {"offer": "sent", "offer_withdrawn": "sent"}


def test_the_moment_of_sending_looks_once_more(desk: Desk, referral_id: ReferralId) -> None:
    """Two replicas may queue a message and withdraw its referral at the same moment."""
    desk.release(referral_id)
    with desk.bench.database.unit() as unit:
        people.client_of(unit.session, referral_id).withdraw(at=unit.now, sequence=2)
    desk.run()
    assert desk.states(referral_id) == {"request_received": "cancelled"}
    assert desk.mail.sent == []


def test_a_duplicate_is_confirmed_to_nobody_and_its_address_is_kept(desk: Desk, referral_id: ReferralId) -> None:
    desk.release(referral_id, OPEN_EMAIL)
    desk.run()
    letters = len(desk.mail.sent)
    desk.bench.hear(address_book.withdraw, facts.withdrawn(referral_id, WithdrawalReason.DUPLICATE))
    desk.run()
    assert len(desk.mail.sent) == letters
    assert not address_is_gone(desk, referral_id)
