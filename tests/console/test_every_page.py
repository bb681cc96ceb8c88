"""Every page of the console, with something on it, in a real browser: no barrier by axe, nothing to be scrolled
sideways at 320 pixels, and all within reach of the keyboard, whose place is shown. And tabs, which all stay live."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page as Tab
from playwright.sync_api import expect

from contracts.commands.console import WorkQueue
from contracts.london import LONDON
from contracts.permissions import Role
from contracts.sealed import DutyContact
from contracts.vocabulary import TherapistId
from tests.console import test_live
from tests.console.conftest import House
from tests.console.test_attacks import PAGES, SAMPLES
from tests.console.test_browser import ADA, chromium, keep_picture, person
from tests.console.test_funds import FUND, named
from tests.console.test_live import Desk
from tests.support.bus import eventually
from tests.support.story import Story, open_fund
from tests.support.system import System
from web.console.console import STAFF
from web.console.pages.table import CHANGES
from web.shared.accounts.application import people
from web.shared.accounts.domain.grants import RoleGrant
from web.shared.accounts.domain.vocabulary import GrantState

__all__ = ["chromium", "person"]
desk, story = test_live.desk, test_live.story
on_sqlite = pytest.mark.parametrize("system", ["sqlite"], indirect=True)
NARROW = {"viewport": {"width": 320, "height": 740}}
MOST_STOPS = 400
NOT_OPENED = {CHANGES, "/sign-in/provider/back", "/link/{secret:link}"}
"""The stream is no page, and the others lead on to pages that are looked at."""

CONTROLS = """() => {
  const seen = [...document.querySelectorAll("a[href], button, input:not([type=hidden]), select, textarea, summary")]
    .filter((one) => !one.disabled && one.tabIndex >= 0 && one.checkVisibility() && one.getClientRects().length);
  const named = (one, number) => one.type === "radio" ? `radio ${one.name}` : `${number} ${one.textContent.trim()}`;
  window.stops = new Map(seen.map((one, number) => [one, named(one, number)]));
  return [...new Set(window.stops.values())];
}"""
"""What a keyboard has to reach. Of the radio buttons of one question it reaches one, and the arrows the others."""

STOP = """() => {
  const here = document.activeElement;
  if (!here || here === document.body) return null;
  const style = getComputedStyle(here);
  const shown = (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0) || style.boxShadow !== "none";
  return [window.stops.get(here) || here.outerHTML.slice(0, 80), shown];
}"""
"""Where the keyboard is, and whether that is shown."""


def barriers(page: Tab) -> list[str]:
    """What is wrong with the page for somebody who doesn't see, has a small screen, or uses no mouse."""
    found = [f"axe: {one['id']}" for one in Axe().run(page).response["violations"]]
    width = page.evaluate("document.documentElement.scrollWidth")
    found += [f"{width} pixels wide"] if width > NARROW["viewport"]["width"] else []
    return found + beyond_the_keyboard(page)


def beyond_the_keyboard(page: Tab) -> list[str]:
    page.evaluate("() => { document.activeElement.blur(); scrollTo(0, 0); }")
    wanted, reached, unseen = set(page.evaluate(CONTROLS)), [], []
    for _ in range(MOST_STOPS):
        page.keyboard.press("Tab")
        stop = page.evaluate(STOP)
        if stop is None or stop[0] in reached[:1]:
            break
        reached.append(stop[0])
        unseen += [] if stop[1] else [stop[0]]
    missed = [f"no Tab reaches {one}" for one in sorted(wanted - set(reached))]
    return missed + [f"nobody sees that the focus is on {one}" for one in unseen]


@pytest.fixture
def ada(desk: Desk, person: Callable[..., Tab]) -> Tab:
    """Somebody with every role of staff, on a narrow screen."""
    page = person(**NARROW)
    desk.sign_in_first(page)
    give(desk.house, ADA, STAFF)
    return page


def give(house: House, email: str, roles: Any) -> None:
    with house.accounts.work() as work:
        found = work.accounts.find_by_email(email)
        assert found
        there = {grant.role for grant in found.grants}
        for role in set(roles) - there:
            work.accounts.add_grant(RoleGrant(found.account.id, role, GrantState.EFFECTIVE, None, work.now))


@on_sqlite
@pytest.mark.timeout(420)
def test_every_page_is_without_barriers(system: System, desk: Desk, story: Story, ada: Tab) -> None:
    known = something_everywhere(system, desk, story, ada)
    wrong: dict[str, list[str]] = {}
    seen = set()
    for page, path in addresses(known):
        answer = ada.goto(f"{desk.address}{path}")
        assert answer
        said = (page, ada.title())
        if said in seen:
            continue
        seen.add(said)
        keep_picture(ada, f"every{path.replace('/', '-')[:50]}")
        found = barriers(ada) + ([f"answered {answer.status}"] if answer.status >= 500 else [])
        if found:
            wrong[path] = found
    assert not wrong, "\n".join(f"{path}: {'; '.join(found)}" for path, found in wrong.items())
    assert len(seen) > 40


def addresses(known: dict[str, list[str]]) -> Iterator[tuple[str, str]]:
    """Every page of the table that a browser can open, and where. What is in an address is something that there is."""
    for page in PAGES:
        if "GET" not in page.methods or page.path in NOT_OPENED:
            continue
        paths = [page.path]
        for parameter in re.findall(r"\{([^}]+)\}", page.path):
            values = known.get(parameter) or [SAMPLES[parameter]]
            paths = [path.replace(f"{{{parameter}}}", value) for path in paths for value in values]
        yield from ((page.path, path) for path in paths)


def something_everywhere(system: System, desk: Desk, story: Story, ada: Tab) -> dict[str, list[str]]:
    """Fills the pages, and says what there is by the parameters of addresses."""
    open_fund(system)
    story.admit_therapist()
    story.ask_for_help(subsidy_requested=True, fee_ceiling_pence=20_00)
    story.assess()
    matched = story.accept()["referral_id"]
    story.therapist_id = TherapistId(uuid4())
    story.admit_therapist()
    story.ask_for_help()
    story.assess()
    story.heard("TherapistOffered")
    offered = story.referral_id
    concern = {"referral_id": offered, "severity": "urgent", "category": "risk_to_self"}
    concern_id = system.rpc.call("intake", "raise_concern", **concern)["concern_id"]
    story.heard("SafeguardingAlertSent")
    system.rpc.call("notifications", "acknowledge_alert", concern_id=concern_id)
    story.ask_for_help()
    ben = people.invite(
        desk.house.accounts, by=UUID(desk.house.id_of(ADA)), email="ben@example.org", name="Ben Example",
        roles=[Role.FINANCE, Role.ASSESSOR],
    )  # fmt: skip
    eventually(lambda: system.rpc.call("console", "queue", queue="concerns")["items"], "a concern is listed")
    return {
        "referral:id": [offered, matched, story.referral_id],
        "concern:id": [concern_id],
        "therapist:id": [str(story.therapist_id)],
        "queue:queue": list(WorkQueue),
        "account:id": [str(ben)],
        "action:action": ["lock"],
        "prepared:id": [prepared_fund(desk, ada)],
        "duty:id": [planned_duty(system, desk)],
    }


def prepared_fund(desk: Desk, page: Tab) -> str:
    page.goto(f"{desk.address}/funds/open")
    for name, value in {**FUND, "name": named()}.items():
        field = page.locator(f"main [name={name}]")
        if field.first.get_attribute("type") in ("radio", "checkbox"):
            for one in [value] if isinstance(value, str) else value:
                page.check(f"main [name={name}][value={one}]")
        else:
            field.fill(value)
    with page.expect_navigation():
        page.locator("main form button").first.click()
    return page.url.rpartition("/")[2].partition("?")[0]


def planned_duty(system: System, desk: Desk) -> str:
    """The first administrator is on duty for some days."""
    staff = {"staff_id": desk.house.id_of(ADA)}
    first = datetime.now(LONDON).date() + timedelta(days=3)
    contact = system.keyring.seal("notifications", DutyContact(name="Ada Example", email=ADA))
    system.rpc.call("notifications", "keep_staff", **staff, contact=contact)
    planned = {"step": "duty_lead", "starts_on": str(first), "ends_on": str(first + timedelta(days=2))}
    duty: str = system.rpc.call("notifications", "plan_duty", **staff, **planned)["duty_id"]
    return duty


@on_sqlite
def test_twenty_tabs_of_one_browser_are_all_live(desk: Desk, story: Story, ada: Tab) -> None:
    story.ask_for_help()
    tabs = [ada.context.new_page() for _ in range(20)]
    for tab in tabs:
        tab.goto(f"{desk.address}/work/new_requests?order=newest")
        tab.evaluate("document.addEventListener('changed', ({ detail }) => { window.told = detail; })")
    expect(tabs[0].get_by_role("link", name=str(story.receipt.reference))).to_be_visible()
    story.ask_for_help()
    for tab in tabs:
        expect(tab.get_by_text("1 new")).to_be_visible()
        assert tab.evaluate("window.told"), "it has only looked from time to time"


@on_sqlite
def test_open_pages_outlive_a_restart_of_the_console(system: System, desk: Desk, story: Story, ada: Tab) -> None:
    story.ask_for_help()
    page = f"{desk.address}/referrals/{story.referral_id}"
    expect_listed(desk, ada, story)
    typing = ada.context.new_page()
    typing.goto(f"{page}/hold")
    typing.get_by_label("Information awaited").check()
    note = typing.locator("main textarea")
    note.fill("what I have typed")
    for tab in (ada, typing):
        tab.evaluate("window.isTheSame = true")
    desk.restart()
    story.ask_for_help()
    expect(ada.get_by_text("1 new")).to_be_visible(timeout=40_000)
    assert [tab.evaluate("window.isTheSame") for tab in (ada, typing)] == [True, True]
    expect(note).to_have_value("what I have typed")
    with typing.expect_navigation():
        typing.get_by_role("button", name="Put it on hold").click()
    expect(typing.get_by_text("It is done, and on record.")).to_be_visible()


def expect_listed(desk: Desk, page: Tab, story: Story) -> None:
    page.goto(f"{desk.address}/work/new_requests?order=newest")
    expect(page.get_by_role("link", name=str(story.receipt.reference))).to_be_visible()
