"""The service as a whole: its settings, its migrations, and that everything it lists is there."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from environs import Env

from chassis.config import InvalidSettings, check
from chassis.host.entrypoints import declared_by, heard_by
from chassis.privacy.restore import RESTORED
from chassis.privacy.sealing import make_keys
from chassis.privacy.vault import new_master_key
from chassis.store.engine import open_engine
from chassis.store.migrate import migrate
from chassis.store.schedule import SideEffect
from contracts.vocabulary import AlertStep
from services.notifications import dependencies, settings
from services.notifications.application.alerts import ESCALATE, REPORT_UNREACHED
from services.notifications.application.bounces import FAIL_UNDELIVERED
from services.notifications.application.contacts import FORGET_CLIENT
from services.notifications.application.on_duty import CHECK_ROTA
from services.notifications.application.queueing import SEND_ALERT, SEND_DIGEST, SEND_MESSAGE
from services.notifications.gateways.email import MaildirMailer
from services.notifications.handlers import digests, sending
from services.notifications.handlers.bounces import READ_BOUNCES
from services.notifications.service import NotificationsService
from services.notifications.store import tables

README = Path(settings.__file__).parent / "README.md"

MINIMUM = {
    "NOTIFICATIONS_SENDER": "Leeward <hello@example.org>",
    "NOTIFICATIONS_DISCREET_SENDER": "Alex <alex@example.org>",
    "NOTIFICATIONS_OFFICE": "Office <office@example.org>",
    "NOTIFICATIONS_DUTY_LEAD": "Duty lead <duty-lead@example.org>",
    "NOTIFICATIONS_DEPUTY": "Deputy <deputy@example.org>",
    "NOTIFICATIONS_TRUSTEE": "Trustee <trustee@example.org>",
    "NOTIFICATIONS_FORM_URL": "http://localhost:8080/form/",
    "NOTIFICATIONS_TELEPHONE": "01632 960001",
}


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    make_keys(tmp_path / "keys", "notifications")
    own = {
        "LEEWARD_KEYS": str(tmp_path / "keys"),
        "NOTIFICATIONS_MASTER_KEY": new_master_key(),
        "NOTIFICATIONS_MAIL": f"maildir:{tmp_path}/mail",
    }
    for name, value in {**MINIMUM, **own}.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def problems(env: Env) -> str:
    settings.read(env)
    with pytest.raises(InvalidSettings) as raised:
        check(env)
    return str(raised.value)


def test_starts_with_what_must_be_set_and_has_a_default_for_the_rest(environment: pytest.MonkeyPatch) -> None:
    env = Env(eager=False)
    made = dependencies.build(env)
    check(env)
    assert isinstance(made.mailer, MaildirMailer)
    assert made.settings.escalate_immediate.total_seconds() == 15 * 60
    assert made.settings.safeguarding[AlertStep.DUTY_LEAD].email == "duty-lead@example.org"


@pytest.mark.parametrize("name", sorted(MINIMUM))
def test_names_the_setting_that_is_missing(environment: pytest.MonkeyPatch, name: str) -> None:
    environment.delenv(name)
    assert name in problems(Env(eager=False))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("NOTIFICATIONS_DUTY_LEAD", "duty-lead@example.org"),
        ("NOTIFICATIONS_DUTY_LEAD", "Duty lead"),
        ("NOTIFICATIONS_MAIL", "ftp://example.org"),
        ("NOTIFICATIONS_MAIL", "smtp://user:secret@mail.example.org"),
        ("NOTIFICATIONS_MAIL", "maildir:"),
        ("NOTIFICATIONS_FORM_URL", "not an address"),
        ("NOTIFICATIONS_ESCALATE_IMMEDIATE_MINUTES", "0"),
        ("NOTIFICATIONS_TEXTS", "ftp://example.org"),
        ("NOTIFICATIONS_TEXTS", "https://user:secret@texts.example.org"),
        ("NOTIFICATIONS_LETTERS", "folder:"),
        ("NOTIFICATIONS_TEXTS_JSON", '{"text": "{text}"}'),
        ("NOTIFICATIONS_LETTERS_JSON", "not JSON"),
        ("NOTIFICATIONS_TEXTS_RECEIPTS_TOKEN", "secret"),
        ("NOTIFICATIONS_LETTERS_RECEIPTS_SECRET", "secret"),
        ("NOTIFICATIONS_TEXTS_RECEIPTS_JSON", '{"reference": "{id}"}'),
        ("NOTIFICATIONS_TEXTS_RECEIPTS_JSON", '"{id}{status}"'),
        ("NOTIFICATIONS_QUIET_HOURS", "late"),
        ("NOTIFICATIONS_DIGEST_AT", "noon"),
        ("NOTIFICATIONS_HOURLY_LIMIT", "-1"),
        ("NOTIFICATIONS_BOUNCE_ADDRESS", "nobody"),
        ("NOTIFICATIONS_BOUNCE_ADDRESS", "rückläufer@example.org"),
        ("NOTIFICATIONS_OFFICE", "Office <büro@example.org>"),
    ],
)
def test_names_the_setting_that_is_wrong_and_repeats_no_secret(
    environment: pytest.MonkeyPatch, name: str, value: str
) -> None:
    environment.setenv(name, value)
    said = problems(Env(eager=False))
    assert name in said
    assert "secret" not in said


def test_domains_of_the_charity_s_own_outside_ascii_are_written_as_mail_servers_know_them(
    environment: pytest.MonkeyPatch,
) -> None:
    environment.setenv("NOTIFICATIONS_SENDER", "Leeward <hello@exämple.org>")
    environment.setenv("NOTIFICATIONS_BOUNCE_ADDRESS", "bounces@exämple.org")
    made = settings.read(Env(eager=False))
    assert made.sender.address == "hello@xn--exmple-cua.org"
    assert made.bounce_address == "bounces@xn--exmple-cua.org"


def test_names_the_template_that_is_missing(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    shutil.copytree(settings.TEMPLATES, tmp_path / "own")
    (tmp_path / "own" / "en" / "matched.txt").unlink()
    environment.setenv("NOTIFICATIONS_TEMPLATES", str(tmp_path / "own"))
    with pytest.raises(InvalidSettings, match=r"en/matched\.txt is missing"):
        dependencies.build(Env(eager=False))


def test_the_migration_makes_what_the_store_expects(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/migrated.db"
    migrate("notifications", url)
    with open_engine(url).connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, tables.metadata) == []


def test_every_timer_that_is_set_has_a_handler() -> None:
    (schedule,) = (one.entrypoint for one in declared_by(NotificationsService) if one.attribute == "timers")
    names = {entry.name for entry in schedule.entries}
    by_itself = {
        ESCALATE,
        FORGET_CLIENT,
        CHECK_ROTA,
        REPORT_UNREACHED,
        READ_BOUNCES,
        SEND_ALERT,
        SEND_DIGEST,
        SEND_MESSAGE,
        FAIL_UNDELIVERED,
    }
    assert names == by_itself | {RESTORED}


def test_the_readme_names_every_setting_and_every_event() -> None:
    text, code = README.read_text(), Path(settings.__file__).read_text()
    missing = {name for name in re.findall(r'"(NOTIFICATIONS_[A-Z_]+)"', code) if f"`{name}`" not in text}
    assert missing == set()
    heard = {event.__name__ for events in heard_by(NotificationsService).values() for event in events}
    assert {name for name in heard if f"`{name}`" not in text} == set()


def test_safeguarding_has_a_lane_of_its_own() -> None:
    urgent = [event.__name__ for event in heard_by(NotificationsService)["urgent"]]
    assert urgent == ["SafeguardingConcernRaised", "AlertAnswered"]


def test_whatever_sends_mail_keeps_it_before_it_says_so() -> None:
    (schedule,) = (one.entrypoint for one in declared_by(NotificationsService) if one.attribute == "timers")
    effects = [entry for entry in schedule.entries if isinstance(entry, SideEffect)]
    flushed = {
        effect.name: effect.flush for effect in effects if effect.perform in (sending.deliver, digests.send_digest)
    }
    assert flushed == dict.fromkeys((SEND_ALERT, SEND_DIGEST, SEND_MESSAGE), sending.flush_mail)
