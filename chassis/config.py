"""Configuration, from the environment or the file that LEEWARD_CONFIG names. All of it is checked at the start.

A service's `settings.py` reads its own settings from the `Env` it is given, with units in the names::

    offer_working_days=env.int("MATCHING_OFFER_WORKING_DAYS", 2, validate=Range(min=1))
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from environs import Env, EnvValidationError
from marshmallow.validate import OneOf, Range, Regexp

from chassis.bus.messages import MAX_MESSAGE_BYTES

__all__ = ["ChassisSettings", "Env", "InvalidSettings", "check", "open_env", "read_chassis_settings"]


class InvalidSettings(Exception):
    """One or more settings are missing or wrong; each is named, with what is expected of it."""


@dataclass(frozen=True)
class ChassisSettings:
    """The settings that every service has."""

    amqp_uri: str
    database_url: str
    heartbeat_seconds: int
    batch_limit: int
    max_message_bytes: int
    inbox_retention_days: int
    story_retention_days: int
    log_level: str
    clock_file: Path | None
    http: str | None
    audit_anchors: Path | None
    keys: Path | None
    readings_per_hour: int


def open_env() -> Env:
    """The environment to read settings from; a variable in it takes precedence over the same one in the file."""
    env = Env(eager=False)
    file = os.environ.get("LEEWARD_CONFIG")
    if file:
        if not Path(file).is_file():
            raise InvalidSettings(f"LEEWARD_CONFIG names {file}, which is not a file")
        env.read_env(file, recurse=False)
    return env


def check(env: Env) -> None:
    """Raises InvalidSettings with every setting that was read so far and is wrong."""
    try:
        env.seal()
    except EnvValidationError as error:
        wrong: Any = error.error_messages
        problems = [f"  {name}: {' '.join(map(str, wrong[name]))}" for name in sorted(wrong)]
        raise InvalidSettings("Settings that need attention:\n" + "\n".join(problems)) from None


def read_chassis_settings(env: Env, service: str) -> ChassisSettings:
    """Reads the chassis's settings. Each service has a database URL of its own: `<SERVICE>_DATABASE_URL`."""
    return ChassisSettings(
        amqp_uri=env.str("AMQP_URI"),
        database_url=env.str(f"{service.upper()}_DATABASE_URL"),
        heartbeat_seconds=env.int("LEEWARD_HEARTBEAT_SECONDS", 20, validate=Range(min=2, max=600)),
        batch_limit=env.int("LEEWARD_BATCH_LIMIT", 192, validate=Range(min=1, max=2_000)),
        max_message_bytes=env.int(
            "LEEWARD_MAX_MESSAGE_BYTES", MAX_MESSAGE_BYTES, validate=Range(min=16_384, max=67_108_864)
        ),
        inbox_retention_days=env.int("LEEWARD_INBOX_RETENTION_DAYS", 14, validate=Range(min=1)),
        story_retention_days=env.int("LEEWARD_STORY_RETENTION_DAYS", 400, validate=Range(min=1)),
        log_level=env.str("LEEWARD_LOG_LEVEL", "INFO", validate=OneOf(("DEBUG", "INFO", "WARNING", "ERROR"))),
        clock_file=env.path("LEEWARD_CLOCK_FILE", None),
        http=env.str("LEEWARD_HTTP", None, validate=Regexp(r"^[^:/]*:[0-9]{1,5}$", error="Write it as host:port.")),
        audit_anchors=env.path("LEEWARD_AUDIT_ANCHORS", None),
        keys=env.path("LEEWARD_KEYS", None),
        readings_per_hour=env.int("LEEWARD_READINGS_PER_HOUR", 20, validate=Range(min=1)),
    )
