"""Requests that a machine may have written, on the staff's pages of a running system."""

from __future__ import annotations

from tests.console import test_work
from tests.console.conftest import House
from tests.console.test_duplicates import assessor
from tests.console.test_work import filled_in, shown
from tests.support.story import Story

house_at_work, story = test_work.house_at_work, test_work.story
QUEUE = "/work/spam_review?order=newest"


def test_what_may_be_spam_is_read_discarded_and_released_after_all(house_at_work: House, story: Story) -> None:
    eva = assessor(house_at_work)
    story.ask_for_help(suspected=("honeypot",), name="Robin Planted")
    page, reference = f"/referrals/{story.referral_id}", str(story.receipt.reference)
    shown(eva, "/", "May be spam")
    shown(eva, QUEUE, reference)
    assert "Planted" not in eva.last.text
    shown(eva, page, "Read it, and then release or discard it")
    assert "Take it up" not in eva.text
    filled_in(eva, f"{page}/record", reason="assessment")
    assert "Robin Planted" in eva.text
    filled_in(eva, f"{page}/discard", note="kept words")
    assert "Choose one: Why?" in eva.text
    assert "kept words" in eva.text
    filled_in(eva, f"{page}/discard", reason="tried_out")
    assert "It is discarded" in eva.text
    shown(eva, page, "Discarded as spam")
    filled_in(eva, f"{page}/release")
    assert "It is released" in eva.text
    shown(eva, "/work/new_requests?order=newest", reference)
    shown(eva, page, "Take it up")
