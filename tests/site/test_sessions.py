"""How many people may write at once, and what becomes of them when there is no more room."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from environs import Env
from starlette.testclient import TestClient

from tests.site.conftest import AT, Browser
from web.shared.limits import HourlyLimit, network_of
from web.site.sessions import NoRoom, Session, Sessions
from web.site.settings import read

LASTS = timedelta(minutes=30)
WRITTEN = {"concern": "planted words"}


class Kept:
    """Sessions with a clock of their own."""

    def __init__(self, most: int, per_address: int = 1000) -> None:
        self.now = AT
        self.sessions = Sessions(lambda: self.now, LASTS, most, per_address)

    def begin(self, answers: dict[str, str] | None = None, address: str = "192.0.2.1") -> str:
        """A session that begins a second after the one before."""
        self.now += timedelta(seconds=1)
        session = Session(route="self", started_at=self.now.isoformat(), answers=dict(answers or {}))
        return self.sessions.begin(session, address)

    def holds(self, token: str) -> bool:
        with self.sessions.open(token) as session:
            return session is not None


def test_where_there_is_no_room_the_empty_session_that_is_idle_for_longest_ends() -> None:
    kept = Kept(most=3)
    written, first, second = kept.begin(WRITTEN), kept.begin(), kept.begin()
    kept.now += timedelta(minutes=1)
    assert kept.holds(first), "and is used, so that the second is idle for longer"
    third = kept.begin()
    assert [kept.holds(token) for token in (written, first, second, third)] == [True, True, False, True]
    assert len(kept.sessions) == 3


def test_what_somebody_has_written_is_never_given_up_for_somebody_else() -> None:
    kept = Kept(most=2)
    written = [kept.begin(WRITTEN), kept.begin(WRITTEN)]
    with pytest.raises(NoRoom):
        kept.begin()
    assert all(kept.holds(token) for token in written)
    kept.now += LASTS
    assert kept.holds(kept.begin())
    assert len(kept.sessions) == 1


def test_a_session_with_its_first_answer_is_no_longer_empty_and_a_sent_one_is_again() -> None:
    kept = Kept(most=1)
    token = kept.begin()
    with kept.sessions.open(token) as session:
        assert session is not None
        session.answers.update(WRITTEN)
    with pytest.raises(NoRoom):
        kept.begin()
    with kept.sessions.open(token) as session:
        assert session is not None
        session.forget_answers()
    assert kept.holds(kept.begin())


def test_an_address_that_has_its_share_gives_up_an_empty_session_of_its_own() -> None:
    kept = Kept(most=100, per_address=2)
    elsewhere = kept.begin(address="192.0.2.2")
    written, first = kept.begin(WRITTEN), kept.begin()
    second = kept.begin()
    assert [kept.holds(token) for token in (elsewhere, written, first, second)] == [True, True, False, True]


def test_an_address_that_fills_its_share_with_answers_is_refused_and_nobody_else() -> None:
    kept = Kept(most=100, per_address=2)
    written = [kept.begin(WRITTEN), kept.begin(WRITTEN)]
    with pytest.raises(NoRoom):
        kept.begin()
    assert kept.holds(kept.begin(address="192.0.2.2"))
    assert all(kept.holds(token) for token in written)


def test_where_all_is_full_the_address_that_has_most_gives_up_an_empty_one_first() -> None:
    kept = Kept(most=4, per_address=3)
    alone = kept.begin(address="192.0.2.2")
    crowd = [kept.begin(), kept.begin(), kept.begin()]
    assert kept.holds(kept.begin(address="192.0.2.3"))
    assert kept.holds(alone), "though it was idle for longest"
    assert [kept.holds(token) for token in crowd] == [False, True, True]


def test_130_visits_from_one_address_leave_room_for_the_next_visitor(browse: Callable[..., Browser]) -> None:
    browser = browse(most_sessions=100, most_sessions_per_address=25)

    def visitor(address: str) -> TestClient:
        return TestClient(browser.client.app, client=(address, 50_000))

    def write(client: TestClient) -> int:
        begun: int = client.post("/", data={"route": "self"}).status_code
        csrf = browser_csrf(client.get("/leaving").text)
        client.post("/leaving", data={"csrf": csrf})
        client.post("/step/1", data={"csrf": csrf, "confidentiality_understood": "yes"})
        return begun

    assert [write(visitor("192.0.2.1")) for _ in range(25)] == [200] * 25
    refused = [visitor("192.0.2.1").post("/", data={"route": "self"}).status_code for _ in range(105)]
    assert set(refused) == {503}
    assert write(visitor("192.0.2.2")) == 200


def browser_csrf(page: str) -> str:
    return page.partition('name="csrf" value="')[2].partition('"')[0]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("fe80::1%eth0", "fe80::2%eth1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("unknown", "unknown", True),
    ],
)
def test_all_of_a_household_s_ipv6_addresses_count_as_one(one: str, other: str, same: bool) -> None:
    assert (network_of(one) == network_of(other)) == same


def test_the_hourly_limit_counts_by_household_and_its_memory_is_bounded(
    browse: Callable[..., Browser], monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = browse(questions_per_hour=1)
    asked = {"reference": "9C28-SAU2-5", "passphrase": "guess"}
    codes = [
        TestClient(browser.client.app, client=(f"2001:db8:1:2::{one}", 50_000)).post("/request", data=asked).status_code
        for one in (1, 2)
    ]
    assert codes == [200, 429]
    monkeypatch.setattr("web.shared.limits.MOST_REMEMBERED", 2)
    limit = HourlyLimit(1, lambda: AT)
    assert [limit.record_hit(who) for who in ("a", "b", "b", "c", "b", "a")] == [
        False,
        False,
        True,
        False,
        True,
        False,
    ]


def test_the_share_of_an_address_is_a_setting_and_never_all(
    monkeypatch: pytest.MonkeyPatch, site_settings: object
) -> None:
    shares = []
    for most in ("5000", "100", "1"):
        monkeypatch.setenv("SITE_MOST_SESSIONS", most)
        shares.append(read(Env()).most_sessions_per_address)
    assert shares == [100, 25, 1]
    monkeypatch.setenv("SITE_MOST_SESSIONS_PER_ADDRESS", "40")
    assert read(Env()).most_sessions_per_address == 40


def test_whoever_comes_when_there_is_no_room_is_told_whom_to_call(browse: Callable[..., Browser]) -> None:
    browser = browse(most_sessions=1)
    browser.begin()
    browser.post("/step/1", confidentiality_understood="yes")
    cookies = dict(browser.client.cookies)
    somebody = TestClient(browser.client.app)
    answer = somebody.post("/", data={"route": "survivor"})
    assert answer.status_code == 503
    for told in ("We can’t take another form right now", "01632 960 001", "116 123", "999"):
        assert told in answer.text
    assert "visit" not in somebody.cookies
    assert answer.headers["Cache-Control"] == "no-store"
    assert dict(browser.client.cookies) == cookies
    assert browser.open("/step/2").url.path == "/step/2", "nobody else has lost anything"
