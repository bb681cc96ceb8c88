"""A command is read and answered whatever was sent, or refused with what is wrong with it."""

from __future__ import annotations

import json
import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.bus.commands import CommandRefused, Result, answer_to, read_command
from chassis.bus.messages import Incoming
from chassis.ports import Refused

REPLY_TO = "018f0000-0000-4000-8000-000000000001"
GOOD = json.dumps({"args": [], "kwargs": {"reference": "9C28-SAU2-5"}}).encode()
METHODS = ("status", "assess", "health")


class NoRoom(Refused):
    pass


def incoming(body: bytes = GOOD, key: str = "intake.status", exchange: str = "nameko-rpc", **changes: Any) -> Incoming:
    given = {"content_type": "application/json", "reply_to": REPLY_TO, "correlation_id": "1", "headers": {}}
    return Incoming(exchange, key, 1, body, **(given | changes))


def refusal(message: Incoming) -> str:
    command = read_command(message, "intake", METHODS)
    assert command.refusal
    return command.refusal.name


def test_a_command_is_read() -> None:
    command = read_command(incoming(), "intake", METHODS)
    assert (command.method, command.fields, command.refusal) == ("status", {"reference": "9C28-SAU2-5"}, None)
    assert (command.reply_to, command.correlation_id) == (REPLY_TO, "1")


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"\xff", b"[" * 100_000, pickle.dumps({"args": [], "kwargs": {}}), b'{"args": [], "kwargs": NaN}'],
)
def test_what_is_not_json_is_said_to_be_not_json(body: bytes) -> None:
    assert refusal(incoming(body)) == "UnreadableCommand"


@pytest.mark.parametrize(
    "content", [[], None, {}, {"args": []}, {"args": [1], "kwargs": {}}, {"kwargs": {}, "args": {}}]
)
def test_fields_are_given_by_name(content: Any) -> None:
    assert refusal(incoming(json.dumps(content).encode())) == "MalformedRequest"


def test_another_content_type_is_refused_in_words_and_none_is_json() -> None:
    assert refusal(incoming(content_type="application/x-python-serialize")) == "UnreadableCommand"
    assert refusal(incoming(content_type=b"\xff")) == "UnreadableCommand"
    assert read_command(incoming(content_type=None), "intake", METHODS).refusal is None


@pytest.mark.parametrize(
    ("exchange", "key"),
    [
        ("nameko-rpc", REPLY_TO),  # a service's answer, with CC to a command
        ("nameko-rpc", "billing.status"),
        ("enquiry.commands", "intake.assess"),
        ("enquiry.commands", "intake.health"),
        ("operator.commands", "intake.status"),
        ("intake.events", "intake.status"),
        ("", "rpc-intake"),
    ],
)
def test_only_its_own_routing_key_counts_and_only_where_it_may_be_asked(exchange: str, key: str) -> None:
    assert refusal(incoming(key=key, exchange=exchange)) == "NotReachable"


@pytest.mark.parametrize("header", ["x-death", "x-first-death-exchange"])
def test_what_comes_as_a_dead_letter_is_nobodys_command(header: str) -> None:
    """Whoever may declare a queue may have its dead letters go to any exchange it may write to, under any key."""
    assert refusal(incoming(headers={header: "nameko-rpc"})) == "NotReachable"


def test_what_nobody_thought_of_is_refused_as_well() -> None:
    assert refusal(incoming(key=b"intake.\xff")) == "UnreadableCommand"  # type: ignore[arg-type]


def test_each_front_end_is_answered_where_it_asked() -> None:
    for exchange, answers in (("nameko-rpc", "nameko-rpc"), ("enquiry.commands", "enquiry.answers")):
        command = read_command(incoming(exchange=exchange), "intake", METHODS)
        answer = answer_to(Result(command, 1), ())
        assert answer
        assert (answer.exchange, answer.routing_key, answer.correlation_id) == (answers, REPLY_TO, "1")


def test_what_nobody_could_read_nor_carry_out_is_refused() -> None:
    assert refusal(incoming(key="intake.unheard")) == "MethodNotFound"
    assert refusal(incoming(b"", defect="it is larger than 10 bytes")) == "UnreadableCommand"
    assert refusal(incoming(headers={"x-delivery-count": 2})) == "BringsServiceDown"


@pytest.mark.parametrize("reply_to", [None, "", "intake.assess", "rpc-intake", b"\xff", 5, "#", REPLY_TO + ".x"])
def test_an_address_that_is_no_callers_gets_no_answer(reply_to: Any) -> None:
    command = read_command(incoming(reply_to=reply_to), "intake", METHODS)
    assert answer_to(Result(command, 1), ()) is None


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.binary(), lambda inner: st.lists(inner), max_leaves=5
)


@given(st.binary() | st.just(GOOD), anything, anything, anything, st.dictionaries(st.text() | st.binary(), anything))
def test_nothing_stops_the_reading(body: bytes, content_type: Any, reply_to: Any, id_: Any, headers: Any) -> None:
    message = incoming(body, content_type=content_type, reply_to=reply_to, correlation_id=id_, headers=headers)
    command = read_command(message, "intake", METHODS)
    answer_to(Result(command, error=command.refusal), ())


def told(error: Exception) -> dict[str, Any]:
    command = read_command(incoming(), "intake", METHODS)
    answer = answer_to(Result(command, error=error), (Refused,))
    assert answer
    said: dict[str, Any] = json.loads(answer.body)["error"]
    return said


def test_a_rule_says_why_and_anything_else_tells_nothing_but_where_to_look() -> None:
    assert told(NoRoom("nobody has room"))["exc_type"] == "NoRoom"
    assert told(NoRoom("nobody has room"))["value"] == "nobody has room"
    assert told(CommandRefused("MethodNotFound", "x", path="nameko.exceptions.MethodNotFound"))["exc_path"]
    failed = told(ValueError("SELECT name FROM client -- Robin Example"))
    assert failed["exc_type"] == "ServiceFailed"
    assert "Robin" not in str(failed)


def test_an_answer_that_is_no_json_is_an_error_that_is_answered() -> None:
    command = read_command(incoming(), "intake", METHODS)
    answer = answer_to(Result(command, object()), ())
    assert answer
    assert json.loads(answer.body)["error"]["exc_type"] == "ServiceFailed"
