"""What people of the charity do about a referral beside its steps, on a running system."""

from __future__ import annotations

import re

from contracts.permissions import Role
from tests.console.conftest import Browser, House
from tests.console.test_work import confirm_roles, filled_in, house_at_work, shown, story
from tests.support.bus import eventually
from tests.support.story import Story

__all__ = ["house_at_work", "story"]


def signed_in(house: House, *roles: Role) -> Browser:
    ada = house.first_administrator()
    eva = house.join(ada, "eva@example.org", Role.ASSESSOR, *roles)
    confirm_roles(house, ada)
    return eva


def test_what_a_client_says_later_on_is_recorded(house_at_work: House, story: Story) -> None:
    eva = signed_in(house_at_work)
    story.ask_for_help()
    page = f"/referrals/{story.referral_id}"
    shown(eva, page, "When they say something new")
    filled_in(eva, f"{page}/record_consent", consent="evaluation", given="no", told="by_telephone")
    assert "What they agree to is on record" in eva.text
    shown(eva, page, "Agreement recorded")
    filled_in(eva, f"{page}/change_needs", reason="preference_relaxed", told="by_telephone", max_distance_km="far")
    assert "Write a whole number from 1 to 500" in eva.text
    filled_in(eva, f"{page}/change_needs", reason="preference_relaxed", told="by_telephone", max_distance_km="90")
    assert "the search goes by it" in eva.text
    shown(eva, page, "Needs changed")
    filled_in(eva, f"{page}/change_needs", reason="mistyped", told="by_telephone")
    assert "Name what is otherwise" in eva.text
    contact = {"whose": "client", "reason": "client_asked", "may_leave_message": "no", "discreet": "no", "hours": "any"}
    filled_in(eva, f"{page}/change_contact", **contact, channel="text", telephone="")
    assert "Write the telephone" in eva.text
    filled_in(eva, f"{page}/change_contact", **contact, channel="email", email="robin.new@example.org")
    assert "reached in the new way" in eva.text
    shown(eva, page, "Contact changed")
    assert "robin.new" not in eva.last.text


def test_a_message_of_ours_goes_by_the_safe_way_and_stands_with_the_notes(house_at_work: House, story: Story) -> None:
    eva = signed_in(house_at_work)
    story.ask_for_help()
    page = f"/referrals/{story.referral_id}"
    shown(eva, f"{page}/messages", "Request received")
    (message, *_) = re.findall(rf'href="({page}/messages/[0-9a-f-]+)"', eva.last.text)
    eva.open(message)
    assert str(story.receipt.reference) in eva.text
    filled_in(eva, f"{page}/write", words="")
    assert "Write something" in eva.text
    filled_in(eva, f"{page}/write", words="When is a good time for a call?")
    assert "on its way" in eva.text or "asked to call us" in eva.text
    shown(eva, f"{page}/messages", "Personal message")
    shown(eva, page, "Written")
    filled_in(eva, f"{page}/record", reason="assessment")
    assert "When is a good time for a call?" in eva.text


def test_work_is_given_to_a_colleague(house_at_work: House, story: Story) -> None:
    eva = signed_in(house_at_work)
    story.ask_for_help()
    page = f"/referrals/{story.referral_id}"
    shown(eva, page, "Nobody Make it mine")
    eva.post(f"{page}/assign")
    assert "Whose work it is has changed" in eva.text
    shown(eva, page, "Whose work Eva")
    filled_in(eva, f"{page}/assign", to="00000000-0000-0000-0000-000000000001")
    assert "Not a valid choice" in eva.text
    filled_in(eva, f"{page}/assign", to="nobody")
    shown(eva, page, "Nobody Make it mine")


def test_two_people_are_kept_apart_and_no_longer(house_at_work: House, story: Story) -> None:
    eva = signed_in(house_at_work, Role.SAFEGUARDING_LEAD)
    story.ask_for_help()
    first, reference = story.referral_id, str(story.receipt.reference)
    story.ask_for_help()
    page = f"/referrals/{story.referral_id}"
    shown(eva, page, "Kept apart")
    filled_in(eva, f"{page}/link", reference="nonsense", kind="partner", reason="said_by_client")
    assert "nine letters and digits" in eva.text
    filled_in(eva, f"{page}/link", reference=reference.lower(), kind="partner", reason="said_by_client")
    assert "They are kept apart from now on" in eva.text
    assert reference in eva.text
    assert "Eva" in eva.text
    (unlink,) = re.findall(rf'href="({page}/links/[0-9a-f-]+)"', eva.last.text)
    filled_in(eva, unlink, reason="linked_in_error")
    assert "kept apart from nobody" in eva.text
    eva.open(f"/referrals/{first}/links")
    assert "kept apart from nobody" in eva.text


def test_the_timeline_is_filtered_and_other_parts_say_what_is_not_there_yet(house_at_work: House, story: Story) -> None:
    eva = signed_in(house_at_work, Role.FINANCE)
    story.ask_for_help()
    page = f"/referrals/{story.referral_id}"
    shown(eva, page, "Message sent")
    eva.open(f"{page}?part=intake")
    assert "Part: Intake" in eva.text
    assert "Message sent" not in eva.text
    eva.open(f"{page}?part=billing")
    assert "Nothing of this part is on record yet" in eva.text
    for odd in ("?part=x", "?after=x", "?after=0", "?part=intake&after=99999999999999999"):
        eva.open(f"{page}{odd}")
        assert eva.last.status_code == 200, odd
    eva.open(f"{page}/forms")
    assert "Nobody was asked for a form yet" in eva.text

    def money() -> bool:
        eva.open(f"{page}/money")
        return "help with the cost" in eva.text

    eventually(money, "billing has heard of it")
    eva.open("/contact-changes")
    assert "No new contact waits to be checked" in eva.text
