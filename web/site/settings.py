"""The site's settings."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from marshmallow.validate import Length, OneOf, Range, Regexp

from chassis.config import Env


@dataclass(frozen=True)
class SiteSettings:
    """What a charity decides, and where things lie. `enquiry_amqp_uri` is None where nobody may ask after a request."""

    listen: str
    amqp_uri: str
    enquiry_amqp_uri: str | None
    keys: Path
    spool: Path
    own_forms: Path | None
    charity: str
    telephone: str
    exit_url: str
    session: timedelta
    warn_before: timedelta
    most_sessions: int
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


def read(env: Env) -> SiteSettings:
    # A wrong one is None until all have been read, so that they are named together.
    session = timedelta(minutes=env.int("SITE_SESSION_MINUTES", 30, validate=Range(min=1, max=240)) or 0)
    return SiteSettings(
        listen=env.str(
            "LEEWARD_SITE", "127.0.0.1:8000", validate=Regexp(r"^[^:/]*:[0-9]{1,5}$", error="Write it as host:port.")
        ),
        amqp_uri=env.str("AMQP_URI"),
        enquiry_amqp_uri=env.str("SITE_ENQUIRY_AMQP_URI", None),
        keys=env.path("LEEWARD_KEYS"),
        spool=env.path("SITE_SPOOL"),
        own_forms=env.path("SITE_FORMS", None),
        charity=env.str("SITE_CHARITY", "Leeward", validate=Length(min=1, max=80)),
        telephone=env.str("SITE_TELEPHONE", "01632 960 001", validate=Length(min=1, max=30)),
        exit_url=env.str(
            "SITE_EXIT_URL",
            "https://www.bbc.co.uk/weather",
            validate=Regexp(r"^https?://", error="Write a whole address."),
        ),
        session=session,
        warn_before=min(timedelta(minutes=5), session / 2),
        most_sessions=env.int("SITE_MOST_SESSIONS", 5_000, validate=Range(min=1)),
        secure=env.bool("SITE_SECURE", True),
        least_time=timedelta(seconds=env.int("SITE_LEAST_SECONDS", 20, validate=Range(min=0, max=600)) or 0),
        sends_per_hour=env.int("SITE_SENDS_PER_HOUR", 5, validate=Range(min=1)),
        questions_per_hour=env.int("SITE_QUESTIONS_PER_HOUR", 20, validate=Range(min=1)),
        deliver_every=timedelta(seconds=env.float("SITE_DELIVER_SECONDS", 60.0, validate=Range(min=0.05)) or 0),
        trusted_proxies=env.str("SITE_TRUSTED_PROXIES", "127.0.0.1"),
        log_level=env.str("LEEWARD_LOG_LEVEL", "INFO", validate=OneOf(("DEBUG", "INFO", "WARNING", "ERROR"))),
    )
