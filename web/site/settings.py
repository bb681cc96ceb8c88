"""The site's settings."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from marshmallow import ValidationError
from marshmallow.validate import Length, OneOf, Range, Regexp

from chassis.config import Env
from web.site.helplines import HELPLINES
from web.site.retention import RETENTION

OWN_NAMES = ("localhost", "127.0.0.1", "[::1]")
"""Names of this machine itself, which only it or its proxy uses."""

_HOST = r"(\*|(\*\.)?[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])"
HOSTS = rf"^({_HOST}( *, *{_HOST})*)?$"

MOST_PER_ADDRESS = 100
"""How many sessions one address may have: people in a prison, a hospital or a library share one."""


@dataclass(frozen=True)
class SiteSettings:
    """The site's settings. `course_dates`: when courses for families begin; may be empty. `course_price`: in words; may
    be empty. `enquiry_amqp_uri`: None where status pages and links can't be looked up. `hosts`: the site's names
    besides those of this machine."""

    listen: str
    hosts: tuple[str, ...]
    amqp_uri: str
    enquiry_amqp_uri: str | None
    keys: Path
    spool: Path
    own_forms: Path | None
    charity: str
    telephone: str
    helplines: Path
    retention: Path
    controller: str
    controller_address: str
    privacy_email: str
    data_protection_officer: str
    exit_url: str
    course_price: str
    course_dates: tuple[date, ...]
    session: timedelta
    warn_before: timedelta
    most_sessions: int
    most_sessions_per_address: int
    request_time: timedelta
    secure: bool
    least_time: timedelta
    sends_per_hour: int
    questions_per_hour: int
    deliver_every: timedelta
    trusted_proxies: str
    log_level: str

    @property
    def host(self) -> str:
        return self.listen.rpartition(":")[0]

    @property
    def port(self) -> int:
        return int(self.listen.rpartition(":")[2])

    @property
    def allowed_hosts(self) -> tuple[str, ...]:
        """The values of the Host header that are accepted."""
        return (*self.hosts, *OWN_NAMES, self.host)


def read(env: Env) -> SiteSettings:
    # An invalid setting reads as None until all have been read, so that all of them are reported together.
    most_sessions = env.int("SITE_MOST_SESSIONS", 5_000, validate=Range(min=1)) or 0
    shared_by = max(1, min(MOST_PER_ADDRESS, most_sessions // 4))
    session = timedelta(minutes=env.int("SITE_SESSION_MINUTES", 30, validate=Range(min=1, max=240)) or 0)
    return SiteSettings(
        listen=env.str(
            "LEEWARD_SITE", "127.0.0.1:8000", validate=Regexp(r"^[^:/]*:[0-9]{1,5}$", error="Write it as host:port.")
        ),
        hosts=_split(
            env.str(
                "SITE_HOSTS",
                "",
                validate=Regexp(
                    HOSTS, error="Write names with commas between, such as help.example.org,*.example.org."
                ),
            )
        ),
        amqp_uri=env.str("AMQP_URI"),
        enquiry_amqp_uri=env.str("SITE_ENQUIRY_AMQP_URI", None),
        keys=env.path("LEEWARD_KEYS"),
        spool=env.path("SITE_SPOOL"),
        own_forms=env.path("SITE_FORMS", None),
        charity=env.str("SITE_CHARITY", "Leeward", validate=Length(min=1, max=80)),
        telephone=env.str("SITE_TELEPHONE", "01632 960 001", validate=Length(min=1, max=30)),
        helplines=env.path("SITE_HELPLINES", HELPLINES),
        retention=env.path("INTAKE_RETENTION_POLICY", RETENTION),
        controller=env.str("SITE_CONTROLLER", "", validate=Length(max=200)),
        controller_address=env.str("SITE_CONTROLLER_ADDRESS", "", validate=Length(max=400)),
        privacy_email=env.str("SITE_PRIVACY_EMAIL", "", validate=Length(max=254)),
        data_protection_officer=env.str("SITE_DATA_PROTECTION_OFFICER", "", validate=Length(max=200)),
        exit_url=env.str(
            "SITE_EXIT_URL",
            "https://www.bbc.co.uk/weather",
            validate=Regexp(r"^https?://", error="Write a whole address."),
        ),
        course_price=env.str("SITE_COURSE_PRICE", "", validate=Length(max=120)),
        course_dates=_days(env.str("SITE_COURSE_DATES", "", validate=_are_days)),
        session=session,
        warn_before=min(timedelta(minutes=5), session / 2),
        most_sessions=most_sessions,
        most_sessions_per_address=env.int("SITE_MOST_SESSIONS_PER_ADDRESS", shared_by, validate=Range(min=1)),
        request_time=timedelta(seconds=env.float("SITE_REQUEST_SECONDS", 30.0, validate=Range(min=0.5, max=300)) or 0),
        secure=env.bool("SITE_SECURE", True),
        least_time=timedelta(seconds=env.int("SITE_LEAST_SECONDS", 20, validate=Range(min=0, max=600)) or 0),
        sends_per_hour=env.int("SITE_SENDS_PER_HOUR", 5, validate=Range(min=1)),
        questions_per_hour=env.int("SITE_QUESTIONS_PER_HOUR", 20, validate=Range(min=1)),
        deliver_every=timedelta(seconds=env.float("SITE_DELIVER_SECONDS", 60.0, validate=Range(min=0.05)) or 0),
        trusted_proxies=env.str("SITE_TRUSTED_PROXIES", "127.0.0.1"),
        log_level=env.str("LEEWARD_LOG_LEVEL", "INFO", validate=OneOf(("DEBUG", "INFO", "WARNING", "ERROR"))),
    )


def _are_days(text: str) -> None:
    """Raises ValidationError."""
    try:
        _days(text)
    except ValueError:
        raise ValidationError("Write days with commas between, such as 2027-01-14,2027-03-04.") from None


def _days(text: str | None) -> tuple[date, ...]:
    return tuple(sorted(map(date.fromisoformat, _split(text))))


def _split(names: str | None) -> tuple[str, ...]:
    return tuple(name.strip() for name in (names or "").split(",") if name.strip())
