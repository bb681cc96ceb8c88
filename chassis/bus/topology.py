"""Every exchange, queue and binding of a service, derived from what it hears and declared here and nowhere else.

::

    <publisher>.events        topic    facts, by event name
    <service>.inbox|.urgent   quorum   what the service hears; an urgent lane never waits behind the inbox
    <service>.retry           topic    takes `<lane>.<delay>` to the queue of that delay, `dead` to the dead letters
    <service>.retry.<delay>   quorum   holds a message for its delay, then passes it on to <service>.return
    <service>.return          topic    brings `<lane>.<anything>` back into the lane it came from
    <service>.limit           quorum   what was handed out too often, under `<lane>.limit`; see `chassis.bus.returns`
    <service>.dead            quorum   what a person must look at
    nameko-rpc                topic    commands, by `<service>.<command>`, and the answers to them
    rpc-<service>             classic  the commands that the service takes
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from amqp.exceptions import AccessRefused, NotFound, PreconditionFailed
from kombu import Connection, Exchange, Queue, binding

from contracts.event import Event

RETRY_DELAYS_SECONDS: Mapping[str, int] = {"1s": 1, "5s": 5, "30s": 30, "2m": 120, "10m": 600, "1h": 3600}
"""The retry queues. One delay a queue: a time to live per message would make a short one wait behind a long one."""

RETRY_QUEUE_MAX_LENGTH = 1_000_000
DEAD = "dead"
COMMANDS = "nameko-rpc"

DELIVERY_LIMIT = 100
"""How often the broker hands out a message before it parks it. RabbitMQ 4's own default of 20 is used up by a few
clean restarts with a prefetched backlog."""

LIMIT = "limit"

LOOKING_LIMIT = 1_000_000
"""Looking at a dead letter hands it out. RabbitMQ 4 would drop it after 20 looks, and 3.10 knows no "never" (-1)."""


class TopologyMismatch(Exception):
    """A queue or exchange exists with other properties than the code asks for; a person has to decide."""


class ExchangeMissing(Exception):
    """Another's exchange is not there yet and this user may not declare it: wait, and try again."""


@dataclass(frozen=True)
class Topology:
    """What one service declares, idempotently, before it starts.

    `exchanges` and `queues` are its own; `foreign` are the exchanges of others that its queues are bound to.
    """

    service: str
    exchanges: tuple[Exchange, ...]
    foreign: tuple[Exchange, ...]
    queues: tuple[Queue, ...]

    def declare(self, connection: Connection) -> None:
        """Declares all of it. Raises TopologyMismatch at the first thing that is there and differs, and
        ExchangeMissing if another's exchange must be waited for; its own exchanges are there by then."""
        for exchange in self.exchanges:
            _declare(connection, exchange)
        for exchange in self.foreign:
            _see_to(connection, exchange)
        for queue in self.queues:
            _declare(connection, queue)

    def bindings(self) -> Iterator[tuple[str, str, str]]:
        """Exchange, routing key and queue of every binding."""
        for queue in self.queues:
            for exchange, key in sorted((one.exchange.name, one.routing_key) for one in queue.bindings):
                yield exchange, key, queue.name


def topology_of(service: str, heard: Mapping[str, Iterable[type[Event]]]) -> Topology:
    """The topology of a service that hears, in each lane, these events."""
    events, retry, return_ = (_topic(f"{service}.{name}") for name in ("events", "retry", "return"))
    foreign = {name: _topic(f"{name}.events") for name in sorted(_publishers(heard) - {service})}
    exchanges = {service: events, **foreign}
    commands = _topic(COMMANDS)
    return Topology(
        service,
        exchanges=(events, retry, return_),
        foreign=(*foreign.values(), commands),
        queues=(
            *_retry_queues(service, retry, return_),
            _quorum(f"{service}.limit", [binding(retry, f"*.{LIMIT}")], {"x-delivery-limit": LOOKING_LIMIT}),
            _quorum(f"{service}.dead", [binding(retry, DEAD)], {"x-delivery-limit": LOOKING_LIMIT}),
            *(_lane(service, lane, list(events), exchanges, return_, retry) for lane, events in heard.items()),
            # As nameko declares it.
            Queue(f"rpc-{service}", bindings=[binding(commands, f"{service}.*")], durable=True),
        ),
    )


def _publishers(heard: Mapping[str, Iterable[type[Event]]]) -> set[str]:
    return {event.publisher for events in heard.values() for event in events}


def _lane(
    service: str,
    lane: str,
    events: list[type[Event]],
    exchanges: Mapping[str, Exchange],
    return_: Exchange,
    retry: Exchange,
) -> Queue:
    return _quorum(
        f"{service}.{lane}",
        [
            *(binding(exchanges[event.publisher], event.__name__) for event in events),
            binding(return_, f"{lane}.*"),
        ],
        {
            "x-delivery-limit": DELIVERY_LIMIT,
            "x-dead-letter-exchange": retry.name,
            "x-dead-letter-routing-key": f"{lane}.{LIMIT}",
            "x-dead-letter-strategy": "at-least-once",
            "x-overflow": "reject-publish",
        },
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
    # Exactly as stock nameko declares an event exchange, so that neither refuses the other's. A queue that is bound to
    # it doesn't declare it once more, which another's user may not.
    return Exchange(name, type="topic", durable=True, auto_delete=False, no_declare=True)


def _quorum(name: str, bindings: list[binding], arguments: dict[str, Any]) -> Queue:
    return Queue(name, bindings=bindings, durable=True, queue_arguments={"x-queue-type": "quorum", **arguments})


def _declare(connection: Connection, entity: Exchange | Queue) -> None:
    with connection.channel() as channel:
        try:
            if isinstance(entity, Queue):
                entity.bind(channel).declare()
            else:
                channel.exchange_declare(entity.name, entity.type, durable=True, auto_delete=False)
        except PreconditionFailed as error:
            raise TopologyMismatch(_explain(entity, error)) from None


def _see_to(connection: Connection, exchange: Exchange) -> None:
    """Declares another's exchange if it is missing and this user may. Raises ExchangeMissing."""
    with connection.channel() as channel:
        try:
            channel.exchange_declare(exchange.name, exchange.type, passive=True)
        except NotFound:
            pass
        else:
            return
    try:
        _declare(connection, exchange)
    except AccessRefused:
        raise ExchangeMissing(exchange.name) from None


def _explain(entity: Exchange | Queue, error: PreconditionFailed) -> str:
    kind = "queue" if isinstance(entity, Queue) else "exchange"
    return (
        f"The {kind} {entity.name} exists on the broker with other properties than this version needs "
        f"({error.reply_text}). Empty and delete it, or run the version that made it."
    )
