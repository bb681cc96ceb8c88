"""Nobody is left without a word of what was done, or without a way on."""

from __future__ import annotations

from datetime import timedelta

import pytest

from contracts.permissions import Role
from tests.console.conftest import Browser, House
from web.shared.accounts.application import recovery

ADA, BEN = "ada@example.org", "ben@example.org"


@pytest.fixture
def ada(house: House) -> Browser:
    return house.first_administrator()


def test_signing_out_twice_leads_to_signing_in(ada: Browser) -> None:
    page = ada.open("/account")
    ada.post("/sign-out")
    ada.last = page  # another tab that is still open
    assert ada.post("/sign-out").status_code == 200
    assert ada.path == "/sign-in"


def test_whoever_sends_the_form_of_a_session_that_is_over_is_told_and_comes_back(house: House, ada: Browser) -> None:
    ada.open("/account/password")
    house.clock.advance(timedelta(hours=1))
    ada.post("/account/password", password="another harbour in the meadow")
    assert ada.path == "/sign-in"
    assert "You are signed out" in ada.text
    assert "Nothing that you sent" in ada.text
    assert ada.hidden("/sign-in")["next"] == "/account/password"


def test_whoever_has_to_sign_in_again_is_told_that_nothing_was_done_yet(house: House, ada: Browser) -> None:
    house.clock.advance(timedelta(minutes=25))
    ada.open("/account")
    house.clock.advance(timedelta(minutes=6))
    ada.post("/account/codes")
    assert ada.path == "/sign-in/again"
    assert "isn’t done yet" in ada.text
    ada.open("/sign-in/again")
    assert "isn’t done yet" not in ada.text


def test_what_shows_nowhere_else_is_said_to_be_done(house: House, ada: Browser) -> None:
    house.join(ada, BEN)
    ben = f"/people/{house.id_of(BEN)}"
    ada.open(f"{ben}/renew")
    ada.post(f"{ben}/renew")
    assert "They are sent a link" in ada.text
    ada.open("/account/password")
    ada.post("/account/password", password="another harbour in the meadow")
    assert "Your password is changed" in ada.text
    ada.open("/account?done=whatever")
    assert "notice" not in ada.last.text


def test_what_is_refused_leads_back_to_a_page_that_works(house: House, ada: Browser) -> None:
    house.join(ada, BEN)
    ben = f"/people/{house.id_of(BEN)}"
    page = ada.open(f"{ben}/lock")
    ada.post(f"{ben}/lock")
    ada.last = page
    assert ada.post(f"{ben}/lock").status_code == 409
    assert f'<a href="{ben}">Go back</a>' in ada.last.text
    ada.open(f"/people/{'0' * 8}-0000-0000-0000-{'0' * 12}")
    assert '<a href="/people">Go back</a>' in ada.last.text


def test_whoever_is_half_signed_in_elsewhere_is_not_signed_in_there(house: House, ada: Browser) -> None:
    house.browse().give_password(ADA)
    ada.open("/account")
    assert "You are signed in" not in ada.text


def test_problems_are_in_the_order_of_the_page(house: House) -> None:
    browser = house.browse()
    browser.open((recovery.first_link(house.accounts) or "").removeprefix("http://localhost:8001"))
    browser.post("/set-up")
    said = ["Write your name.", "Write your e-mail address.", "Choose a password."]
    assert sorted(said, key=browser.text.index) == said


def test_only_who_is_alone_is_offered_a_role_of_their_own_and_is_told_so(house: House, ada: Browser) -> None:
    mine = f"/people/{house.id_of(ADA)}"
    ada.open("/people")
    assert "you can take any role" in ada.text
    assert "Give a role" in ada.open(mine).text
    house.invite(ada, BEN, Role.TRUSTEE)
    ada.open("/people")
    assert "you can take any role" not in ada.text
    assert "Give a role" not in ada.open(mine).text


def test_where_nobody_has_an_account_the_first_page_says_how_to_begin(house: House) -> None:
    browser = house.browse()
    browser.open("/")
    assert "Nobody has an account yet" in browser.text
    browser.open(f"/link/{'x' * 43}")
    assert "leeward console recover" in browser.text
    house.first_administrator()
    browser.open("/")
    assert "Nobody has an account yet" not in browser.text
