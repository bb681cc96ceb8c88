"""People at a real browser, on a console of its own process: invitations, both factors, recovery, leaving; without
scripts, on a telephone, and by axe."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import pyotp
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import Page, expect, sync_playwright

from chassis.clock import SharedClock
from chassis.config import check, open_env
from contracts.permissions import Role
from leeward.runtime.free_ports import free_ports
from leeward.runtime.supervisor import wait_until_it_is_ready
from tests.console.conftest import PASSWORD, House
from tests.support.chromium import ARGUMENTS, ensure_installed
from tests.support.processes import run_module
from web.console.console import open_accounts
from web.console.settings import ConsoleSettings, read
from web.shared.accounts.application import people, recovery

ADA, BEN = "ada@example.org", "ben@example.org"


@dataclass
class Running:
    """A console's process: its address, and its store as this process sees it."""

    address: str
    house: House
    clock: SharedClock

    def first_link(self) -> str:
        link = recovery.first_link(self.house.accounts)
        assert link
        return link


@pytest.fixture(scope="module")
def chromium() -> Iterator[Chromium]:
    executable = ensure_installed()
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=executable, args=ARGUMENTS)
        yield launched
        launched.close()


@pytest.fixture
def running(
    console_settings: ConsoleSettings, empty_store: Path, tmp_path: Path, monkeypatch: Any
) -> Iterator[Running]:
    shutil.copy(empty_store, console_settings.database_url.removeprefix("sqlite:///"))
    (port,) = free_ports(1)
    monkeypatch.setenv("LEEWARD_CONSOLE", f"localhost:{port}")
    monkeypatch.setenv("LEEWARD_CLOCK_FILE", str(tmp_path / "clock"))
    address, log = f"http://localhost:{port}", tmp_path / "console.log"
    with log.open("ab") as output:
        process = run_module("web.console", env={**os.environ}, stdout=output, stderr=output, stdin=subprocess.DEVNULL)
    env = open_env()
    settings = read(env)
    check(env)
    clock = SharedClock(tmp_path / "clock")
    try:
        assert wait_until_it_is_ready(address, process), log.read_text()
        accounts = open_accounts(settings, clock)
        yield Running(address, House(accounts, clock, settings, lambda: pytest.fail("not here")), clock)  # type: ignore[arg-type]
    finally:
        process.terminate()
        process.wait(30)


@pytest.fixture
def person(chromium: Chromium) -> Iterator[Callable[..., Page]]:
    contexts = []

    def come(**options: Any) -> Page:
        context = chromium.new_context(**options)
        context.set_default_timeout(20_000)
        contexts.append(context)
        return context.new_page()

    yield come
    for context in contexts:
        context.close()


def press(page: Page, name: str) -> None:
    with page.expect_navigation():
        page.get_by_role("button", name=name, exact=True).click()


def set_password(page: Page, link: str, **fields: str) -> None:
    page.goto(link)
    for label, text in {**fields, "Choose a password": PASSWORD}.items():
        page.get_by_label(label).fill(text)
    press(page, "Set up my account")


def add_app(page: Page, running: Running) -> str:
    secret = page.locator("p.secret").inner_text()
    page.get_by_label("Code from the app").fill(pyotp.TOTP(secret).at(running.clock.now()))
    press(page, "Add the app")
    return secret


def sign_in(page: Page, running: Running, email: str) -> None:
    page.goto(f"{running.address}/sign-in")
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    press(page, "Continue")


def with_authenticator(page: Page) -> None:
    """A security key that says yes to everything."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
        "isUserVerified": True, "automaticPresenceSimulation": True,
    }  # fmt: skip
    session.send("WebAuthn.addVirtualAuthenticator", {"options": options})


def assert_accessible(page: Page) -> None:
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


def keep_picture(page: Page, name: str) -> None:
    """For whoever wants to look: LEEWARD_PICTURES names a folder."""
    if folder := os.environ.get("LEEWARD_PICTURES"):
        page.screenshot(path=f"{folder}/{name}.png", full_page=True)


def test_from_the_first_link_to_somebody_who_leaves(running: Running, person: Callable[..., Page]) -> None:
    ada = person(viewport={"width": 1280, "height": 900})
    set_password(ada, running.first_link(), **{"Your name": "Ada Example", "Your e-mail address": ADA})
    keep_picture(ada, "factor-1280")
    assert_accessible(ada)
    add_app(ada, running)
    codes = ada.locator(".codes li").all_inner_texts()
    assert len(codes) == 10
    assert_accessible(ada)
    keep_picture(ada, "codes-1280")

    ada.goto(f"{running.address}/people/invite")
    ada.get_by_label("Name", exact=True).fill("Ben Example")
    ada.get_by_label("E-mail address").fill(BEN)
    ada.get_by_label("Trustee").check()
    assert_accessible(ada)
    keep_picture(ada, "invite-1280")
    press(ada, "Invite them")

    ben = person(viewport={"width": 360, "height": 740})
    with_authenticator(ben)
    link = running.house.newest_letter().link or ""
    ben.goto(link)
    assert ben.evaluate("document.documentElement.scrollWidth") <= 360  # also with the field for password managers
    set_password(ben, link)
    keep_picture(ben, "factor-360")
    ben.get_by_label("A name for it").fill("My telephone")
    press(ben, "Add a passkey")
    assert "Your recovery codes" in ben.inner_text("main")
    ben.get_by_role("link", name="I have kept them").click()
    assert "Passkey: My telephone" in ben.inner_text("main")
    assert_accessible(ben)
    assert ben.evaluate("document.documentElement.scrollWidth") <= 360
    keep_picture(ben, "account-360")

    press(ben, "Sign out")
    sign_in(ben, running, BEN)
    keep_picture(ben, "second-step-360")
    assert_accessible(ben)
    press(ben, "Use a passkey")
    assert "Signed in, passkey" in ben.inner_text("main")

    ada.goto(f"{running.address}/people")
    assert_accessible(ada)
    keep_picture(ada, "people-1280")
    ada.get_by_role("link", name="Ben Example").click()
    assert_accessible(ada)
    keep_picture(ada, "person-1280")
    ada.get_by_role("link", name="They leave").click()
    keep_picture(ada, "leave-1280")
    press(ada, "End the account")
    ben.goto(f"{running.address}/account")
    assert ben.url.startswith(f"{running.address}/sign-in")


def test_everything_works_without_scripts(running: Running, person: Callable[..., Page]) -> None:
    ada = person(java_script_enabled=False, viewport={"width": 360, "height": 740})
    set_password(ada, running.first_link(), **{"Your name": "Ada Example", "Your e-mail address": ADA})
    assert ada.get_by_role("button", name="Add a passkey").count() == 0  # it needs a script, and isn't offered
    add_app(ada, running)
    code = ada.locator(".codes li").first.inner_text()
    ada.goto(f"{running.address}/people")
    assert "Ada Example" in ada.inner_text("main")
    keep_picture(ada, "people-360")
    press(ada, "Sign out")
    keep_picture(ada, "sign-in-360")
    sign_in(ada, running, ADA)
    ada.get_by_label("Code", exact=True).fill(code)  # the telephone is lost
    press(ada, "Continue")
    assert re.match(rf"{running.address}/account", ada.url)
    assert "recovery code" in ada.inner_text("main")
    assert "9 left" in ada.inner_text("main")


def test_a_lost_only_administrator_is_recovered(running: Running, person: Callable[..., Page]) -> None:
    ada = person()
    set_password(ada, running.first_link(), **{"Your name": "Ada Example", "Your e-mail address": ADA})
    add_app(ada, running)
    again = person(viewport={"width": 360, "height": 740})
    set_password(again, recovery.recover(running.house.accounts))
    add_app(again, running)
    again.goto(f"{running.address}/people")
    assert "Ada Example" in again.inner_text("main")
    ada.goto(f"{running.address}/people")
    assert ada.url.startswith(f"{running.address}/sign-in")


def test_what_is_wrong_is_said_where_it_is_and_takes_the_focus(running: Running, person: Callable[..., Page]) -> None:
    somebody = person()
    somebody.goto(f"{running.address}/sign-in")
    press(somebody, "Continue")
    assert somebody.title() == "Error: Sign in"
    assert somebody.evaluate("document.activeElement.hasAttribute('data-errors')")
    assert somebody.get_by_label("E-mail address").get_attribute("aria-invalid") == "true"
    assert_accessible(somebody)


def test_an_open_list_changes_by_itself_and_leaves_what_has_the_focus(
    running: Running, person: Callable[..., Page]
) -> None:
    ada = person()
    set_password(ada, running.first_link(), **{"Your name": "Ada Example", "Your e-mail address": ADA})
    add_app(ada, running)
    by = UUID(running.house.id_of(ADA))
    accounts = running.house.accounts
    ben, cyd = (
        people.invite(accounts, by=by, email=email, name=name, roles=[Role.ASSESSOR])
        for email, name in ((BEN, "Ben Example"), ("cyd@example.org", "Cyd Example"))
    )
    ada.goto(f"{running.address}/people/confirmations")
    ada.evaluate("document.querySelector('tr[data-key]').mark = 'the same row'")
    ada.get_by_role("link", name="Your account").focus()
    people.take_role(accounts, cyd, Role.ASSESSOR, by=by)
    people.give_role(accounts, ben, Role.FINANCE, by=by)
    expect(ada.get_by_role("row", name="Ben Example Finance")).to_be_visible(timeout=20_000)
    expect(ada.get_by_role("row", name="Cyd Example")).to_have_count(0)
    assert ada.evaluate("document.querySelector('tr[data-key]').mark") == "the same row"
    assert ada.evaluate("document.activeElement.textContent") == "Your account"
