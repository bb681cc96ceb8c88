"""Every exchange, queue and binding of a service, derived from its subscriptions. Nothing is declared elsewhere.

::

    <publisher>.events        topic    facts, by event name
    <service>.inbox|.urgent   quorum   what the service hears; an urgent lane never waits behind the inbox
    <service>.retry           topic    takes `<lane>.<delay>` to the queue of that delay, `dead` to the dead letters
    <service>.retry.<delay>   quorum   holds a message for its delay, then passes it on to <service>.return
    <service>.return          topic    brings `<lane>.<anything>` back into the lane it came from
    <service>.limit           quorum   what exceeded its delivery limit, by `<lane>.limit`; see `chassis.bus.redelivery`
    <service>.dead            quorum   the dead letters, which a person must look at
    nameko-rpc                topic    commands from staff's clients, by `<service>.<command>`, and the answers to them
    <front-end>.commands      topic    commands from one front-end; only those that it may give are bound
    <front-end>.answers       topic    the answers to them
    rpc-<service>             quorum   the service's commands from staff's clients
    rpc-<service>.<front-end> quorum   its commands from one front-end, which can fill no other's queue
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
RETURN = "return"
COMMANDS = "nameko-rpc"
"""Where staff's clients give commands and get their answers, as any nameko client does."""

FRONT_ENDS: Mapping[str, tuple[str, ...]] = {
    "enquiry": (
        "intake.status",
        "intake.change_by_client",
        "evaluation.open_form",
        "matching.open_offer",
        "notifications.open_alert",
        "notifications.open_client",
        "notifications.send_client_code",
        "notifications.enter_client_code",
    ),
    "operator": (
        "*.health",
        "*.story",
        "*.list_dead_letters",
        "*.show_dead_letters",
        "*.export_dead_letters",
        "*.replay_dead_letters",
        "*.discard_dead_letters",
        "intake.find_referral",
        "console.rebuild",
        "console.fill",
        "intake.snapshots",
        "matching.snapshots",
        "billing.snapshots",
        "notifications.snapshots",
    ),
}
"""The commands that each front-end with a command exchange of its own may give: `enquiry`, the public site, and
`operator`, the command line tool. `*` is any service."""

DELIVERY_LIMIT = 100
"""How often the broker delivers a message before it moves it to `<service>.limit`. RabbitMQ 4's default of 20 is used
up by a few clean restarts with a prefetched backlog."""

ANSWERS = "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"
"""The routing keys that answers to commands go to: UUIDs, as nameko's clients choose them."""

LIMIT = "limit"
PUT_BACK_LIMIT = 20
"""How often a message in `<service>.limit` may kill the service while it is put back; then it becomes a dead letter."""

COMMAND_DELIVERY_LIMIT = 10
COMMAND_MILLISECONDS = 300_000
"""How long a command waits for its service; no client waits longer for the answer."""

COMMANDS_AT_MOST, COMMANDS_OF_A_FRONT_END_AT_MOST = 10_000, 200
"""The most commands that wait in staff's queue, and in a front-end's."""

COMMAND_BYTES_AT_MOST = 64 * 1_048_576

LOOKING_LIMIT = 1_000_000
"""Reading a dead letter counts as a delivery. RabbitMQ 4 would drop it after 20, and 3.10 knows no "unlimited" (-1)."""


class TopologyMismatch(Exception):
    """A queue or exchange exists with other properties than the code asks for; a person has to decide."""


class ExchangeMissing(Exception):
    """Another service's exchange doesn't exist yet, and this user may not declare it: wait, and try again."""


class QueueInUse(Exception):
    """A queue that must be deleted and declared again has messages, or is being read: wait, and try again for a
    while."""


@dataclass(frozen=True)
class Topology:
    """What one service declares, idempotently, before it starts.

    `exchanges` and `queues` are its own; `foreign` are the exchanges of others that its queues are bound to. The queues
    in `replaceable` had other properties in an earlier version: found with those, they are replaced when empty.
    """

    service: str
    exchanges: tuple[Exchange, ...]
    foreign: tuple[Exchange, ...]
    queues: tuple[Queue, ...]
    replaceable: frozenset[str]

    def declare(self, connection: Connection) -> None:
        """Declares all of it. Raises TopologyMismatch at the first thing that is there and differs, ExchangeMissing if
        another's exchange must be waited for (its own exchanges are there by then), and QueueInUse."""
        for exchange in self.exchanges:
            _declare(connection, exchange)
        for exchange in self.foreign:
            _ensure_exchange(connection, exchange)
        for queue in self.queues:
            try:
                _declare(connection, queue)
            except TopologyMismatch:
                if queue.name not in self.replaceable:
                    raise
                _replace(connection, queue)
                _declare(connection, queue)

    def bindings(self) -> Iterator[tuple[str, str, str]]:
        """Exchange, routing key and queue of every binding."""
        for queue in self.queues:
            for exchange, key in sorted((bound.exchange.name, bound.routing_key) for bound in queue.bindings):
                yield exchange, key, queue.name


def topology_of(service: str, heard: Mapping[str, Iterable[type[Event]]]) -> Topology:
    """The topology of a service that hears, in each lane, these events."""
    events, retry, return_ = (_topic(f"{service}.{name}") for name in ("events", "retry", RETURN))
    foreign = {name: _topic(f"{name}.events") for name in sorted(_publishers(heard) - {service})}
    exchanges = {service: events, **foreign}
    return Topology(
        service,
        exchanges=(events, retry, return_),
        foreign=(*foreign.values(), *(_topic(name) for name in _command_exchanges(service))),
        queues=(
            *_retry_queues(service, retry, return_),
            _limit(service, retry),
            _quorum(f"{service}.dead", [binding(retry, DEAD)], {"x-delivery-limit": LOOKING_LIMIT}),
            *(_lane(service, lane, list(events), exchanges, return_, retry) for lane, events in heard.items()),
            *_commands(service),
        ),
        replaceable=frozenset({f"rpc-{service}", f"{service}.{LIMIT}"}),
    )


def asked_of(service: str, front_end: str) -> list[str]:
    """The routing keys of the commands that a front-end may give to a service."""
    asked = (key.split(".") for key in FRONT_ENDS[front_end])
    return [f"{service}.{command}" for name, command in asked if name in ("*", service)]


def commands_of(front_end: str) -> str:
    """The exchange that a front-end publishes its commands to."""
    return f"{front_end}.commands"


def answers_of(front_end: str) -> str:
    """The exchange that a front-end gets its answers from."""
    return f"{front_end}.answers"


def front_end_of(exchange: str) -> str | None:
    """The front-end whose commands come from this exchange; None for staff's."""
    return next((front_end for front_end in FRONT_ENDS if commands_of(front_end) == exchange), None)


def answered_on(exchange: str) -> str:
    """The exchange for the answers to commands that came from this exchange."""
    front_end = front_end_of(exchange)
    return answers_of(front_end) if front_end else COMMANDS


def _front_ends_of(service: str) -> list[str]:
    return [front_end for front_end in FRONT_ENDS if asked_of(service, front_end)]


def _command_exchanges(service: str) -> list[str]:
    of_front_ends = (name(front_end) for front_end in _front_ends_of(service) for name in (commands_of, answers_of))
    return [COMMANDS, *of_front_ends]


def command_queues(service: str) -> list[str]:
    """The names of the queues in which a service's commands come: staff's first, then each front-end's."""
    return [f"rpc-{service}", *(f"rpc-{service}.{front_end}" for front_end in _front_ends_of(service))]


def _commands(service: str) -> list[Queue]:
    staffs, *others = command_queues(service)
    queues = [_command_queue(staffs, [binding(_topic(COMMANDS), f"{service}.*")], COMMANDS_AT_MOST)]
    for queue, front_end in zip(others, _front_ends_of(service), strict=True):
        exchange = _topic(commands_of(front_end))
        asked = [binding(exchange, key) for key in asked_of(service, front_end)]
        queues.append(_command_queue(queue, asked, COMMANDS_OF_A_FRONT_END_AT_MOST))
    return queues


def _command_queue(name: str, bindings: list[binding], at_most: int) -> Queue:
    arguments = {
        "x-delivery-limit": COMMAND_DELIVERY_LIMIT,
        "x-message-ttl": COMMAND_MILLISECONDS,
        "x-max-length": at_most,
        "x-max-length-bytes": COMMAND_BYTES_AT_MOST,
        "x-overflow": "reject-publish",
    }
    return _quorum(name, bindings, arguments)


def _limit(service: str, retry: Exchange) -> Queue:
    arguments = _parking(retry, DEAD) | {"x-delivery-limit": PUT_BACK_LIMIT}
    return _quorum(f"{service}.{LIMIT}", [binding(retry, f"*.{LIMIT}")], arguments)


def _parking(retry: Exchange, routing_key: str) -> dict[str, Any]:
    """Queue arguments by which the broker dead-letters a message under this routing key, and keeps it until that has
    been confirmed."""
    return {
        "x-dead-letter-exchange": retry.name,
        "x-dead-letter-routing-key": routing_key,
        "x-dead-letter-strategy": "at-least-once",
        "x-overflow": "reject-publish",
    }


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
        {"x-delivery-limit": DELIVERY_LIMIT, **_parking(retry, f"{lane}.{LIMIT}")},
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
    # Exactly as stock nameko declares an event exchange, so that neither refuses the other's declaration. With
    # `no_declare` a queue that is bound to it doesn't declare it too, which another service's user may not.
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


def _replace(connection: Connection, queue: Queue) -> None:
    """Unbinds a queue that has other properties, and deletes it if it is empty. Raises QueueInUse if it isn't.

    Nothing is lost meanwhile: a message that exceeds its delivery limit stays in its lane until the queue is there
    again, a client that gives a command learns that no service listens, and commands in the queue expire.
    """
    with connection.channel() as channel:
        for bound in queue.bindings:
            channel.queue_unbind(queue.name, bound.exchange.name, bound.routing_key)
        found = channel.queue_declare(queue.name, passive=True)
        is_being_emptied = queue.name.endswith(f".{LIMIT}") and found.consumer_count
        if found.message_count or is_being_emptied:
            raise QueueInUse(
                f"The queue {queue.name} is to be made anew with other properties and holds {found.message_count} "
                "messages. Run the version that made it until it is empty, or delete it if what it holds isn't needed."
            )
        channel.queue_delete(queue.name)


def _ensure_exchange(connection: Connection, exchange: Exchange) -> None:
    """Declares another service's exchange if it is missing. Raises ExchangeMissing if this user may not."""
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
