"""Every page, tried by those who may open it and those who may not, and by those who mean harm."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest

from contracts.permissions import Permission, Role, permissions_of
from tests.console.conftest import AT, PASSWORD, Browser, House
from tests.console.test_signing_in import ADA
from web.console.console import STAFF
from web.console.live import Live
from web.console.pages.table import pages_of
from web.shared.accounts.application import people
from web.shared.accounts.domain.grants import RoleGrant
from web.shared.accounts.domain.sessions import SignedIn
from web.shared.accounts.domain.vocabulary import Factor, GrantState
from web.shared.staff.access import Door, Page, may_open

NOBODY = "00000000-0000-0000-0000-000000000000"
SAMPLES = {
    "action:action": "lock", "secret:link": "A" * 43, "queue:queue": "waiting", "route:route": "self",
    **dict.fromkeys(("account:id", "passkey:id", "referral:id", "concern:id", "therapist:id", "prepared:id"), NOBODY),
    **dict.fromkeys(("duty:id", "invitation:id", "link:id", "message:id", "other:id", "view:id"), NOBODY),
}  # fmt: skip
NO_DESK: Any = None
PAGES = pages_of(NO_DESK, Live(""))
ROUTES = [(page, method) for page in PAGES for method in page.methods]
INSIDE = [(page, method) for page, method in ROUTES if page.need is not Door.ANYBODY]


def address(page: Page) -> str:
    return re.sub(r"\{([^}]+)\}", lambda found: SAMPLES[found[1]], page.path)


def ask(browser: Browser, page: Page, method: str, **fields: Any) -> Any:
    """Asks as somebody who posts a form of ours, and goes nowhere else."""
    token = browser.token_for_forms() if method == "POST" else ""
    return browser.client.request(
        method, address(page), data={"csrf": token, **fields} if method == "POST" else None, follow_redirects=False
    )


@pytest.fixture
def ada(house: House) -> Browser:
    return house.first_administrator()


@pytest.fixture
def somebody(house: House, ada: Browser) -> Iterator[Any]:
    """Makes a browser in which somebody with just this role is signed in."""

    def with_role(role: Role) -> Browser:
        email = f"{role}@example.org"
        people.invite(house.accounts, by=UUID(house.id_of(ADA)), email=email, name="Sam Example", roles=())
        browser = house.browse()
        with house.accounts.work() as work:
            found = work.accounts.find_by_email(email)
            assert found
            by, at = UUID(house.id_of(ADA)), work.now
            work.accounts.add_grant(RoleGrant(found.account.id, role, GrantState.EFFECTIVE, by, at))
        browser.set_up(house.newest_letter().link or "")
        return browser

    return with_role


def test_whoever_isnt_signed_in_is_led_to_signing_in(house: House) -> None:
    for page, method in ROUTES:
        answer = ask(house.browse(), page, method)
        if page.need is Door.ANYBODY:
            assert answer.status_code in (200, 303, 400, 410), (method, page.path)
        else:
            assert answer.status_code == 303, (method, page.path)
            assert answer.headers["Location"].partition("?")[0] == "/sign-in"


@pytest.mark.parametrize("role", sorted(STAFF))
def test_every_role_opens_its_pages_and_no_others(house: House, somebody: Any, role: Role) -> None:
    browser = somebody(role)
    for page, method in INSIDE:
        if page.need is Door.HALF_SIGNED_IN:
            continue
        match page.need:
            case Permission():
                is_allowed = page.need in permissions_of(role)
            case Door.CONFIRMS_ROLES:
                is_allowed = role in (Role.ADMINISTRATOR, Role.SAFEGUARDING_LEAD)
            case _:
                is_allowed = True
        answer = ask(browser, page, method)
        assert (answer.status_code != 403) == is_allowed, (method, page.path, answer.status_code)
        assert answer.status_code < 500 or answer.status_code == 503, "the services are away"


def test_every_page_says_who_may_open_it() -> None:
    assert {page.path for page in PAGES if page.need is Door.ANYBODY} == {
        "/sign-in", "/sign-in/provider", "/sign-in/provider/back", "/sign-out", "/link/{secret:link}", "/set-up",
    }  # fmt: skip
    nobody = SignedIn(UUID(int=0), "", "", frozenset(), AT, AT, Factor.CODE)
    assert [page.path for page in PAGES if isinstance(page.need, Permission) and may_open(page.need, nobody)] == []


@pytest.mark.parametrize("forged", ["without", "somebody_elses", "from_elsewhere"])
def test_a_form_that_we_did_not_show_to_this_browser_does_nothing(house: House, ada: Browser, forged: str) -> None:
    other = house.browse()
    other.open("/sign-in")
    token = {"without": "", "somebody_elses": other.token_for_forms(), "from_elsewhere": ada.token_for_forms()}[forged]
    headers = {"Sec-Fetch-Site": "cross-site"} if forged == "from_elsewhere" else {}
    before = snapshot(house)
    for page, method in ROUTES:
        if method == "POST":
            answer = ada.client.post(address(page), data={"csrf": token}, headers=headers, follow_redirects=False)
            assert answer.status_code == 403, page.path
            assert "This form has expired" in answer.text
    assert snapshot(house) == before


def test_asking_for_a_page_changes_nothing(house: House, ada: Browser) -> None:
    before = snapshot(house)
    for page, method in ROUTES:
        if method == "GET":
            ada.client.get(address(page), follow_redirects=False)
            assert snapshot(house) == before, page.path


@pytest.mark.parametrize(
    "elsewhere",
    ["https://evil.example.org/", "//evil.example.org", "/\\evil.example.org", "/\t/evil.example.org", "javascript:1",
     "https:evil", "/%0d%0aSet-Cookie:x=1", "/a\r\nLocation: https://evil.example.org", "\\\\evil"],
)  # fmt: skip
def test_signing_in_leads_to_a_page_of_ours(house: House, ada: Browser, elsewhere: str) -> None:
    browser = house.browse()
    browser.secret = ada.secret
    browser.client.follow_redirects = False
    browser.client.get("/sign-in", params={"next": elsewhere})
    fields = {"csrf": browser.token_for_forms(), "email": ADA, "password": PASSWORD, "next": elsewhere}
    half = browser.client.post("/sign-in", data=fields)
    assert half.headers["Location"].startswith("/sign-in/code")
    full = browser.client.post(
        "/sign-in/code", data={"csrf": browser.token_for_forms(), "code": ada.code(), "next": elsewhere}
    )
    assert full.status_code == 303
    for answer in (half, full):
        assert re.match(r"/(?![/\\])", answer.headers["Location"])
        assert "evil" not in answer.headers["Location"].partition("?")[0]
        assert "x=1" not in str(answer.headers.get_list("Set-Cookie"))


@pytest.mark.parametrize(
    "planted",
    ["Ben\r\nBcc: all@example.org", "Ben\nX", "Ben\x00", "Ben\u2028X", "Ben\u202eX", "Ben\u2066X", "Ben\x9bX"],
)
def test_a_name_stays_in_its_line(house: House, ada: Browser, planted: str) -> None:
    ada.open("/people/invite")
    ada.post("/people/invite", name=planted, email="ben@example.org")
    assert "Write it in one line." in ada.text
    ada.post("/people/invite", name="Ben", email=planted.replace("Ben", "ben@example.org"))
    assert "Write an e-mail address" in ada.text


def test_what_somebody_is_called_is_never_markup(house: House, ada: Browser) -> None:
    ada.open("/people/invite")
    ada.post("/people/invite", name="<script>alert(1)</script>", email="ben@example.org")
    ada.open("/people")
    assert "<script>alert" not in ada.last.text
    assert "&lt;script&gt;alert(1)" in ada.last.text


def test_cookies_are_for_our_pages_alone(house: House, ada: Browser) -> None:
    browser = house.browse()
    browser.open("/sign-in")
    answers = [browser.last]
    fields = {"csrf": browser.token_for_forms(), "email": ADA, "password": PASSWORD}
    answers.append(browser.client.post("/sign-in", data=fields, follow_redirects=False))
    cookies = [cookie for answer in answers for cookie in answer.headers.get_list("Set-Cookie")]
    assert len(cookies) == 2
    for cookie in cookies:
        assert cookie.startswith("leeward-console")
        assert "HttpOnly" in cookie
        assert "SameSite=lax" in cookie


def test_a_stranger_who_asks_by_another_name_gets_an_error(house: House) -> None:
    answer = house.browse().client.get("/sign-in", headers={"Host": "evil.example.org"})
    assert answer.status_code == 400


def test_every_page_carries_the_headers_of_all_front_ends(house: House, ada: Browser) -> None:
    for page, method in ROUTES:
        headers = ask(ada, page, method).headers
        assert headers["Cache-Control"] == "no-store"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]


def test_a_secret_of_a_link_leaves_the_address(house: House) -> None:
    answer = house.browse().client.get(f"/link/{'A' * 43}", follow_redirects=False)
    assert answer.headers["Location"] == "/set-up"
    assert "A" * 43 not in answer.text


def snapshot(house: House) -> dict[str, list[str]]:
    """What every table holds, without what a look alone may note: when a session was used, and a challenge."""
    tables = house.accounts.database.tables.audit_entry.metadata.sorted_tables
    left_out = {"used_at", "challenge", "totp_secret"}
    with house.accounts.reading() as work:
        return {
            table.name: sorted(
                map(repr, work.unit.session.execute(
                    table.select().with_only_columns(*(c for c in table.c if c.name not in left_out))
                ).all())
            )
            for table in tables
        }  # fmt: skip


def test_a_role_that_is_ticked_twice_is_given_once(house: House, ada: Browser) -> None:
    ada.open("/people/invite")
    fields = {"name": "Ben", "email": "ben@example.org", "roles": [Role.TRUSTEE, Role.TRUSTEE]}
    assert ada.post("/people/invite", **fields).status_code == 200
    assert house.id_of("ben@example.org")
