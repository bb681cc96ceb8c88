"""Where a message goes that could not be handled, and what is told of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from chassis.bus.delivery import Delivery
from chassis.bus.messages import Incoming, Outgoing
from chassis.bus.retries import FAILURE_DELAYS, forwarded
from chassis.bus.settlement import Fate, Settled
from chassis.bus.topology import RETRY_DELAYS_SECONDS
from chassis.ports import Invalid, NotYet
from tests.chassis.conftest import START


def delivery(headers: dict[str, Any] | None = None, exchange: str = "matching.return") -> Delivery:
    """As it comes out of the service's own return exchange if it was put off before, or from its publisher."""
    message = Incoming(
        exchange if headers else "intake.events",
        "ReferralReceived",
        1,
        b"{}",
        headers or {},
        "application/json",
        "018f0000-0000-7000-8000-000000000001",
    )
    return Delivery.of(message, START, service="matching")


def after(
    fate: Fate, error: Exception, headers: dict[str, Any] | None = None, later: timedelta = timedelta()
) -> Outgoing:
    return forwarded(Settled(delivery(headers), fate, error), service="matching", lane="inbox", now=START + later)


def headers_of(message: Outgoing) -> dict[str, Any]:
    return dict(message.headers)


def test_failures_wait_longer_and_longer_and_then_are_parked() -> None:
    headers: dict[str, Any] = {}
    went = []
    for _ in range(len(FAILURE_DELAYS) + 1):
        message = after(Fate.RETRY, ZeroDivisionError(), headers)
        went.append(message.routing_key)
        headers = headers_of(message)
    assert went == [*(f"inbox.{delay}" for delay in FAILURE_DELAYS), "dead"]


def test_every_delay_has_a_queue() -> None:
    assert set(FAILURE_DELAYS) <= set(RETRY_DELAYS_SECONDS)


def test_waiting_for_an_earlier_fact_is_no_failure() -> None:
    headers: dict[str, Any] = {}
    for _ in range(30):
        message = after(Fate.LATER, NotYet(), headers)
        headers = headers_of(message)
        assert message.routing_key != "dead"
    assert "leeward_attempts" not in headers


def test_a_fact_that_never_comes_is_put_before_a_person_in_the_end() -> None:
    headers = headers_of(after(Fate.LATER, NotYet()))
    assert after(Fate.LATER, NotYet(), headers, later=timedelta(days=2)).routing_key != "dead"
    assert after(Fate.LATER, NotYet(), headers, later=timedelta(days=4)).routing_key == "dead"


def test_a_dead_letter_says_where_it_came_from_and_why() -> None:
    headers = headers_of(after(Fate.PARK, Invalid("fund_id: Not a valid UUID.")))
    assert headers["leeward_reason"] == "fund_id: Not a valid UUID."
    assert headers["leeward_error"] == "Invalid"
    assert headers["leeward_exchange"] == "intake.events"
    assert headers["leeward_routing_key"] == "ReferralReceived"
    assert headers["leeward_first_failed_at"] == START.isoformat()


def test_a_dead_letter_never_repeats_what_an_error_of_the_program_said() -> None:
    headers: dict[str, Any] = {"leeward_attempts": len(FAILURE_DELAYS)}
    message = after(Fate.RETRY, ValueError("Robin Example, 07700 900123"), headers)
    assert message.routing_key == "dead"
    assert "Robin" not in str(message)
    assert headers_of(message)["leeward_error"] == "ValueError"


@pytest.mark.parametrize("name", ["x-death", "x-first-death-queue", "x-last-death-reason", "x-delivery-count"])
def test_what_the_broker_wrote_about_dead_lettering_is_stripped(name: str) -> None:
    headers = headers_of(after(Fate.RETRY, ZeroDivisionError(), {name: "x", "cloudEvents_id": "kept"}))
    assert name not in headers
    assert headers["cloudEvents_id"] == "kept"


def test_what_others_write_into_our_headers_is_neither_believed_nor_carried_on() -> None:
    forged = {
        "leeward_exchange": "matching.events",
        "leeward_attempts": 99,
        "leeward_first_failed_at": "x",
        "leeward_lane": "urgent",
        "CC": ["intake.assess"],
        "cloudEvents_id": "kept",
    }
    headers = headers_of(
        forwarded(
            Settled(delivery(forged, exchange="web.events"), Fate.RETRY, ZeroDivisionError()),
            service="matching",
            lane="inbox",
            now=START,
        )
    )
    assert (headers["leeward_exchange"], headers["leeward_routing_key"]) == ("web.events", "ReferralReceived")
    assert (headers["leeward_attempts"], headers["leeward_lane"]) == (1, "inbox")
    assert headers["leeward_first_failed_at"] == START.isoformat()
    assert "CC" not in headers
    assert headers["cloudEvents_id"] == "kept"


@pytest.mark.parametrize("odd", ["x", [1], {"a": 1}, None, -1, b"\xff", True, 2**62])
def test_a_history_that_is_not_as_we_write_it_counts_as_none(odd: Any) -> None:
    names = ("attempts", "waits", "put_back", "first_failed_at", "exchange", "routing_key", "user")
    message = forwarded(
        Settled(delivery({f"leeward_{name}": odd for name in names}), Fate.RETRY, ZeroDivisionError()),
        service="matching",
        lane="inbox",
        now=START,
    )
    assert message.routing_key in ("inbox.5s", "inbox.30s", "dead")


def test_a_reason_is_cut_where_a_frame_would_have_no_room() -> None:
    assert len(headers_of(after(Fate.PARK, Invalid("x" * 200_000)))["leeward_reason"]) == 2_000


def test_a_retry_keeps_the_identity_so_that_what_took_effect_does_nothing() -> None:
    message = after(Fate.RETRY, ZeroDivisionError())
    assert message.message_id == delivery().message_id
    assert message.exchange == "matching.retry"
