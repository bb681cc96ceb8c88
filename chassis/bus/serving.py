"""Keeps a consumer connected for as long as the service runs."""

from __future__ import annotations

import threading
from collections.abc import Callable

import structlog

from chassis.bus.connection import LOST, BusConnection, backoff_seconds, close_quietly
from chassis.observability import metrics
from chassis.observability.logs import describe

log = structlog.get_logger()


def stay_connected(
    connect: Callable[[], BusConnection],
    serve: Callable[[BusConnection], None],
    *,
    stopping: threading.Event,
    name: str,
) -> None:
    """Runs `serve` on a connection, and on a new one whenever that is lost, until `stopping` is set."""
    delays = backoff_seconds()
    while not stopping.is_set():
        connection = None
        try:
            connection = connect()
            delays = backoff_seconds()
            serve(connection)
        except LOST as error:
            metrics.RECONNECTS.labels(name).inc()
            log.warning("consumer_interrupted", lane=name, **describe(error))
            stopping.wait(next(delays))
        finally:
            close_quietly(connection)
