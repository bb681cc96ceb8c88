"""The site in this process, with a real publisher and a broker that is away, unless a test says otherwise; and as a
process of its own on a real broker, with a real browser before it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from environs import Env
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import sync_playwright
from starlette.testclient import TestClient

from chassis.clock import ManualClock
from chassis.privacy.sealing import Keyring, make_keys
from contracts.sealed import HelpSubmission
from leeward.runtime.free_ports import free_ports
from leeward.runtime.local_broker import Node
from tests.site.running import Inbox, Person, RunningSite, neutral_site, running_site
from tests.support.chromium import ARGUMENTS, ensure_installed
from tests.support.users import Guarded, import_definitions
from web.publisher.spool import Spool
from web.site.app import build_app
from web.site.settings import SiteSettings, read
from web.site.site import Site, open_site

AT = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


@dataclass
class Browser:
    """A person's browser, as far as a form needs one: it follows redirects and posts what the page holds."""

    client: TestClient
    site: Site
    clock: ManualClock
    keys: Path

    def open(self, path: str) -> Any:
        self.last = self.client.get(path)
        return self.last

    def post(self, path: str, **fields: Any) -> Any:
        """Posts with the hidden fields of the page that was opened last."""
        hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', self.last.text))
        self.last = self.client.post(path, data={**hidden, **fields})
        return self.last

    def begin(self, route: str = "self") -> Any:
        self.open("/")
        self.post("/", route=route)
        return self.post("/leaving")

    def fill_in(self, **given: Any) -> Any:
        """Goes on to the check page with these answers, leaving out whatever may be left out; and, where some of them
        are asked only of who tells more, on from there and back again."""
        needed: dict[str, Any] = {
            "confidentiality_understood": "yes", "consent_processing": "yes", "postcode": "NP20 4UR",
            "contact_way": "i_call", "passphrase": "harbour lantern quiet",
        } | given  # fmt: skip
        asked: set[str] = set()
        for _ in range(60):
            if self.path.endswith("/check"):
                if set(given) <= asked or not (more := self.topic()):
                    return self.last
                self.open(more)
            names = set(re.findall(r'name="([a-z_-]+)"', self.last.text))
            asked |= names
            self.post(self.path, **{name: value for name, value in needed.items() if name in names})
            assert self.last.status_code == 200, self.text
        raise AssertionError(f"stuck at {self.path}")

    def topic(self) -> str | None:
        """Where the first of the topics leads that can wait, if the check page names one."""
        found = re.search(r'<li><a href="([^"]+/[0-9]+)">', self.last.text)
        return found[1] if found else None

    @property
    def path(self) -> str:
        return str(self.last.url.path)

    @property
    def text(self) -> str:
        """What the page says, without its markup."""
        return " ".join(unescape(re.sub(r"<[^>]+>", " ", self.last.text)).split())

    def submissions(self) -> list[HelpSubmission]:
        """What lies in the spool, opened as intake would."""
        keyring = Keyring(self.keys, "intake")
        return [
            keyring.open(HelpSubmission, json.loads(one.body)["sealed"])
            for one in Spool(self.site.settings.spool).waiting()
            if one.routing_key == "HelpRequested"
        ]


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site-keys")
    make_keys(folder, "intake")
    return folder


@pytest.fixture
def site_settings(keys: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SiteSettings:
    (port,) = free_ports(1)
    monkeypatch.setenv("AMQP_URI", f"amqp://guest:guest@127.0.0.1:{port}/")
    monkeypatch.setenv("LEEWARD_KEYS", str(keys))
    monkeypatch.setenv("SITE_SPOOL", str(tmp_path / "spool"))
    monkeypatch.setenv("SITE_HOSTS", "testserver")
    monkeypatch.setenv("SITE_SECURE", "false")
    monkeypatch.setenv("SITE_LEAST_SECONDS", "0")
    monkeypatch.setenv("SITE_EXIT_URL", "http://neutral.example.org/")
    return read(Env())


@pytest.fixture
def browse(site_settings: SiteSettings, keys: Path) -> Iterator[Callable[..., Browser]]:
    """Opens a browser on a site of its own; settings may be changed."""
    opened = []

    def start(**changes: Any) -> Browser:
        clock = ManualClock(AT)
        site = open_site(replace(site_settings, **changes), clock)
        client = TestClient(build_app(site), follow_redirects=True)
        client.__enter__()
        opened.append(client)
        return Browser(client, site, clock, keys)

    yield start
    for client in opened:
        client.__exit__(None, None, None)


@pytest.fixture
def browser(browse: Callable[..., Browser]) -> Browser:
    return browse()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Chromium]:
    executable = ensure_installed()
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=executable, args=ARGUMENTS)
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def guarded(node: Node, tmp_path_factory: pytest.TempPathFactory) -> Guarded:
    """A broker on which the site has only the rights that it is given for good."""
    return import_definitions(node, "site", tmp_path_factory.mktemp("site-definitions"))


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[str]:
    with neutral_site() as address:
        yield address


@pytest.fixture(scope="module")
def running(
    guarded: Guarded, keys: Path, elsewhere: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningSite]:
    folder = tmp_path_factory.mktemp("site")
    with running_site(
        folder, amqp_uri=guarded.uri("web"), enquiry_uri=guarded.uri("enquiry"), keys=keys, exit_url=elsewhere
    ) as site:
        yield site


@pytest.fixture
def inbox(guarded: Guarded, keys: Path) -> Iterator[Inbox]:
    opened = Inbox(guarded.admin_uri, keys)
    opened.empty()
    yield opened
    opened.close()


@pytest.fixture
def person(chromium: Chromium, running: RunningSite) -> Iterator[Callable[..., Person]]:
    """Somebody with a browser of their own; options are Playwright's for a new context."""
    contexts = []

    def come(site: RunningSite = running, **options: object) -> Person:
        context = chromium.new_context(**options)  # type: ignore[arg-type]
        context.set_default_timeout(20_000)
        contexts.append(context)
        return Person(context, site)

    yield come
    for context in contexts:
        context.close()
