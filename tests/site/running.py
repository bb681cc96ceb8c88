"""The site as its own process on a real broker, and people who use it in a real browser."""

from __future__ import annotations

import json
import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pika
from playwright.sync_api import BrowserContext, Page

from chassis.clock import SharedClock
from chassis.privacy.sealing import Keyring
from contracts.sealed import HelpSubmission
from leeward.runtime.free_ports import free_ports
from leeward.runtime.supervisor import wait_until_it_is_ready
from tests.support.bus import eventually
from tests.support.processes import run_module

PASSPHRASE = "harbour lantern quiet meadow"
WORDS = "Planted words that nobody else may see"
TYPED = {
    "postcode": "NP20 4UR", "passphrase": PASSPHRASE, "concern": WORDS, "telephone": "01632 960 123",
    "writer_name": "Sam Example", "writer_telephone": "01632 960 124",
    "prison_name": "HMP Example", "prison_address": "HMP Example\nNewport", "distance_miles": "about 10 miles",
    "fee_ceiling": "25",
}  # fmt: skip
CHOSEN = {
    "confidentiality_understood": "yes", "consent_processing": "yes", "contact_way": "call", "self_verification": "yes",
    "relationship": "partner", "adult": "yes", "help_wanted": "one_to_one", "client_agrees": "", "profession": "",
    "client_group": "", "writer_contact_way": "call", "writer_hours": "", "writer_may_leave_message": "",
    "writer_say_who": "", "agreed_how": "", "agreed_therapist": "", "who_writes": "", "hours": "",
    "may_leave_message": "", "say_who": "",
    "sessions": "either", "therapist_sex": "female", "talk_in": "cy", "can_pay": "up_to", "subsidy_requested": "yes",
    "wheelchair_access": "yes",
}  # fmt: skip
"""What has to be chosen; nothing means the first there is."""


@dataclass
class RunningSite:
    """A site's process, what it is given, and its address."""

    address: str
    process: subprocess.Popen[bytes]
    spool: Path
    log: Path
    clock: SharedClock
    """The clock that the process goes by."""


@contextmanager
def running_site(
    folder: Path, *, amqp_uri: str, enquiry_uri: str, keys: Path, exit_url: str, **settings: str
) -> Iterator[RunningSite]:
    (port,) = free_ports(1)
    address, spool, clock_file = f"http://127.0.0.1:{port}", folder / "spool", folder / "clock"
    environment = {
        **os.environ, "AMQP_URI": amqp_uri, "SITE_ENQUIRY_AMQP_URI": enquiry_uri, "LEEWARD_KEYS": str(keys),
        "SITE_SPOOL": str(spool), "SITE_SECURE": "false", "SITE_EXIT_URL": exit_url,
        "LEEWARD_SITE": f"127.0.0.1:{port}", "LEEWARD_CLOCK_FILE": str(clock_file),
        "SITE_LEAST_SECONDS": "0", "SITE_SENDS_PER_HOUR": "1000", "SITE_DELIVER_SECONDS": "0.2", **settings,
    }  # fmt: skip
    log = folder / "site.log"
    with log.open("ab") as output:
        process = run_module("web.site", env=environment, stdout=output, stderr=output, stdin=subprocess.DEVNULL)
    try:
        assert wait_until_it_is_ready(address, process), log.read_text()
        yield RunningSite(address, process, spool, log, SharedClock(clock_file))
    finally:
        process.terminate()
        process.wait(30)


class Inbox:
    """What the site sent, as intake would take it."""

    def __init__(self, amqp_uri: str, keys: Path) -> None:
        self._connection = pika.BlockingConnection(pika.URLParameters(amqp_uri))
        self._channel = self._connection.channel()
        self._keyring = Keyring(keys, "intake")

    def take(self) -> list[HelpSubmission]:
        """Everything that lies there, once something does."""
        first = eventually(self._one, "a request arrives")
        found = [first]
        while more := self._one():
            found.append(more)
        return found

    def empty(self) -> None:
        self._channel.queue_purge("intake.inbox")

    def close(self) -> None:
        self._connection.close()

    def _one(self) -> HelpSubmission | None:
        self._connection.process_data_events(0)
        method, _, body = self._channel.basic_get("intake.inbox", auto_ack=True)
        return self._keyring.open(HelpSubmission, json.loads(body)["sealed"]) if method else None


@contextmanager
def neutral_site() -> Iterator[str]:
    """Stands for the weather forecast."""

    class Weather(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = b"<!doctype html><html lang=en><title>Weather</title><h1>Sunny spells</h1>"
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Weather)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()


class Person:
    """Somebody at a browser."""

    def __init__(self, context: BrowserContext, site: RunningSite) -> None:
        self.page: Page = context.new_page()
        self.site = site

    def in_another_tab(self) -> Person:
        return Person(self.page.context, self.site)

    def open(self, path: str) -> None:
        self.page.goto(self.site.address + path)

    @property
    def path(self) -> str:
        return self.page.url.removeprefix(self.site.address).partition("?")[0]

    def go_on(self) -> None:
        with self.page.expect_navigation():
            self.page.locator("main form button").first.click()

    def begin(self, route: str, prefix: str = "") -> None:
        self.open(prefix + "/")
        self.page.check(f"input[name=route][value={route}]")
        self.go_on()

    def answer(self) -> None:
        """Answers what this page asks, with as little as it takes and the planted words."""
        asked = self.page.eval_on_selector_all("main form [name]", "all => all.map((one) => [one.name, one.value])")
        for name in dict.fromkeys(name for name, _ in asked):
            values = [value for one, value in asked if one == name]
            if name in TYPED:
                self.page.fill(f"[name={name}]", TYPED[name])
            elif name in CHOSEN:
                self.page.check(f"[name={name}][value={CHOSEN[name] or values[0]}]")

    def walk(self, route: str, prefix: str = "", *, more: bool = False) -> Iterator[str]:
        """Goes through the form, and stops at every page for the test to look, up to the confirmation; also through
        what can wait, if more is told."""
        self.begin(route, prefix)
        yield self.path
        self.go_on()
        for _ in range(60):
            yield self.path
            if self.path == f"{prefix}/done":
                return
            if self.path != f"{prefix}/check":
                self.answer()
            elif more:
                more = False
                self.tell_more()
                continue
            before = self.page.url
            self.go_on()
            assert self.page.url != before, self.page.locator("main").inner_text()
        raise AssertionError("the form has no end")

    def tell_more(self) -> None:
        """Begins with what can wait, from the page that offers it."""
        with self.page.expect_navigation():
            self.page.locator("[aria-labelledby=more] a").first.click()

    def walk_to(self, route: str, path: str, *, more: bool = False) -> None:
        for _ in self.walk(route, more=more):
            if self.path == path:
                return
        raise AssertionError(f"never came to {path}")

    def says(self) -> str:
        return self.page.locator("body").inner_text()
