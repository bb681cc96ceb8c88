"""Finding somebody by name or contact, on the staff's pages of a running system."""

from __future__ import annotations

from datetime import date

from contracts.sealed import SafeChannel, SafeContact
from tests.console import test_work
from tests.console.conftest import House
from tests.console.test_duplicates import assessor
from tests.console.test_work import filled_in, shown
from tests.support.story import Story

house_at_work, story = test_work.house_at_work, test_work.story
SEARCH = "/referrals/search"


def test_somebody_is_found_by_what_is_posted_and_the_page_closes(house_at_work: House, story: Story) -> None:
    planted = f"planted-{story.language}@example.org"
    contact = SafeContact(channel=SafeChannel.EMAIL, email=planted)
    story.ask_for_help(name="Robin Planted", date_of_birth=date(1985, 4, 1), contact=contact)
    eva = assessor(house_at_work)
    assert f'href="{SEARCH}"' in shown(eva, "/", "Find somebody by name or contact").last.text

    filled_in(eva, SEARCH, by="email", email="planted")
    assert "Write an e-mail address" in eva.text
    assert 'value="planted"' in eva.last.text
    filled_in(eva, SEARCH, by="name_and_birth", name="Robin Planted", date_of_birth="soon")
    assert "Write a date of birth" in eva.text
    assert 'value="Robin Planted"' in eva.last.text

    filled_in(eva, SEARCH, by="email", email=planted.upper())
    assert "One referral is found" in eva.text
    assert f'<a href="/referrals/{story.referral_id}">{story.receipt.reference}</a>' in eva.last.text
    assert eva.last.headers["refresh"] == f"300; url={SEARCH}"
    assert eva.last.url.query == b""
    filled_in(eva, SEARCH, by="name_and_birth", name="PLANTED, robin", date_of_birth="1/4/1985")
    assert str(story.receipt.reference) in eva.text
    filled_in(eva, SEARCH, by="telephone", telephone="01632 960999")
    assert "Nobody is found" in eva.text
