"""Sending a request: once, however often somebody clicks, and never lost, however the broker fares."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from leeward.runtime.free_ports import free_ports
from tests.site.running import PASSPHRASE, WORDS, Inbox, Person, RunningSite, running_site
from tests.support.bus import eventually
from tests.support.proxy import ACK, Frame, Proxy
from tests.support.users import Guarded
from web.publisher.spool import Spool

with_and_without_javascript = pytest.mark.parametrize("javascript", [True, False], ids=["javascript", "plain"])
SEND = "main form button"


def test_three_requests_at_once_send_one(person: Callable[..., Person], inbox: Inbox) -> None:
    somebody = person()
    somebody.walk_to("self", "/check")
    page = somebody.page
    sends = """async () => {
      const form = document.querySelector("main form"), body = new URLSearchParams(new FormData(form));
      const answers = await Promise.all([1, 2, 3].map(() => fetch(form.action, {method: "POST", body})));
      return answers.map((one) => new URL(one.url).pathname);
    }"""
    assert page.evaluate(sends) == ["/done"] * 3
    somebody.go_on()
    reference = page.locator(".reference").inner_text()
    assert len(inbox.take()) == 1
    somebody.open("/check")
    assert page.locator(".reference").inner_text() == reference


def through(proxy: Proxy, uri: str) -> str:
    """The same user at the same broker, by way of the proxy."""
    return uri.replace(f":{urlsplit(uri).port}/", f":{proxy.port}/")


@dataclass
class SlowBroker:
    """A site whose broker takes every message, and keeps its confirms back until it is told to give them."""

    site: RunningSite
    confirms: threading.Event

    def keep_back(self, frame: Frame) -> bytes:
        if not frame.up and frame.method == ACK:
            self.confirms.wait(30)
        return frame.raw


@pytest.fixture
def slow(guarded: Guarded, keys: Path, elsewhere: str, tmp_path: Path) -> Iterator[SlowBroker]:
    uri = guarded.uri("web")
    proxy = Proxy(urlsplit(uri).port or 0)
    with running_site(tmp_path, amqp_uri=through(proxy, uri), enquiry_uri=uri, keys=keys, exit_url=elsewhere) as site:
        broker = SlowBroker(site, threading.Event())
        proxy.filters.append(broker.keep_back)
        yield broker
        broker.confirms.set()
    proxy.close()


@with_and_without_javascript
def test_a_double_click_sends_one_request(
    person: Callable[..., Person], inbox: Inbox, slow: SlowBroker, javascript: bool
) -> None:
    somebody = person(slow.site, java_script_enabled=javascript)
    somebody.walk_to("self", "/check")
    with somebody.page.expect_request("**/check"):
        somebody.page.locator(SEND).dblclick(no_wait_after=True)
    slow.confirms.set()
    somebody.page.wait_for_url("**/done")
    assert len(inbox.take()) == 1
    assert len(Spool(slow.site.spool)) == 0


@with_and_without_javascript
def test_two_tabs_that_send_at_once_send_one_request(
    person: Callable[..., Person], inbox: Inbox, slow: SlowBroker, javascript: bool
) -> None:
    somebody = person(slow.site, java_script_enabled=javascript)
    somebody.walk_to("self", "/check")
    other = somebody.in_another_tab()
    other.open("/check")
    for one in (somebody, other):
        with one.page.expect_request("**/check"):
            one.page.locator(SEND).click(no_wait_after=True)
    slow.confirms.set()
    for one in (somebody, other):
        one.page.wait_for_url("**/done")
    references = {one.page.locator(".reference").inner_text() for one in (somebody, other)}
    assert len(references) == 1
    assert len(inbox.take()) == 1
    assert len(Spool(slow.site.spool)) == 0


def sends(somebody: Person, site: RunningSite) -> None:
    """All the way to the confirmation, while the broker is away: what was sent lies sealed on the disk."""
    assert list(somebody.walk("self", more=True))[-1] == "/done"
    assert somebody.page.locator(".reference").inner_text().count("-") == 2
    assert len(Spool(site.spool)) == 1
    folder = site.spool.parent
    assert not any(WORDS in path.read_text() for path in folder.rglob("*") if path.is_file())


def test_what_is_sent_while_the_broker_is_away_arrives_once_when_it_is_back(
    person: Callable[..., Person], guarded: Guarded, inbox: Inbox, keys: Path, elsewhere: str, tmp_path: Path
) -> None:
    """Goes away under an open connection, comes back to the same process, and a restart sends nothing again."""
    port = urlsplit(guarded.uri("web")).port
    assert port
    proxy = Proxy(port)
    uris = {"amqp_uri": through(proxy, guarded.uri("web")), "enquiry_uri": through(proxy, guarded.uri("enquiry"))}
    with running_site(tmp_path, **uris, keys=keys, exit_url=elsewhere) as site:
        assert list(person(site).walk("self"))[-1] == "/done"
        assert len(inbox.take()) == 1
        (proxy.target,) = free_ports(1)
        proxy.reset_all()
        somebody = person(site)
        sends(somebody, site)
        somebody.open("/request")
        somebody.page.fill("#reference", "9C28-SAU2-5")
        somebody.page.fill("#passphrase", PASSPHRASE)
        somebody.go_on()
        assert "We can’t look right now" in somebody.says()
        proxy.target = port
        (sent,) = inbox.take()
        assert sent.concern == WORDS
        eventually(lambda: len(Spool(site.spool)) == 0, "the spool is empty")
    with running_site(tmp_path, **uris, keys=keys, exit_url=elsewhere) as site:
        assert list(person(site).walk("survivor"))[-1] == "/done"
        assert [one.definition for one in inbox.take()] == ["survivor"]
    proxy.close()


def test_what_is_sent_while_the_broker_is_away_arrives_after_a_restart(
    person: Callable[..., Person], guarded: Guarded, inbox: Inbox, keys: Path, elsewhere: str, tmp_path: Path
) -> None:
    away = f"amqp://web:drama-web@127.0.0.1:{free_ports(1)[0]}/"
    with running_site(tmp_path, amqp_uri=away, enquiry_uri=away, keys=keys, exit_url=elsewhere) as site:
        sends(person(site), site)
    with running_site(tmp_path, amqp_uri=guarded.uri("web"), enquiry_uri=away, keys=keys, exit_url=elsewhere) as site:
        (sent,) = inbox.take()
        assert sent.concern == WORDS
        eventually(lambda: len(Spool(site.spool)) == 0, "the spool is empty")
