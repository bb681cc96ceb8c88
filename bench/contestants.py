"""Who is measured: how each is started, how the job reaches it, and where its follow-up events are counted."""

from __future__ import annotations

import ast
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import uuid_utils.compat

from bench.core.bus import Message
from bench.core.lab import PEERS_PYTHON
from bench.core.processes import ROOT
from contracts.envelope import Envelope, source_of, to_headers

OURS = ROOT / "bench" / "ours"
PEERS = ROOT / "bench" / "peers"
NOTE = "x" * 300
"""Brings the event to about 600 bytes."""

Job = dict[str, Any]
"""One event's data, as JSON-ready values."""


@dataclass(frozen=True)
class Queue:
    """A queue, and what it is bound to. The contestant itself makes one whose arguments are its own affair."""

    name: str
    exchange: str = ""
    routing_key: str = ""
    made_by_contestant: bool = False


@dataclass(frozen=True)
class Contestant:
    """One way of doing the job."""

    name: str
    title: str
    command: tuple[str, ...]
    input_queue: str
    followups: Queue
    wire: Callable[[Job], Message]
    is_ours: bool = False
    source: Path | None = None
    consumers: int = 1
    has_database: bool = True
    settings: tuple[tuple[str, str], ...] = ()

    @property
    def guarantee(self) -> str:
        """What the contestant's own file says that it promises."""
        if self.source is None:
            return ""
        told = ast.get_docstring(ast.parse(self.source.read_text(encoding="utf-8"))) or ""
        return " ".join(told.partition("Guarantee: ")[2].split())

    def environment(self, amqp_uri: str, database_url: str) -> dict[str, str]:
        if self.is_ours:
            return {**ours_environment(amqp_uri, database_url), **dict(self.settings)}
        return {"AMQP_URI": amqp_uri, "DATABASE_URL": database_url}

    def preparation(self) -> tuple[str, ...]:
        """The command that makes the tables; none where there is no database."""
        if not self.has_database:
            return ()
        if self.is_ours:
            return (sys.executable, "-m", "chassis.store.migrate", "bench")
        return (str(PEERS_PYTHON), "-m", "bench.peers.job")


def ours_environment(amqp_uri: str, database_url: str) -> dict[str, str]:
    """The environment of `python -m chassis.host.run bench`."""
    return {
        "AMQP_URI": amqp_uri,
        "BENCH_DATABASE_URL": database_url,
        "PYTHONPATH": str(OURS),
        "LEEWARD_LOG_LEVEL": "WARNING",
    }


def jobs(count: int) -> Iterator[Job]:
    """So many events' data, each about an attendance of its own. Identifiers ascend, as all of Leeward's do."""
    new_id = uuid_utils.compat.uuid7
    for _ in range(count):
        yield {
            "attendance_id": str(new_id()),
            "referral_id": str(new_id()),
            "therapist_id": str(new_id()),
            "attended_at": datetime.now(UTC).isoformat(),
            "outward_code": "NP20",
            "sessions": "either",
            "fee_pence": 60_00,
            "note": NOTE,
        }


def _ours(routing_key: str) -> Callable[[Job], Message]:
    """As `web/publisher` writes it: the whole CloudEvents envelope in the headers."""

    def wire(job: Job) -> Message:
        envelope = Envelope(
            id=uuid_utils.compat.uuid7(),
            source=source_of("bench_front"),
            type=routing_key,
            time=datetime.now(UTC),
            subject=job["attendance_id"],
            dataschema=f"urn:leeward:bench_front:{routing_key}:1",
            correlation_id=job["attendance_id"],
        )
        properties = {
            "message_id": str(envelope.id),
            "content_type": "application/json",
            "application_headers": to_headers(envelope),
        }
        return Message("bench_front.events", routing_key, json.dumps(job).encode(), properties)

    return wire


def _nameko(job: Job) -> Message:
    properties = {"content_type": "application/json", "content_encoding": "utf-8"}
    return Message("desk.events", "AttendanceNoted", json.dumps(job).encode(), properties)


def _faststream(job: Job) -> Message:
    return Message("", "faststream.noted", json.dumps(job).encode(), {"content_type": "application/json"})


def _celery(job: Job) -> Message:
    """Celery's message protocol 2."""
    id_ = str(uuid4())
    nothing = {"callbacks": None, "errbacks": None, "chain": None, "chord": None}
    properties = {
        "correlation_id": id_,
        "content_type": "application/json",
        "content_encoding": "utf-8",
        "application_headers": {"lang": "py", "task": "record_attendance", "id": id_, "root_id": id_, "retries": 0},
    }
    return Message("", "celery.noted", json.dumps([[], job, nothing]).encode(), properties)


def _dramatiq(job: Job) -> Message:
    message = {
        "queue_name": "noted",
        "actor_name": "record_attendance",
        "args": [],
        "kwargs": job,
        "options": {},
        "message_id": str(uuid4()),
        "message_timestamp": int(datetime.now(UTC).timestamp() * 1000),
    }
    return Message("", "noted", json.dumps(message).encode())


def _peer_tool(name: str, *arguments: str) -> tuple[str, ...]:
    return (str(PEERS_PYTHON.parent / name), *arguments)


_RUN_OURS = (sys.executable, "-m", "chassis.host.run", "bench")
_OURS_RECORDED = Queue("bench.recorded", "bench.events", "AttendanceRecorded")

ORM = Contestant(
    "leeward-orm", "Leeward, ORM", _RUN_OURS, "bench.inbox", _OURS_RECORDED, _ours("AttendanceNoted"), is_ours=True
)
CORE = Contestant(
    "leeward-core", "Leeward, Core", _RUN_OURS, "bench.inbox", _OURS_RECORDED, _ours("AttendanceTold"), is_ours=True
)
TRACED = replace(
    CORE, name="leeward-traced", title="Leeward, Core, traced", settings=(("OTEL_TRACES_EXPORTER", "console"),)
)
"""Every span is written to a file: what tracing costs while an exporter is set."""

NAMEKO = Contestant(
    "nameko",
    "nameko, 10 workers",
    _peer_tool("nameko", "run", "bench.peers.nameko_stock", "--config", str(PEERS / "nameko.yaml")),
    "evt-desk-AttendanceNoted--recorder.record",
    Queue("nameko.recorded", "recorder.events", "AttendanceRecorded"),
    _nameko,
    source=PEERS / "nameko_stock.py",
)
FASTSTREAM = Contestant(
    "faststream",
    "FastStream",
    (str(PEERS_PYTHON), "-m", "bench.peers.faststream_rabbit"),
    "faststream.noted",
    Queue("faststream.recorded"),
    _faststream,
    source=PEERS / "faststream_rabbit.py",
)
CELERY = Contestant(
    "celery",
    "Celery, acks late, 2 processes",
    _peer_tool(
        "celery", "--app", "bench.peers.celery_acks_late", "worker", "--concurrency", "2",
        "--queues", "celery.noted", "--loglevel", "WARNING",
    ),
    "celery.noted",
    Queue("celery.recorded"),
    _celery,
    source=PEERS / "celery_acks_late.py",
)  # fmt: skip


def _dramatiq_with(processes: int) -> Contestant:
    return Contestant(
        f"dramatiq-{processes}",
        f"dramatiq, {processes} process{'es' * (processes > 1)}",
        _peer_tool(
            "dramatiq", "bench.peers.dramatiq_actors", "--processes", str(processes), "--threads", "8",
            "--queues", "noted",
        ),
        "noted",
        Queue("recorded", made_by_contestant=True),
        _dramatiq,
        source=PEERS / "dramatiq_actors.py",
        consumers=processes,
    )  # fmt: skip


LIMIT = Contestant(
    "limit",
    "bare limit, no database",
    (sys.executable, "-m", "bench.limit"),
    "limit.in",
    Queue("limit.out", made_by_contestant=True),
    lambda job: replace(_ours("AttendanceNoted")(job), exchange="", routing_key="limit.in"),
    source=ROOT / "bench" / "limit.py",
    has_database=False,
)

ALL_OURS = (ORM, CORE)
ALL_PEERS = (NAMEKO, FASTSTREAM, CELERY, _dramatiq_with(1), _dramatiq_with(2))
BY_NAME = {one.name: one for one in (*ALL_OURS, TRACED, *ALL_PEERS, LIMIT)}
