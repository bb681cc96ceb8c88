"""Every exchange, queue and binding of a service, derived from what it hears and declared here and nowhere else.

::

    <publisher>.events        topic    facts, by event name
    <service>.inbox|.urgent   quorum   what the service hears; an urgent lane never waits behind the inbox
    <service>.retry           topic    takes `<lane>.<delay>` to the queue of that delay, `dead` to the dead letters
    <service>.retry.<delay>   quorum   holds a message for its delay, then passes it on to <service>.return
    <service>.return          topic    brings `<lane>.<delay>` back into the lane it came from
    <service>.dead            quorum   what a person must look at
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from amqp.exceptions import PreconditionFailed
from kombu import Connection, Exchange, Queue, binding

from contracts.event import Event

RETRY_DELAYS_SECONDS: Mapping[str, int] = {"1s": 1, "5s": 5, "30s": 30, "2m": 120, "10m": 600, "1h": 3600}
"""The retry queues. One delay a queue: a time to live per message would make a short one wait behind a long one."""

RETRY_QUEUE_MAX_LENGTH = 1_000_000
DEAD = "dead"

DELIVERY_LIMIT = 100
"""How often the broker hands out a message before it parks it. RabbitMQ 4's own default of 20 is used up by a few
clean restarts with a prefetched backlog."""


class TopologyMismatch(Exception):
    """A queue or exchange exists with other properties than the code asks for; a person has to decide."""


@dataclass(frozen=True)
class Topology:
    """What one service declares, idempotently, before it starts."""

    service: str
    exchanges: tuple[Exchange, ...]
    queues: tuple[Queue, ...]

    def declare(self, connection: Connection) -> None:
        """Declares all of it. Raises TopologyMismatch at the first thing that is there and differs."""
        for entity in (*self.exchanges, *self.queues):
            with connection.channel() as channel:
                try:
                    entity.bind(channel).declare()
                except PreconditionFailed as error:
                    raise TopologyMismatch(_explain(entity, error)) from None


def topology_of(service: str, heard: Mapping[str, Iterable[type[Event]]], published_to: Iterable[str] = ()) -> Topology:
    """The topology of a service that hears, in each lane, these events.

    `published_to` names further publishers whose exchanges it should see to, such as its own.
    """
    retry, return_ = _topic(f"{service}.retry"), _topic(f"{service}.return")
    publishers = {event.publisher for events in heard.values() for event in events} | {service, *published_to}
    events_exchanges = {name: _topic(f"{name}.events") for name in sorted(publishers)}
    lanes = [
        _quorum(
            f"{service}.{lane}",
            [
                *(binding(events_exchanges[event.publisher], event.__name__) for event in events),
                binding(return_, f"{lane}.*"),
            ],
            {
                "x-delivery-limit": DELIVERY_LIMIT,
                "x-dead-letter-exchange": retry.name,
                "x-dead-letter-routing-key": DEAD,
                "x-dead-letter-strategy": "at-least-once",
                "x-overflow": "reject-publish",
            },
        )
        for lane, events in heard.items()
    ]
    return Topology(
        service,
        exchanges=(*events_exchanges.values(), retry, return_),
        queues=(
            *_retry_queues(service, retry, return_),
            _quorum(f"{service}.dead", [binding(retry, DEAD)], {}),
            *lanes,
        ),
    )


def _retry_queues(service: str, retry: Exchange, return_: Exchange) -> list[Queue]:
    return [
        _quorum(
            f"{service}.retry.{delay}",
            [binding(retry, f"*.{delay}")],
            {
                "x-message-ttl": seconds * 1000,
                "x-dead-letter-exchange": return_.name,
                "x-dead-letter-strategy": "at-least-once",
                "x-overflow": "reject-publish",
                "x-max-length": RETRY_QUEUE_MAX_LENGTH,
            },
        )
        for delay, seconds in RETRY_DELAYS_SECONDS.items()
    ]


def _topic(name: str) -> Exchange:
    # Exactly as stock nameko declares an event exchange, so that neither refuses the other's.
    return Exchange(name, type="topic", durable=True, auto_delete=False)


def _quorum(name: str, bindings: list[binding], arguments: dict[str, Any]) -> Queue:
    return Queue(name, bindings=bindings, durable=True, queue_arguments={"x-queue-type": "quorum", **arguments})


def _explain(entity: Exchange | Queue, error: PreconditionFailed) -> str:
    kind = "queue" if isinstance(entity, Queue) else "exchange"
    return (
        f"The {kind} {entity.name} exists on the broker with other properties than this version needs "
        f"({error.reply_text}). Empty and delete it, or run the version that made it."
    )
