"""Structured logs, one JSON object a line, without personal data or anything that a person wrote.

Event names are static (`offer_expired`); their values are identifiers, codes and numbers. The last processor withholds
every other value, so that a programming mistake costs a log line and not somebody's privacy.
"""

from __future__ import annotations

import hashlib
import logging
import re
import sys
import traceback
from collections.abc import MutableMapping
from typing import Any
from uuid import UUID

import structlog

_SAFE_TEXT = re.compile(r"[A-Za-z0-9_.:/+-]{1,100}")
_OUR_KEYS = {"event", "level", "timestamp", "service", "logger"}


def configure(service: str, level: str) -> None:
    """Sends structlog's and the libraries' logs to standard error as JSON."""

    def name_service(logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        event["service"] = service
        return event

    shared: list[Any] = [
        name_service,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        withhold,
    ]
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[_describe_foreign, *shared],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    change_level(level)
    for chatty in ("alembic", "amqp", "kombu", "sqlalchemy"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    # The code that uses pika logs the same failures, with more context.
    logging.getLogger("pika").setLevel(logging.CRITICAL)
    # Its warnings are about commands that were refused, which is a normal answer.
    logging.getLogger("nameko").setLevel(logging.ERROR)


def change_level(level: str) -> None:
    """Changes the level of our own logs, at once."""
    logging.getLogger().setLevel(level)


def describe(error: BaseException) -> dict[str, Any]:
    """An error for the log: its class, where it was raised, and a digest that is the same for the same path through the
    code. Never its message, which may repeat what somebody typed."""
    frames = traceback.extract_tb(error.__traceback__)
    path = "|".join(f"{frame.filename.rsplit('/', 1)[-1]}:{frame.name}" for frame in frames)
    last = frames[-1] if frames else None
    return {
        "error": type(error).__name__,
        "at": f"{last.filename.rsplit('/', 1)[-1]}:{last.lineno}" if last else "unknown",
        "digest": hashlib.sha256(f"{type(error).__name__}|{path}".encode()).hexdigest()[:12],
    }


def withhold(logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replaces every value that is not an identifier, a code or a number."""
    for key, value in event.items():
        if key not in _OUR_KEYS and not key.startswith("_"):
            event[key] = _safe(value)
    return event


def _safe(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, UUID) or (isinstance(value, str) and _SAFE_TEXT.fullmatch(value)):
        return str(value)
    return "<withheld>"


def _describe_foreign(logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A library's log entry: its message template and the error's description, never the values for the template."""
    record: logging.LogRecord | None = event.get("_record")
    if record is not None:
        event["event"] = str(record.msg)
        if record.exc_info and record.exc_info[1]:
            event.update(describe(record.exc_info[1]))
    event.pop("exc_info", None)
    return event
