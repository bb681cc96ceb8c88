"""What is on record, on pages: by person and by referral, checked, and for whom it is."""

from __future__ import annotations

import re
from datetime import timedelta
from uuid import uuid4

import pytest

from chassis.audit.chain import AuditAction
from contracts.permissions import Role
from tests.console import test_work
from tests.console.conftest import Browser, House
from tests.console.test_work import confirm_roles, filled_in, shown
from tests.support.story import Story
from web.console.pages import audit
from web.console.pages.audit import Wanted

house_at_work, story = test_work.house_at_work, test_work.story


@pytest.fixture
def ada(house: House) -> Browser:
    return house.first_administrator()


def record(house: House, number: int, *, by: str | None = None) -> None:
    with house.accounts.work() as work:
        who = house.id_of(by) if by else "rule"
        for _ in range(number):
            work.record(AuditAction.ROLE_GRANTED, who=who, about=uuid4(), reason="trustee")


def rows(browser: Browser) -> list[str]:
    return re.findall(r'<tr data-key="([^"]+)"', browser.last.text)


def test_a_month_begins_and_ends_in_london() -> None:
    july = Wanted(month="2026-07")
    assert (str(july.since), str(july.until)) == ("2026-07-01 00:00:00+01:00", "2026-08-01 00:00:00+01:00")
    assert str(Wanted(month="2026-12").until) == "2027-01-01 00:00:00+00:00"
    assert Wanted().since is None


def test_no_entry_is_left_out_or_shown_twice_from_page_to_page(house: House, ada: Browser) -> None:
    record(house, 100)
    house.clock.advance(timedelta(minutes=-10))  # a clock that was ahead is put right
    record(house, 20)
    ada.open("/audit?service=accounts")
    seen = rows(ada)
    assert len(seen) == audit.A_PAGE
    while found := re.search(r'href="([^"]+)" rel="next"', ada.last.text):
        ada.open(found[1].replace("&amp;", "&"))
        seen += rows(ada)
    numbers = sorted(int(key.removeprefix("accounts-")) for key in seen)
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) > 120


def test_what_is_on_record_is_filtered_by_person_and_month_and_chips_take_filters_away(
    house: House, ada: Browser
) -> None:
    house.join(ada, "ben@example.org", Role.TRUSTEE)
    record(house, 2, by="ben@example.org")
    ben = house.id_of("ben@example.org")
    ada.open(f"/audit?person={ben}&month=2026-12")
    assert "By Ben" in ada.text
    assert "Role given Trustee" in ada.text
    assert "Ada Example" not in "".join(re.findall(r'<th scope="row">(.*?)</th>', ada.last.text))
    assert 'href="/audit?month=2026-12"' in ada.last.text
    ada.open(f"/audit?person={ben}&month=2026-11")
    assert "Nothing on record fits" in ada.text
    for odd in (
        "?after=x",
        "?after=accounts.99999999999",
        "?after=accounts.x~y.3",
        "?month=2026-13",
        "?person=x&service=x",
        "?about=nonsense",
    ):
        assert ada.open(f"/audit{odd}").status_code == 200, odd


def test_what_could_not_be_asked_is_said(house: House, ada: Browser) -> None:
    ada.open("/audit")
    assert "could not be asked just now" in ada.text
    ada.open("/audit/check")
    assert ada.text.count("It could not be asked just now") == 6


def test_everybody_sees_what_is_on_record_of_them_and_nobody_else(house: House, ada: Browser) -> None:
    ben = house.join(ada, "ben@example.org")
    ben.open("/account")
    assert "What is on record of you" not in ben.text, "without a role there is nothing to look at"
    assert ben.open("/audit/mine").status_code == 403
    eve = house.join(ada, "eve@example.org", Role.TRUSTEE)
    record(house, 1, by="eve@example.org")
    eve.open("/audit/mine")
    assert {"Eve"} == set(re.findall(r'<th scope="row">(.*?)</th>', eve.last.text))


def test_a_log_that_was_cut_or_changed_shows(house: House, ada: Browser) -> None:
    record(house, 3)
    ada.open("/audit/check")
    assert re.search(r"Accounts Nothing was changed: all \d+ entries are as written", ada.text)
    with house.accounts.database.engine.begin() as connection:
        for drop in ("DROP TRIGGER audit_entry_no_update", "UPDATE audit_entry SET who = 'me' WHERE sequence = 2"):
            connection.exec_driver_sql(drop)
    ada.open("/audit/check")
    assert "Something is wrong from entry 2 on: it was altered." in ada.text


def test_who_looked_at_a_referral_is_seen_on_it_by_person_with_reason(house_at_work: House, story: Story) -> None:
    ada = house_at_work.first_administrator()
    eva = house_at_work.join(ada, "eva@example.org", Role.SAFEGUARDING_LEAD)
    confirm_roles(house_at_work, ada)
    story.ask_for_help()
    page = f"/referrals/{story.referral_id}"
    shown(eva, page, "Who looked")
    filled_in(eva, f"{page}/record", reason="assessment")
    eva.open(f"{page}/looked")
    assert re.search(r"Eva Read Assessment \S+ Intake", eva.text), eva.text
    eva.open(f"/audit?about={story.receipt.reference}&person={house_at_work.id_of('eva@example.org')}")
    assert f"About {story.receipt.reference}" in eva.text
    assert re.search(r"Eva Read Assessment", eva.text)
    eva.open("/audit/mine?service=intake")
    assert re.search(r"Eva Read Assessment", eva.text)
    eva.open("/audit/check")
    assert "could not be asked" not in eva.text
    assert "Something is wrong" not in eva.text
    assert "Intake Nothing was changed" in eva.text
    ada.open(f"{page}/looked")
    assert "Eva Read Assessment" in ada.text
