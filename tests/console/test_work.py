"""The console's work on a running system: a referral goes from its first day to its end on pages alone."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from typer.testing import CliRunner

from chassis.clock import ManualClock
from chassis.config import check, open_env
from contracts.permissions import Role
from leeward.cli import app
from tests.console.conftest import ORIGIN, QUICK, Browser, House
from tests.support.bus import Tap, eventually
from tests.support.story import Story
from tests.support.system import System
from web.console.app import build_app
from web.console.console import open_console
from web.console.settings import ConsoleSettings, read
from web.shared.accounts.domain.passwords import Passwords


@pytest.fixture
def house_at_work(
    system: System, console_settings: ConsoleSettings, empty_store: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[House]:
    """The console of the running system. Its clock is a little behind, because each code takes it on."""
    monkeypatch.setenv("AMQP_URI", system.amqp_uri)
    monkeypatch.setenv("LEEWARD_KEYS", str(system.workspace.keys))
    env = open_env()
    settings = read(env)
    check(env)
    shutil.copy(empty_store, settings.database_url.removeprefix("sqlite:///"))
    clock = ManualClock(datetime.now(UTC) - timedelta(minutes=12))
    console = open_console(settings, clock, passwords=Passwords(QUICK))
    pages = build_app(console, settings)

    def browse() -> Browser:
        return Browser(TestClient(pages, base_url=ORIGIN, follow_redirects=True), clock)

    yield House(console.application.accounts, clock, settings, browse)
    console.desk.services.close()
    console.application.accounts.database.engine.dispose()


@pytest.fixture
def story(system: System) -> Iterator[Story]:
    with Tap(system.amqp_uri, ("intake", "matching", "billing", "notifications", "console")) as tap:
        yield Story(system, tap)


def shown(browser: Browser, path: str, words: str) -> Browser:
    """The page, as soon as it says this: what is listed follows in a moment."""

    def says() -> bool:
        browser.open(path)
        assert browser.last.status_code in (200, 409), browser.text
        return words in browser.text

    eventually(says, f"{path} says {words!r}")
    return browser


def filled_in(browser: Browser, path: str, **fields: Any) -> None:
    browser.open(path)
    if browser.path == "/sign-in/again":
        browser.prove_again()
        browser.open(path)
    browser.post(path, **fields)
    assert browser.last.status_code == 200, browser.text


def test_a_referral_goes_from_its_first_day_to_its_end_on_pages(house_at_work: House, story: Story) -> None:
    ada = house_at_work.first_administrator()
    eva = house_at_work.join(ada, "eva@example.org", Role.ASSESSOR, Role.MATCHING)
    confirm_roles(house_at_work, ada)
    story.admit_therapist()
    story.ask_for_help()
    page = f"/referrals/{story.referral_id}"
    reference = str(story.receipt.reference)
    shown(eva, "/work/new_requests?order=newest", reference)
    assert "Nobody" in eva.text
    shown(eva, page, "Take it up")
    eva.post(f"{page}/take_up")
    assert "You have taken it up" in eva.text
    shown(eva, "/work/assessments?assigned=mine", reference)
    shown(eva, page, "Being assessed")
    filled_in(eva, f"{page}/assess", risk_level="lower", competence="lower", aspect_social="planted words")
    assert "Choose one" in eva.text, "the kind of work is missing"
    assert "planted words" in eva.text
    filled_in(
        eva, f"{page}/assess", risk_level="lower", competence="lower", work="individual", aspect_social="planted words"
    )
    assert "The assessment is saved" in eva.text
    shown(eva, page, "Offered to a therapist")
    eva.open(f"{page}/candidates")
    assert "Candidates" in eva.text
    assert 'class="ground"' in eva.last.text
    assert 'class="client"' in eva.last.text, "the map shows where they are"
    story.accept()
    shown(eva, page, "Record the first session")
    filled_in(eva, f"{page}/first_session", attended_on=f"{datetime.now(UTC):%Y-%m-%d}")
    assert "The first session is recorded" in eva.text
    shown(eva, page, "In therapy")
    filled_in(eva, f"{page}/end_match", reason="completed")
    shown(eva, page, "Therapy ended")
    assert "A first session was recorded" in eva.text
    assert "The match goes on" in eva.text, "an end that was recorded by mistake is undone here"
    assert re.search(r"Taken up ?, by Eva", eva.text)


def confirm_roles(house: House, administrator: Browser) -> None:
    """A second person confirms roles that reveal personal data."""
    second = house.join(administrator, "cyd@example.org", Role.ADMINISTRATOR)
    second.open("/people/confirmations")
    for role in (Role.ASSESSOR, Role.MATCHING, Role.SAFEGUARDING_LEAD, Role.FINANCE):
        path = f"/people/{house.id_of('eva@example.org')}/roles/decide"
        if second.path == "/sign-in/again":
            second.prove_again()
        second.open("/people/confirmations")
        second.post(path, role=role, decision="confirm")


def test_the_second_of_two_sees_what_the_first_did_and_loses_no_word(house_at_work: House, story: Story) -> None:
    ada = house_at_work.first_administrator()
    eva = house_at_work.join(ada, "eva@example.org", Role.ASSESSOR)
    confirm_roles(house_at_work, ada)
    story.ask_for_help()
    path = f"/referrals/{story.referral_id}/hold"
    shown(eva, f"/referrals/{story.referral_id}", "Put on hold")
    eva.open(path)
    story.system.rpc.call("intake", "take_up", referral_id=story.referral_id)
    eva.post(path, reason="information_awaited", note="my own words")
    assert "somebody has changed the referral meanwhile" in eva.text
    assert "Taken up by" in eva.text
    assert "my own words" in eva.text
    seen = re.search(r'name="seen"[^>]*value="(\d+)"|value="(\d+)"[^>]*name="seen"', eva.last.text)
    assert seen
    shown(eva, f"/referrals/{story.referral_id}", "Being assessed")
    filled_in(eva, path, reason="information_awaited", note="my own words")
    shown(eva, f"/referrals/{story.referral_id}", "On hold")


def test_a_concern_is_on_every_page_until_somebody_has_it_in_hand(house_at_work: House, story: Story) -> None:
    ada = house_at_work.first_administrator()
    eva = house_at_work.join(ada, "eva@example.org", Role.ASSESSOR, Role.SAFEGUARDING_LEAD)
    confirm_roles(house_at_work, ada)
    story.ask_for_help()
    page = f"/referrals/{story.referral_id}"
    shown(eva, page, "Raise a concern")
    filled_in(eva, f"{page}/concern", severity="immediate", category="child_at_risk")
    shown(eva, "/account", "for somebody to take")
    shown(eva, page, "Nobody has it in hand yet")
    (acknowledge,) = re.findall(rf'action="({page}/concerns/[0-9a-f-]+/acknowledge)"', eva.last.text)
    eva.post(acknowledge)
    shown(eva, page, "Record what was decided")
    filled_in(eva, acknowledge.replace("acknowledge", "outcome"), outcome="no_further_action", reason="Nothing in it.")
    assert "What was decided is on record" in eva.text
    concern = acknowledge.removesuffix("/acknowledge")
    shown(eva, concern, "Decided No further action")
    assert "How it climbed" in eva.text
    assert "Somebody was told of a concern" in eva.text
    assert "Nothing in it." not in eva.text
    eva.post(f"{concern}/reasons")
    assert "Nothing in it." in eva.text
    assert eva.last.headers["refresh"].startswith("300;")
    eva.open(f"{page}/concerns/00000000-0000-0000-0000-000000000001")
    assert eva.last.status_code == 404


def test_what_somebody_wrote_is_read_for_a_reason_and_the_page_closes(house_at_work: House, story: Story) -> None:
    ada = house_at_work.first_administrator()
    eva = house_at_work.join(ada, "eva@example.org", Role.ASSESSOR)
    confirm_roles(house_at_work, ada)
    story.ask_for_help(name="Robin Planted")
    path = f"/referrals/{story.referral_id}/record"
    shown(eva, f"/referrals/{story.referral_id}", "Read what they wrote")
    filled_in(eva, path)
    assert "Say why you look" in eva.text
    assert "Robin Planted" not in eva.text
    filled_in(eva, path, reason="assessment")
    assert "Robin Planted" in eva.text
    assert eva.last.headers["refresh"].startswith("300;")
    audit = story.system.rpc.call("intake", "audit", subject_id=story.referral_id)
    assert f"console:{house_at_work.id_of('eva@example.org')}" in {entry["who"] for entry in audit["entries"]}


def test_filters_are_in_the_address_and_an_empty_queue_says_what_next(house_at_work: House, story: Story) -> None:
    ada = house_at_work.first_administrator()
    eva = house_at_work.join(ada, "eva@example.org", Role.ASSESSOR)
    confirm_roles(house_at_work, ada)
    story.ask_for_help()
    reference = str(story.receipt.reference)
    shown(eva, "/work/new_requests?order=newest&client_group=at_risk", reference)
    assert "For whom: At risk of offending" in eva.text
    eva.open("/work/new_requests?assigned=mine&client_group=survivor")
    assert "Nothing fits these filters" in eva.text
    for odd in ("?after=x", "?after=~", "?order=x&assigned=x&overdue=x", "?after=2026-01-01T00:00:00Z~nobody"):
        eva.open(f"/work/new_requests{odd}")
        assert eva.last.status_code == 200, odd
    taken = eva.client.get("/work/new_requests?order=newest", headers={"X-Fragment": "1"}).text
    assert reference in taken
    assert [mine for mine in (eva.token_for_forms(), "eva@example.org", "nonce-") if mine in taken] == []
    eva.open(f"/referrals/find?reference={reference.lower()}")
    assert eva.path == f"/referrals/{story.referral_id}"
    eva.open("/referrals/find?reference=nonsense")
    assert "nine letters and digits" in eva.text
    eva.open("/referrals/01932b5e-7c00-7000-8000-0000000000ff")
    assert "no such referral" in eva.text


def test_the_lists_are_made_anew_by_command(house_at_work: House, story: Story) -> None:
    story.ask_for_help()
    ada = house_at_work.first_administrator()
    eva = house_at_work.join(ada, "eva@example.org", Role.ASSESSOR)
    confirm_roles(house_at_work, ada)
    page = f"/referrals/{story.referral_id}"
    shown(eva, page, "Take it up")
    env = {"AMQP_URI": story.system.amqp_uri}
    rebuilt = CliRunner().invoke(
        app, ["console", "rebuild", "--json", "--var", str(story.system.workspace.folder)], env=env
    )
    assert rebuilt.exit_code == 0, rebuilt.stderr
    told = json.loads(rebuilt.stdout)
    assert told["events"] > told["referrals"] > 0
    eva.open(page)
    assert "Take it up" in eva.text
