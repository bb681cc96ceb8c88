"""Alerts by every channel, what happens when all of them fail, and what is decided in the end."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from chassis.ids import new_id
from contracts.commands.notifications import (
    AcknowledgeAlert,
    AlertView,
    ListAlerts,
    ListOutcomes,
    OutcomeView,
    RecordOutcome,
)
from contracts.events.intake import SafeguardingConcernRaised
from contracts.events.notifications import (
    SafeguardingAlertEscalated,
    SafeguardingAlertSent,
    SafeguardingOutcomeRecorded,
)
from contracts.sealed import OutcomeReason
from contracts.vocabulary import (
    AlertStep,
    Channel,
    ConcernCategory,
    ConcernId,
    ConcernOutcome,
    ReferralId,
    Severity,
)
from services.notifications.domain.alerts import NotInHand
from services.notifications.errors import NotReadable, UnknownAlert
from services.notifications.gateways.dsn import return_address
from services.notifications.handlers import alerts, commands, queries
from services.notifications.settings import Person
from services.notifications.store import alerts as alert_store
from tests.unit.notifications.conftest import MONDAY_10, SETTINGS, Desk, desk_on
from tests.unit.notifications.test_bounces import BOUNCES, a_report, deliver

LEAD, MOBILE, DEPUTY = "duty-lead@example.org", "+447700900456", "deputy@example.org"
WORDS = "Invented reasons that nobody else may read."


@pytest.fixture
def desk(keys: Path, database_file: Path) -> Desk:
    """A duty lead with a mobile telephone, too."""
    people = {**SETTINGS.safeguarding, AlertStep.DUTY_LEAD: Person(LEAD, MOBILE)}
    return desk_on(f"sqlite:///{database_file}", keys, safeguarding=people, bounces=database_file.parent / "bounces")


@pytest.fixture
def concern(desk: Desk, referral_id: ReferralId) -> SafeguardingConcernRaised:
    return SafeguardingConcernRaised(
        concern_id=ConcernId(new_id()),
        referral_id=referral_id,
        severity=Severity.IMMEDIATE,
        category=ConcernCategory.CHILD_AT_RISK,
        raised_at=MONDAY_10,
    )


def unreached(desk: Desk) -> int:
    with desk.bench.database.reading() as unit:
        return alert_store.count_unreached(unit.session, unit.now)


def acknowledge(desk: Desk, concern: SafeguardingConcernRaised) -> None:
    desk.bench.ask(commands.acknowledge_alert, AcknowledgeAlert(concern_id=concern.concern_id))


def shouts(logs: list[dict[str, object]]) -> int:
    return sum(one["event"] == "safeguarding_unreached" and one["log_level"] == "critical" for one in logs)


def test_the_duty_lead_is_told_by_every_channel_they_have(desk: Desk, concern: SafeguardingConcernRaised) -> None:
    desk.bench.hear(alerts.raise_alert, concern)
    desk.run()
    assert len(desk.mail.to(LEAD)) == 1
    (text,) = desk.texts.sent
    assert text.to == MOBILE
    assert "immediate" in text.text
    assert "https://forms.example.org/alert/" in text.text
    sent = [(event.step, event.channel) for event in desk.bench.emitted(SafeguardingAlertSent)]
    assert sorted(sent) == [(AlertStep.DUTY_LEAD, Channel.EMAIL), (AlertStep.DUTY_LEAD, Channel.TEXT)]


def test_one_channel_that_fails_passes_nothing_on_while_another_works(
    desk: Desk, concern: SafeguardingConcernRaised
) -> None:
    desk.mail.refuses.add(LEAD)
    desk.bench.hear(alerts.raise_alert, concern)
    desk.run()
    assert len(desk.texts.sent) == 1
    assert desk.bench.emitted(SafeguardingAlertEscalated) == []


def test_when_all_of_a_person_s_channels_fail_the_next_is_told_at_once(
    desk: Desk, concern: SafeguardingConcernRaised
) -> None:
    desk.mail.refuses.add(LEAD)
    desk.texts.refuses.add(MOBILE)
    desk.bench.hear(alerts.raise_alert, concern)
    desk.run()
    assert len(desk.mail.to(DEPUTY)) == 1
    assert [event.step for event in desk.bench.emitted(SafeguardingAlertEscalated)] == [AlertStep.DEPUTY]


def test_what_reaches_nobody_is_shouted_every_minute_until_somebody_takes_it_in_hand(
    desk: Desk, concern: SafeguardingConcernRaised
) -> None:
    desk.mail.down = desk.texts.down = True
    with capture_logs() as logs:
        desk.bench.hear(alerts.raise_alert, concern)
        desk.run()
        assert (shouts(logs), unreached(desk)) == (0, 0), "it has only just been raised"
        for minute in range(1, 6):
            desk.pass_time(minutes=1)
            assert (shouts(logs), unreached(desk)) == (minute, 1)
        acknowledge(desk, concern)
        desk.pass_time(hours=5)
        assert (shouts(logs), unreached(desk)) == (5, 0)
    assert "Robin" not in str(logs)


def test_the_shouting_ends_as_soon_as_somebody_is_reached(desk: Desk, concern: SafeguardingConcernRaised) -> None:
    desk.mail.down = desk.texts.down = True
    with capture_logs() as logs:
        desk.bench.hear(alerts.raise_alert, concern)
        desk.pass_time(minutes=2)
        before = shouts(logs)
        desk.texts.down = False
        desk.pass_time(minutes=1)
        assert unreached(desk) == 0
        desk.pass_time(minutes=10)
        assert shouts(logs) <= before + 1


def test_an_alert_that_came_back_is_passed_on_and_shouted_about(
    desk: Desk, concern: SafeguardingConcernRaised, database_file: Path
) -> None:
    folder = database_file.parent / "bounces"
    for part in ("new", "cur", "tmp"):
        (folder / part).mkdir(parents=True)
    desk.texts.refuses.add(MOBILE)
    desk.bench.hear(alerts.raise_alert, concern)
    desk.run()
    message_id = desk.mail.to(LEAD)[0]["Message-ID"].strip("<>").partition("@")[0]
    deliver(folder, [a_report(to=return_address(BOUNCES, message_id))])
    with desk.bench.database.unit() as unit:
        unit.set_timer("read_bounces", "folder", unit.now)
    desk.mail.down = True
    with capture_logs() as logs:
        desk.pass_time(minutes=2)
    assert shouts(logs) >= 1
    assert unreached(desk) == 1
    assert [event.step for event in desk.bench.emitted(SafeguardingAlertEscalated)] == [AlertStep.DEPUTY]


def test_a_year_without_an_answer_lets_nobody_rest(desk: Desk, concern: SafeguardingConcernRaised) -> None:
    advisory = SafeguardingConcernRaised(
        concern_id=concern.concern_id,
        referral_id=concern.referral_id,
        severity=Severity.ADVISORY,
        category=concern.category,
        raised_at=concern.raised_at,
    )
    desk.bench.hear(alerts.raise_alert, advisory)
    year, escalations = MONDAY_10 + timedelta(days=365), 0
    while (at := open_alert(desk).escalates_at) and at <= year:
        desk.pass_time(seconds=(at - desk.bench.clock.now()).total_seconds())
        escalations += 1
    assert escalations == 261 - 8, "the working days of a year of 261 weekdays and 8 bank holidays on them"
    assert open_alert(desk).rounds == escalations - 2
    assert len(desk.mail.to(DEPUTY)) == escalations - 1
    assert len(desk.bench.emitted(SafeguardingAlertEscalated)) == 2


def open_alert(desk: Desk) -> AlertView:
    (view,) = desk.bench.ask(queries.list_alerts, ListAlerts())
    found: AlertView = view
    return found


def decide(desk: Desk, concern: SafeguardingConcernRaised, outcome: ConcernOutcome) -> None:
    reason = desk.keyring.seal("notifications", OutcomeReason(words=WORDS))
    request = RecordOutcome(concern_id=concern.concern_id, outcome=outcome, reason=reason)
    desk.bench.ask(commands.record_outcome, request)


def test_a_decision_is_on_record_beside_those_before_it(desk: Desk, concern: SafeguardingConcernRaised) -> None:
    desk.bench.hear(alerts.raise_alert, concern)
    acknowledge(desk, concern)
    decide(desk, concern, ConcernOutcome.NO_FURTHER_ACTION)
    desk.bench.clock.advance(timedelta(days=1))
    decide(desk, concern, ConcernOutcome.POLICE)
    found: list[OutcomeView] = desk.bench.ask(queries.list_outcomes, ListOutcomes(concern_id=concern.concern_id))
    assert [one.outcome for one in found] == [ConcernOutcome.NO_FURTHER_ACTION, ConcernOutcome.POLICE]
    told = desk.bench.emitted(SafeguardingOutcomeRecorded)
    assert [event.outcome for event in told] == [one.outcome for one in found]


def test_the_reason_is_encrypted_and_can_be_read_with_the_key(
    desk: Desk, concern: SafeguardingConcernRaised, database_file: Path
) -> None:
    desk.bench.hear(alerts.raise_alert, concern)
    acknowledge(desk, concern)
    decide(desk, concern, ConcernOutcome.POLICE)
    assert not any(WORDS.encode() in path.read_bytes() for path in database_file.parent.glob("*.db*"))
    assert all(WORDS not in str(event.to_json()) for event in desk.bench.all_emitted)
    with desk.bench.database.reading() as unit:
        (outcome,) = alert_store.outcomes_of(unit.session, concern.concern_id)
        vault = unit.dependencies.vault
        assert vault.decrypt(unit.session, concern.concern_id, OutcomeReason, outcome.reason).words == WORDS


def test_refuses_a_decision_of_whoever_has_it_not_in_hand(desk: Desk, concern: SafeguardingConcernRaised) -> None:
    with pytest.raises(UnknownAlert):
        decide(desk, concern, ConcernOutcome.POLICE)
    desk.bench.hear(alerts.raise_alert, concern)
    with pytest.raises(NotInHand):
        decide(desk, concern, ConcernOutcome.POLICE)
    acknowledge(desk, concern)
    with pytest.raises(NotReadable):
        request = RecordOutcome(concern_id=concern.concern_id, outcome=ConcernOutcome.POLICE, reason="not sealed")
        desk.bench.ask(commands.record_outcome, request)


def test_a_clock_that_was_ahead_and_is_put_right_hides_no_alert_that_reached_nobody(
    desk: Desk, concern: SafeguardingConcernRaised
) -> None:
    desk.mail.down = desk.texts.down = True
    desk.bench.clock.advance(timedelta(hours=2))
    desk.bench.hear(alerts.raise_alert, replace(concern, raised_at=desk.bench.clock.now()))
    desk.bench.clock.advance(timedelta(hours=-2))
    with capture_logs() as logs:
        desk.run()
    assert (unreached(desk), shouts(logs)) == (1, 1)
