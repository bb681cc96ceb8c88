"""A test alert goes the way of every alert, says that it is one, and touches nothing else."""

from __future__ import annotations

import pytest

from chassis.ids import new_id
from chassis.testing import somebody
from contracts.accounts import AccountId
from contracts.commands.notifications import (
    AcknowledgeAlert,
    AlertTestView,
    ListAlerts,
    ListTestAlerts,
    RecordOutcome,
    SendTestAlert,
)
from contracts.event import Event
from contracts.events.accounts import LetterTested
from contracts.events.notifications import MessageSent
from contracts.sealed import OutcomeReason, StaffLetter
from contracts.vocabulary import AlertStep, ConcernOutcome
from services.notifications.errors import AlertTestUnderWay, UnknownAlert
from services.notifications.handlers import accounts, alarms, commands, queries, trying_out
from tests.unit.notifications.conftest import SETTINGS, Desk, body
from tests.unit.notifications.test_alert_links import page, press, secret_in

LEAD, DEPUTY, TRUSTEE = (SETTINGS.safeguarding[step].email for step in AlertStep)
ADA = somebody("ada")


def tried(desk: Desk) -> AlertTestView:
    (newest, *_) = desk.bench.ask(trying_out.list_test_alerts, ListTestAlerts(), by=ADA)
    assert isinstance(newest, AlertTestView)
    return newest


def said(desk: Desk) -> set[type[Event]]:
    return {type(event) for event in desk.bench.all_emitted}


def test_it_climbs_the_ladder_once_and_ends_there(desk: Desk) -> None:
    desk.bench.ask(trying_out.send_test_alert, SendTestAlert(), by=ADA)
    desk.run()
    (first,) = desk.mail.sent
    assert first["To"] == LEAD
    assert first["Subject"].startswith("TEST, nobody is at risk")
    assert "may be at risk" not in body(first)
    assert tried(desk).reached_at == desk.bench.clock.now()
    with pytest.raises(AlertTestUnderWay):
        desk.bench.ask(trying_out.send_test_alert, SendTestAlert(), by=ADA)
    for _ in range(5):
        desk.bench.clock.advance(SETTINGS.escalate_immediate)
        desk.run()
    assert [mail["To"] for mail in desk.mail.sent] == [LEAD, DEPUTY, TRUSTEE]
    assert tried(desk).escalates_at is None
    desk.bench.ask(trying_out.send_test_alert, SendTestAlert(), by=ADA)


def test_nobody_else_hears_of_it_and_no_list_or_alarm_has_it(desk: Desk) -> None:
    desk.bench.ask(trying_out.send_test_alert, SendTestAlert(), by=ADA)
    desk.run()
    desk.bench.clock.advance(SETTINGS.escalate_immediate)
    desk.run()
    test = tried(desk)
    assert desk.bench.ask(queries.list_alerts, ListAlerts(all=True)) == []
    desk.bench.ask(commands.acknowledge_alert, AcknowledgeAlert(concern_id=test.concern_id), by=somebody("jo"))
    assert tried(desk).acknowledged_by == "console:jo"
    assert said(desk) == {MessageSent}
    assert {event.referral_id for event in desk.bench.emitted(MessageSent)} == {None}
    reason = desk.keyring.seal("notifications", OutcomeReason(words="Nothing."))
    decided = RecordOutcome(concern_id=test.concern_id, outcome=ConcernOutcome.NO_FURTHER_ACTION, reason=reason)
    with pytest.raises(UnknownAlert, match="test"):
        desk.bench.ask(commands.record_outcome, decided)


def test_its_link_says_that_it_is_a_test_and_its_button_takes_it_in_hand(desk: Desk) -> None:
    desk.bench.ask(trying_out.send_test_alert, SendTestAlert(), by=ADA)
    desk.run()
    secret = secret_in(body(desk.mail.sent[0]))
    assert page(desk, secret).is_test
    press(desk, secret)
    assert tried(desk).acknowledged_by == "duty lead"
    assert said(desk) == {MessageSent}


def test_one_that_reaches_nobody_is_no_alarm(desk: Desk) -> None:
    desk.bench.ask(trying_out.send_test_alert, SendTestAlert(), by=ADA)
    desk.bench.clock.advance(SETTINGS.escalate_immediate)
    with desk.bench.database.reading() as unit:
        assert alarms.unreached(unit) == 0


def test_a_test_letter_goes_once_with_its_code(desk: Desk) -> None:
    letter = StaffLetter(name="Ada Example", email="ada@example.org", code="424242")
    event = LetterTested(
        test_id=new_id(), account_id=AccountId(new_id()), sealed=desk.keyring.seal("notifications", letter)
    )
    for _ in range(2):
        desk.bench.hear(accounts.send_test, event)
        desk.run()
    (sent,) = desk.mail.sent
    assert sent["To"] == "ada@example.org"
    assert "424242" in body(sent)
