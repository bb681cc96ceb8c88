"""The site in this process, with a real publisher and a broker that is away, unless a test says otherwise."""

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
from starlette.testclient import TestClient

from chassis.clock import ManualClock
from chassis.sealing import Keyring, make_keys
from contracts.sealed import HelpSubmission
from leeward.ports import free_ports
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
        """Goes on to the check page with these answers, leaving out whatever may be left out."""
        needed: dict[str, Any] = {
            "confidentiality_understood": "yes", "consent_processing": "yes", "postcode": "NP20 4UR",
            "contact_way": "i_call", "passphrase": "harbour lantern quiet",
        } | given  # fmt: skip
        for _ in range(60):
            if self.path == "/check":
                return self.last
            names = set(re.findall(r'name="([a-z_-]+)"', self.last.text))
            self.post(self.path, **{name: value for name, value in needed.items() if name in names})
            assert self.last.status_code == 200, self.text
        raise AssertionError(f"stuck at {self.path}")

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
