"""Deliveries in any order, any number of times: the same messages, to the same people, once each."""

from __future__ import annotations

from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chassis.ids import new_id
from chassis.ports import EventHandler, NotYet
from contracts.event import Event
from contracts.vocabulary import ReferralId, Respondent, TherapistId
from services.notifications.handlers import address_book, client_messages, introductions, therapist_messages
from services.notifications.store import people
from tests.unit.notifications import facts
from tests.unit.notifications.conftest import Desk, desk_on

Fact = tuple[EventHandler, Event, int]


def a_desk(keys: Path, folder: Path) -> Desk:
    return desk_on(f"sqlite:///{folder / str(new_id())}.db", keys)


def a_story(desk: Desk, *, withdrawn: bool) -> list[Fact]:
    """All that is heard of one referral, each with its number at its publisher."""
    referral_id, therapist_id = ReferralId(new_id()), TherapistId(new_id())
    offer = facts.offered(referral_id, therapist_id)
    form = facts.invited(desk.keyring, referral_id, therapist_id, Respondent.THERAPIST)
    story: list[Fact] = [
        (address_book.record_contact, desk.released(referral_id), 2),
        (address_book.record_therapist_contact, desk.contact_changed(therapist_id), 2),
        (therapist_messages.send_offer, offer, 1),
        (introductions.note_match, facts.matched(referral_id, therapist_id), 2),
        (address_book.record_contact, desk.released(referral_id, to=therapist_id), 4),
        (therapist_messages.notify_of_referral_fee, facts.fee_charged(referral_id, therapist_id), 1),
        (client_messages.notify_client_of_subsidy, facts.subsidy_approved(referral_id), 2),
        (client_messages.ask_for_form, form, 1),
        (therapist_messages.notify_of_suspension, facts.suspended(therapist_id), 5),
    ]
    if withdrawn:
        story.append((address_book.withdraw, facts.withdrawn(referral_id), 5))
    return story


def tell(desk: Desk, story: list[Fact], order: list[int]) -> None:
    """Delivers in this order; what must wait is delivered again after everything else, as the retry queues do."""
    waiting = [story[index] for index in order]
    for _ in range(len(story) + 1):
        again = []
        for handler, event, sequence in waiting:
            try:
                desk.bench.hear(handler, event, sequence=sequence)
            except NotYet:
                again.append((handler, event, sequence))
            desk.run()
        if not again:
            return
        waiting = again
    raise AssertionError(f"{len(waiting)} still wait")


def subjects(desk: Desk) -> list[tuple[str, str]]:
    return sorted((message["To"], message["Subject"]) for message in desk.mail.sent)


orders = st.permutations([*range(9), *range(9)])


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=orders)
def test_everybody_hears_the_same_whatever_the_order(keys: Path, tmp_path: Path, order: list[int]) -> None:
    desk = a_desk(keys, tmp_path)
    tell(desk, a_story(desk, withdrawn=False), order)
    assert [(to, subject.split(" ")[0]) for to, subject in subjects(desk)] == [
        ("robin@example.org", "Reference"),
        ("robin@example.org", "Reference"),
        ("robin@example.org", "Reference"),
        ("sam.pretend@example.org", "A"),
        ("sam.pretend@example.org", "A"),
        ("sam.pretend@example.org", "No"),
        ("sam.pretend@example.org", "Referral"),
        ("sam.pretend@example.org", "Your"),
    ]


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=st.permutations([*range(10), *range(10)]))
def test_after_a_withdrawal_the_confirmation_is_the_last_word(keys: Path, tmp_path: Path, order: list[int]) -> None:
    desk = a_desk(keys, tmp_path)
    story = a_story(desk, withdrawn=True)
    tell(desk, story, order)
    to_client = [message for message in desk.mail.sent if message["To"] == "robin@example.org"]
    told = desk.messages(ReferralId(story[0][1].subject))
    (confirmation,) = (str(message.message_id) for message in told if message.template == "withdrawal_confirmed")
    assert confirmation in to_client[-1]["Message-ID"]
    assert sum(confirmation in message["Message-ID"] for message in to_client) == 1
    with desk.bench.database.reading() as unit:
        client = people.read_client(unit.session, story[0][1].subject)  # type: ignore[arg-type]
        assert client is not None
        assert client.contact is None
