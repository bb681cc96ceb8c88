"""Requests that may be one person's same request, on the staff's pages of a running system."""

from __future__ import annotations

from datetime import date

from contracts.permissions import Role
from contracts.sealed import SafeChannel, SafeContact
from tests.console import test_work
from tests.console.conftest import Browser, House
from tests.console.test_work import confirm_roles, filled_in, shown
from tests.support.story import Story

house_at_work, story = test_work.house_at_work, test_work.story


def assessor(house: House) -> Browser:
    ada = house.first_administrator()
    eva = house.join(ada, "eva@example.org", Role.ASSESSOR)
    confirm_roles(house, ada)
    return eva


def asked_twice(story: Story) -> tuple[str, str]:
    """Two requests of one person, the later first."""
    planted = f"planted-{story.language}@example.org"
    ids = []
    for _ in range(2):
        contact = SafeContact(channel=SafeChannel.EMAIL, email=planted)
        story.ask_for_help(name="Robin Planted", date_of_birth=date(1985, 4, 1), contact=contact)
        ids.append(story.referral_id)
    return ids[1], ids[0]


def test_two_requests_of_one_person_are_compared_merged_unmerged_and_told_apart(
    house_at_work: House, story: Story
) -> None:
    later, earlier = asked_twice(story)
    pair = f"/duplicates/{later}/{earlier}"
    eva = assessor(house_at_work)
    shown(eva, "/", "Possible duplicates")
    assert pair in shown(eva, "/duplicates", "E-mail").last.text
    shown(eva, f"/referrals/{earlier}", "Possible duplicates")
    assert pair in shown(eva, f"/referrals/{earlier}/duplicates", "Name and date of birth").last.text

    shown(eva, pair, "Alike: E-mail Name and date of birth")
    assert "Planted" not in eva.last.text
    filled_in(eva, f"{pair}/record")
    assert "Say why you look" in eva.text
    filled_in(eva, f"{pair}/record", reason="assessment")
    assert eva.text.count("Robin Planted") == 2
    assert eva.last.headers["refresh"] == f"300; url={pair}"
    for referral_id in (later, earlier):
        audit = story.system.rpc.call("intake", "audit", subject_id=referral_id)
        assert "read" in {entry["what"] for entry in audit["entries"]}

    filled_in(eva, f"{pair}/merge", note="kept words")
    assert "Choose one: Why?" in eva.text
    assert "kept words" in eva.text
    filled_in(eva, f"{pair}/merge", reason="sent_twice", note="kept words")
    assert "was merged into the other" in eva.text
    shown(eva, f"/referrals/{later}", "It was merged into")
    assert f'href="/referrals/{later}/undo"' not in eva.last.text
    filled_in(eva, f"/referrals/{later}/unmerge", reason="different_requests")
    assert pair in shown(eva, f"/referrals/{later}/duplicates", "E-mail").last.text
    filled_in(eva, f"{pair}/apart", reason="different_requests")
    assert "They are told apart" in eva.text
    eva.open(f"/referrals/{later}/duplicates")
    assert "No other request looks like this one" in eva.text
