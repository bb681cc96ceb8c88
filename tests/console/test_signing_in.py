"""Setting accounts up, signing in, and what stops whoever should not get in."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pyotp
import pytest
from sqlalchemy import select

from chassis.audit.chain import AuditAction
from chassis.audit.store import check
from contracts.permissions import Role
from tests.console.conftest import ORIGIN, PASSWORD, Browser, House
from web.shared.accounts.application import recovery, sessions, sign_in
from web.shared.accounts.application.sign_in import NotLetIn
from web.shared.accounts.domain.passwords import Passwords
from web.shared.accounts.domain.refusals import NotSole, SessionEnded
from web.shared.accounts.domain.sessions import IDLE, LONGEST
from web.shared.accounts.domain.tokens import hash_of
from web.shared.accounts.domain.vocabulary import State
from web.shared.accounts.store.sessions import MOST_FAILURES, MOST_FAILURES_OF_ALL, WITHIN

ADA = "ada@example.org"


def recorded(house: House) -> list[tuple[str, str, str | None]]:
    """Who, what and why of every entry of the audit log."""
    table = house.accounts.database.tables.audit_entry
    with house.accounts.reading() as work:
        rows = work.unit.session.execute(select(table.c.who, table.c.what, table.c.reason).order_by(table.c.sequence))
        return [(row.who, row.what, row.reason) for row in rows]


@pytest.fixture
def ada(house: House) -> Browser:
    return house.first_administrator()


def test_the_first_administrator_sets_up_their_account_by_the_link(house: House, ada: Browser) -> None:
    assert len(ada.codes) == 10
    ada.open("/people")
    assert "Taken while nobody else had an account Ada Example: Administrator" in ada.text
    assert recovery.first_link(house.accounts) is None


def test_opening_a_link_uses_nothing_up(house: House) -> None:
    link = recovery.first_link(house.accounts)
    assert link
    path = link.removeprefix("http://localhost:8001")
    for _ in range(3):
        scanner = house.browse()
        scanner.client.head(path)
        assert scanner.open(path).status_code == 200
    house.browse().set_up(link, name="Ada", email=ADA)


def test_a_link_works_once_and_only_for_its_time(house: House, ada: Browser) -> None:
    link = house.invite(ada, "ben@example.org", Role.TRUSTEE)
    house.clock.advance(timedelta(days=2))
    late = house.browse()
    assert late.open(link.removeprefix("http://localhost:8001")).status_code == 410
    ada.sign_in(ADA)
    ada.open(f"/people/{house.id_of('ben@example.org')}")
    ada.post(f"/people/{house.id_of('ben@example.org')}/invite")
    again = house.newest_letter().link or ""
    house.browse().set_up(again)
    assert house.browse().open(again.removeprefix("http://localhost:8001")).status_code == 410


@pytest.mark.parametrize(
    ("password", "why"),
    [("short", "at least 12"), ("password1234", "too easy"), ("leewardleeward", "too easy"), ("x" * 201, "at most")],
)
def test_refuses_a_password_that_is_easy_to_guess(house: House, password: str, why: str) -> None:
    link = recovery.first_link(house.accounts)
    assert link
    browser = house.browse()
    browser.open(link.removeprefix("http://localhost:8001"))
    browser.post("/set-up", name="Ada", email=ADA, password=password)
    assert browser.path == "/set-up"
    assert why in browser.text
    assert "<title>Error: " in browser.last.text


def test_the_password_alone_opens_nothing(house: House, ada: Browser) -> None:
    thief = house.browse()
    thief.give_password(ADA)
    assert thief.path == "/sign-in/code"
    for path in ("/account", "/people", "/set-up/factor"):
        thief.open(path)
        assert thief.path == "/sign-in/code"


def test_a_code_works_once(house: House, ada: Browser) -> None:
    ada.sign_in(ADA)
    code = pyotp.TOTP(ada.secret).at(house.clock.now())
    other = house.browse()
    other.give_password(ADA)
    other.post("/sign-in/code", code=code)
    assert other.path == "/sign-in/code"
    assert "was used before" in other.text


@pytest.mark.parametrize(("steps", "is_right"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_telephones_clock_may_be_off_by_one_step(house: House, ada: Browser, steps: int, is_right: bool) -> None:
    house.clock.advance(timedelta(minutes=5))
    browser = house.browse()
    browser.give_password(ADA)
    browser.post("/sign-in/code", code=pyotp.TOTP(ada.secret).at(house.clock.now() + timedelta(seconds=30 * steps)))
    assert (browser.path == "/account") == is_right


def test_a_recovery_code_works_once_and_is_on_record(house: House, ada: Browser) -> None:
    code = ada.codes[0].upper()
    for is_first in (True, False):
        browser = house.browse()
        browser.give_password(ADA)
        browser.post("/sign-in/code", code=code)
        assert (browser.path == "/account") == is_first
    assert (house.id_of(ADA), AuditAction.RECOVERY_CODE_USED, None) in recorded(house)


def test_new_recovery_codes_replace_the_old(house: House, ada: Browser) -> None:
    old = ada.codes[0]
    ada.open("/account")
    ada.post("/account/codes")
    assert "The codes that you had before don’t work any more." in ada.text
    browser = house.browse()
    browser.give_password(ADA)
    browser.post("/sign-in/code", code=old)
    assert browser.path == "/sign-in/code"


def test_ten_failures_lock_for_five_minutes_whoever_knows_the_password(house: House, ada: Browser) -> None:
    thief = house.browse()
    for _ in range(MOST_FAILURES):
        thief.give_password(ADA, "wrong password that is long")
        assert thief.last.status_code == 200
    assert thief.give_password(ADA).status_code == 429
    assert ("rule", AuditAction.SIGN_INS_STOPPED, None) in recorded(house)
    house.clock.advance(WITHIN)
    thief.give_password(ADA)
    assert thief.path == "/sign-in/code"


def test_wrong_codes_count_as_failures(house: House, ada: Browser) -> None:
    thief = house.browse()
    thief.give_password(ADA)
    for _ in range(MOST_FAILURES):
        thief.post("/sign-in/code", code="000000")
    assert thief.post("/sign-in/code", code=ada.code()).status_code == 429


def test_an_unknown_address_is_answered_as_a_known_one(house: House, ada: Browser) -> None:
    answers = []
    for email in (ADA, "nobody@example.org"):
        thief, said = house.browse(), []
        for _ in range(MOST_FAILURES + 1):
            thief.give_password(email, "wrong password that is long")
            said.append((thief.last.status_code, thief.text.replace(email, "…")))
        answers.append(said)
    assert answers[0] == answers[1]


def test_an_unknown_address_costs_the_same_hash(house: House, ada: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    checked: list[bool] = []
    hasher = house.accounts.passwords._hasher
    verify = type(hasher).verify
    monkeypatch.setattr(type(hasher), "verify", lambda self, *given: checked.append(True) or verify(self, *given))
    for email in (ADA, "nobody@example.org"):
        house.browse().give_password(email, "wrong password that is long")
    assert len(checked) == 2


def test_a_thousand_failures_of_all_let_nobody_in(house: House, ada: Browser) -> None:
    with house.accounts.work() as work:
        for number in range(MOST_FAILURES_OF_ALL):
            work.failures.add(work.unit.new_id(), f"{number}@example.org", at=work.now)
    assert house.browse().give_password(ADA).status_code == 429


def test_a_session_has_a_new_secret_after_each_step(house: House, ada: Browser) -> None:
    browser = house.browse()
    browser.client.cookies.set("leeward-console", "planted-by-somebody-else", domain="localhost.local")
    browser.give_password(ADA)
    half = browser.client.cookies.get("leeward-console", domain="localhost.local")
    browser.post("/sign-in/code", code=ada.code())
    full = browser.client.cookies.get("leeward-console", domain="localhost.local")
    assert len({"planted-by-somebody-else", half, full}) == 3
    with house.accounts.reading() as work:
        assert work.sessions.find(hash_of(half or "")) is None
        assert work.sessions.find(hash_of("planted-by-somebody-else")) is None


def test_a_session_of_whoever_manages_accounts_ends_after_half_an_hour_idle(house: House, ada: Browser) -> None:
    for _ in range(4):
        house.clock.advance(IDLE - timedelta(minutes=1))
        ada.open("/account")
        assert ada.path == "/account"
    house.clock.advance(IDLE)
    ada.open("/account")
    assert ada.path == "/sign-in"


def test_a_page_that_is_left_open_signs_nobody_in_for_longer(house: House, ada: Browser) -> None:
    for minutes in (10, 10, 9):
        house.clock.advance(timedelta(minutes=minutes))
        answer = ada.client.get("/people/confirmations", headers={"X-Fragment": "1"}, follow_redirects=False)
        assert answer.status_code == 200
    house.clock.advance(timedelta(minutes=1))
    answer = ada.client.get("/people/confirmations", headers={"X-Fragment": "1"}, follow_redirects=False)
    assert answer.status_code == 303


def test_any_session_ends_after_twelve_hours(house: House, ada: Browser) -> None:
    trustee = house.join(ada, "tru@example.org", Role.TRUSTEE)
    house.clock.advance(timedelta(hours=6))
    trustee.open("/account")
    assert trustee.path == "/account"  # nothing that they see is personal
    house.clock.advance(LONGEST - timedelta(hours=6))
    trustee.open("/account")
    assert trustee.path == "/sign-in"


def test_signing_out_ends_the_session_itself(house: House, ada: Browser) -> None:
    token = ada.client.cookies.get("leeward-console", domain="localhost.local")
    ada.open("/account")
    ada.post("/sign-out")
    assert ada.path == "/sign-in"
    with house.accounts.reading() as work:
        assert work.sessions.find(hash_of(token or "")) is None


def test_what_is_sensitive_asks_who_it_is_again(house: House, ada: Browser) -> None:
    house.clock.advance(timedelta(minutes=25))
    ada.open("/account")
    house.clock.advance(timedelta(minutes=6))
    ada.open("/people")
    assert ada.path == "/people"
    ada.open("/people/invite")
    ada.prove_again()
    assert ada.path == "/people/invite"


def test_changing_the_password_signs_out_everywhere_else(house: House, ada: Browser) -> None:
    other = house.browse()
    other.secret = ada.secret
    other.sign_in(ADA)
    ada.open("/account/password")
    ada.post("/account/password", password="another harbour in the meadow")
    assert ada.path == "/account"
    other.open("/account")
    assert other.path == "/sign-in"
    other.sign_in(ADA, "another harbour in the meadow")
    assert other.path == "/account"


def test_a_person_sees_who_tried_to_sign_in_as_them(house: House, ada: Browser) -> None:
    house.browse().give_password(ADA, "wrong password that is long")
    ada.open("/account")
    assert "Wrong password" in ada.text
    assert "Signed in, code of an app" in ada.text


def test_other_sessions_are_told_and_ended_and_this_one_is_neither(house: House, ada: Browser) -> None:
    ada.open("/account")
    assert "You are signed in" not in ada.text
    other = house.browse()
    other.secret = ada.secret
    other.sign_in(ADA)
    ada.open("/account")
    assert "You are signed in 1 more time" in ada.text
    ada.post("/account/sessions/end")
    assert ada.path == "/account"
    assert "You are signed in" not in ada.text
    other.open("/account")
    assert other.path == "/sign-in"


def test_the_only_second_factor_stays(house: House, ada: Browser) -> None:
    ada.open("/account")
    assert ada.post("/account/app/remove").status_code == 409
    assert "only second step" in ada.text
    assert '<a href="/account">Go back</a>' in ada.last.text


def test_the_only_administrator_is_recovered_on_the_machine_and_on_record(house: House, ada: Browser) -> None:
    lost = house.browse()
    lost.set_up(recovery.recover(house.accounts))
    lost.open("/people")
    assert lost.path == "/people"
    ada.open("/people")
    assert ada.path == "/sign-in"  # what they had before is gone
    assert ("operator", AuditAction.ACCOUNT_RECOVERED, None) in recorded(house)


def test_nothing_is_recovered_while_somebody_else_can_help(house: House, ada: Browser) -> None:
    house.join(ada, "ben@example.org", Role.ADMINISTRATOR)
    with pytest.raises(NotSole):
        recovery.recover(house.accounts)


def test_the_audit_log_names_accounts_alone_and_holds(house: House, ada: Browser) -> None:
    house.join(ada, "ben@example.org", Role.TRUSTEE)
    assert "example" not in str(recorded(house))
    with house.accounts.reading() as work:
        assert check(work.unit.session.connection(), house.accounts.database.tables.audit_entry).holds


def test_of_two_who_set_up_by_one_password_the_second_adds_no_factor(house: House) -> None:
    """Else the password alone would do for another half hour after the second factor was added."""
    link = recovery.first_link(house.accounts)
    assert link
    ada, other = house.browse(), house.browse()
    ada.open(link.removeprefix(ORIGIN))
    ada.post("/set-up", password=PASSWORD, name="Ada Example", email=ADA)
    other.give_password(ADA)
    assert other.path == "/set-up/factor"
    ada.add_app()
    other.add_app()
    assert other.last.status_code == 409
    assert other.open("/account").url.path != "/account"
    assert ada.open("/account").url.path == "/account"
    house.browse().give_password(ADA)
    with house.accounts.reading() as work:
        person = work.accounts.find_by_email(ADA)
    assert person
    assert person.account.totp_secret
    assert house.accounts.cipher.decrypt(person.account.totp_secret, person.account.id) == ada.secret


def test_a_session_that_ended_meanwhile_becomes_no_other(house: House, ada: Browser) -> None:
    """Two requests of one session arrive at once, or it is ended while its code is on the way."""
    ada.give_password(ADA)
    found = sessions.find(house.accounts, ada.client.cookies["leeward-console"])
    assert found
    first = sign_in.with_code(house.accounts, found[0], ada.codes[0])
    with pytest.raises(SessionEnded):
        sign_in.with_code(house.accounts, found[0], ada.codes[1])
    assert sessions.find(house.accounts, first)
    with house.accounts.reading() as work:
        assert work.credentials.recovery_codes_left(found[1].account.id) == 9


@pytest.mark.parametrize("change", [{"state": State.LOCKED}, {"password_hash": "another"}], ids=["locked", "password"])
def test_what_changed_while_a_password_was_checked_counts(
    house: House, ada: Browser, monkeypatch: pytest.MonkeyPatch, change: dict[str, Any]
) -> None:
    check = Passwords.are_right

    def change_meanwhile(self: Passwords, hashed: str | None, password: str) -> bool:
        with house.accounts.work() as work:
            person = work.accounts.find_by_email(ADA)
            assert person
            work.accounts.save(replace(person.account, **change))
        return check(self, hashed, password)

    monkeypatch.setattr(Passwords, "are_right", change_meanwhile)
    with pytest.raises(NotLetIn):
        sign_in.with_password(house.accounts, email=ADA, password=PASSWORD, browser="A browser")
