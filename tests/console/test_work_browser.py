"""The pages of therapists, funds and the rota in a real browser: by axe, and on a screen 320 pixels wide."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from urllib.parse import urlsplit
from uuid import UUID

import pytest
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import Page, Route

from contracts.permissions import Role
from tests.console import test_browser, test_funds, test_work
from tests.console.conftest import ORIGIN, Browser, House
from tests.console.test_browser import assert_accessible, keep_picture
from tests.console.test_funds import named, prepared
from tests.console.test_rota import today, turn
from tests.console.test_work import filled_in
from tests.support.story import Story
from web.shared.accounts.application import people
from web.shared.accounts.domain.grants import RoleGrant
from web.shared.accounts.domain.vocabulary import GrantState

house_at_work, story, two = test_work.house_at_work, test_work.story, test_funds.two
chromium = test_browser.chromium
NARROW = 320


@pytest.fixture
def look(chromium: Chromium) -> Iterator[Callable[[Browser, str], Page]]:
    """Shows a page of somebody's in a real browser, which gets its answers from the console in this process."""
    context = chromium.new_context(viewport={"width": NARROW, "height": 740})
    page = context.new_page()

    def show(browser: Browser, path: str, method: str = "GET") -> Page:
        def answer(route: Route) -> None:
            asked = urlsplit(route.request.url)
            if method == "POST" and asked.path == path:
                browser.open(path)
                got = browser.post(path)
            else:
                got = browser.client.get(f"{asked.path}?{asked.query}")
            kept = {"content-type": got.headers["content-type"]}
            route.fulfill(status=got.status_code, headers=kept, body=got.content)

        page.unroute_all()
        page.route("**/*", answer)
        page.goto(f"{ORIGIN}{path}")
        return page

    yield show
    context.close()


def check(page: Page, name: str) -> None:
    keep_picture(page, f"{name}-{NARROW}")
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW, name
    assert_accessible(page)


@pytest.mark.parametrize("system", ["sqlite"], indirect=True)
def test_pages_are_accessible_and_fit_a_narrow_screen(
    house_at_work: House, story: Story, two: tuple[Browser, Browser], look: Callable[..., Page]
) -> None:
    ben, dot = two
    story.admit_therapist()
    eva = everything(house_at_work)
    filled_in(eva, "/rota/staff", staff=house_at_work.id_of("eva@example.org"))
    first = today(story)
    filled_in(eva, "/rota/duty", **turn(house_at_work.id_of("eva@example.org"), first, first + timedelta(days=3)))
    therapist, fund = f"/therapists/{story.therapist_id}", prepared(ben, name=named())
    story.heard("TherapistAdmitted")
    for browser, path in (
        (eva, "/therapists"), (eva, therapist), (eva, f"{therapist}/change"), (eva, "/therapists/admit"),
        (eva, "/rota"), (eva, "/rota/duty"), (eva, "/rota/staff"),
        (ben, "/funds"), (ben, "/funds/open"), (dot, fund),
        (eva, "/audit"), (eva, "/audit/mine"), (eva, "/audit/check"), (eva, "/before-you-open"), (eva, "/people"),
        (eva, "/people/work"), (eva, f"/people/{house_at_work.id_of('eva@example.org')}"),
        (eva, "/"), (eva, "/work/new_to_me"), (eva, "/work/waiting/save?overdue=1"),
    ):  # fmt: skip
        check(look(browser, path), path.strip("/").replace("/", "-").replace(str(story.therapist_id), "one"))
    for browser, path in ((eva, "/therapists/admit"), (ben, "/funds/open"), (eva, "/rota/duty")):
        page = look(browser, path, "POST")
        assert page.title().startswith("Error: ")
        assert page.evaluate("document.activeElement.hasAttribute('data-errors')")
        check(page, f"{path.strip('/').replace('/', '-')}-error")


def everything(house: House) -> Browser:
    """Somebody who manages therapists and the rota, by roles that pages would have a second person confirm."""
    by = UUID(house.id_of("ada@example.org"))
    id_ = people.invite(house.accounts, by=by, email="eva@example.org", name="Eva Example", roles=())
    with house.accounts.work() as work:
        for role in (Role.MATCHING, Role.SAFEGUARDING_LEAD):
            work.accounts.add_grant(RoleGrant(id_, role, GrantState.EFFECTIVE, by, work.now))
    browser = house.browse()
    browser.set_up(house.newest_letter().link or "")
    return browser
