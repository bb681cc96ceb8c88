"""What queues of others' naming may hold, and for how long: policies on the broker, which whoever declares can't lift.

The services' own queues say themselves what they hold. Clients and consoles may declare as many as they like, of the
broker's naming or under `console.`: what nobody reads must not grow, and what was left behind must go.
"""

from __future__ import annotations

from typing import Any

MAX_LENGTH, MAX_BYTES = 10_000, 64 * 1_048_576
TEMPORARY_MILLISECONDS = 300_000
"""How long a reply queue outlives its last reader: as long as nameko's own."""

CONSOLE_MILLISECONDS = 24 * 3_600_000
"""How long a console may be away and still find what was said meanwhile, as far as there is room for it."""

EXPIRES_AFTER = {
    "temporary": (r"^(amq\.gen-|rpc\.reply-)", TEMPORARY_MILLISECONDS),
    "console": (r"^console\.", CONSOLE_MILLISECONDS),
}
"""By the name of the policy, whose queues are meant and how long they may be without a reader."""


def policies(vhost: str) -> list[dict[str, Any]]:
    """As RabbitMQ imports them. The oldest is dropped from what is full, so that nobody who publishes is held up."""
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
