"""What gateways say later: known by its sender, taken once, and a person looks after what never arrived."""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from chassis.host.webhooks import LATER, NOT_LET_IN, TAKEN, UNREADABLE, Posted, receive
from chassis.ids import new_id
from contracts.events.intake import SafeguardingConcernRaised
from contracts.events.notifications import MessageFailed, SafeguardingAlertEscalated
from contracts.sealed import SafeContact
from contracts.vocabulary import (
    Channel,
    ConcernCategory,
    ConcernId,
    FailureReason,
    MessageId,
    ReferralId,
    Severity,
)
from services.notifications.application.bounces import LOOK_AGAIN
from services.notifications.gateways.receipts import MAX_PUT_ASIDE, Reporting
from services.notifications.handlers import alarms, alerts, receipts
from services.notifications.settings import Gateway
from tests.unit.notifications.conftest import MONDAY_10, POST, SETTINGS, TEXT, Desk, body, desk_on

TOKEN, SECRET = "made-up-token-of-the-gateway-of-texts", "made-up-secret-of-the-gateway-of-letters"
NESTED = {"results": [{"message": {"our_reference": "{id}"}, "status": {"group": "{status}"}}]}


@pytest.fixture
def aside(tmp_path: Path) -> Path:
    return tmp_path / "unreadable"


@pytest.fixture
def desk(keys: Path, database_file: Path, aside: Path) -> Desk:
    texts = Gateway("folder:unused", None, {}, Reporting(token=TOKEN))
    letters = Gateway("folder:unused", None, {}, Reporting(secret=SECRET, signature="X-Signed", fields=NESTED))
    return desk_on(f"sqlite:///{database_file}", keys, texts=texts, letters=letters, unreadable=aside)


def post(desk: Desk, content: Any, channel: Channel = Channel.TEXT, **headers: str) -> str:
    """As the HTTP port does it: each receipt in a unit of its own."""
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    inlet = receipts.receipts_for(channel)

    def take(receipt: Any) -> None:
        desk.bench.ask(inlet.take, receipt)

    given = given or {"authorization": f"Bearer {TOKEN}"}
    with desk.bench.database.reading() as unit:
        dependencies = unit.dependencies
    return receive("/receipts", inlet, Posted(given, raw), dependencies=dependencies, take=take)


def signed(content: Any) -> dict[str, str]:
    return {"x_signed": "sha256=" + hmac.new(SECRET.encode(), json.dumps(content).encode(), hashlib.sha256).hexdigest()}


def sent_to(desk: Desk, referral_id: ReferralId, contact: SafeContact = TEXT) -> MessageId:
    desk.release(referral_id, contact)
    desk.run()
    (message,) = desk.messages(referral_id)
    assert message.state == "sent"
    return message.message_id


def report(message_id: UUID | str, status: str = "failed") -> dict[str, str]:
    return {"reference": str(message_id), "status": status}


def put_aside(desk: Desk) -> int:
    with desk.bench.database.reading() as unit:
        return alarms.put_aside(unit)


def test_a_text_that_never_arrived_is_failed_and_the_office_told_once(desk: Desk, referral_id: ReferralId) -> None:
    message_id = sent_to(desk, referral_id)
    for _ in range(2):
        assert post(desk, report(message_id, "Permanent-Failure")) == TAKEN
    desk.run()
    (failed,) = desk.bench.emitted(MessageFailed)
    assert (failed.message_id, failed.channel, failed.reason) == (message_id, Channel.TEXT, FailureReason.BOUNCED)
    (told,) = desk.mail.to(SETTINGS.office.address)
    assert str(message_id) in body(told)


def test_a_letter_that_came_back_is_told_under_a_signature(desk: Desk, referral_id: ReferralId) -> None:
    message_id = sent_to(desk, referral_id, POST)
    content = {"results": [{"message": {"our_reference": str(message_id)}, "status": {"group": "RETURNED"}}]}
    assert post(desk, content, Channel.LETTER, x_signed="0" * 64) == NOT_LET_IN
    assert desk.bench.emitted(MessageFailed) == []
    assert post(desk, content, Channel.LETTER, **signed(content)) == TAKEN
    assert [one.message_id for one in desk.bench.emitted(MessageFailed)] == [message_id]


@pytest.mark.parametrize("header", ["", "Bearer ", f"Bearer {SECRET}", f"Bearer {TOKEN[:-1]}", "Bearer ü"])
def test_nobody_is_let_in_without_the_gateway_s_own_secret(
    desk: Desk, referral_id: ReferralId, header: str, aside: Path
) -> None:
    message_id = sent_to(desk, referral_id)
    assert post(desk, report(message_id), authorization=header) == NOT_LET_IN
    assert post(desk, b"[", authorization=header) == NOT_LET_IN
    assert desk.states(referral_id) == {"request_received": "sent"}
    assert not aside.exists()


def test_where_no_secret_is_set_nobody_is_let_in(keys: Path, database_file: Path, aside: Path) -> None:
    desk = desk_on(f"sqlite:///{database_file}", keys, unreadable=aside)
    for given in ("", "Bearer ", "Bearer None"):
        assert post(desk, report(new_id()), authorization=given, x_signature="") == NOT_LET_IN


def test_what_arrived_and_what_is_unknown_get_the_same_answer_and_change_nothing(
    desk: Desk, referral_id: ReferralId, aside: Path
) -> None:
    message_id = sent_to(desk, referral_id)
    for one in (report(message_id, "delivered"), report(new_id()), report("somebody's own"), {**report(""), "x": 1}):
        assert post(desk, one) == TAKEN
    assert post(desk, {"reference": None, "status": "failed"}) == TAKEN
    assert desk.states(referral_id) == {"request_received": "sent"}
    assert put_aside(desk) == 0


def test_a_gateway_says_nothing_of_what_went_out_by_another(desk: Desk, referral_id: ReferralId) -> None:
    message_id = sent_to(desk, referral_id, POST)
    assert post(desk, report(message_id)) == TAKEN
    assert desk.states(referral_id) == {"request_received": "sent"}


def test_each_receipt_is_read_by_itself_and_a_strange_one_is_kept_and_shown(
    desk: Desk, referral_id: ReferralId, aside: Path
) -> None:
    message_id = sent_to(desk, referral_id)
    strange: list[Any] = [7, None, {}, {"reference": str(message_id)}, report(message_id, "in-orbit"), [[]]]
    for _ in range(2):
        assert post(desk, [*strange, report(message_id)]) == TAKEN
    assert desk.states(referral_id)["request_received"] == "failed"
    assert put_aside(desk) == len(strange)
    assert {file.stat().st_mode & 0o077 for file in aside.iterdir()} == {0}
    assert str(message_id) not in "".join(file.name for file in aside.iterdir())


@pytest.mark.parametrize("content", [b"", b"[", b"\xff", b'{"a": ' + b"[" * 100_000])
def test_what_is_no_json_is_refused_and_kept(desk: Desk, content: bytes, aside: Path) -> None:
    assert post(desk, content) == UNREADABLE
    assert [file.read_bytes() for file in aside.iterdir()] == [content]


def test_no_more_is_kept_than_a_person_can_look_at(desk: Desk, referral_id: ReferralId, aside: Path) -> None:
    message_id = sent_to(desk, referral_id)
    aside.mkdir()
    for number in range(MAX_PUT_ASIDE):
        (aside / f"{number}.json").touch()
    assert post(desk, b"[") == LATER
    assert post(desk, report(message_id)) == TAKEN
    assert desk.states(referral_id)["request_received"] == "failed"


def test_a_receipt_that_is_here_before_the_sending_is_on_record_is_not_lost(
    desk: Desk, referral_id: ReferralId
) -> None:
    desk.release(referral_id, TEXT)
    (queued,) = desk.messages(referral_id)
    assert post(desk, report(queued.message_id)) == TAKEN
    desk.run()
    desk.pass_time(seconds=LOOK_AGAIN.total_seconds())
    assert desk.states(referral_id)["request_received"] == "failed"


def test_an_alert_that_reached_no_telephone_goes_on_without_waiting(desk: Desk, referral_id: ReferralId) -> None:
    people = {step: replace(one, email="", telephone="07700 900456") for step, one in SETTINGS.safeguarding.items()}
    with desk.bench.database.reading() as unit:
        desk.bench.start(replace(unit.dependencies, settings=replace(unit.dependencies.settings, safeguarding=people)))
    concern = SafeguardingConcernRaised(
        concern_id=ConcernId(new_id()),
        referral_id=referral_id,
        severity=Severity.IMMEDIATE,
        category=ConcernCategory.CHILD_AT_RISK,
        raised_at=MONDAY_10,
    )
    desk.bench.hear(alerts.raise_alert, concern)
    desk.run()
    assert desk.bench.emitted(SafeguardingAlertEscalated) == []
    (text,) = (one for one in desk.messages(referral_id) if one.state == "sent")
    assert post(desk, report(text.message_id)) == TAKEN
    assert len(desk.bench.emitted(SafeguardingAlertEscalated)) == 1
