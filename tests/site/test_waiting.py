"""Pages are shown while others wait: for intake, for the broker, for their own turn."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any
from uuid import uuid4

import pytest

from chassis.rpc import NoAnswer
from contracts.reference import reference_for
from contracts.vocabulary import SubmissionId
from tests.site.conftest import Browser
from web.site import enquiry
from web.site.app import MOST_SENDING
from web.site.enquiry import MOST_AT_ONCE

PEOPLE = 60
DEADLINE_SECONDS = 30


class StuckIntake:
    """An intake that answers nobody until the test is over."""

    let_go = threading.Event()
    asked = 0

    def __init__(self, amqp_uri: str, front_end: str) -> None: ...

    def call(self, *_: Any, **__: Any) -> Any:
        StuckIntake.asked += 1
        assert self.let_go.wait(DEADLINE_SECONDS * 2)
        raise NoAnswer("intake did not answer")

    def close(self) -> None: ...


@pytest.fixture
def people() -> Iterator[ThreadPoolExecutor]:
    """Let go at the end, whatever they still wait for."""
    StuckIntake.let_go.clear()
    StuckIntake.asked = 0
    with ThreadPoolExecutor(PEOPLE + 1) as pool:
        yield pool
        StuckIntake.let_go.set()


def done(asked: list[Future[Any]], count: int) -> list[Any]:
    """The answers, once so many are there."""
    finished = threading.Semaphore(0)
    for one in asked:
        one.add_done_callback(lambda _: finished.release())
    assert all(finished.acquire(timeout=DEADLINE_SECONDS) for _ in range(count)), "they wait for one another"
    return [one.result() for one in asked if one.done()]


def test_while_intake_is_stuck_a_few_wait_for_it_the_others_are_told_at_once_and_every_page_is_shown(
    browse: Callable[..., Browser], people: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(enquiry, "RpcClient", StuckIntake)
    browser = browse(enquiry_amqp_uri="amqp://stuck", questions_per_hour=2 * PEOPLE)

    def ask(_: int) -> Any:
        reference = reference_for(SubmissionId(uuid4()))
        return browser.client.post("/request", data={"reference": reference, "passphrase": "harbour lantern"})

    asked = [people.submit(ask, one) for one in range(PEOPLE)]
    told = done(asked, PEOPLE - MOST_AT_ONCE)
    assert len(told) == PEOPLE - MOST_AT_ONCE
    for answer in told:
        assert "We can’t look right now" in answer.text
        assert "try again in a little while, or call us on 01632 960 001" in answer.text
    page = people.submit(browser.client.get, "/")
    assert wait([page], DEADLINE_SECONDS).done, "the first page waits for them"
    assert "Ask for help" in page.result().text
    StuckIntake.let_go.set()
    assert all("We can’t look right now" in one.result().text for one in asked)
    ask(PEOPLE)
    assert StuckIntake.asked == MOST_AT_ONCE + 1, "and the next may ask again"


class StuckBroker:
    """Where a send waits until the test is over."""

    def __call__(self, *_: Any, **__: Any) -> Any:
        assert StuckIntake.let_go.wait(DEADLINE_SECONDS * 2)
        raise OSError("no broker")


def test_while_the_broker_is_stuck_every_page_is_shown(
    browse: Callable[..., Browser], people: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = browse(questions_per_hour=2 * PEOPLE)
    stuck = threading.Semaphore(0)

    def withdraw(_: Any) -> None:
        stuck.release()
        StuckBroker()()

    monkeypatch.setattr(browser.site.publisher, "withdraw", withdraw)

    def take_back(_: int) -> Any:
        reference = reference_for(SubmissionId(uuid4()))
        return browser.client.post("/withdraw", data={"reference": reference, "passphrase": "harbour lantern"})

    asked = [people.submit(take_back, one) for one in range(PEOPLE)]
    assert all(stuck.acquire(timeout=DEADLINE_SECONDS) for _ in range(MOST_SENDING))
    assert "Ask for help" in done([people.submit(browser.client.get, "/")], 1)[0].text
    StuckIntake.let_go.set()
    assert {one.result().status_code for one in asked} == {500}


def test_whoever_presses_the_same_button_again_and_again_holds_no_page_up(
    browser: Browser, people: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser.begin()
    browser.fill_in()
    csrf = browser.last.text.partition('name="csrf" value="')[2].partition('"')[0]
    begun = threading.Event()

    def request_help(*_: Any, **__: Any) -> None:
        begun.set()
        StuckBroker()()

    monkeypatch.setattr(browser.site.publisher, "request_help", request_help)
    pressed = [people.submit(browser.client.post, "/check", data={"csrf": csrf}) for _ in range(PEOPLE // 2)]
    assert begun.wait(DEADLINE_SECONDS)
    looked = [people.submit(browser.client.get, "/check") for _ in range(PEOPLE // 2)]
    assert "Ask for help" in done([people.submit(browser.client.get, "/")], 1)[0].text
    left = done([people.submit(browser.client.get, "/exit", follow_redirects=False)], 1)[0]
    assert left.status_code == 303, "nobody has to wait to leave"
    StuckIntake.let_go.set()
    assert [one.result().status_code for one in pressed].count(500) == 1, "the others find it closed"
    assert {look.result().url.path for look in looked} == {"/closed"}
