"""The one HTTP port of a service, for those who look after it: `/metrics`, `/health/live`, `/health/ready`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import eventlet
import eventlet.wsgi

from chassis import metrics

StartResponse = Callable[[str, list[tuple[str, str]]], object]
METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Condition:
    """Whether a service can do its work, and if not what it waits for.

    `watch`, `measure` and `alarms` are set when the service runs: the first names what is missing, the second brings
    gauges up to date, the third counts what a person must know at once.
    `needs_a_person` is what somebody must put right before it can start at all.
    """

    def __init__(self) -> None:
        self.needs_a_person: str | None = None
        self.watch: Callable[[], list[str]] = lambda: ["start"]
        self.measure: Callable[[], None] = lambda: None
        self.alarms: Callable[[], Mapping[str, int]] = dict

    def as_json(self) -> dict[str, Any]:
        waiting_for = self.watch()
        ready = not waiting_for and self.needs_a_person is None
        told = {"ready": ready, "waiting_for": waiting_for, "needs_a_person": self.needs_a_person}
        return {**told, "alarms": dict(self.alarms())}


def listen(address: str, condition: Condition) -> None:
    """Serves on `host:port` from a green thread. Raises OSError if the port is taken."""
    host, _, port = address.rpartition(":")
    socket = eventlet.listen((host, int(port)))
    eventlet.spawn_n(eventlet.wsgi.server, socket, _application(condition), log_output=False)


def _application(condition: Condition) -> Callable[[dict[str, Any], StartResponse], Iterable[bytes]]:
    def metrics_page() -> tuple[str, str, bytes]:
        condition.measure()
        return "200 OK", METRICS_TYPE, metrics.exposition()

    def live() -> tuple[str, str, bytes]:
        return _json("200 OK", {"live": True})

    def ready() -> tuple[str, str, bytes]:
        found = condition.as_json()
        return _json("200 OK" if found["ready"] else "503 Service Unavailable", found)

    pages = {"/metrics": metrics_page, "/health/live": live, "/health/ready": ready}

    def answer(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        page = pages.get(environ["PATH_INFO"])
        status, kind, body = page() if page else _json("404 Not Found", {"there_is": list(pages)})
        start_response(status, [("Content-Type", kind), ("Content-Length", str(len(body)))])
        return [body]

    return answer


def _json(status: str, content: dict[str, Any]) -> tuple[str, str, bytes]:
    return status, "application/json", json.dumps(content).encode()
