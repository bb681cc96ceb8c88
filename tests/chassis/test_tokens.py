"""A token is good for one command of one person at one service; whatever else it is sent with is refused by name."""

from __future__ import annotations

import json
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from chassis.access import tokens
from chassis.access.actor import Actor
from chassis.access.tokens import Signer, TokenExpired, TokenNotValid, Verifier, make_signing_key
from contracts.permissions import CEILINGS, FrontEnd, Permission
from tests.support.people import person

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
FIELDS = {"referral_id": "018f0000-0000-7000-8000-000000000001", "reason": "no_contact", "limit": 5}


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    for front_end in (FrontEnd.CONSOLE, FrontEnd.PORTAL, FrontEnd.OPERATOR):
        make_signing_key(tmp_path, front_end)
    return tmp_path


def signed(keys: Path, front_end: FrontEnd = FrontEnd.CONSOLE, at: datetime = NOW) -> str:
    return Signer(keys, front_end, clock=lambda: at).sign(person("sam"), "intake", "withdraw", FIELDS)


def verify(keys: Path, token: str, service: str = "intake", command: str = "withdraw", **fields: object) -> Actor:
    return Verifier(keys, service, clock=lambda: NOW).verify(token, command, {**FIELDS, **fields})


def why(call: Callable[[], Actor]) -> str:
    with pytest.raises(TokenNotValid) as refused:
        call()
    return refused.value.reason


def test_it_says_who_gives_the_command(keys: Path) -> None:
    actor = verify(keys, signed(keys))
    assert actor.who == "console:sam"
    assert actor.person
    assert actor.person.permissions == CEILINGS[FrontEnd.CONSOLE]
    assert actor.signed_at == NOW


def test_it_is_good_for_these_arguments_this_command_and_this_service_alone(keys: Path) -> None:
    token = signed(keys)
    assert why(lambda: verify(keys, token, service="billing")) == "other_audience"
    assert why(lambda: verify(keys, token, command="close")) == "other_command"
    assert why(lambda: verify(keys, token, reason="client_asked")) == "other_arguments"
    assert why(lambda: verify(keys, token, anyway=True)) == "other_arguments"


@pytest.mark.parametrize("part", [0, 1, 2])
def test_whatever_was_altered_is_refused(keys: Path, part: int) -> None:
    parts = signed(keys).split(".")
    content = bytearray(urlsafe_b64decode(parts[part] + "=="))
    content[len(content) // 2] ^= 1
    parts[part] = urlsafe_b64encode(bytes(content)).rstrip(b"=").decode()
    assert why(lambda: verify(keys, ".".join(parts))) in ("altered", "unreadable", "unknown_key")


@pytest.mark.parametrize("token", ["", ".", "a.b.c", "x" * 20_000, "\ud800", "[1]", "e30.e30.e30"])
def test_what_is_no_token_is_refused(keys: Path, token: str) -> None:
    assert why(lambda: verify(keys, token)) in ("unreadable", "unknown_key")


def test_an_unsigned_token_is_refused(keys: Path) -> None:
    header, payload, _ = signed(keys).split(".")
    known = json.loads(urlsafe_b64decode(header + "=="))
    unsigned = urlsafe_b64encode(json.dumps({**known, "alg": "none"}).encode()).rstrip(b"=").decode()
    assert why(lambda: verify(keys, f"{unsigned}.{payload}.")) == "unreadable"


@pytest.mark.parametrize(("minutes", "good"), [(-5, False), (-0.4, True), (0, True), (1, True), (5, False)])
def test_it_lives_for_a_minute_by_a_clock_that_is_nearly_right(keys: Path, minutes: float, good: bool) -> None:
    token = signed(keys, at=NOW - timedelta(minutes=minutes))
    if good:
        assert verify(keys, token)
    else:
        with pytest.raises(TokenExpired):
            verify(keys, token)


def test_a_front_end_gives_no_more_than_its_ceiling_whatever_it_signs(keys: Path) -> None:
    actor = verify(keys, signed(keys, FrontEnd.PORTAL))
    assert actor.person
    assert actor.person.permissions == CEILINGS[FrontEnd.PORTAL]
    assert Permission.MANAGE_ACCOUNTS not in actor.person.permissions


def test_a_stolen_key_of_one_front_end_does_not_speak_for_another(keys: Path) -> None:
    (keys / "console.signing.json").write_bytes((keys / "portal.signing.json").read_bytes())
    assert why(lambda: verify(keys, signed(keys))) == "other_key"


def test_two_keys_are_good_at_a_time(keys: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "RELOAD_SECONDS", 0)
    first = signed(keys)
    verifier = Verifier(keys, "intake", clock=lambda: NOW)
    assert verifier.verify(first, "withdraw", FIELDS)
    make_signing_key(keys, FrontEnd.CONSOLE)
    second = signed(keys)
    assert verifier.verify(second, "withdraw", FIELDS)
    assert verifier.verify(first, "withdraw", FIELDS)
    make_signing_key(keys, FrontEnd.CONSOLE)
    assert verifier.verify(signed(keys), "withdraw", FIELDS)
    assert verifier.verify(second, "withdraw", FIELDS)
    assert why(lambda: verifier.verify(first, "withdraw", FIELDS)) == "unknown_key"


def test_private_keys_are_for_their_owner_alone(keys: Path) -> None:
    assert (keys / "console.signing.json").stat().st_mode & 0o077 == 0
    assert "d" not in json.loads((keys / "signers" / "console.json").read_text())["keys"][0]


def test_a_command_that_is_sent_again_keeps_its_id(keys: Path) -> None:
    command_id = uuid4()
    signer = Signer(keys, FrontEnd.CONSOLE, clock=lambda: NOW)
    token = signer.sign(person("sam"), "intake", "withdraw", FIELDS, command_id)
    assert verify(keys, token).command_id == command_id


@pytest.mark.parametrize("odd", [2**70, "\ud800"])
def test_arguments_that_nobody_can_have_signed_are_refused(keys: Path, odd: object) -> None:
    token = signed(keys)
    assert why(lambda: verify(keys, token, odd=odd)) == "other_arguments"


def test_a_key_that_was_taken_away_is_soon_good_for_nothing(keys: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where no token of a newer key has come since."""
    verifier = Verifier(keys, "intake", clock=lambda: NOW)
    assert verifier.verify(signed(keys), "withdraw", FIELDS)
    (keys / "signers" / "console.json").unlink()
    began = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: began + 61)
    assert why(lambda: verifier.verify(signed(keys), "withdraw", FIELDS)) == "unknown_key"
