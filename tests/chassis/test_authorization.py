"""Every command is refused to everybody who may not give it, and taken from everybody who may."""

from __future__ import annotations

from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from chassis.access.authorization import RECORDED_A_MINUTE, NotPermitted, Origin, RefusalLimit, SignInAgain, authorize
from chassis.access.tokens import Verifier, make_signing_key
from contracts.command import Command
from contracts.commands.billing import OpenFund
from contracts.commands.intake import GetStatus, TakeUp
from contracts.commands.matching import AcceptOffer
from contracts.commands.operations import GetHealth
from contracts.commands.subject import ReadRecord
from contracts.permission_table import command_types
from contracts.permissions import CEILINGS, GRANTS, FrontEnd, Permission, Role, permissions_of
from tests.support.people import sign_as

COMMANDS = list(command_types())
EXCHANGES = {"enquiry.commands": FrontEnd.SITE, "operator.commands": FrontEnd.OPERATOR, "nameko-rpc": FrontEnd.ANYBODY}


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("keys")
    for front_end in (FrontEnd.CONSOLE, FrontEnd.PORTAL, FrontEnd.OPERATOR):
        make_signing_key(folder, front_end)
    return folder


@cache
def verifier(keys: Path) -> Verifier:
    return Verifier(keys, "intake")


def reason(keys: Path, kind: type[Command], fields: dict[str, Any], exchange: str = "nameko-rpc", **is_: Any) -> str:
    """Why a signed command is refused; empty if it is taken."""
    token = sign_as(keys, **is_)("intake", "it", fields, None) if is_ else None
    try:
        authorize(kind, fields, Origin("it", exchange, token), verifier(keys))
    except NotPermitted as refused:
        return refused.reason
    return ""


def test_every_command_names_its_permission_or_to_whom_it_is_open() -> None:
    assert len(COMMANDS) > 90
    assert [kind.__name__ for kind in COMMANDS if (kind.needs is None) == (not kind.open_to)] == []
    assert set(GRANTS) == set(Permission)


@pytest.mark.parametrize("role", Role)
def test_every_command_is_taken_from_a_role_that_holds_its_permission_and_from_no_other(keys: Path, role: Role) -> None:
    mine = uuid4() if role is Role.THERAPIST else None
    front_end = FrontEnd.PORTAL if mine else FrontEnd.CONSOLE
    held = permissions_of(role)
    for kind in COMMANDS:
        fields = {kind.own: str(mine)} if kind.own else {}
        why = reason(keys, kind, fields, name="sam", front_end=front_end, permissions=held, therapist_id=mine)
        may = kind.needs in held if kind.needs else FrontEnd.ANYBODY in kind.open_to
        if may and mine and kind.own is None and kind.needs:
            assert why == "not_own", kind
        else:
            assert why == ("" if may else "not_held" if kind.needs else "other_front_end"), kind


@pytest.mark.parametrize(("exchange", "front_end"), EXCHANGES.items())
def test_the_signed_out_may_only_what_is_open_where_they_come_from(
    keys: Path, exchange: str, front_end: FrontEnd
) -> None:
    for kind in COMMANDS:
        why = reason(keys, kind, {}, exchange)
        assert why == ("" if kind.open_to & {front_end, FrontEnd.ANYBODY} else "no_token"), kind


def test_the_command_line_may_everything_but_what_is_the_sites(keys: Path) -> None:
    for kind in COMMANDS:
        why = reason(keys, kind, {}, name="root", front_end=FrontEnd.OPERATOR, permissions=set(Permission))
        assert why == ("" if kind.needs or FrontEnd.ANYBODY in kind.open_to else "other_front_end"), kind


def test_a_therapist_may_only_for_themselves(keys: Path) -> None:
    mine, another = uuid4(), uuid4()
    therapist = {"name": "thea", "front_end": FrontEnd.PORTAL, "therapist_id": mine}
    assert reason(keys, AcceptOffer, {"therapist_id": str(mine)}, **therapist) == ""
    assert reason(keys, AcceptOffer, {"therapist_id": str(another)}, **therapist) == "not_own"
    assert reason(keys, AcceptOffer, {}, **therapist) == "not_own"


def test_a_portals_token_that_names_no_therapist_gives_nothing(keys: Path) -> None:
    about = {"therapist_id": str(uuid4())}
    assert reason(keys, AcceptOffer, about, name="thea", front_end=FrontEnd.PORTAL) == "not_own"


def test_a_portals_key_makes_no_administrator(keys: Path) -> None:
    everything = {"name": "thea", "front_end": FrontEnd.PORTAL, "permissions": set(Permission)}
    for kind in COMMANDS:
        if kind.needs and kind.needs not in CEILINGS[FrontEnd.PORTAL]:
            assert reason(keys, kind, {}, **everything) == "not_held"


@pytest.mark.parametrize(
    ("is_", "why"),
    [
        ({}, ""),
        ({"signed_in_before": timedelta(minutes=31)}, "sign_in_again"),
        ({"factor": None}, "sign_in_again"),
        ({"signed_in_before": timedelta(minutes=-5)}, "sign_in_again"),
    ],
)
def test_what_reveals_needs_a_second_factor_lately(keys: Path, is_: dict[str, Any], why: str) -> None:
    assert reason(keys, ReadRecord, {}, name="sam", **is_) == why
    assert reason(keys, TakeUp, {}, name="sam", **is_) == ""
    assert SignInAgain.name == "SignInAgain"


@pytest.mark.parametrize(("confirmed_by", "why"), [(None, "one_person"), ("sam", "one_person"), ("alex", "")])
def test_what_needs_two_people_needs_two(keys: Path, confirmed_by: str | None, why: str) -> None:
    assert reason(keys, OpenFund, {}, name="sam", confirmed_by=confirmed_by) == why


def test_a_token_for_what_is_open_to_all_is_checked_too(keys: Path) -> None:
    assert reason(keys, GetHealth, {}, name="sam") == ""
    assert reason(keys, GetStatus, {}, name="sam") == "other_front_end"


def test_refusals_go_on_record_as_often_as_somebody_can_read_them() -> None:
    limit = RefusalLimit()
    assert [limit.allows("anybody") for _ in range(RECORDED_A_MINUTE + 1)] == [True] * RECORDED_A_MINUTE + [False]


def test_whoever_fills_the_log_hides_nobody_at_another_front_end() -> None:
    limit = RefusalLimit()
    while limit.allows("anybody"):
        pass
    assert limit.allows("console:sam")
