"""What a service counts and measures, for Prometheus. Labels are names from the code: lanes, events, timers.

Counters of messages are increased once a batch.
"""

from __future__ import annotations

from functools import cache

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

REGISTRY = CollectorRegistry()

HANDLED = Counter("leeward_handled", "Messages that took effect, or had before.", ["lane"], registry=REGISTRY)
FAILED = Counter("leeward_failed", "Handlers that failed.", ["event", "error"], registry=REGISTRY)
RETRIED = Counter("leeward_retried", "Messages sent to a retry queue after a failure.", ["lane"], registry=REGISTRY)
WAITING = Counter("leeward_put_off", "Messages that wait for an earlier fact.", ["lane"], registry=REGISTRY)
PARKED = Counter("leeward_parked", "Messages sent to the dead letters.", ["lane"], registry=REGISTRY)
BATCH = Histogram(
    "leeward_batch_messages",
    "Messages taken at once.",
    ["lane"],
    buckets=(1, 2, 5, 10, 20, 50, 100, 200, 500),
    registry=REGISTRY,
)
HANDLER_SECONDS = Histogram(
    "leeward_handler_seconds",
    "Time to handle and commit what was taken at once.",
    ["lane"],
    buckets=(0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.05, 0.25, 1, 5, 30),
    registry=REGISTRY,
)
GAVE_WAY = Counter(
    "leeward_gave_way", "Batches left to grow for a moment, for want of a processor.", ["lane"], registry=REGISTRY
)
INBOX_AGE = Gauge(
    "leeward_inbox_oldest_seconds", "Age of the oldest message taken and not settled.", ["lane"], registry=REGISTRY
)
CONFIRMS = Counter("leeward_confirms", "Events that the broker has confirmed.", registry=REGISTRY)
REFUSED = Counter("leeward_refused", "Events that the broker refused because a queue is full.", registry=REGISTRY)
UNROUTABLE = Counter("leeward_unroutable", "Events that found no queue: nobody asks for them.", registry=REGISTRY)
RECONNECTS = Counter("leeward_reconnects", "Connections that were lost.", ["connection"], registry=REGISTRY)
COMMANDS_REFUSED = Counter(
    "leeward_commands_refused", "Commands that could not be read or may not be given.", ["why"], registry=REGISTRY
)
OUTBOX_ROWS = Gauge("leeward_outbox_rows", "Events that are committed and not yet confirmed.", registry=REGISTRY)
OUTBOX_LAG = Gauge("leeward_outbox_oldest_seconds", "Age of the oldest of them.", registry=REGISTRY)
TIMERS_DUE = Gauge("leeward_timers_due", "Timers that are due and have not fired.", registry=REGISTRY)
POSTED = Counter("leeward_posted", "Posted from outside, by its answer.", ["path", "status"], registry=REGISTRY)
TIMERS_FIRED = Counter("leeward_timers_fired", "Timers that were fired.", registry=REGISTRY)


@cache
def alarm(name: str) -> Gauge:
    """The gauge of an alarm, which a person must act on at once: `leeward_<name>`, 0 if all is well."""
    return Gauge(f"leeward_{name}", "What a person must look at now.", registry=REGISTRY)


def exposition() -> bytes:
    """All metrics, in Prometheus's text format."""
    return generate_latest(REGISTRY)
