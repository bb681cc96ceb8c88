"""Limits of the queues that clients and consoles declare: policies on the broker, which a client can't override.

The services' own queues declare their limits themselves. Clients and consoles may declare any number of queues, named
by the broker or under `console.`: one that nobody reads must not grow, and one that was left behind must be deleted.
"""

from __future__ import annotations

from typing import Any

MAX_LENGTH, MAX_BYTES = 10_000, 64 * 1_048_576
TEMPORARY_MILLISECONDS = 300_000
"""How long a reply queue outlives its last reader: as long as nameko's own."""

CONSOLE_MILLISECONDS = 24 * 3_600_000
"""How long a console may be disconnected and still find what was published meanwhile, within the queue's limits."""

OWN = "events|inbox|urgent|retry|return|limit|dead"
"""The last parts of the names of exchanges and queues that the service `console` declares itself: nobody else may touch
them, and its queues have limits of their own."""

EXPIRES_AFTER = {
    "temporary": (r"^(amq\.gen-|rpc\.reply-)", TEMPORARY_MILLISECONDS),
    "console": (rf"^console\.(?!({OWN})(\.|$))", CONSOLE_MILLISECONDS),
}
"""By policy: a pattern of queue names, and how long such a queue may be without a reader before it is deleted."""


def policies(vhost: str) -> list[dict[str, Any]]:
    """As RabbitMQ imports them. A full queue drops its oldest message, so that no publisher is blocked."""
    full = {"max-length": MAX_LENGTH, "max-length-bytes": MAX_BYTES, "overflow": "drop-head"}
    return [
        {
            "vhost": vhost,
            "name": name,
            "pattern": pattern,
            "apply-to": "queues",
            "priority": 0,
            "definition": {"expires": milliseconds, **full},
        }
        for name, (pattern, milliseconds) in EXPIRES_AFTER.items()
    ]
