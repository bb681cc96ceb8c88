"""How many people may write at once, and what becomes of them when there is no more room."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from starlette.testclient import TestClient

from tests.site.conftest import AT, Browser
from web.site.sessions import NoRoom, Session, Sessions

LASTS = timedelta(minutes=30)
WRITTEN = {"concern": "planted words"}


class Kept:
    """Sessions with a clock of their own."""

    def __init__(self, most: int) -> None:
        self.now = AT
        self.sessions = Sessions(lambda: self.now, LASTS, most)

    def begin(self, answers: dict[str, str] | None = None) -> str:
        """A session that begins a second after the one before."""
        self.now += timedelta(seconds=1)
        return self.sessions.begin(Session(route="self", started_at=self.now.isoformat(), answers=dict(answers or {})))

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
