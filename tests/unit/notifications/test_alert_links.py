"""The one-time link of an alert: whoever it went to takes the concern in hand, and nobody else does."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest

from chassis.ids import new_id
from chassis.ports import Invalid
from contracts.commands.notifications import AcknowledgeAlert, AlertPage, CancelDuty, GetAlertLink
from contracts.events.intake import SafeguardingConcernRaised
from contracts.events.notifications import SafeguardingAlertAcknowledged, SafeguardingAlertEscalated
from contracts.events.web import AlertAnswered
from contracts.sealed import AlertAnswer, LinkSecret
from contracts.vocabulary import LinkState, SubmissionId
from services.notifications.handlers import alerts, commands, queries, rota
from tests.unit.notifications.conftest import EMAIL, SETTINGS, Desk, body
from tests.unit.notifications.test_rota import ANN, BEN, LEAD, MONDAY, a_concern, keep, plan

TUESDAY = MONDAY + timedelta(days=1)


@pytest.fixture
def concern() -> SafeguardingConcernRaised:
    return a_concern()


def secret_in(text: str) -> str:
    (found,) = re.findall(r"https://forms\.example\.org/alert/([A-Za-z0-9_-]{22})(?![A-Za-z0-9_-])", text)
    return str(found)


def alerted(desk: Desk, concern: SafeguardingConcernRaised) -> str:
    """The secret in the letter that an alert sends."""
    before = len(desk.mail.sent)
    desk.bench.hear(alerts.raise_alert, concern)
    desk.run()
    return secret_in(body(desk.mail.sent[before]))


def page(desk: Desk, secret: str) -> AlertPage:
    sealed = desk.keyring.seal("notifications", LinkSecret(token=secret))
    found: AlertPage = desk.bench.ask(queries.open_alert, GetAlertLink(sealed=sealed))
    return found


def press(desk: Desk, secret: str) -> None:
    sealed = desk.keyring.seal("notifications", AlertAnswer(token=secret))
    desk.bench.hear(alerts.record_alert_answer, AlertAnswered(submission_id=SubmissionId(new_id()), sealed=sealed))


def test_the_page_says_what_it_is_about_and_looking_takes_nothing_in_hand(
    desk: Desk, concern: SafeguardingConcernRaised
) -> None:
    desk.release(concern.referral_id, EMAIL)
    desk.run()
    secret = alerted(desk, concern)
    for _ in range(3):
        shown = page(desk, secret)
    assert (shown.state, shown.severity, shown.category) == (LinkState.OPEN, concern.severity, concern.category)
    assert shown.reference
    assert shown.asked == "duty lead", "a mailbox without a name is named by its step"
    assert desk.bench.emitted(SafeguardingAlertAcknowledged) == []


def test_the_button_puts_whoever_the_letter_went_to_in_charge(desk: Desk, concern: SafeguardingConcernRaised) -> None:
    keep(desk, ANN, email="ann@example.org")
    plan(desk, ANN, MONDAY, MONDAY)
    secret = alerted(desk, concern)
    press(desk, secret)
    shown = page(desk, secret)
    assert (shown.state, shown.acknowledged_by) == (LinkState.ANSWERED, "Ann Invented")
    (said,) = desk.bench.emitted(SafeguardingAlertAcknowledged)
    assert said.concern_id == concern.concern_id
    desk.pass_time(hours=2)
    assert desk.bench.emitted(SafeguardingAlertEscalated) == []
    press(desk, secret)
    assert len(desk.bench.emitted(SafeguardingAlertAcknowledged)) == 1


def test_a_letter_and_a_text_message_have_each_a_link_of_its_own(
    desk: Desk, concern: SafeguardingConcernRaised
) -> None:
    keep(desk, ANN, email="ann@example.org", telephone="07700 900456")
    plan(desk, ANN, MONDAY, MONDAY)
    secret = alerted(desk, concern)
    (text,) = desk.texts.sent
    assert secret_in(text.text) != secret
    press(desk, secret_in(text.text))
    assert page(desk, secret).acknowledged_by == "Ann Invented"


def test_a_link_says_that_a_colleague_has_it_in_hand(desk: Desk, concern: SafeguardingConcernRaised) -> None:
    secret = alerted(desk, concern)
    taken = AcknowledgeAlert(concern_id=concern.concern_id)
    desk.bench.ask(commands.acknowledge_alert, taken)
    press(desk, secret)
    assert (page(desk, secret).state, page(desk, secret).acknowledged_by) == (LinkState.ANSWERED, None)


def test_a_link_is_void_once_its_reader_is_not_on_duty_any_more(desk: Desk, concern: SafeguardingConcernRaised) -> None:
    for who, email in ((ANN, "ann@example.org"), (BEN, "ben@example.org")):
        keep(desk, who, email=email)
    duty = plan(desk, ANN, MONDAY, MONDAY)
    plan(desk, BEN, TUESDAY, TUESDAY)
    secret = alerted(desk, concern)
    desk.bench.ask(rota.cancel_duty, CancelDuty(duty_id=duty))
    assert page(desk, secret) == AlertPage(state=LinkState.WITHDRAWN)
    press(desk, secret)
    desk.bench.clock.advance(timedelta(days=1))
    assert page(desk, secret) == AlertPage(state=LinkState.WITHDRAWN)
    press(desk, secret)
    assert desk.bench.emitted(SafeguardingAlertAcknowledged) == []


def test_a_link_to_the_mailbox_is_void_once_the_rota_has_somebody(
    desk: Desk, concern: SafeguardingConcernRaised
) -> None:
    secret = alerted(desk, concern)
    assert desk.mail.sent[0]["To"] == SETTINGS.safeguarding[LEAD].email
    keep(desk, ANN, email="ann@example.org")
    plan(desk, ANN, MONDAY, MONDAY)
    assert page(desk, secret).state is LinkState.WITHDRAWN


def test_a_link_is_too_old_after_three_days(desk: Desk, concern: SafeguardingConcernRaised) -> None:
    secret = alerted(desk, concern)
    desk.bench.clock.advance(timedelta(hours=72))
    assert page(desk, secret) == AlertPage(state=LinkState.EXPIRED)
    press(desk, secret)
    assert desk.bench.emitted(SafeguardingAlertAcknowledged) == []


def test_a_secret_that_nobody_was_given_tells_nothing_and_does_nothing(
    desk: Desk, concern: SafeguardingConcernRaised
) -> None:
    alerted(desk, concern)
    assert page(desk, "0" * 22) == AlertPage(state=LinkState.UNKNOWN)
    assert desk.bench.ask(queries.open_alert, GetAlertLink(sealed="no jwe")) == AlertPage(state=LinkState.UNKNOWN)
    with pytest.raises(Invalid, match="no alert"):
        press(desk, "0" * 22)


def test_no_secret_is_kept_or_said(desk: Desk, concern: SafeguardingConcernRaised, database_file: Path) -> None:
    secret = alerted(desk, concern)
    press(desk, secret)
    assert not any(secret.encode() in path.read_bytes() for path in database_file.parent.glob("notifications.db*"))
    assert secret not in " ".join(str(event.to_json()) for event in desk.bench.all_emitted)
