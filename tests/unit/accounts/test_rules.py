"""The rules of accounts: values in, values out."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from uuid import UUID

import pyotp
import pytest
from argon2 import PasswordHasher
from cryptography.exceptions import InvalidTag

from contracts.permissions import GRANTS, Permission, Role, permissions_of
from web.shared.accounts.application.cipher import Cipher
from web.shared.accounts.domain import grants, sessions
from web.shared.accounts.domain.accounts import check_not_last_administrator, normal_email
from web.shared.accounts.domain.codes import (
    RECOVERY_CODES,
    accepted_step,
    hash_of_recovery_code,
    new_recovery_codes,
    new_totp_secret,
)
from web.shared.accounts.domain.destinations import HOME, safe_destination
from web.shared.accounts.domain.passwords import AT_ONCE, Passwords, weakness
from web.shared.accounts.domain.refusals import (
    AlreadyGranted,
    GrantToYourself,
    LastAdministrator,
    NothingWaits,
    NotOfStaff,
    SecondPersonNeeded,
)
from web.shared.accounts.domain.sessions import Session, SignedIn
from web.shared.accounts.domain.vocabulary import Factor, GrantPolicy, GrantState, Stage
from web.shared.staff.browsers import browser_of
from web.shared.staff.csrf import csrf_token, is_genuine
from web.shared.staff.listing import Listing

AT = datetime(2026, 12, 1, 9, 0, tzinfo=UTC)
ADA, BEN, CYD = (UUID(int=number) for number in (1, 2, 3))
STAFF = frozenset(Role) - {Role.THERAPIST}


def give(role: Role, *, to: UUID, by: UUID | None, accounts: int = 3, policy: GrantPolicy = GrantPolicy.CONFIRM,
         has: tuple[grants.RoleGrant, ...] = ()) -> grants.RoleGrant:  # fmt: skip
    return grants.grant(role, to=to, by=by, has=has, allowed=STAFF, accounts=accounts, policy=policy, at=AT)


def test_a_role_is_sensitive_if_anything_in_it_reveals_or_moves_money() -> None:
    for role in Role:
        permissions = permissions_of(role)
        assert grants.is_sensitive(role) == any(GRANTS[one].reveals or GRANTS[one].moves_money for one in permissions)
    assert {role for role in STAFF if not grants.is_sensitive(role)} == {
        Role.TRUSTEE, Role.OPERATOR, Role.ADMINISTRATOR,
    }  # fmt: skip


@pytest.mark.parametrize("role", sorted(STAFF))
@pytest.mark.parametrize("policy", GrantPolicy)
def test_a_sensitive_role_waits_by_one_policy_and_is_told_by_the_other(role: Role, policy: GrantPolicy) -> None:
    given = give(role, to=BEN, by=ADA, policy=policy)
    assert given.is_effective == (not grants.is_sensitive(role) or policy is GrantPolicy.TELL)
    told = role is Role.ADMINISTRATOR or (grants.is_sensitive(role) and policy is GrantPolicy.TELL)
    assert grants.is_told(role, policy) == told


def test_nobody_gives_a_role_to_themself_unless_nobody_else_has_an_account() -> None:
    taken = give(Role.SAFEGUARDING_LEAD, to=ADA, by=ADA, accounts=1)
    assert (taken.is_effective, taken.alone) == (True, True)
    with pytest.raises(GrantToYourself):
        give(Role.TRUSTEE, to=ADA, by=ADA, accounts=2)


def test_a_role_is_given_once_and_a_therapists_not_at_all() -> None:
    with pytest.raises(AlreadyGranted):
        give(Role.TRUSTEE, to=BEN, by=ADA, has=(give(Role.TRUSTEE, to=BEN, by=ADA),))
    with pytest.raises(NotOfStaff):
        give(Role.THERAPIST, to=BEN, by=ADA)


def test_the_second_person_is_neither_who_gave_it_nor_who_gets_it() -> None:
    waiting = give(Role.FINANCE, to=BEN, by=ADA)
    for somebody in (ADA, BEN):
        with pytest.raises(SecondPersonNeeded):
            grants.confirmed(waiting, by=somebody, at=AT)
    done = grants.confirmed(waiting, by=CYD, at=AT)
    assert (done.state, done.confirmed_by) == (GrantState.EFFECTIVE, CYD)
    for nothing in (None, done):
        with pytest.raises(NothingWaits):
            grants.confirmed(nothing, by=CYD, at=AT)


def test_who_may_be_the_second_person() -> None:
    assert {role for role in Role if grants.may_confirm(frozenset({role}))} == {
        Role.SAFEGUARDING_LEAD, Role.ADMINISTRATOR,
    }  # fmt: skip


def test_the_last_administrator_stays() -> None:
    with pytest.raises(LastAdministrator):
        check_not_last_administrator(ADA, [ADA])
    check_not_last_administrator(ADA, [ADA, BEN])
    check_not_last_administrator(BEN, [ADA])


def test_a_code_counts_once_and_one_step_either_way() -> None:
    secret = new_totp_secret()
    code = pyotp.TOTP(secret).at(AT)
    step = accepted_step(secret, f" {code[:3]} {code[3:]} ", at=AT, last=None)
    assert step == int(AT.timestamp()) // 30
    assert accepted_step(secret, code, at=AT, last=step) is None
    for seconds, is_right in ((-60, False), (-30, True), (30, True), (60, False)):
        assert (accepted_step(secret, code, at=AT + timedelta(seconds=seconds), last=None) is not None) == is_right
    for wrong in ("", "000000x", "１２３４５６", "\u0000"):
        assert accepted_step(secret, wrong, at=AT, last=None) is None


def test_recovery_codes_are_many_and_forgive_how_they_are_typed() -> None:
    codes = new_recovery_codes()
    assert len({*codes}) == RECOVERY_CODES == 10
    typed = f" {codes[0].upper().replace('-', ' ')} "
    assert hash_of_recovery_code(typed, account="a") == hash_of_recovery_code(codes[0], account="a")
    assert hash_of_recovery_code(codes[0], account="b") != hash_of_recovery_code(codes[0], account="a")


def test_a_password_has_nothing_to_do_with_its_owner() -> None:
    assert weakness("robin.example@example.org", about=("Robin Example", "robin.example@example.org"))
    about = ("Leeward", "Ada Example", "ada@example.org")
    for known in ("ada example org 123", "AdaExample2026", "example.org/leeward"):
        assert weakness(known, about=about), known
    assert weakness("leeward harbour lantern quiet", about=about) is None
    assert weakness("harbour lantern quiet meadow") is None
    assert weakness("elevenchars") == weakness("")


def test_a_password_is_hashed_by_argon2id_and_checked_against_nobodys_if_there_is_none() -> None:
    passwords = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    hashed = passwords.hash("harbour lantern")
    assert hashed.startswith("$argon2id$")
    assert passwords.are_right(hashed, "harbour lantern")
    assert not passwords.are_right(hashed, "harbour lanterns")
    assert not passwords.are_right(None, "nobody's password")
    assert not passwords.are_right("not a hash", "x")


@pytest.mark.parametrize(
    ("wanted", "leads_to"),
    [("/people?state=invited", "/people?state=invited"), ("/", "/"), (None, HOME), ("", HOME), ("people", HOME),
     ("//evil.example.org", HOME), ("/\\evil.example.org", HOME), ("https://evil.example.org", HOME),
     ("/a\nb", HOME), ("/a\r\nSet-Cookie: x", HOME), ("/\tevil", HOME), ("/" + "a" * 300, HOME), ("/a#b", HOME)],
)  # fmt: skip
def test_only_a_page_of_ours_is_gone_to(wanted: str | None, leads_to: str) -> None:
    assert safe_destination(wanted) == leads_to


def session(stage: Stage = Stage.FULL) -> Session:
    return Session(b"", ADA, stage, AT, AT, "", AT, Factor.CODE)


@pytest.mark.parametrize(
    ("roles", "after", "has_ended"),
    [({Role.TRUSTEE}, timedelta(hours=11), False), ({Role.TRUSTEE}, timedelta(hours=12), True),
     ({Role.ASSESSOR}, timedelta(minutes=29), False), ({Role.ASSESSOR}, timedelta(minutes=30), True),
     ({Role.FINANCE}, timedelta(minutes=30), True), ({Role.ADMINISTRATOR}, timedelta(minutes=30), True),
     (set(), timedelta(hours=11), False)],
)  # fmt: skip
def test_how_long_a_session_lasts_without_anything_done_in_it(
    roles: set[Role], after: timedelta, has_ended: bool
) -> None:
    assert sessions.has_ended(session(), frozenset(roles), at=AT + after) == has_ended


@pytest.mark.parametrize("stage", [Stage.PASSWORD, Stage.SET_UP])
def test_half_a_session_lasts_half_an_hour(stage: Stage) -> None:
    assert not sessions.has_ended(session(stage), frozenset(), at=AT + timedelta(minutes=29))
    assert sessions.has_ended(session(stage), frozenset(), at=AT + timedelta(minutes=30))


def test_who_is_signed_in_says_all_that_vouching_needs() -> None:
    who = SignedIn(ADA, "Ada", "ada@example.org", frozenset({Role.ADMINISTRATOR}), AT, AT, Factor.PASSKEY)
    assert Permission.MANAGE_ACCOUNTS in who.permissions
    assert Permission.READ_RECORDS not in who.permissions
    assert (who.therapist_id, who.factor) == (None, Factor.PASSKEY)
    assert who.is_recent(AT + timedelta(minutes=29))
    assert not who.is_recent(AT + timedelta(minutes=30))


def test_a_secret_is_encrypted_for_its_account_alone() -> None:
    cipher = Cipher("QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE=")
    hidden = cipher.encrypt("SECRET", ADA)
    assert cipher.decrypt(hidden, ADA) == "SECRET"
    with pytest.raises(InvalidTag):
        cipher.decrypt(hidden, BEN)
    with pytest.raises(ValueError, match="256 bits"):
        Cipher("QUFB")


def test_a_form_is_of_one_secret() -> None:
    assert is_genuine(csrf_token("one"), "one")
    for token, secret in ((csrf_token("one"), "another"), ("", "one"), (csrf_token(""), ""), ("é", "one"), ("x", None)):
        assert not is_genuine(token, secret)


def test_addresses_are_one_however_they_are_written() -> None:
    assert normal_email(" Ben@Example.ORG ") == "ben@example.org"


def test_a_lists_address_says_its_filters_and_where_it_begins() -> None:
    listing = Listing("/people", {"state": ("active", "Active"), "role": ("finance", "Finance")}, "b@x", "c@x")
    assert listing.chips == [("Active", "/people?role=finance"), ("Finance", "/people?state=active")]
    assert listing.first == "/people?state=active&role=finance"
    assert listing.following == "/people?state=active&role=finance&after=c%40x"
    assert (Listing("/people", {}, "", None).first, Listing("/people", {}, "", None).following) == (None, None)


@pytest.mark.parametrize(
    ("agent", "words"),
    [("Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Windows"),
     ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Safari/604.1", "Safari on iPhone"),
     ("<script>alert(1)</script>", "Another browser"), ("", "Another browser")],
)  # fmt: skip
def test_a_browser_is_told_in_words_of_ours(agent: str, words: str) -> None:
    assert browser_of(agent) == words


def test_few_passwords_are_hashed_at_once() -> None:
    """Each takes 64 MB, and anybody may send one."""
    running: list[int] = []

    class Hasher:
        now = 0

        def hash(self, password: str) -> str:
            return "hash"

        def verify(self, hashed: str, password: str) -> None:
            Hasher.now += 1
            running.append(Hasher.now)
            time.sleep(0.01)
            Hasher.now -= 1

    passwords = Passwords(cast(Any, Hasher()))
    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(lambda _: passwords.are_right("hash", "a password"), range(8)))
    assert max(running) <= AT_ONCE
