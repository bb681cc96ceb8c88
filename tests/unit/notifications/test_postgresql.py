"""The same stories on PostgreSQL, where locks, upserts and time zones are others."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from chassis.ids import new_id
from contracts.commands.notifications import AcknowledgeAlert, ListAlerts
from contracts.events.intake import SafeguardingConcernRaised
from contracts.vocabulary import ConcernCategory, ConcernId, ReferralId, Severity, TherapistId
from services.notifications.handlers import address_book, alerts, commands, queries, therapist_messages
from tests.support.postgresql import Server
from tests.unit.notifications import facts
from tests.unit.notifications.conftest import EVENING, MONDAY_10, Desk, desk_on
from tests.unit.notifications.test_any_order import a_story, tell


@pytest.fixture
def desk(keys: Path, postgresql_server: Server) -> Desk:
    return desk_on(postgresql_server.create_database(f"notifications_{new_id().hex}"), keys)


def test_a_whole_referral_in_reverse_and_twice(desk: Desk) -> None:
    story = a_story(desk, withdrawn=False)
    tell(desk, story, [*reversed(range(len(story))), *range(len(story))])
    assert len(desk.mail.sent) == 8


def test_an_alert_climbs_and_is_acknowledged(desk: Desk, referral_id: ReferralId) -> None:
    concern = SafeguardingConcernRaised(
        concern_id=ConcernId(new_id()),
        referral_id=referral_id,
        severity=Severity.IMMEDIATE,
        category=ConcernCategory.CHILD_AT_RISK,
        raised_at=MONDAY_10,
    )
    desk.bench.hear(alerts.raise_alert, concern)
    for _ in range(3):
        desk.pass_time(minutes=15)
    assert len(desk.mail.sent) == 6
    acknowledgement = AcknowledgeAlert(concern_id=concern.concern_id)
    desk.bench.ask(commands.acknowledge_alert, acknowledgement)
    assert desk.bench.ask(queries.list_alerts, ListAlerts()) == []


def test_an_evening_message_waits_and_is_cancelled_by_a_withdrawal(desk: Desk, referral_id: ReferralId) -> None:
    desk.release(referral_id, replace(EVENING))
    desk.bench.hear(address_book.withdraw, facts.withdrawn(referral_id))
    desk.pass_time(hours=8)
    assert desk.states(referral_id) == {"request_received": "cancelled", "withdrawal_confirmed": "sent"}


def test_an_older_fact_on_a_standing_is_dropped(desk: Desk, therapist_id: TherapistId) -> None:
    desk.admit(therapist_id)
    desk.bench.hear(therapist_messages.notify_of_reinstatement, facts.reinstated(therapist_id), sequence=2)
    desk.bench.hear(therapist_messages.notify_of_suspension, facts.suspended(therapist_id), sequence=1)
    desk.run()
    assert [message["Subject"] for message in desk.mail.sent] == ["That has been put right"]
