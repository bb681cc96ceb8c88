"""What people who take requests in work with, in a real browser: accessible, and on a narrow screen."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from contracts.permissions import Role
from tests.console import test_work_browser
from tests.console.conftest import Browser, House
from tests.console.test_duplicates import asked_twice
from tests.console.test_work import confirm_roles, shown
from tests.console.test_work_browser import check
from tests.support.story import Story

house_at_work, story = test_work_browser.house_at_work, test_work_browser.story
chromium, look = test_work_browser.chromium, test_work_browser.look


def posted(browser: Browser, path: str, **fields: str) -> Callable[[], None]:
    """Fills the form in before it is shown."""
    post = browser.post
    browser.post = lambda to, **_: post(to, **fields)  # type: ignore[method-assign]

    def put_back() -> None:
        browser.post = post  # type: ignore[method-assign]

    return put_back


@pytest.mark.parametrize("system", ["sqlite"], indirect=True)
def test_pages_are_accessible_and_fit_a_narrow_screen(
    house_at_work: House, story: Story, look: Callable[..., Page]
) -> None:
    ada = house_at_work.first_administrator()
    eva = house_at_work.join(ada, "eva@example.org", Role.ASSESSOR)
    confirm_roles(house_at_work, ada)
    later, earlier = asked_twice(story)
    pair = f"/duplicates/{later}/{earlier}"
    story.ask_for_help(suspected=("too_fast",))
    in_review = f"/referrals/{story.referral_id}"
    shown(eva, pair, "Alike: E-mail")
    shown(eva, in_review, "release or discard")
    for path, name in (
        ("/", "home"), ("/duplicates", "duplicates"), (pair, "compare"), (f"{pair}/merge", "merge"),
        (f"{pair}/apart", "apart"), (f"/referrals/{later}/duplicates", "of-one"), ("/referrals/search", "search"),
        ("/work/spam_review", "spam"), (in_review, "in-review"), (f"{in_review}/discard", "discard"),
        ("/requests/new", "routes"), ("/requests/new/professional", "typed-form"),
    ):  # fmt: skip
        check(look(eva, path), name)
    for path, fields, name in (
        (f"{pair}/record", {"reason": "assessment"}, "both"),
        ("/referrals/search", {"by": "email", "email": "nobody@example.org"}, "nobody-found"),
        ("/referrals/search", {"by": "email", "email": "nobody"}, "search-error"),
        ("/requests/new/family", {"came-by": "letter"}, "typed-error"),
    ):
        put_back = posted(eva, path, **fields)
        check(look(eva, path, "POST"), name)
        put_back()
