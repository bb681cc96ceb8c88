"""What a measurement ran on."""

from __future__ import annotations

import os
import platform
import subprocess
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

import psutil

OURS = ("marshmallow", "nameko", "pika", "psycopg", "sqlalchemy")
PEERS = ("nameko", "faststream", "aio-pika", "celery", "dramatiq", "sqlalchemy", "psycopg", "marshmallow")
FSYNCS = 200


def describe(*, rabbitmq: str, postgresql: str, stores: dict[str, Path], peers: Path) -> dict[str, Any]:
    """The machine and everything that was measured on it, by name and version."""
    return {
        "cpu": _cpu_model(),
        "cores": os.cpu_count() or 0,
        "ram_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "rabbitmq": rabbitmq,
        "postgresql": postgresql,
        "leeward": {name: version(name) for name in OURS},
        "peers": _peer_versions(peers),
        "fsync_ms": {store: round(fsync_ms(folder), 3) for store, folder in stores.items()},
        "load_before": round(os.getloadavg()[0], 2),
    }


def fsync_ms(folder: Path) -> float:
    """The median time in milliseconds to append 4 KiB to a file in this folder and to have it on disk."""
    taken = []
    with tempfile.TemporaryFile(dir=folder) as file:
        for _ in range(FSYNCS):
            file.write(b"x" * 4096)
            file.flush()
            began = time.perf_counter()
            os.fsync(file.fileno())
            taken.append(time.perf_counter() - began)
    return median(taken) * 1000


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except FileNotFoundError:
        return platform.processor() or "unknown"
    models = (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    return next(models, "unknown")


def _peer_versions(python: Path) -> dict[str, str]:
    if not python.exists():
        return {}
    code = f"from importlib.metadata import version as v\nfor n in {PEERS}: print(n, v(n))"
    listed = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True).stdout
    return dict(line.split() for line in listed.splitlines())
