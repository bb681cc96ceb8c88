"""The console in this process, with a store of its own and people at browsers who sign in."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pyotp
import pytest
from argon2 import PasswordHasher
from sqlalchemy import select
from starlette.testclient import TestClient

from chassis.access.tokens import make_signing_key
from chassis.clock import ManualClock
from chassis.config import check, open_env
from chassis.privacy.sealing import Keyring, make_keys
from chassis.privacy.vault import new_master_key
from chassis.store.migrate import migrate
from contracts.permissions import FrontEnd, Role
from contracts.sealed import StaffLetter
from web.console.app import build_app
from web.console.console import open_console
from web.console.settings import ConsoleSettings, read
from web.shared.accounts.application import recovery
from web.shared.accounts.application.ground import Accounts
from web.shared.accounts.domain.passwords import Passwords
from web.shared.staff.csrf import csrf_token

AT = datetime(2026, 12, 1, 9, 0, tzinfo=UTC)
ORIGIN = "http://localhost:8001"
PASSWORD = "harbour lantern quiet meadow"
QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
"""Tests hash hundreds of passwords, and none of them is worth anything."""


@dataclass
class Browser:
    """Somebody's browser, as far as pages without scripts need one."""

    client: TestClient
    clock: ManualClock
    secret: str = ""
    """Of their authenticator app."""
    codes: list[str] = field(default_factory=list)
    last: Any = None

    def open(self, path: str) -> Any:
        self.last = self.client.get(path)
        return self.last

    def post(self, path: str, **fields: Any) -> Any:
        """Posts with the hidden fields of the form to this address on the page that was opened last."""
        self.last = self.client.post(path, data={**self.hidden(path), **fields})
        return self.last

    def hidden(self, action: str) -> dict[str, str]:
        forms = re.findall(r'<form[^>]*action="([^"]*)"[^>]*>(.*?)</form>', self.last.text, re.S)
        inner = next((body for to, body in forms if to == action), self.last.text)
        found: dict[str, str] = {}
        for tag in re.findall(r"<input[^>]*type=\"hidden\"[^>]*>", inner):
            attributes = dict(re.findall(r'([a-z]+)="([^"]*)"', tag))
            found[attributes["name"]] = unescape(attributes.get("value", ""))
        return found

    @property
    def path(self) -> str:
        return str(self.last.url.path)

    @property
    def text(self) -> str:
        """What the page says, without its markup."""
        return " ".join(unescape(re.sub(r"<[^>]+>", " ", self.last.text)).split())

    def code(self) -> str:
        """What the app shows now. Time goes on first, because a code works once."""
        self.clock.advance(timedelta(seconds=30))
        return pyotp.TOTP(self.secret).at(self.clock.now())

    def token_for_forms(self) -> str:
        """What our forms hold that are shown to this browser now."""
        cookies = {cookie.name: cookie.value or "" for cookie in self.client.cookies.jar}
        if not {"leeward-console", "leeward-console-forms"} & cookies.keys():
            self.client.get("/sign-in")
            cookies = {cookie.name: cookie.value or "" for cookie in self.client.cookies.jar}
        return csrf_token(cookies.get("leeward-console") or cookies["leeward-console-forms"])

    def set_up(self, link: str, **fields: str) -> None:
        """From a link to being signed in."""
        self.open(link.removeprefix(ORIGIN))
        self.post("/set-up", password=PASSWORD, **fields)
        assert self.path == "/set-up/factor", self.text
        self.add_app()

    def add_app(self) -> None:
        (self.secret,) = re.findall(r'<p class="secret">([A-Z2-7]+)</p>', self.last.text)
        self.post("/set-up/factor", code=self.code())
        self.codes = re.findall(r"<li>([a-z0-9]{5}-[a-z0-9]{5})</li>", self.last.text) or self.codes

    def give_password(self, email: str, password: str = PASSWORD) -> Any:
        self.open("/sign-in")
        return self.post("/sign-in", email=email, password=password)

    def sign_in(self, email: str, password: str = PASSWORD) -> Any:
        self.give_password(email, password)
        return self.post("/sign-in/code", code=self.code())

    def prove_again(self) -> None:
        """Signs in again, where a page asks for that."""
        assert self.path == "/sign-in/again", self.path
        self.post("/sign-in/again", password=PASSWORD)
        self.post("/sign-in/code", code=self.code())


@dataclass
class House:
    """A console, and how people come to it."""

    accounts: Accounts
    clock: ManualClock
    settings: ConsoleSettings
    browse: Callable[[], Browser]

    def first_administrator(self, name: str = "Ada Example", email: str = "ada@example.org") -> Browser:
        link = recovery.first_link(self.accounts)
        assert link
        browser = self.browse()
        browser.set_up(link, name=name, email=email)
        return browser

    def invite(self, by: Browser, email: str, *roles: Role) -> str:
        """The link that somebody is invited by."""
        by.open("/people/invite")
        if by.path == "/sign-in/again":
            by.prove_again()
        by.post("/people/invite", name=email.partition("@")[0].title(), email=email, roles=[*roles])
        return self.newest_letter().link or ""

    def newest_letter(self) -> StaffLetter:
        """The newest letter with a link, as notifications opens it."""
        outbox = self.accounts.database.tables.outbox
        sent = select(outbox.c.body).where(outbox.c.routing_key == "StaffInvited").order_by(outbox.c.id.desc()).limit(1)
        with self.accounts.reading() as work:
            body = work.unit.session.execute(sent).scalar_one()
        return Keyring(self.settings.keys, "notifications").open(StaffLetter, json.loads(body)["sealed"])

    def join(self, by: Browser, email: str, *roles: Role) -> Browser:
        """Somebody who was invited and has set their account up."""
        browser = self.browse()
        browser.set_up(self.invite(by, email, *roles))
        return browser

    def id_of(self, email: str) -> str:
        with self.accounts.reading() as work:
            found = work.accounts.find_by_email(email)
        assert found
        return str(found.account.id)


@pytest.fixture
def console_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ConsoleSettings:
    for reader in ("notifications", "intake"):
        make_keys(tmp_path / "keys", reader)
    make_signing_key(tmp_path / "keys", FrontEnd.CONSOLE)
    for name, value in {
        "LEEWARD_CONSOLE": "localhost:8001",
        "AMQP_URI": "amqp://guest:guest@127.0.0.1:1/",
        "ACCOUNTS_DATABASE_URL": f"sqlite:///{tmp_path}/accounts.db",
        "CONSOLE_MASTER_KEY": new_master_key(),
        "LEEWARD_KEYS": str(tmp_path / "keys"),
    }.items():
        monkeypatch.setenv(name, value)
    env = open_env()
    settings = read(env)
    check(env)
    return settings


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store as it is after migration, to be copied."""
    path = tmp_path_factory.mktemp("console") / "empty.db"
    migrate("accounts", f"sqlite:///{path}")
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return path


@pytest.fixture
def house(console_settings: ConsoleSettings, empty_store: Path) -> Iterator[House]:
    shutil.copy(empty_store, console_settings.database_url.removeprefix("sqlite:///"))
    clock = ManualClock(AT)
    console = open_console(console_settings, clock, passwords=Passwords(QUICK))
    app = build_app(console, console_settings)

    def browse() -> Browser:
        return Browser(TestClient(app, base_url=ORIGIN, follow_redirects=True), clock)

    accounts = console.application.accounts
    yield House(accounts, clock, console_settings, browse)
    accounts.database.engine.dispose()
