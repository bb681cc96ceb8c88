"""The one HTTP port of a service, for its operators: `/metrics`, `/health/live`, `/health/ready`.

Webhooks come in here too. They are limited before they are read: in size, in the time that a request may take to
arrive, and in how many are processed at once. A proxy lets their paths through and no others.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from threading import Semaphore
from typing import Any

import eventlet
import eventlet.wsgi

from chassis.host.webhooks import LATER, Posted
from chassis.observability import metrics

StartResponse = Callable[[str, list[tuple[str, str]]], object]
MOST_BYTES = 262_144
MOST_AT_ONCE = 4
SECONDS_TO_COME = 10
METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Condition:
    """The state of a service, for the HTTP port: whether it is ready, and if not, what it waits for.

    The functions are set once the service runs: `watch` names what is missing, `measure` updates the gauges, `alarms`
    counts what a person must act on at once, `receive` takes a webhook's request and returns the HTTP status.
    `needs_a_person` is the problem that somebody must solve before the service can start at all.
    """

    def __init__(self) -> None:
        self.needs_a_person: str | None = None
        self.watch: Callable[[], list[str]] = lambda: ["start"]
        self.measure: Callable[[], None] = lambda: None
        self.alarms: Callable[[], Mapping[str, int]] = dict
        self.receive: Callable[[str, Posted], str] = lambda path, posted: LATER

    def as_json(self) -> dict[str, Any]:
        waiting_for = self.watch()
        ready = not waiting_for and self.needs_a_person is None
        return {
            "ready": ready,
            "waiting_for": waiting_for,
            "needs_a_person": self.needs_a_person,
            "alarms": dict(self.alarms()),
        }


def listen(address: str, condition: Condition) -> None:
    """Serves on `host:port` from a green thread. Raises OSError if the port is taken."""
    host, _, port = address.rpartition(":")
    socket = eventlet.listen((host, int(port)))
    server = {"log_output": False, "socket_timeout": SECONDS_TO_COME}
    eventlet.spawn_n(eventlet.wsgi.server, socket, application(condition), **server)


def application(condition: Condition) -> Callable[[dict[str, Any], StartResponse], Iterable[bytes]]:
    def metrics_page() -> tuple[str, str, bytes]:
        condition.measure()
        return "200 OK", METRICS_TYPE, metrics.exposition()

    def live() -> tuple[str, str, bytes]:
        return _json("200 OK", {"live": True})

    def ready() -> tuple[str, str, bytes]:
        found = condition.as_json()
        return _json("200 OK" if found["ready"] else "503 Service Unavailable", found)

    pages = {"/metrics": metrics_page, "/health/live": live, "/health/ready": ready}

    in_progress = Semaphore(MOST_AT_ONCE)

    def answer(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] == "POST":
            start_response(_receive(condition, environ, in_progress), [("Content-Length", "0")])
            return []
        page = pages.get(environ["PATH_INFO"])
        status, kind, body = page() if page else _json("404 Not Found", {"there_is": list(pages)})
        start_response(status, [("Content-Type", kind), ("Content-Length", str(len(body)))])
        return [body]

    return answer


def _receive(condition: Condition, environ: Mapping[str, Any], in_progress: Semaphore) -> str:
    length = str(environ.get("CONTENT_LENGTH") or "")
    if not (length.isascii() and length.isdigit()):
        return "411 Length Required"
    if len(length) > len(str(MOST_BYTES)) or int(length) > MOST_BYTES:
        return "413 Content Too Large"
    if not in_progress.acquire(blocking=False):
        return "429 Too Many Requests"
    try:
        with eventlet.Timeout(SECONDS_TO_COME):
            body = environ["wsgi.input"].read(int(length))
        if len(body) < int(length):
            return "400 Bad Request"
        named = {name[5:].replace("_", "-").lower(): str(environ[name]) for name in environ if name.startswith("HTTP_")}
        return condition.receive(str(environ["PATH_INFO"]), Posted(named, body))
    except (OSError, eventlet.Timeout):
        return "408 Request Timeout"
    finally:
        in_progress.release()


def _json(status: str, content: dict[str, Any]) -> tuple[str, str, bytes]:
    return status, "application/json", json.dumps(content).encode()
