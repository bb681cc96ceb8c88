"""Safeguarding alerts, from the concern to the person who takes it in hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from chassis.ids import new_id
from chassis.testing import somebody
from contracts.commands.notifications import AcknowledgeAlert, AlertView, ListAlerts
from contracts.events.intake import ReferralWithdrawn, SafeguardingConcernRaised
from contracts.events.notifications import (
    MessageFailed,
    MessageSent,
    SafeguardingAlertAcknowledged,
    SafeguardingAlertEscalated,
    SafeguardingAlertSent,
)
from contracts.reference import reference_for
from contracts.sealed import ConcernReference
from contracts.vocabulary import (
    AlertStep,
    ConcernCategory,
    ConcernId,
    FailureReason,
    ReferralId,
    Severity,
    WithdrawalReason,
)
from services.notifications.domain.alerts import AlreadyAcknowledged
from services.notifications.errors import UnknownAlert
from services.notifications.handlers import address_book, alerts, commands, queries
from tests.unit.notifications.conftest import MONDAY_10, SETTINGS, Desk, body

LEAD, DEPUTY, TRUSTEE = (SETTINGS.safeguarding[step].email for step in AlertStep)


@pytest.fixture
def concern(referral_id: ReferralId) -> SafeguardingConcernRaised:
    return SafeguardingConcernRaised(
        concern_id=ConcernId(new_id()),
        referral_id=referral_id,
        severity=Severity.IMMEDIATE,
        category=ConcernCategory.RISK_TO_SELF,
        raised_at=MONDAY_10,
    )


def acknowledge(desk: Desk, concern: SafeguardingConcernRaised, by: str = "jo") -> AlertView:
    request = AcknowledgeAlert(concern_id=concern.concern_id)
    view: AlertView = desk.bench.ask(commands.acknowledge_alert, request, by=somebody(by))
    return view


def open_alerts(desk: Desk) -> list[AlertView]:
    found: list[AlertView] = desk.bench.ask(queries.list_alerts, ListAlerts())
    return found


def test_the_duty_lead_is_written_to_at_once(desk: Desk, concern: SafeguardingConcernRaised) -> None:
    desk.bench.hear(alerts.raise_alert, concern)
    desk.run()
    (alert,) = desk.mail.sent
    assert alert["To"] == LEAD
    (sent,) = desk.bench.emitted(SafeguardingAlertSent)
    assert (sent.concern_id, sent.step) == (concern.concern_id, AlertStep.DUTY_LEAD)
    assert len(desk.bench.emitted(MessageSent)) == 1


def test_it_goes_out_in_the_middle_of_the_night(desk: Desk, concern: SafeguardingConcernRaised) -> None:
    desk.pass_time(hours=17)  # three in the morning
    desk.bench.hear(alerts.raise_alert, concern)
    desk.run()
    assert len(desk.mail.to(LEAD)) == 1


def test_it_says_what_it_is_about_in_words_and_no_more(desk: Desk, concern: SafeguardingConcernRaised) -> None:
    desk.release(concern.referral_id)
    desk.bench.hear(alerts.raise_alert, concern)
    desk.run()
    (alert,) = desk.mail.to(LEAD)
    assert str(concern.concern_id) in body(alert)
    assert alert["Subject"] == f"Safeguarding alert {reference_for(concern.referral_id)}: immediate"
    assert "the client may not be safe themselves" in body(alert)
    assert "https://forms.example.org/alert/" in body(alert)
    assert "Robin" not in alert.as_string()


def test_an_alert_that_overtook_the_reference_does_not_say_that_the_client_is_forgotten(
    desk: Desk, concern: SafeguardingConcernRaised
) -> None:
    """A concern is heard in a lane of its own, ahead of the contact that its request came with."""
    desk.bench.hear(alerts.raise_alert, concern)
    desk.run()
    (alert,) = desk.mail.to(LEAD)
    assert "Reference: on the page that the link leads to" in body(alert)


def test_the_same_concern_twice_alerts_once(desk: Desk, concern: SafeguardingConcernRaised) -> None:
    for _ in range(3):
        desk.bench.hear(alerts.raise_alert, concern)
        desk.run()
    assert len(desk.mail.sent) == 1


def test_a_replay_after_the_acknowledgement_wakes_nobody(desk: Desk, concern: SafeguardingConcernRaised) -> None:
    desk.bench.hear(alerts.raise_alert, concern)
    acknowledge(desk, concern)
    desk.bench.hear(alerts.raise_alert, concern)
    desk.pass_time(days=1)
    assert desk.mail.sent == []


@pytest.mark.parametrize(
    ("severity", "minutes"), [(Severity.IMMEDIATE, 15), (Severity.URGENT, 60), (Severity.ADVISORY, 24 * 60)]
)
def test_it_climbs_when_nobody_answers_in_time(
    desk: Desk, concern: SafeguardingConcernRaised, severity: Severity, minutes: int
) -> None:
    desk.bench.hear(alerts.raise_alert, replace(concern, severity=severity))
    desk.pass_time(minutes=minutes - 1)
    assert desk.mail.to(DEPUTY) == []
    desk.pass_time(minutes=1)
    assert len(desk.mail.to(DEPUTY)) == 1
    assert [event.step for event in desk.bench.emitted(SafeguardingAlertEscalated)] == [AlertStep.DEPUTY]


def test_an_advisory_alert_does_not_climb_over_the_weekend(desk: Desk, concern: SafeguardingConcernRaised) -> None:
    desk.pass_time(days=4)  # Friday at ten
    desk.bench.hear(alerts.raise_alert, replace(concern, severity=Severity.ADVISORY))
    assert open_alerts(desk)[0].escalates_at == datetime(2026, 11, 30, 10, 0, tzinfo=UTC)


def test_everybody_is_alerted_again_until_somebody_answers(desk: Desk, concern: SafeguardingConcernRaised) -> None:
    desk.bench.hear(alerts.raise_alert, concern)
    for _ in range(4):
        desk.pass_time(minutes=15)
    assert [len(desk.mail.to(address)) for address in (LEAD, DEPUTY, TRUSTEE)] == [3, 3, 3]
    assert [event.step for event in desk.bench.emitted(SafeguardingAlertEscalated)] == [
        AlertStep.DEPUTY,
        AlertStep.TRUSTEE,
    ]
    acknowledge(desk, concern)
    desk.pass_time(days=30)
    assert len(desk.mail.sent) == 9


def test_a_service_that_was_down_for_a_day_climbs_one_step_at_a_time(
    desk: Desk, concern: SafeguardingConcernRaised
) -> None:
    desk.bench.hear(alerts.raise_alert, concern)
    desk.pass_time(days=1)
    assert len(desk.mail.to(DEPUTY)) == 1
    assert desk.mail.to(TRUSTEE) == []


def test_an_acknowledgement_by_name_ends_it(desk: Desk, concern: SafeguardingConcernRaised) -> None:
    desk.bench.hear(alerts.raise_alert, concern)
    desk.run()
    view = acknowledge(desk, concern)
    desk.bench.clock.advance(timedelta(days=30))
    assert desk.bench.fire_due({}) == 0, "no clock ticks on"
    assert (view.acknowledged_by, view.escalates_at) == ("console:jo", None)
    assert len(desk.mail.sent) == 1
    (event,) = desk.bench.emitted(SafeguardingAlertAcknowledged)
    assert (event.concern_id, event.step) == (concern.concern_id, AlertStep.DUTY_LEAD)
    assert open_alerts(desk) == []


def test_an_alert_that_has_not_gone_out_yet_is_stopped_by_the_acknowledgement(
    desk: Desk, concern: SafeguardingConcernRaised
) -> None:
    desk.bench.hear(alerts.raise_alert, concern)
    acknowledge(desk, concern)
    desk.run()
    assert desk.mail.sent == []


def test_acknowledging_twice_is_said_once(desk: Desk, concern: SafeguardingConcernRaised) -> None:
    desk.bench.hear(alerts.raise_alert, concern)
    acknowledge(desk, concern)
    acknowledge(desk, concern)
    assert len(desk.bench.emitted(SafeguardingAlertAcknowledged)) == 1


def test_refuses_a_second_person(desk: Desk, concern: SafeguardingConcernRaised) -> None:
    desk.bench.hear(alerts.raise_alert, concern)
    acknowledge(desk, concern)
    with pytest.raises(AlreadyAcknowledged, match="A colleague"):
        acknowledge(desk, concern, by="lee")


def test_an_alert_that_overtakes_its_request_names_the_reference_that_came_with_it(
    desk: Desk, concern: SafeguardingConcernRaised
) -> None:
    sealed = desk.keyring.seal("notifications", ConcernReference(reference="7KQ2-M9XH-4"))
    desk.bench.hear(alerts.raise_alert, replace(concern, sealed=sealed))
    desk.run()
    (alert,) = desk.mail.to(LEAD)
    assert "Reference: 7KQ2-M9XH-4" in body(alert)


@pytest.mark.parametrize("sealed", ["not sealed", None])
def test_an_alert_goes_out_whatever_its_reference_is(
    desk: Desk, concern: SafeguardingConcernRaised, sealed: str | None
) -> None:
    desk.bench.hear(alerts.raise_alert, replace(concern, sealed=sealed))
    desk.run()
    assert len(desk.mail.to(LEAD)) == 1


def test_refuses_to_acknowledge_what_was_never_raised(desk: Desk, concern: SafeguardingConcernRaised) -> None:
    with pytest.raises(UnknownAlert):
        acknowledge(desk, concern)


def test_a_duty_lead_who_cannot_be_written_to_costs_no_time(desk: Desk, concern: SafeguardingConcernRaised) -> None:
    desk.mail.refuses.add(LEAD)
    desk.bench.hear(alerts.raise_alert, concern)
    desk.run()
    assert len(desk.mail.to(DEPUTY)) == 1
    (failed,) = desk.bench.emitted(MessageFailed)
    assert failed.reason is FailureReason.REJECTED
    assert [event.step for event in desk.bench.emitted(SafeguardingAlertSent)] == [AlertStep.DEPUTY]


def test_with_nobody_reachable_it_goes_on_trying(desk: Desk, concern: SafeguardingConcernRaised) -> None:
    desk.mail.refuses |= {LEAD, DEPUTY, TRUSTEE}
    desk.bench.hear(alerts.raise_alert, concern)
    desk.run()
    assert open_alerts(desk)[0].step is AlertStep.TRUSTEE
    desk.mail.refuses.clear()
    desk.pass_time(minutes=15)
    assert len(desk.mail.sent) == 3


def test_a_mail_server_that_is_down_delays_the_alert_and_does_not_lose_it(
    desk: Desk, concern: SafeguardingConcernRaised
) -> None:
    desk.mail.down = True
    desk.bench.hear(alerts.raise_alert, concern)
    desk.run()
    desk.mail.down = False
    desk.pass_time(minutes=2)
    assert len(desk.mail.to(LEAD)) == 1


def test_a_withdrawal_stops_no_alert(desk: Desk, concern: SafeguardingConcernRaised) -> None:
    desk.release(concern.referral_id)
    desk.bench.hear(alerts.raise_alert, concern)
    withdrawn = ReferralWithdrawn(referral_id=concern.referral_id, reason=WithdrawalReason.CLIENT_ASKED)
    desk.bench.hear(address_book.withdraw, withdrawn)
    desk.run()
    assert len(desk.mail.to(LEAD)) == 1


def test_lists_every_alert_when_asked_for_all(desk: Desk, concern: SafeguardingConcernRaised) -> None:
    desk.bench.hear(alerts.raise_alert, concern)
    acknowledge(desk, concern)
    (view,) = desk.bench.ask(queries.list_alerts, ListAlerts(all=True))
    assert view.concern_id == concern.concern_id
    assert view.acknowledged_at == MONDAY_10


def test_the_gravest_are_listed_first_and_of_these_the_oldest(desk: Desk, concern: SafeguardingConcernRaised) -> None:
    advisory, urgent = (
        replace(concern, concern_id=ConcernId(new_id()), severity=severity, raised_at=MONDAY_10 - timedelta(days=1))
        for severity in (Severity.ADVISORY, Severity.URGENT)
    )
    older = replace(concern, concern_id=ConcernId(new_id()), raised_at=MONDAY_10 - timedelta(hours=1))
    for one in (advisory, concern, urgent, older):
        desk.bench.hear(alerts.raise_alert, one)
    assert [one.concern_id for one in open_alerts(desk)] == [
        one.concern_id for one in (older, concern, urgent, advisory)
    ]


def test_the_escalation_clock_is_shown(desk: Desk, concern: SafeguardingConcernRaised) -> None:
    desk.bench.hear(alerts.raise_alert, concern)
    assert open_alerts(desk)[0].escalates_at == MONDAY_10 + timedelta(minutes=15)


def test_a_clock_that_was_ahead_and_is_put_right_delays_no_escalation(
    desk: Desk, concern: SafeguardingConcernRaised
) -> None:
    desk.bench.clock.advance(timedelta(hours=2))
    desk.bench.hear(alerts.raise_alert, replace(concern, raised_at=desk.bench.clock.now()))
    desk.run()
    desk.bench.clock.advance(timedelta(hours=-2))
    desk.pass_time(minutes=15)
    assert [event.step for event in desk.bench.emitted(SafeguardingAlertEscalated)] == [AlertStep.DEPUTY]
    desk.pass_time(minutes=15)
    assert [event.step for event in desk.bench.emitted(SafeguardingAlertEscalated)][1:] == [AlertStep.TRUSTEE]


def test_nor_an_alert_that_had_not_gone_out_yet(desk: Desk, concern: SafeguardingConcernRaised) -> None:
    desk.bench.clock.advance(timedelta(hours=2))
    desk.bench.hear(alerts.raise_alert, concern)
    desk.bench.clock.advance(timedelta(hours=-2))
    desk.run()
    assert [one["To"] for one in desk.mail.sent][:1] == [LEAD]
