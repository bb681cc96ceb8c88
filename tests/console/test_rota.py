"""The safeguarding rota on the staff's pages, on a running system."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest

from contracts.permissions import Role
from contracts.sealed import DutyContact
from tests.console import test_work
from tests.console.conftest import Browser, House
from tests.console.test_work import confirm_roles, filled_in
from tests.support.story import Story
from web.console.pages import words

house_at_work, story = test_work.house_at_work, test_work.story


@pytest.fixture
def eva(house_at_work: House) -> Browser:
    ada = house_at_work.first_administrator()
    eva = house_at_work.join(ada, "eva@example.org", Role.SAFEGUARDING_LEAD)
    confirm_roles(house_at_work, ada)
    return eva


def today(story: Story) -> date:
    """As notifications has it, whose clock other tests move."""
    (first, *_) = story.system.rpc.call("notifications", "rota", days=1)
    return date.fromisoformat(first["day"])


def turn(staff: str, first: date, last: date, **changes: Any) -> dict[str, Any]:
    on = {"starts_on": first.isoformat(), "ends_on": last.isoformat()}
    return {"staff": staff, "step": "trustee", "bank_holidays": "yes", **on, **changes}


def rows(browser: Browser, day: date) -> str:
    """What the rota says of a day."""
    (row,) = re.findall(rf'<th scope="row">{words.day(day)}(.*?)</tr>', browser.last.text, re.S)
    return str(row)


def test_somebody_is_put_on_the_rota_and_taken_off_again(house_at_work: House, story: Story, eva: Browser) -> None:
    me, first = house_at_work.id_of("eva@example.org"), today(story)
    eva.open("/")
    assert 'href="/rota"' in eva.last.text
    filled_in(eva, "/rota/staff", staff=me, telephone="07700 900123")
    assert "They can be put on the rota" in eva.text
    assert "900123" not in eva.last.text
    filled_in(eva, "/rota/duty", **turn(me, first + timedelta(days=1), first + timedelta(days=2)))
    assert "The turn is on the rota." in eva.text
    assert "Eva" in rows(eva, first + timedelta(days=2))
    assert "Nobody" in rows(eva, first + timedelta(days=20)), "a gap is said in words"
    assert "in the coming four weeks" in eva.text
    filled_in(eva, "/rota/leave", staff=me, starts_on=first + timedelta(days=2), ends_on=first + timedelta(days=2))
    assert "Eva" not in rows(eva, first + timedelta(days=2))
    assert "Eva" in rows(eva, first + timedelta(days=1))
    planned = story.system.rpc.call("notifications", "rota_plan")["duties"]
    (mine,) = [one["duty_id"] for one in planned if one["staff_id"] == me]
    eva.open(f"/rota/duties/{mine}/cancel")
    eva.post(f"/rota/duties/{mine}/cancel")
    assert "The turn is cancelled." in eva.text
    planned = story.system.rpc.call("notifications", "rota_plan")["duties"]
    assert mine not in {one["duty_id"] for one in planned}


def test_a_form_of_the_rota_that_is_sent_twice_is_done_once(house_at_work: House, story: Story, eva: Browser) -> None:
    me, first = house_at_work.id_of("eva@example.org"), today(story)
    eva.open("/rota/staff")
    hidden = eva.hidden("/rota/staff")
    for email in ("one@example.org", "two@example.org"):
        eva.last = eva.client.post("/rota/staff", data={**hidden, "staff": me, "email": email})
        assert "They can be put on the rota" in eva.text
    eva.open("/rota/duty")
    hidden = eva.hidden("/rota/duty")
    for _ in range(2):
        eva.last = eva.client.post("/rota/duty", data={**hidden, **turn(me, first, first)})
        assert "The turn is on the rota." in eva.text
    planned = story.system.rpc.call("notifications", "rota_plan")["duties"]
    assert [one["staff_id"] for one in planned].count(me) == 1


def test_bad_input_says_what_to_do(house_at_work: House, story: Story, eva: Browser) -> None:
    me, first = house_at_work.id_of("eva@example.org"), today(story)
    filled_in(eva, "/rota/staff", staff=me)
    for path, fields, said in (
        ("/rota/staff", {"staff": ""}, "Choose somebody."),
        ("/rota/staff", {"staff": me, "telephone": "12"}, "Write a telephone number with its area code"),
        ("/rota/staff", {"staff": me, "email": "eva"}, "Write an e-mail address"),
        ("/rota/duty", turn(me, first, first - timedelta(days=1)), "The last day is before the first."),
        ("/rota/duty", turn(me, first, first, step=""), "Choose one: As what?"),
        ("/rota/duty", turn(me, first, first, starts_on="soon"), "Write a day of the years"),
        ("/rota/leave", {"staff": me, "ends_on": first.isoformat()}, "Say on which day it begins."),
    ):
        filled_in(eva, path, **fields)
        assert "There is a problem" in eva.text
        assert said in eva.text, path
    eva.open(f"/rota/duties/{uuid4()}/cancel")
    eva.post(eva.path)
    assert "There is no such turn on the rota" in eva.text


def test_who_may_only_see_the_rota_changes_nothing(house_at_work: House, story: Story) -> None:
    ada = house_at_work.first_administrator()
    staff_id = str(uuid4())
    sealed = story.system.keyring.seal("notifications", DutyContact(name="Old Planted", email="old@example.org"))
    story.system.rpc.call("notifications", "keep_staff", staff_id=staff_id, contact=sealed)
    day = day_of_next_week(story)
    story.system.rpc.call(
        "notifications", "plan_duty", staff_id=staff_id, step="deputy", starts_on=day, ends_on=day, bank_holidays=True
    )
    ada.open("/rota")
    assert "somebody without an account" in ada.text
    assert "Plan a turn" not in ada.text
    assert "Cancel" not in ada.text
    assert "Planted" not in ada.last.text


def day_of_next_week(story: Story) -> str:
    return (today(story) + timedelta(days=7)).isoformat()
