"""Staff at real browsers beside a running system: open pages change by themselves, and nothing typed is lost."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from playwright.sync_api import Page, expect

from chassis.clock import SystemClock
from chassis.config import check, open_env
from contracts.permissions import Role
from leeward.runtime.free_ports import free_ports
from leeward.runtime.supervisor import wait_until_it_is_ready
from tests.console.conftest import House
from tests.console.test_browser import ADA, add_app, assert_accessible, chromium, keep_picture, person, set_password
from tests.support.bus import Tap
from tests.support.processes import run_module
from tests.support.story import Story
from tests.support.system import System
from web.console.console import open_accounts
from web.console.settings import ConsoleSettings, read
from web.shared.accounts.application import recovery
from web.shared.accounts.domain.grants import RoleGrant
from web.shared.accounts.domain.vocabulary import GrantState

__all__ = ["chromium", "person"]
WORKING = (Role.ASSESSOR, Role.MATCHING, Role.SAFEGUARDING_LEAD)


class Desk:
    """The console's process on the running system."""

    def __init__(self, address: str, house: House, start: Callable[[], subprocess.Popen[bytes]]) -> None:
        self.address, self.house, self.clock = address, house, house.clock
        self._start, self.process = start, start()

    def restart(self) -> None:
        """Ends it as a person would, and starts it again at the same address."""
        self.end()
        self.process = self._start()

    def end(self) -> None:
        self.process.terminate()
        self.process.wait(30)
        assert self.process.returncode == 0, "open streams let it end"

    def sign_in_first(self, page: Page) -> None:
        """The first administrator, who has every role that the work asks for."""
        link = recovery.first_link(self.house.accounts)
        assert link
        set_password(page, link, **{"Your name": "Ada Example", "Your e-mail address": ADA})
        add_app(page, self)  # type: ignore[arg-type]
        ada = UUID(self.house.id_of(ADA))
        with self.house.accounts.work() as work:
            for role in WORKING:
                work.accounts.add_grant(RoleGrant(ada, role, GrantState.EFFECTIVE, ada, work.now))


@pytest.fixture
def desk(
    system: System, console_settings: ConsoleSettings, empty_store: Path, tmp_path: Path, monkeypatch: Any
) -> Iterator[Desk]:
    shutil.copy(empty_store, console_settings.database_url.removeprefix("sqlite:///"))
    (port,) = free_ports(1)
    for name, value in {
        "LEEWARD_CONSOLE": f"localhost:{port}",
        "AMQP_URI": system.amqp_uri,
        "LEEWARD_KEYS": str(system.workspace.keys),
    }.items():
        monkeypatch.setenv(name, value)
    address, log = f"http://localhost:{port}", tmp_path / "staff.log"
    env = open_env()
    settings = read(env)
    check(env)

    def start() -> subprocess.Popen[bytes]:
        with log.open("ab") as out:
            process = run_module("web.console", env={**os.environ}, stdout=out, stderr=out, stdin=subprocess.DEVNULL)
        assert wait_until_it_is_ready(address, process), log.read_text()
        return process

    accounts = open_accounts(settings, SystemClock())
    house = House(accounts, SystemClock(), settings, lambda: pytest.fail("not here"))  # type: ignore[arg-type]
    running = Desk(address, house, start)
    yield running
    running.end()


@pytest.fixture
def story(system: System) -> Iterator[Story]:
    with Tap(system.amqp_uri, ("intake", "matching", "notifications", "console")) as tap:
        yield Story(system, tap)


def test_open_pages_change_by_themselves_and_rows_wait_to_be_shown(
    desk: Desk, story: Story, person: Callable[..., Page]
) -> None:
    ada = person()
    desk.sign_in_first(ada)
    story.ask_for_help()
    ada.goto(f"{desk.address}/work/new_requests?order=newest")
    expect(ada.get_by_role("link", name=str(story.receipt.reference))).to_be_visible()
    assert_accessible(ada)
    keep_picture(ada, "queue")
    second = ada.context.new_page()  # another tab, which has no stream of its own
    second.goto(f"{desk.address}/referrals/{story.referral_id}")
    expect(second.get_by_text("New request")).to_be_visible()
    assert_accessible(second)

    before = str(story.receipt.reference)
    story.ask_for_help()
    told = ada.get_by_text("1 new")
    expect(told).to_be_visible()
    new_row = ada.get_by_role("link", name=str(story.receipt.reference))
    expect(new_row).to_have_count(0)
    ada.get_by_role("button", name="Show them").click()
    expect(new_row).to_be_visible()
    expect(ada.get_by_role("link", name=before)).to_be_visible()

    story.system.rpc.call("intake", "take_up", referral_id=story.referral_id)
    expect(ada.locator("tr.gone")).to_have_count(1)
    ada.goto(f"{desk.address}/referrals/{story.referral_id}")
    expect(ada.get_by_text("Being assessed", exact=True)).to_be_visible()
    ada.get_by_role("link", name="Assess").click()
    ada.get_by_label("Social").fill("what I have typed")
    assert_accessible(ada)
    keep_picture(ada, "assess")
    story.system.rpc.call("intake", "hold", referral_id=story.referral_id, reason="information_awaited")
    concern = story.system.rpc.call(
        "intake", "raise_concern", referral_id=story.referral_id, severity="urgent", category="risk_to_self"
    )
    expect(ada.get_by_role("alert")).to_contain_text("safeguarding", timeout=20_000)
    expect(ada.get_by_label("Social")).to_have_value("what I have typed")
    story.system.rpc.call("notifications", "acknowledge_alert", concern_id=concern["concern_id"])


def test_everything_works_without_scripts_and_on_a_telephone(
    desk: Desk, story: Story, person: Callable[..., Page]
) -> None:
    ada = person(java_script_enabled=False, viewport={"width": 320, "height": 640})
    desk.sign_in_first(ada)
    story.ask_for_help()
    story.tap.wait_for("ListChanged", lambda one: one.data["subject_id"] == story.referral_id)
    for path in ("/", "/work/new_requests", f"/referrals/{story.referral_id}", f"/referrals/{story.referral_id}/hold"):
        ada.goto(f"{desk.address}{path}")
        width = ada.locator("body").bounding_box()
        assert width
        assert width["width"] <= 320, path
        keep_picture(ada, f"narrow{path.replace('/', '-')[:14]}")
    ada.get_by_label("Information awaited").check()
    ada.get_by_role("button", name="Put it on hold").click()
    expect(ada.get_by_text("It is done, and on record.")).to_be_visible()
