"""The console's settings."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from marshmallow import ValidationError
from marshmallow.validate import Length, OneOf, Range, Regexp

from chassis.config import Env
from contracts.permissions import Role
from web.shared.accounts.domain.vocabulary import GrantPolicy


@dataclass(frozen=True)
class ProviderSettings:
    """An OpenID provider. `roles` maps its groups to roles."""

    issuer: str
    client_id: str
    client_secret: str
    name: str
    roles: dict[str, Role]


@dataclass(frozen=True)
class ConsoleSettings:
    """`origin` is the address by which browsers ask for the console, and which passkeys are bound to."""

    listen: str
    origin: str
    amqp_uri: str
    database_url: str
    master_key: str
    keys: Path
    anchors: Path | None
    site: str | None
    charity: str
    own_forms: Path | None
    policy: GrantPolicy
    provider: ProviderSettings | None
    first_link_file: Path | None
    request_time: timedelta
    trusted_proxies: str
    log_level: str

    @property
    def host(self) -> str:
        return self.listen.rpartition(":")[0]

    @property
    def port(self) -> int:
        return int(self.listen.rpartition(":")[2])

    @property
    def secure(self) -> bool:
        """Cookies are sent by HTTPS alone, except to this machine itself, which has none."""
        return self.origin.startswith("https://")

    @property
    def allowed_hosts(self) -> tuple[str, ...]:
        """The values of the Host header that are accepted."""
        return (urlsplit(self.origin).hostname or "", "localhost", "127.0.0.1")


def read(env: Env) -> ConsoleSettings:
    listen = env.str(
        "LEEWARD_CONSOLE", "localhost:8001", validate=Regexp(r"^[^:/]*:[0-9]{1,5}$", error="Write it as host:port.")
    )
    return ConsoleSettings(
        listen=listen,
        origin=env.str("CONSOLE_ORIGIN", f"http://{listen}", validate=_is_origin),
        amqp_uri=env.str("AMQP_URI"),
        database_url=env.str("ACCOUNTS_DATABASE_URL"),
        master_key=env.str("CONSOLE_MASTER_KEY", validate=_is_master_key),
        keys=env.path("LEEWARD_KEYS"),
        anchors=env.path("LEEWARD_AUDIT_ANCHORS", None),
        site=env.str("CONSOLE_SITE_URL", None, validate=_is_origin_or_path),
        charity=env.str("SITE_CHARITY", "Leeward", validate=Length(min=1, max=80)),
        own_forms=env.path("SITE_FORMS", None),
        policy=GrantPolicy(env.str("CONSOLE_ROLES", GrantPolicy.CONFIRM, validate=OneOf([*GrantPolicy])) or "confirm"),
        provider=_provider(env),
        first_link_file=env.path("CONSOLE_FIRST_LINK", None),
        request_time=timedelta(
            seconds=env.float("CONSOLE_REQUEST_SECONDS", 30.0, validate=Range(min=0.5, max=300)) or 0
        ),
        trusted_proxies=env.str("CONSOLE_TRUSTED_PROXIES", "127.0.0.1"),
        log_level=env.str("LEEWARD_LOG_LEVEL", "INFO", validate=OneOf(("DEBUG", "INFO", "WARNING", "ERROR"))),
    )


def _provider(env: Env) -> ProviderSettings | None:
    issuer = env.str("CONSOLE_OPENID_ISSUER", None, validate=_is_origin_or_path)
    if not issuer:
        return None
    return ProviderSettings(
        issuer=issuer,
        client_id=env.str("CONSOLE_OPENID_CLIENT", validate=Length(min=1, max=300)),
        client_secret=env.str("CONSOLE_OPENID_SECRET", validate=Length(min=1, max=1_000)),
        name=env.str("CONSOLE_OPENID_NAME", "your organisation", validate=Length(min=1, max=80)),
        roles=_roles(env.str("CONSOLE_OPENID_ROLES", "", validate=_are_roles)),
    )


def _roles(text: str | None) -> dict[str, Role]:
    """`assessors=assessor,money=finance`."""
    pairs = (pair.partition("=") for pair in (text or "").split(",") if pair.strip())
    return {group.strip(): Role(role.strip()) for group, _, role in pairs}


def _are_roles(text: str) -> None:
    """Raises ValidationError."""
    try:
        roles = _roles(text)
    except ValueError:
        raise ValidationError(f"Write group=role with commas between; roles are {', '.join(Role)}.") from None
    if {Role.ADMINISTRATOR, Role.THERAPIST} & {*roles.values()}:
        raise ValidationError("A provider makes no administrators and no therapists.")


def _is_origin(text: str) -> None:
    """Raises ValidationError. Without HTTPS only this machine itself is allowed, by a name that passkeys accept."""
    parts = urlsplit(text)
    is_ours = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname == "localhost")
    if not is_ours or not parts.hostname or text != f"{parts.scheme}://{parts.netloc}":
        raise ValidationError("Write https://host, or http://localhost:port on one's own machine.")


def _is_origin_or_path(text: str) -> None:
    """Raises ValidationError."""
    parts = urlsplit(text)
    if not (parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in ("localhost", "127.0.0.1"))):
        raise ValidationError("Write the issuer's whole address, with https.")


def _is_master_key(text: str) -> None:
    """Raises ValidationError."""
    try:
        is_long_enough = len(base64.b64decode(text, validate=True)) == 32
    except ValueError:
        is_long_enough = False
    if not is_long_enough:
        raise ValidationError("Needs 256 bits in base64; `leeward keys make` makes such a key.")
