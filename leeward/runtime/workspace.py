"""The folder in which one machine's Leeward stores everything: keys, settings, databases, logs, mail."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dotenv import dotenv_values

from chassis.access.tokens import make_signing_key
from chassis.clock import SharedClock
from chassis.privacy.sealing import make_keys
from chassis.privacy.vault import new_master_key
from contracts.permissions import FrontEnd
from leeward.errors import Refusal

SERVICES = ("intake", "matching", "billing", "notifications", "evaluation", "console")
ACCOUNTS = "accounts"
"""The accounts of staff: a database of the console's pages, and no service."""

READERS = ("intake", "matching", "notifications", "evaluation")
"""The services that personal data is sealed to, and that therefore have a key pair."""

SIGNERS = (FrontEnd.CONSOLE, FrontEnd.PORTAL, FrontEnd.OPERATOR)
"""The front-ends that sign commands for the people who use them, each with a key of its own."""

SAMPLE_MAILBOXES = {
    "SENDER": "Leeward <hello@example.org>",
    "DISCREET_SENDER": "Alex <alex@example.org>",
    "OFFICE": "Office <office@example.org>",
    "DUTY_LEAD": "Duty lead <duty-lead@example.org>",
    "DEPUTY": "Deputy <deputy@example.org>",
    "TRUSTEE": "Trustee <trustee@example.org>",
}
"""Until the charity puts its own into the settings file."""

HAVE_DATA_KEYS = ("intake", "notifications")


@dataclass(frozen=True)
class Workspace:
    """A folder, `var/` by default, and the paths in it."""

    folder: Path

    @property
    def keys(self) -> Path:
        return self.folder / "keys"

    @property
    def settings(self) -> Path:
        return self.folder / "leeward.env"

    @property
    def broker(self) -> Path:
        return self.folder / "broker"

    @property
    def mail(self) -> Path:
        return self.folder / "mail"

    @property
    def spool(self) -> Path:
        return self.folder / "spool"

    @property
    def first_link(self) -> Path:
        """Where the console leaves the one-time link for the first administrator, until there is one."""
        return self.folder / "first-administrator"

    @property
    def run_file(self) -> Path:
        return self.folder / "run.json"

    @property
    def clock(self) -> SharedClock:
        """A clock that can be advanced; the services follow it if it was started before them."""
        return SharedClock(self._clock_file)

    @property
    def _clock_file(self) -> Path:
        return self.folder / "clock"

    @property
    def audit(self) -> Path:
        return self.folder / "audit.jsonl"

    @property
    def anchors(self) -> Path:
        """How long each audit log was and its last hash, recorded outside the databases so that tampering shows."""
        return self.folder / "anchors"

    def log(self, service: str) -> Path:
        return self.folder / "log" / f"{service}.log"

    def prepare(self, database_urls: dict[str, str] | None = None) -> None:
        """Makes what is missing: keys, and a settings file with a SQLite database for each service."""
        self.log("").parent.mkdir(parents=True, exist_ok=True)
        for reader in READERS:
            if not (self.keys / f"{reader}.private.json").exists():
                make_keys(self.keys, reader)
        for front_end in SIGNERS:
            if not (self.keys / f"{front_end}.signing.json").exists():
                make_signing_key(self.keys, front_end)
        if not self.settings.exists():
            self.settings.touch(mode=0o600)
            self.settings.write_text(self._settings(database_urls or {}))
        if "CONSOLE_MASTER_KEY" not in self.values():  # a folder that is older than the console
            added = [f"CONSOLE_DATABASE_URL={self._sqlite('console')}", *self._accounts_settings()]
            with self.settings.open("a") as file:
                file.write("\n".join(added) + "\n")

    def environment(self, amqp_uri: str) -> dict[str, str]:
        """The environment that the services run in."""
        environment = {**os.environ, "AMQP_URI": amqp_uri, "LEEWARD_CONFIG": str(self.settings.absolute())}
        if self._clock_file.exists():
            environment["LEEWARD_CLOCK_FILE"] = str(self._clock_file.absolute())
        return environment

    def site_settings(self, amqp_uri: str) -> dict[str, str]:
        """What the public site needs on one machine, unless the settings say otherwise."""
        defaults = {
            "SITE_ENQUIRY_AMQP_URI": amqp_uri,
            "SITE_SPOOL": str(self.spool.absolute()),
            "SITE_SECURE": "false",  # there is no HTTPS on one machine without a certificate
        }
        given = self.values()
        return {name: value for name, value in defaults.items() if name not in given}

    def links_to(self, site: str | None) -> dict[str, str]:
        """Where links in messages lead, unless the settings say so: to the site that runs here, if one does."""
        address = site or "http://localhost:8000"
        defaults = {
            "NOTIFICATIONS_FORM_URL": f"{address}/form/",
            "NOTIFICATIONS_STATUS_URL": f"{address}/request",
        }
        given = self.values()
        return {name: value for name, value in defaults.items() if name not in given}

    def site_of_console(self, site: str | None) -> dict[str, str]:
        """Where the console looks whether the site answers, unless the settings say so."""
        return {"CONSOLE_SITE_URL": site} if site and "CONSOLE_SITE_URL" not in self.values() else {}

    def stores(self) -> dict[str, str]:
        """Each service's database URL, from the settings. Raises Refusal if one is missing."""
        values = self.values()
        names = {service: f"{service.upper()}_DATABASE_URL" for service in SERVICES}
        if missing := [name for name in names.values() if not values.get(name)]:
            raise Refusal(f"{self.settings} doesn't say {', '.join(missing)}. `leeward up` makes one that does.")
        return {service: str(values[name]) for service, name in names.items()}

    def accounts_store_if_any(self) -> str | None:
        """The URL of the accounts' database; None if the console has never run here."""
        url = self.values().get("ACCOUNTS_DATABASE_URL")
        file = url.removeprefix("sqlite:///") if url and url.startswith("sqlite:///") else None
        return None if not url or (file and not Path(file).exists()) else url

    def accounts_store(self) -> str:
        """The URL of the accounts' database. Raises Refusal if it is missing."""
        url = self.values().get("ACCOUNTS_DATABASE_URL")
        if not url:
            raise Refusal(f"{self.settings} doesn't say ACCOUNTS_DATABASE_URL. `leeward up` makes one that does.")
        return url

    def values(self) -> dict[str, str | None]:
        """The settings: from the file, overridden by environment variables."""
        try:
            return {**dotenv_values(self.settings), **os.environ}
        except ValueError:
            raise Refusal(f"{self.settings} holds no settings that can be read.") from None

    def write_run_file(self, content: dict[str, Any]) -> None:
        """Writes what runs where, for programs. Readable by the owner alone, because it holds the broker's password."""
        replacement = self.run_file.with_suffix(".new")
        replacement.touch(mode=0o600)
        replacement.write_text(json.dumps(content, indent=2) + "\n")
        replacement.replace(self.run_file)

    def read_run_file(self) -> dict[str, Any] | None:
        try:
            content: Any = json.loads(self.run_file.read_text())
        except FileNotFoundError:
            return None
        except ValueError:
            content = None
        if not isinstance(content, dict) or "amqp_uri" not in content:
            raise Refusal(f"{self.run_file} can't be read. Remove it, and start Leeward again.")
        return content

    def _sqlite(self, store: str) -> str:
        return f"sqlite:///{self.folder.absolute()}/{store}.db"

    def _accounts_settings(self) -> list[str]:
        return [f"ACCOUNTS_DATABASE_URL={self._sqlite(ACCOUNTS)}", f"CONSOLE_MASTER_KEY={new_master_key()}"]

    def _settings(self, database_urls: dict[str, str]) -> str:
        stores = {service: self._sqlite(service) for service in SERVICES} | database_urls
        lines = [
            "# Made by `leeward up`. An environment variable of the same name goes before a line here.",
            f"LEEWARD_KEYS={self.keys.absolute()}",
            *(f"{service.upper()}_DATABASE_URL={stores[service]}" for service in SERVICES),
            *(f"{service.upper()}_MASTER_KEY={new_master_key()}" for service in HAVE_DATA_KEYS),
            *self._accounts_settings(),
            f"LEEWARD_AUDIT_ANCHORS={self.anchors.absolute()}",
            f"NOTIFICATIONS_MAIL=maildir:{self.mail.absolute()}",
            *(f"NOTIFICATIONS_{role}={mailbox}" for role, mailbox in SAMPLE_MAILBOXES.items()),
            "NOTIFICATIONS_TELEPHONE=01632 960001",
            f"NOTIFICATIONS_TEXTS=folder:{(self.folder / 'texts').absolute()}",
            f"NOTIFICATIONS_UNREADABLE={(self.folder / 'unreadable').absolute()}",
            f"NOTIFICATIONS_LETTERS=folder:{(self.folder / 'letters').absolute()}",
            "# So that what is tried out is seen at once, also at night and where a year passes in a minute.",
            "NOTIFICATIONS_QUIET_HOURS=",
            "NOTIFICATIONS_CLIENT_DAILY_LIMIT=0",
            "NOTIFICATIONS_HOURLY_LIMIT=0",
            "NOTIFICATIONS_DIGEST_AT=",
            "EVALUATION_REMINDERS_AFTER_DAYS=",
            "# An invented questionnaire, so that a form can be seen. For real work: core-10, with its wording.",
            "EVALUATION_CLIENT_INSTRUMENT=how-it-goes",
        ]
        return "\n".join(lines) + "\n"
