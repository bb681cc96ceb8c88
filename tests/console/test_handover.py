"""Somebody leaves, or is away: their sessions end at once, and a colleague goes on with their work."""

from __future__ import annotations

import re
from dataclasses import replace

from contracts.permissions import Role
from tests.console import test_work
from tests.console.conftest import Browser, House
from tests.console.test_work import confirm_roles, shown
from tests.support.story import Story
from web.shared.accounts.domain.vocabulary import GrantState, State

house_at_work, story = test_work.house_at_work, test_work.story
EVA = "eva@example.org"


def make_effective(house: House, email: str) -> None:
    """As if a second person had confirmed their roles."""
    with house.accounts.work() as work:
        found = work.accounts.find_by_email(email)
        assert found
        for grant in found.grants:
            work.accounts.save_grant(replace(grant, state=GrantState.EFFECTIVE))


def leaves(house: House, by: Browser, email: str, **fields: str) -> None:
    path = f"/people/{house.id_of(email)}/end"
    by.open(path)
    if by.path == "/sign-in/again":
        by.prove_again()
        by.open(path)
    by.post(path, **fields)


def test_sessions_end_at_once_even_if_no_service_answers_and_twice_is_once(house: House) -> None:
    ada = house.first_administrator()
    eva = house.join(ada, EVA, Role.TRUSTEE)
    path = f"/people/{house.id_of(EVA)}/end"
    ada.open(path)
    assert "can’t be seen just now" in ada.text
    hidden = ada.hidden(path)
    for _ in range(2):
        ada.last = ada.client.post(path, data=hidden, follow_redirects=False)
        assert ada.last.status_code == 303
        assert ada.last.headers["Location"] == f"/people/{house.id_of(EVA)}?done=left_with_work"
    eva.open("/account")
    assert eva.path == "/sign-in"
    with house.accounts.reading() as work:
        found = work.accounts.find_by_email(EVA)
    assert found
    assert found.account.state is State.ENDED


def test_the_only_administrator_stays(house: House) -> None:
    ada = house.first_administrator()
    leaves(house, ada, "ada@example.org")
    assert "This is the last administrator." in ada.text


def test_a_colleague_goes_on_with_the_work_of_whoever_leaves(house_at_work: House, story: Story) -> None:
    house = house_at_work
    ada = house.first_administrator()
    eva = house.join(ada, EVA, Role.ASSESSOR)
    lea = house.join(ada, "lea@example.org", Role.SAFEGUARDING_LEAD)
    confirm_roles(house, ada)
    make_effective(house, "lea@example.org")
    story.ask_for_help()
    page = f"/referrals/{story.referral_id}"
    shown(eva, page, "Take it up")
    eva.post(f"{page}/take_up")
    shown(eva, page, "Being assessed")
    leaves(house, ada, EVA, to="")
    assert "Choose who goes on with their work." in ada.text
    assert "1 referral that isn’t over is their work." in ada.text
    leaves(house, ada, EVA, to="later")
    assert "If they still have work, it can be moved from here." in ada.text
    ada.open("/people/work")
    assert re.search(r"Eva \(has left\) Of somebody who has left 1 Move it", ada.text)
    work_page = f"/people/{house.id_of(EVA)}/work"
    ada.open(work_page)
    ada.post(work_page, to=house.id_of("lea@example.org"))
    assert "The work is moved." in ada.text
    shown(lea, "/work/assessments?assigned=mine", str(story.receipt.reference))
    assert lea.open(work_page).status_code == 200
    assert "nothing to move" in lea.text
