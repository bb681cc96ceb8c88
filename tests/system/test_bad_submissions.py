"""What is malformed, unsealed, oversize or replayed gets a clear answer: never a crash, never silence."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from chassis.bus.dead_letters import dead_queue
from chassis.bus.messages import MAX_MESSAGE_BYTES
from contracts.sealed import Credentials
from contracts.vocabulary import RefusalReason
from tests.support.bus import Sender, Tap, eventually
from tests.support.samples import PASSPHRASE, consents, submission
from tests.support.system import System


def request_for(system: System, **changes: Any) -> dict[str, Any]:
    return {
        "submission_id": str(uuid4()),
        "form": "help",
        "form_version": 1,
        "sealed": system.keyring.seal("intake", submission()),
    } | changes


REFUSED = {
    RefusalReason.UNSEALED: lambda system: request_for(system, sealed="eyJub3QiOiJhIGp3ZSJ9.a.b.c.d"),
    RefusalReason.MALFORMED: lambda system: request_for(
        system, sealed=system.keyring.seal("intake", Credentials(reference="not", passphrase="a form"))
    ),
    RefusalReason.UNKNOWN_FORM: lambda system: request_for(system, form_version=99),
    RefusalReason.CONSENT_MISSING: lambda system: request_for(
        system, sealed=system.keyring.seal("intake", submission(consents=consents(processing=False)))
    ),
}


@pytest.mark.parametrize("reason", REFUSED, ids=lambda reason: reason.value)
def test_a_front_end_is_told_why_a_submission_is_refused(system: System, reason: RefusalReason) -> None:
    body = REFUSED[reason](system)
    with Tap(system.amqp_uri, ["intake"]) as tap, Sender(system.amqp_uri) as sender:
        sender.send("web.events", "HelpRequested", body, message_id=body["submission_id"])
        refused = tap.wait_for("HelpRequestRefused", lambda one: one.data["submission_id"] == body["submission_id"])
    assert refused.data["reason"] == reason.value


def test_a_postcode_that_names_no_place_refuses_nobody(system: System) -> None:
    body = request_for(system, sealed=system.keyring.seal("intake", submission(postcode="Paris")))
    with Tap(system.amqp_uri, ["intake"]) as tap, Sender(system.amqp_uri) as sender:
        sender.send("web.events", "HelpRequested", body, message_id=body["submission_id"])
        came = body["submission_id"]
        received = tap.wait_for("ReferralReceived", lambda one: one.headers["correlationid"] == came)
    assert received.data["outward_code"] == "ZZ99"


def test_a_replayed_submission_is_refused_and_the_first_stands(system: System) -> None:
    body = request_for(system)
    with Tap(system.amqp_uri, ["intake"]) as tap, Sender(system.amqp_uri) as sender:
        sender.send("web.events", "HelpRequested", body, message_id=str(uuid4()))
        sender.send("web.events", "HelpRequested", body, message_id=str(uuid4()))
        refused = tap.wait_for("HelpRequestRefused", lambda one: one.data["submission_id"] == body["submission_id"])
    assert refused.data["reason"] == "replayed"


DEAD: dict[str, tuple[Any, dict[str, Any]]] = {
    "the body is not JSON": (b"<xml/>", {"message_id": str(uuid4())}),
    "the content type is not application/json": (b"{}", {"message_id": str(uuid4()), "content_type": "text/csv"}),
    "neither a cloudEvents_id header nor a message_id": (b"{}", {"message_id": ""}),
    "id is not a UUID": (b"{}", {"message_id": "1; DROP TABLE referral"}),
    "Missing data for required field": (b"{}", {"message_id": str(uuid4())}),
    "sealed: Length must be between 1 and 65536": (
        {"submission_id": str(uuid4()), "form": "help", "form_version": 1, "sealed": "x" * 70_000},
        {"message_id": str(uuid4())},
    ),
}


@pytest.mark.parametrize("reason", DEAD)
def test_what_cannot_be_read_is_put_before_a_person_with_its_reason(system: System, reason: str) -> None:
    body, properties = DEAD[reason]
    with Sender(system.amqp_uri) as sender:
        sender.send("web.events", "HelpRequested", body, **properties)
        headers, _ = eventually(lambda: sender.take("intake.dead"), "a dead letter")
    assert reason in headers["leeward_reason"]
    assert headers["leeward_exchange"] == "web.events"
    assert headers["leeward_routing_key"] == "HelpRequested"
    assert headers["leeward_lane"] == "inbox"
    assert headers["leeward_first_failed_at"]
    assert system.rpc.call("intake", "health")["lanes"]["inbox"]["taken"] == 0


def test_what_is_too_large_is_parked_by_the_broker_as_it_is(system: System) -> None:
    id_ = str(uuid4())
    with Sender(system.amqp_uri) as sender:
        sender.send("web.events", "HelpRequested", b" " * 1_200_000, message_id=id_)
        eventually(lambda: sender.depth("intake.dead") == 1, "a dead letter")
        with dead_queue(system.amqp_uri, "intake", max_message_bytes=MAX_MESSAGE_BYTES) as queue:
            (letter,) = queue.letters()
        assert (letter.id, letter.reason) == (id_, f"it is larger than {MAX_MESSAGE_BYTES:,} bytes")
        taken = sender.take("intake.dead")
    assert taken
    assert taken[1] == b" " * 1_200_000


def test_a_withdrawal_with_a_wrong_passphrase_is_refused(system: System) -> None:
    with Tap(system.amqp_uri, ["intake"]) as tap:
        request = system.publisher.request_help(submission())
        tap.wait_for("ReferralReceived", lambda one: one.headers["correlationid"] == str(request.submission_id))
        assert request.reference
        attempt = system.publisher.withdraw(Credentials(reference=request.reference, passphrase="not the one"))
        refused = tap.wait_for(
            "HelpRequestRefused", lambda one: one.data["submission_id"] == str(attempt.submission_id)
        )
    assert refused.data["reason"] == "not_recognised"
    assert standing_of(system, request.reference, PASSPHRASE) == "received"


def standing_of(system: System, reference: str, passphrase: str) -> str | None:
    sealed = system.keyring.seal("intake", Credentials(reference=reference, passphrase=passphrase))
    answer: dict[str, Any] = system.site_rpc.call("intake", "status", sealed=sealed)
    return answer.get("standing")
