"""What is left at notifications of a client who was erased."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from chassis.ids import new_id
from chassis.ports import NotYet
from contracts.accounts import AccountId
from contracts.events.intake import ErasureOverdue, ReadingsStopped, ReferralErased, SafeguardingConcernRaised
from contracts.events.notifications import ErasureConfirmed
from contracts.permissions import FrontEnd
from contracts.vocabulary import ConcernCategory, ConcernId, ReferralId, Severity, TherapistId
from services.notifications.handlers import address_book, alerts, erasure, office_messages
from services.notifications.store import people, tables
from tests.unit.notifications import facts
from tests.unit.notifications.conftest import CLIENT_NAME, MONDAY_10, Desk
from tests.unit.notifications.test_any_order import Fact, a_desk, a_story


def erase(desk: Desk, referral_id: ReferralId) -> None:
    desk.bench.hear(erasure.forget, ReferralErased(referral_id=referral_id), sequence=9)


def left_of(desk: Desk, referral_id: ReferralId) -> tuple[bytes | None, int, int]:
    """The address, how many data keys can still open something, and how many messages carry a secret."""
    with desk.bench.database.reading() as unit:
        client = people.read_client(unit.session, referral_id)
        assert client
        keys = select(tables.data_keys).where(tables.data_keys.c.subject_id == referral_id)
        opening = [row for row in unit.session.execute(keys) if row.wrapped]
        about = select(tables.messages.c.sealed).where(tables.messages.c.referral_id == referral_id)
        secrets = [sealed for sealed in unit.session.execute(about).scalars() if sealed]
        return client.contact, len(opening), len(secrets)


def test_the_address_is_forgotten_at_once_and_nothing_more_is_said(desk: Desk, referral_id: ReferralId) -> None:
    desk.release(referral_id)
    erase(desk, referral_id)
    desk.run()
    assert left_of(desk, referral_id) == (None, 0, 0)
    assert desk.states(referral_id) == {"request_received": "cancelled"}
    assert desk.mail.sent == []
    assert desk.bench.emitted(ErasureConfirmed) == [ErasureConfirmed(referral_id=referral_id)]


@pytest.mark.parametrize("erased_first", [True, False])
def test_the_office_is_told_once_of_an_erasure_that_is_not_finished(
    desk: Desk, referral_id: ReferralId, erased_first: bool
) -> None:
    desk.release(referral_id)
    overdue = ErasureOverdue(referral_id=referral_id, erased_at=MONDAY_10, waiting_for=("billing", "evaluation"))
    if erased_first:
        erase(desk, referral_id)
    for _ in range(2):
        desk.bench.hear(office_messages.notify_office_of_overdue_erasure, overdue)
    if not erased_first:
        erase(desk, referral_id)
    desk.run()
    (letter,) = desk.mail.to("office@example.org")
    assert letter["Subject"] == "An erasure is not finished"
    body = letter.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert str(referral_id) in body
    assert "billing, evaluation" in body


def test_a_withdrawal_that_comes_after_the_erasure_is_not_confirmed(desk: Desk, referral_id: ReferralId) -> None:
    desk.release(referral_id)
    erase(desk, referral_id)
    desk.bench.hear(address_book.withdraw, facts.withdrawn(referral_id))
    desk.run()
    assert desk.mail.sent == []


def test_an_introduction_that_comes_after_the_erasure_goes_to_nobody(
    desk: Desk, referral_id: ReferralId, therapist_id: TherapistId
) -> None:
    desk.admit(therapist_id)
    desk.release(referral_id)
    erase(desk, referral_id)
    desk.release(referral_id, to=therapist_id)
    assert left_of(desk, referral_id) == (None, 0, 0)
    desk.run()
    assert desk.mail.sent == []


def test_an_alert_about_an_erased_referral_still_goes_out(desk: Desk, referral_id: ReferralId) -> None:
    desk.release(referral_id)
    concern = SafeguardingConcernRaised(
        concern_id=ConcernId(new_id()),
        referral_id=referral_id,
        severity=Severity.URGENT,
        category=ConcernCategory.ADULT_AT_RISK,
        raised_at=desk.bench.clock.now(),
    )
    desk.bench.hear(alerts.raise_alert, concern)
    erase(desk, referral_id)
    desk.run()
    assert [message["To"] for message in desk.mail.sent] == ["duty-lead@example.org"]


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=st.permutations([*range(9), *range(9)]), after=st.integers(min_value=0, max_value=17))
def test_nothing_brings_an_erased_client_back_whatever_the_order(
    keys: Path, tmp_path: Path, order: list[int], after: int
) -> None:
    """The erasure comes after so many of the others, of which each comes twice and none is waited for."""
    desk = a_desk(keys, tmp_path)
    story = a_story(desk, withdrawn=False)
    referral_id = ReferralId(story[0][1].subject)
    in_order: list[Fact] = [story[index] for index in order]
    for fact in in_order[:after]:
        hear_if_it_can_be(desk, *fact)
    erase(desk, referral_id)
    said = len(desk.mail.sent)
    for fact in in_order[after:] + story:
        hear_if_it_can_be(desk, *fact)
    assert left_of(desk, referral_id) == (None, 0, 0)
    letters = [message.as_string() for message in desk.mail.sent[said:]]
    assert not [one for one in letters if CLIENT_NAME in one or "robin@example.org" in one]
    assert "robin@example.org" not in [message["To"] for message in desk.mail.sent[said:]]


def hear_if_it_can_be(desk: Desk, *fact: object) -> None:
    handler, event, sequence = fact
    try:
        desk.bench.hear(handler, event, sequence=sequence)  # type: ignore[arg-type]
    except NotYet:
        return
    desk.run()


def test_the_lead_is_told_who_read_about_many_people(desk: Desk) -> None:
    account = uuid4()
    stopped = ReadingsStopped(
        stop_id=uuid4(), front_end=FrontEnd.CONSOLE, account_id=AccountId(account), stopped_at=MONDAY_10
    )
    for _ in range(2):
        desk.bench.hear(office_messages.notify_office_of_readings, stopped)
    desk.run()
    (letter,) = desk.mail.to("office@example.org")
    assert letter["Subject"] == "For the safeguarding lead: somebody read about many people"
    assert str(account) in letter.get_body(("plain",)).get_content()  # type: ignore[union-attr]
