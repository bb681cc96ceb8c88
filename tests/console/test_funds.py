"""Funds on the staff's pages: one person prepares one, and another confirms it."""

from __future__ import annotations

import csv
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from chassis.rpc import NoAnswer
from contracts.permissions import Role
from tests.console import test_work
from tests.console.conftest import Browser, House
from tests.console.test_work import filled_in
from tests.support.story import Story
from web.console.pages import words
from web.console.services import Services

house_at_work, story = test_work.house_at_work, test_work.story

BEN, DOT = "ben@example.org", "dot@example.org"
FUND: dict[str, Any] = {
    "amount": "5,500", "starts_on": "2026-01-01", "ends_on": "2036-01-01", "purposes": ["therapy", "training"],
    "client_groups": ["at_risk"], "therapy_areas": "gwent", "training_areas": "Gwent, south wales",
    "session_cap": "40", "sessions_per_award": "10", "further_awards": "no",
}  # fmt: skip


@pytest.fixture
def two(house_at_work: House) -> tuple[Browser, Browser]:
    """Two people who may open funds."""
    house = house_at_work
    ada = house.first_administrator()
    both = house.join(ada, BEN, Role.FINANCE), house.join(ada, DOT, Role.FINANCE)
    cyd = house.join(ada, "cyd@example.org", Role.ADMINISTRATOR)
    for email in (BEN, DOT):
        cyd.open("/people/confirmations")
        path = f"/people/{house.id_of(email)}/roles/decide"
        cyd.post(path, role=Role.FINANCE, decision="confirm")
    return both


def prepared(browser: Browser, **changes: Any) -> str:
    """The address at which another person confirms the fund."""
    filled_in(browser, "/funds/open", **{**FUND, **changes})
    assert browser.path.startswith("/funds/prepared/"), browser.text
    return browser.path


def named() -> str:
    return f"A fund {uuid4().hex[:8]}"


def test_a_fund_is_prepared_by_one_and_opened_by_another(
    house_at_work: House, story: Story, two: tuple[Browser, Browser]
) -> None:
    ben, dot = two
    name = named()
    path = prepared(ben, name=name)
    assert "A colleague has to confirm it: not you." in ben.text
    ben.post(path, decision="confirm")
    assert "Nobody confirms what they prepared themself" in ben.text
    dot.open("/funds")
    assert name in dot.text
    assert "prepared by Ben" in dot.text
    dot.open(path)
    assert "Gwent, South Wales" in dot.text
    dot.post(path, decision="confirm")
    assert "The fund is open." in dot.text
    assert dot.text.count(name) == 1
    assert "£5,500" in dot.text
    (fund,) = [one for one in story.system.rpc.call("billing", "funds") if one["name"] == name]
    assert fund["purposes"] == ["therapy", "training"]
    dot.open(path)
    assert "confirmed by Dot" in dot.text
    with house_at_work.accounts.reading() as work:
        entries = work.unit.session.execute(_audit(house_at_work)).all()
    told = [(row.what, row.who) for row in entries if row.what.startswith("command_")]
    assert told == [
        ("command_prepared", house_at_work.id_of(BEN)),
        ("command_confirmed", house_at_work.id_of(DOT)),
    ]


def _audit(house: House) -> Any:
    table = house.accounts.database.tables.audit_entry
    return table.select().order_by(table.c.sequence)


def test_a_fund_is_opened_once_and_nobody_declines_it_then(story: Story, two: tuple[Browser, Browser]) -> None:
    ben, dot = two
    name = named()
    path = prepared(ben, name=name)
    dot.open(path)
    dot.post(path, decision="confirm")
    for browser, decision in ((dot, "confirm"), (dot, "decline"), (ben, "decline")):
        browser.open(path)
        browser.last = browser.client.post(path, data={"csrf": browser.token_for_forms(), "decision": decision})
        assert "Nothing waits here to be confirmed" in browser.text
    assert [one["name"] for one in story.system.rpc.call("billing", "funds")].count(name) == 1


def test_a_confirmation_without_an_answer_is_given_again_and_opens_one_fund(
    story: Story, two: tuple[Browser, Browser], monkeypatch: pytest.MonkeyPatch
) -> None:
    ben, dot = two
    name, give = named(), Services.give

    def lose_the_answer(services: Services, person: Any, service: str, command: str, **fields: Any) -> Any:
        answer = give(services, person, service, command, **fields)
        if command == "open_fund":
            raise NoAnswer
        return answer

    path = prepared(ben, name=name)
    dot.open(path)
    with monkeypatch.context() as losing:
        losing.setattr(Services, "give", lose_the_answer)
        assert dot.post(path, decision="confirm").status_code == 503
    dot.open("/funds")
    assert "not known whether it was opened" in dot.text
    ben.open(path)
    ben.last = ben.client.post(path, data={"csrf": ben.token_for_forms(), "decision": "decline"})
    assert "Nothing waits here" in ben.text
    dot.open(path)
    assert "It was confirmed, and we don’t know whether it was opened." in dot.text
    dot.post(path, decision="confirm")
    assert "The fund is open." in dot.text
    assert [one["name"] for one in story.system.rpc.call("billing", "funds")].count(name) == 1


def test_a_fund_is_declined_or_taken_back(two: tuple[Browser, Browser]) -> None:
    ben, dot = two
    for browser, words_ in ((dot, "Decline it"), (ben, "Take it back")):
        path = prepared(ben, name=named())
        browser.open(path)
        assert words_ in browser.text
        browser.post(path, decision="decline")
        assert "The fund is not opened." in browser.text
        dot.open(path)
        assert "It was declined by" in dot.text


def test_after_three_days_it_has_to_be_prepared_again(house_at_work: House, two: tuple[Browser, Browser]) -> None:
    ben, dot = two
    path = prepared(ben, name=named())
    house_at_work.clock.advance(timedelta(days=3, minutes=1))
    dot.sign_in(DOT)
    dot.open(path)
    assert "Nobody confirmed it in time" in dot.text
    dot.last = dot.client.post(path, data={"csrf": dot.token_for_forms(), "decision": "confirm"})
    assert "Nothing waits here to be confirmed" in dot.text


def test_what_billing_refuses_waits_on(two: tuple[Browser, Browser]) -> None:
    ben, dot = two
    name = named()
    first, second = prepared(ben, name=name), prepared(ben, name=name)
    for path in (first, second):
        dot.open(path)
        dot.post(path, decision="confirm")
    assert "A fund of this name is open already" in dot.text
    dot.open(second)
    assert "Decline it" in dot.text


def test_who_lost_the_role_meanwhile_opens_nothing(house_at_work: House, two: tuple[Browser, Browser]) -> None:
    ben, dot = two
    path = prepared(ben, name=named())
    with house_at_work.accounts.work() as work:
        found = work.accounts.find_by_email(BEN)
        assert found
        work.accounts.remove_grant(found.account.id, Role.FINANCE)
    dot.open(path)
    dot.post(path, decision="confirm")
    assert "You need the permission" in dot.text


@pytest.mark.parametrize(
    ("field", "typed", "said"),
    [
        ("name", " ", "Write what the fund is called."),
        ("amount", "12,5", "Write an amount from £0.01 to £10,000,000"),
        ("ends_on", "2025-12-31", "The last day is before the first."),
        ("purposes", [], "Tick at least one purpose."),
        ("therapy_areas", "Gwent, Atlantis", "Write police force areas with commas between them"),
        ("local_authorities", "Newport", "Write codes of local authorities"),
        ("further_awards", "", "Choose one: May an award"),
    ],
)
def test_bad_input_says_what_to_do(two: tuple[Browser, Browser], field: str, typed: Any, said: str) -> None:
    ben, _ = two
    ben.open("/funds/open")
    ben.post("/funds/open", **{"name": named(), **FUND, field: typed})
    assert ben.path == "/funds/open"
    assert "There is a problem" in ben.text
    assert said in ben.text


def test_every_police_force_area_that_intake_knows_can_be_typed() -> None:
    table = Path("services/intake/data/police_force_areas.csv")
    with table.open() as file:
        assert {row["police_force_area"] for row in csv.DictReader(file)} == set(words.POLICE_FORCE_AREAS)
