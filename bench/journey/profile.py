"""What a service spends its time on: py-spy looks two hundred times a second, and each look is counted to an area."""

from __future__ import annotations

import re
import subprocess
from collections import Counter
from pathlib import Path

from bench.core.lab import PEERS_PYTHON
from bench.core.processes import Process

PY_SPY = PEERS_PYTHON.parent / "py-spy"
LOOKS_PER_SECOND = 200

AREAS = (
    ("sealing and encryption", re.compile(r"joserfc|cryptography|chassis/(sealing|vault)")),
    ("SQL", re.compile(r"sqlalchemy|psycopg|sqlite")),
    ("validate and dump", re.compile(r"marshmallow|contracts/")),
    ("letters", re.compile(r"services/notifications/gateways|jinja2|email/|mailbox")),
    ("publish", re.compile(r"chassis/bus/(relay|publisher)|publish \(.*chassis/bus/connection")),
    ("receive", re.compile(r"chassis/bus/(consumer|connection|delivery)|pika/|amqp/|kombu/")),
    ("handler", re.compile(r"services/")),
    ("settling, timers, commands", re.compile(r"chassis/|nameko/")),
    ("event loop", re.compile(r"eventlet|greenlet|threading|select")),
)
"""Of each stack the innermost frame that belongs to an area decides; within a frame the first area that fits."""

COMMIT, OTHER = "commit", "other"
_COMMIT = re.compile(r"^(do_commit|_commit_impl|commit) \(")


def start(pid: int, seconds: int, file: Path) -> Process | None:
    """Begins to watch a process; None where py-spy isn't installed."""
    if not PY_SPY.exists():
        return None
    command = [str(PY_SPY), "record", "--pid", str(pid), "--duration", str(seconds), "--rate", str(LOOKS_PER_SECOND)]
    return subprocess.Popen(
        [*command, "--format", "raw", "--nonblocking", "--full-filenames", "--output", str(file)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def shares(raw: str) -> dict[str, float]:
    """Each area's share (0 to 1) of the looks in a raw py-spy recording, largest first."""
    looks: Counter[str] = Counter()
    for line in raw.splitlines():
        stack, _, count = line.rpartition(" ")
        if stack:
            looks[area_of(stack.split(";"))] += int(count)
    total = sum(looks.values())
    return {area: count / total for area, count in looks.most_common()}


def area_of(frames: list[str]) -> str:
    """The area of a stack, outermost frame first."""
    if any(_COMMIT.match(frame) for frame in frames):
        return COMMIT
    for frame in reversed(frames):
        for area, pattern in AREAS:
            if pattern.search(frame):
                return area
    return OTHER
