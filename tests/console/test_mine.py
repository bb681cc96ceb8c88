"""What is one person's own at home: saved views, and work that is new to them."""

from __future__ import annotations

from uuid import UUID

import pytest

from contracts.permissions import Role
from tests.console import test_work
from tests.console.conftest import Browser, House
from tests.console.test_handover import make_effective
from tests.console.test_work import confirm_roles, shown
from tests.support.story import Story
from web.shared.accounts.application import people
from web.shared.accounts.domain.saved_views import MOST_VIEWS, SavedView

house_at_work, story = test_work.house_at_work, test_work.story
SAVE = "/work/waiting/save?risk_level=higher&overdue=1"
EVA, LEA = "eva@example.org", "lea@example.org"


@pytest.fixture
def eva(house: House) -> Browser:
    browser = house.join(house.first_administrator(), EVA, Role.ASSESSOR)
    make_effective(house, EVA)
    browser.client.follow_redirects = False
    return browser


def views(house: House, email: str = EVA) -> list[SavedView]:
    with house.accounts.reading() as work:
        return work.saved_views.of(UUID(house.id_of(email)))


def save(browser: Browser, name: str, path: str = SAVE) -> int:
    browser.last = browser.client.post(path, data={"csrf": browser.token_for_forms(), "name": name})
    return int(browser.last.status_code)


def test_a_view_is_the_queue_with_its_filters_and_nothing_else_of_the_address(house: House, eva: Browser) -> None:
    eva.open(f"{SAVE}&after=x&evil=//evil.example.org")
    assert "Waiting for a therapist: Risk: Higher, Overdue." in eva.text
    assert save(eva, " Urgent ", f"{SAVE}&after=x&evil=//evil.example.org") == 303
    (view,) = views(house)
    assert (view.name, view.path) == ("Urgent", "/work/waiting?risk_level=higher&overdue=1")


def test_the_same_twice_is_once_and_a_name_stands_for_one_view(house: House, eva: Browser) -> None:
    assert save(eva, "Urgent") == save(eva, "Urgent") == 303
    assert len(views(house)) == 1
    assert save(eva, "urgent", "/work/offers/save") == 200
    assert "You have a view of this name already" in eva.text
    assert 'value="urgent"' in eva.last.text, "what was typed stays"
    for odd in ("", "x" * 61, "two\nlines"):
        assert save(eva, odd) == 200
    assert len(views(house)) == 1


def test_there_is_room_for_twenty(house: House, eva: Browser) -> None:
    for number in range(MOST_VIEWS):
        assert save(eva, f"View {number}") == 303
    assert save(eva, "One more") == 200
    assert "Delete one that you don’t need" in eva.text


def test_only_its_owner_deletes_a_view_and_leaving_deletes_all(house: House, eva: Browser) -> None:
    save(eva, "Urgent")
    (view,) = views(house)
    ada = UUID(house.id_of("ada@example.org"))
    people.invite(house.accounts, by=ada, email=LEA, name="Lea", roles=[Role.ASSESSOR])
    lea = house.browse()
    lea.set_up(house.newest_letter().link or "")
    make_effective(house, LEA)
    lea.client.follow_redirects = False
    delete = f"/views/{view.id}/delete"
    lea.client.post(delete, data={"csrf": lea.token_for_forms()})
    assert views(house) == [view]
    eva.client.post(delete, data={"csrf": eva.token_for_forms()})
    assert views(house) == []
    save(eva, "Urgent")
    people.end(house.accounts, UUID(house.id_of(EVA)), by=ada)
    assert views(house) == []


def test_home_says_what_is_new_to_whom_until_they_open_it(house_at_work: House, story: Story) -> None:
    ada = house_at_work.first_administrator()
    eva = house_at_work.join(ada, EVA, Role.ASSESSOR)
    lea = house_at_work.join(ada, LEA, Role.SAFEGUARDING_LEAD)
    confirm_roles(house_at_work, ada)
    make_effective(house_at_work, LEA)
    story.ask_for_help()
    page, reference = f"/referrals/{story.referral_id}", str(story.receipt.reference)
    shown(eva, page, "Take it up")
    eva.post(f"{page}/take_up")
    shown(eva, "/work/assessments?assigned=mine", reference)
    assert "new to you" not in eva.open("/").text
    moves = f"/people/{house_at_work.id_of(EVA)}/work"
    lea.open(moves)
    lea.post(moves, to=house_at_work.id_of(LEA))
    assert "new to you" not in lea.open("/").text, "she gave it to herself"
    moves = f"/people/{house_at_work.id_of(LEA)}/work"
    ada.open(moves)
    ada.post(moves, to=house_at_work.id_of(EVA))
    eva.open("/")
    assert "1 new to you" in eva.text
    eva.open("/work/new_to_me")
    assert reference in eva.text
    eva.client.get(page, headers={"X-Fragment": "standing"})
    assert "1 new to you" in eva.open("/").text, "a page that looks by itself is not somebody who looks"
    eva.open(page)
    assert "new to you" not in eva.open("/").text
    eva.open("/work/waiting?risk_level=higher")
    assert 'href="/work/waiting/save?risk_level=higher"' in eva.last.text
    eva.open("/work/waiting/save?risk_level=higher")
    eva.post("/work/waiting/save?risk_level=higher", name="Higher risk")
    assert "The view is saved." in eva.text
    assert 'href="/work/waiting?risk_level=higher">Higher risk</a>' in eva.last.text
