"""Notifications' settings."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time, timedelta
from email.utils import formataddr, parseaddr
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from marshmallow import ValidationError
from marshmallow.validate import URL, Email, Length, Range, Regexp

from chassis.config import Env
from contracts.vocabulary import AlertStep
from services.notifications.domain.limits import Limit
from services.notifications.domain.safe_contact import QuietHours
from services.notifications.gateways.email_addresses import NoAddress, as_sent_to
from services.notifications.gateways.outbound import FIELDS
from services.notifications.gateways.receipts import FAILED, FINE, Reporting

TEMPLATES = Path(__file__).parent / "templates"
MIN_SECRET_LENGTH = 32
"""Characters; enough that nobody can guess it."""

TELEPHONE = r"^\+?[0-9 ()-]{7,20}$"
AS_TELEPHONE = "A telephone number, written as 01632 960001 or +44 1632 960001."

MAIL_SCHEMES = ("maildir", "smtp", "smtps")


@dataclass(frozen=True)
class Mailbox:
    """A name and an e-mail address, written `Name <address>`."""

    name: str
    address: str

    def __str__(self) -> str:
        return formataddr((self.name, self.address))


@dataclass(frozen=True)
class Person:
    """How somebody who takes alerts is reached: by all of it at once."""

    email: str
    telephone: str | None = None
    name: str = ""


@dataclass(frozen=True)
class Gateway:
    """Where text messages or letters go, and the JSON that they are posted as; see `gateways.outbound`.

    `receipts` is how the gateway says later what became of them; see `gateways.receipts`.
    """

    url: str
    authorization: str | None
    fields: Mapping[str, Any]
    receipts: Reporting = field(default_factory=Reporting)


@dataclass(frozen=True)
class NotificationsSettings:
    """Who sends, which people of the charity are written to, and the policy on waiting."""

    mail: str
    smtp_username: str | None
    smtp_password: str | None
    smtp_timeout_seconds: int
    sender: Mailbox
    discreet_sender: Mailbox
    office: Mailbox
    telephone: str
    discreet_telephone: str
    safeguarding: Mapping[AlertStep, Person]
    rota_days_ahead: int
    rota_looked_at: time
    form_url: str
    site_url: str
    status_url: str | None
    portal_url: str | None
    console_url: str | None
    texts: Gateway
    letters: Gateway
    gateway_timeout_seconds: int
    unreadable: Path
    bounce_address: str | None
    bounces: Path | None
    quiet_hours: QuietHours | None
    client_limits: tuple[Limit, ...]
    therapist_limits: tuple[Limit, ...]
    digest_at: tuple[time, ...]
    escalate_immediate: timedelta
    escalate_urgent: timedelta
    escalate_advisory_working_days: int
    alert_link_lasts: timedelta
    introduction_lasts: timedelta
    code_lasts: timedelta
    codes_an_hour: int
    known_lasts: timedelta
    keep_closed_contacts: timedelta
    templates: Path
    keys_folder: Path
    master_key: str


def read(env: Env) -> NotificationsSettings:
    form_url = env.str("NOTIFICATIONS_FORM_URL", validate=URL(require_tld=False))
    telephone = env.str("NOTIFICATIONS_TELEPHONE", validate=Regexp(TELEPHONE, error=AS_TELEPHONE)) or ""
    return NotificationsSettings(
        mail=env.str("NOTIFICATIONS_MAIL", "maildir:var/mail", validate=_mail),
        smtp_username=env.str("NOTIFICATIONS_SMTP_USERNAME", None),
        smtp_password=env.str("NOTIFICATIONS_SMTP_PASSWORD", None),
        smtp_timeout_seconds=env.int("NOTIFICATIONS_SMTP_TIMEOUT_SECONDS", 20, validate=Range(min=1, max=90)),
        sender=_mailbox(env, "NOTIFICATIONS_SENDER"),
        discreet_sender=_mailbox(env, "NOTIFICATIONS_DISCREET_SENDER"),
        office=_mailbox(env, "NOTIFICATIONS_OFFICE"),
        telephone=telephone,
        discreet_telephone=env.str(
            "NOTIFICATIONS_DISCREET_TELEPHONE", telephone, validate=Regexp(TELEPHONE, error=AS_TELEPHONE)
        ),
        safeguarding={
            AlertStep.DUTY_LEAD: _person(env, "NOTIFICATIONS_DUTY_LEAD", "NOTIFICATIONS_DUTY_LEAD_MOBILE"),
            AlertStep.DEPUTY: _person(env, "NOTIFICATIONS_DEPUTY", "NOTIFICATIONS_DEPUTY_MOBILE"),
            AlertStep.TRUSTEE: _person(env, "NOTIFICATIONS_TRUSTEE", "NOTIFICATIONS_TRUSTEE_MOBILE"),
        },
        rota_days_ahead=_positive_int(env, "NOTIFICATIONS_ROTA_DAYS_AHEAD", 7, most=60),
        rota_looked_at=(*times(env.str("NOTIFICATIONS_ROTA_AT", "08:00", validate=_is_time)), time(8))[0],
        form_url=form_url,
        site_url=_url(env, "NOTIFICATIONS_SITE_URL") or _origin_of(form_url),
        status_url=_url(env, "NOTIFICATIONS_STATUS_URL"),
        portal_url=_url(env, "NOTIFICATIONS_PORTAL_URL"),
        console_url=_url(env, "NOTIFICATIONS_CONSOLE_URL"),
        texts=_gateway(env, "NOTIFICATIONS_TEXTS", "folder:var/texts"),
        letters=_gateway(env, "NOTIFICATIONS_LETTERS", "folder:var/letters"),
        gateway_timeout_seconds=env.int("NOTIFICATIONS_GATEWAY_TIMEOUT_SECONDS", 20, validate=Range(min=1, max=90)),
        unreadable=env.path("NOTIFICATIONS_UNREADABLE", Path("var/unreadable")),
        bounce_address=_bounce_address(env, "NOTIFICATIONS_BOUNCE_ADDRESS"),
        bounces=env.path("NOTIFICATIONS_BOUNCES", None),
        quiet_hours=quiet_hours(env.str("NOTIFICATIONS_QUIET_HOURS", "21:00-08:00", validate=_is_quiet_hours)),
        client_limits=(
            *_limit(env, "NOTIFICATIONS_CLIENT_DAILY_LIMIT", 6, timedelta(days=1)),
            *_limit(env, "NOTIFICATIONS_HOURLY_LIMIT", 10, timedelta(hours=1)),
        ),
        therapist_limits=_limit(env, "NOTIFICATIONS_HOURLY_LIMIT", 10, timedelta(hours=1)),
        digest_at=times(env.str("NOTIFICATIONS_DIGEST_AT", "09:00,14:00", validate=_are_times)),
        escalate_immediate=_minutes(env, "NOTIFICATIONS_ESCALATE_IMMEDIATE_MINUTES", 15),
        escalate_urgent=_minutes(env, "NOTIFICATIONS_ESCALATE_URGENT_MINUTES", 60),
        escalate_advisory_working_days=env.int(
            "NOTIFICATIONS_ESCALATE_ADVISORY_WORKING_DAYS", 1, validate=Range(min=1, max=10)
        ),
        alert_link_lasts=timedelta(hours=_positive_int(env, "NOTIFICATIONS_ALERT_LINK_HOURS", 72, most=720)),
        introduction_lasts=timedelta(days=_positive_int(env, "NOTIFICATIONS_INTRODUCTION_DAYS", 14, most=90)),
        code_lasts=timedelta(minutes=_positive_int(env, "NOTIFICATIONS_CODE_MINUTES", 10, most=60)),
        codes_an_hour=_positive_int(env, "NOTIFICATIONS_CODES_AN_HOUR", 3, most=20),
        known_lasts=timedelta(minutes=_positive_int(env, "NOTIFICATIONS_CODE_HOLDS_MINUTES", 30, most=240)),
        keep_closed_contacts=timedelta(
            days=_positive_int(env, "NOTIFICATIONS_KEEP_CLOSED_CONTACTS_DAYS", 365, most=3_650)
        ),
        templates=env.path("NOTIFICATIONS_TEMPLATES", TEMPLATES),
        keys_folder=env.path("LEEWARD_KEYS"),
        master_key=env.str("NOTIFICATIONS_MASTER_KEY"),
    )


def _mailbox(env: Env, name: str) -> Mailbox:
    # Unset or wrong, environs collects the error for `check` and gives None here.
    text = env.str(name, validate=_has_address)
    name, address = parseaddr(text or "")
    return Mailbox(name, as_sent_to(address) if text else "")


def _bounce_address(env: Env, name: str) -> str | None:
    address: str | None = env.str(name, None, validate=[Email(), _is_plain])
    return as_sent_to(address) if address else None


def _is_plain(address: str) -> None:
    _has_address(f"Bounces <{address}>")


def _person(env: Env, name: str, mobile: str) -> Person:
    telephone: str | None = env.str(mobile, None, validate=Regexp(TELEPHONE, error=AS_TELEPHONE))
    mailbox = _mailbox(env, name)
    return Person(mailbox.address, telephone, mailbox.name)


def _is_time(text: str) -> None:
    _are_times(text)
    if len(times(text)) != 1:
        raise ValidationError("Written as 08:00.")


def _has_address(text: str) -> None:
    name, address = parseaddr(text)
    try:
        is_plain = as_sent_to(address).isascii()
    except NoAddress:
        is_plain = False
    if not (name and is_plain):
        raise ValidationError("Written as: Name <address@domain>, with nothing outside ASCII before the @.")


def _mail(text: str) -> None:
    parts = urlsplit(text)
    if parts.scheme not in MAIL_SCHEMES or not (parts.path if parts.scheme == "maildir" else parts.hostname):
        raise ValidationError("One of maildir:<folder>, smtp://<host>:<port> or smtps://<host>:<port>.")
    if parts.password:
        raise ValidationError("No password in here: set NOTIFICATIONS_SMTP_USERNAME and NOTIFICATIONS_SMTP_PASSWORD.")


def _gateway(env: Env, name: str, default: str) -> Gateway:
    return Gateway(
        url=env.str(name, default, validate=_provider_url),
        authorization=env.str(f"{name}_AUTHORIZATION", None),
        fields=_fields(env, f"{name}_JSON"),
        receipts=_reporting(env, f"{name}_RECEIPTS"),
    )


def _reporting(env: Env, name: str) -> Reporting:
    return Reporting(
        token=env.str(f"{name}_TOKEN", None, validate=Length(min=MIN_SECRET_LENGTH)),
        secret=env.str(f"{name}_SECRET", None, validate=Length(min=MIN_SECRET_LENGTH)),
        signature=env.str(f"{name}_SIGNATURE", "X-Signature", validate=Regexp(r"^[A-Za-z0-9-]{1,60}$")),
        fields=env.json(f"{name}_JSON", None, validate=_reports),
        failed=_words(env.str(f"{name}_FAILED", FAILED)),
        fine=_words(env.str(f"{name}_FINE", FINE)),
    )


def _words(text: str) -> frozenset[str]:
    return frozenset(word.strip().lower() for word in text.split(",") if word.strip())


def _reports(fields: Any) -> None:
    written = json.dumps(fields)
    if not (isinstance(fields, dict | list) and '"{id}"' in written and '"{status}"' in written):
        raise ValidationError('JSON in which "{id}" and "{status}" stand somewhere.')


def _fields(env: Env, name: str) -> Mapping[str, Any]:
    fields: Any = env.json(name, None, validate=_has_places)
    return fields or FIELDS


def _has_places(fields: Any) -> None:
    written = json.dumps(fields)
    if not (isinstance(fields, dict) and "{to}" in written and "{text}" in written):
        raise ValidationError("A JSON object with {to} and {text} somewhere in its texts.")


def _provider_url(text: str) -> None:
    parts = urlsplit(text)
    if not (text == "office" or (parts.scheme == "folder" and parts.path)):
        URL(require_tld=False, schemes={"http", "https"}, error="One of folder:<folder>, https://… or office.")(text)
    if parts.username or parts.password:
        raise ValidationError("No password in here: set the same name with _AUTHORIZATION.")


def quiet_hours(text: str | None) -> QuietHours | None:
    """`21:00-08:00`, or nothing for none."""
    if not text:
        return None
    begin, _, end = text.partition("-")
    return QuietHours(time.fromisoformat(begin.strip()), time.fromisoformat(end.strip()))


def _is_quiet_hours(text: str) -> None:
    try:
        quiet_hours(text)
    except ValueError:
        raise ValidationError("Written as 21:00-08:00, or nothing for none.") from None


def times(text: str | None) -> tuple[time, ...]:
    """`09:00,14:00`, or nothing for none."""
    return tuple(time.fromisoformat(part.strip()) for part in (text or "").split(",") if part.strip())


def _are_times(text: str) -> None:
    try:
        times(text)
    except ValueError:
        raise ValidationError("Written as 09:00,14:00, or nothing for none.") from None


def _limit(env: Env, name: str, default: int, within: timedelta) -> tuple[Limit, ...]:
    """0 stands for none."""
    messages: int | None = env.int(name, default, validate=Range(min=0, max=1_000))
    return (Limit(messages, within),) if messages else ()


def _url(env: Env, name: str) -> str | None:
    text: str | None = env.str(name, None, validate=URL(require_tld=False))
    return text


def _origin_of(address: str | None) -> str:
    """Where a site is, by the address of one of its pages."""
    parts = urlsplit(address or "")
    return f"{parts.scheme}://{parts.netloc}"


def _minutes(env: Env, name: str, default: int) -> timedelta:
    return timedelta(minutes=_positive_int(env, name, default, most=1_440))


def _positive_int(env: Env, name: str, default: int, *, most: int) -> int:
    # As above: what is wrong is None here, and must not hide what else is wrong.
    value: int | None = env.int(name, default, validate=Range(min=1, max=most))
    return default if value is None else value
