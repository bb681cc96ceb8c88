"""Who may do what on the broker: a user for each service and front-end, with the least rights that it needs.

The rights are derived from what each service declares.

RabbitMQ checks a name against three patterns (configure, write, read), and on a topic exchange also the routing key.
Nobody may publish to the default exchange, which reaches every queue. A service may answer commands but send none,
because an answer's routing key is a UUID and a command's is `<service>.<command>`. RabbitMQ checks the routing key of a
message, and not those that its CC and BCC headers add: so a front-end publishes its commands to an exchange of its own,
to which only the commands that it may give are bound, and a service refuses a command that came under another's key.
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from chassis.bus.quotas import OWN, policies
from chassis.bus.topology import (
    ANSWERS,
    COMMANDS,
    FRONT_ENDS,
    Topology,
    answered_on,
    answers_of,
    asked_of,
    commands_of,
)
from contracts.catalogue import PUBLISHERS, events

NOTHING = "^$"
QUEUE_OF_THE_BROKERS_NAMING = r"amq\.gen-.*"
STAFF, OPERATOR, ENQUIRY = "staff", "operator", "enquiry"
ACCOUNTS = "accounts"
"""What staff's pages publish as: the name of their store."""


@dataclass(frozen=True)
class TopicRule:
    """Which routing keys of one topic exchange a user may publish and bind."""

    exchange: str
    write: str = NOTHING
    read: str = NOTHING


@dataclass(frozen=True)
class User:
    """One user of the broker. The three patterns are lists of alternatives, each matched whole."""

    name: str
    why: str
    configure: Sequence[str] = ()
    write: Sequence[str] = ()
    read: Sequence[str] = ()
    topics: Sequence[TopicRule] = ()
    tags: Sequence[str] = field(default=())

    def permission(self) -> dict[str, str]:
        return {name: _whole(getattr(self, name)) for name in ("configure", "write", "read")}


def users_of(topologies: Sequence[Topology]) -> list[User]:
    """A user for each service, for each front-end that publishes, and for consoles, the command line tool and the
    public site's enquiries."""
    services = [topology.service for topology in topologies]
    front_ends = [publisher for publisher in PUBLISHERS if publisher not in (*services, ACCOUNTS)]
    return [
        *(_service(topology) for topology in topologies),
        *(_front_end(publisher) for publisher in front_ends),
        _staff(services),
        _operator(services),
        _enquiry(services),
    ]


def definitions(topologies: Sequence[Topology], passwords: Mapping[str, str], *, vhost: str = "/") -> dict[str, Any]:
    """RabbitMQ's definitions, to import: the virtual host, everything declared on it, policies, users and
    permissions."""
    users = users_of(topologies)
    return {
        "vhosts": [{"name": vhost}],
        "users": [_with_password(user, passwords[user.name]) for user in users],
        "permissions": [{"user": user.name, "vhost": vhost, **user.permission()} for user in users],
        "topic_permissions": [
            {"user": user.name, "vhost": vhost, "exchange": rule.exchange, "write": rule.write, "read": rule.read}
            for user in users
            for rule in user.topics
        ],
        "policies": policies(vhost),
        **_declared(topologies, vhost),
    }


def definitions_for_one_user(name: str, password: str, *, vhost: str = "/") -> dict[str, Any]:
    """Definitions that a broker of our own imports as it starts: one user who may do everything, and the policies."""
    owner = User(name, "whoever started the broker", [".*"], [".*"], [".*"], tags=["administrator"])
    return {
        "vhosts": [{"name": vhost}],
        "users": [_with_password(owner, password)],
        "permissions": [{"user": name, "vhost": vhost, **owner.permission()}],
        "policies": policies(vhost),
    }


def _declared(topologies: Sequence[Topology], vhost: str) -> dict[str, Any]:
    exchanges = {
        exchange.name: exchange for topology in topologies for exchange in (*topology.exchanges, *topology.foreign)
    }
    common = {"vhost": vhost, "durable": True, "auto_delete": False}
    return {
        "exchanges": [
            {"name": exchange.name, "type": exchange.type, "internal": False, "arguments": {}, **common}
            for exchange in exchanges.values()
        ],
        "queues": [
            {"name": queue.name, "arguments": dict(queue.queue_arguments or {}), **common}
            for topology in topologies
            for queue in topology.queues
        ],
        "bindings": [
            {
                "source": source,
                "vhost": vhost,
                "destination": queue,
                "destination_type": "queue",
                "routing_key": routing_key,
                "arguments": {},
            }
            for topology in topologies
            for source, routing_key, queue in topology.bindings()
        ],
    }


def _service(topology: Topology) -> User:
    service = topology.service
    own = [re.escape(entity.name) for entity in (*topology.exchanges, *topology.queues)]
    names = [exchange.name for exchange in topology.foreign]
    foreign = [name for name in names if name.endswith(".events")]
    commands = [name for name in names if name in (COMMANDS, *map(commands_of, FRONT_ENDS))]
    answers = [answered_on(exchange) for exchange in commands]
    heard = {exchange: [key for source, key, _ in topology.bindings() if source == exchange] for exchange in foreign}
    return User(
        service,
        "the service itself: its own exchanges and queues, the events it hears, and answers to commands",
        configure=own,
        write=[*own, *map(re.escape, answers)],
        read=[*own, *map(re.escape, foreign), *map(re.escape, commands)],
        topics=[
            _publishing(service),
            *(TopicRule(exchange, read=_whole(map(re.escape, keys))) for exchange, keys in heard.items()),
            *_taking_commands(topology, commands, answers),
        ],
    )


def _front_end(publisher: str) -> User:
    rule = _publishing(publisher)
    return User(
        publisher, "a public front-end: publishes, and reads nothing", (), [re.escape(rule.exchange)], (), [rule]
    )


def _staff(services: Sequence[str]) -> User:
    own = [rf"console\.(?!({OWN})(\.|$)).*", r"rpc\.reply-.*", QUEUE_OF_THE_BROKERS_NAMING]
    commands = TopicRule(COMMANDS, write=rf"^({'|'.join(services)})\.[a-z_]+$", read=ANSWERS)
    events_ = [re.escape(f"{publisher}.events") for publisher in services]
    return User(
        STAFF,
        "staff consoles and portals: give commands, publish letters about accounts, and listen in queues of their own",
        configure=own,
        write=[*own, re.escape(COMMANDS), re.escape(f"{ACCOUNTS}.events")],
        read=[*own, *events_, re.escape(COMMANDS)],
        topics=[commands, _publishing(ACCOUNTS)],
    )


def _operator(services: Sequence[str]) -> User:
    return User(
        OPERATOR,
        "the command line tool: status, topology, dead, events, trace",
        **_command_client(OPERATOR, services, reads=[f"{publisher}.events" for publisher in PUBLISHERS]),
        tags=["monitoring"],
    )


def _enquiry(services: Sequence[str]) -> User:
    why = "the public site's second connection: asks intake where a request stands, and nothing else"
    return User(ENQUIRY, why, **_command_client(ENQUIRY, services))


def _command_client(front_end: str, services: Sequence[str], reads: Sequence[str] = ()) -> dict[str, Any]:
    """The rights of a front-end that gives commands, with a reply queue that the broker names."""
    temporary, commands, answers = QUEUE_OF_THE_BROKERS_NAMING, commands_of(front_end), answers_of(front_end)
    asked = [re.escape(key) for service in services for key in asked_of(service, front_end)]
    return {
        "configure": [temporary],
        "write": [temporary, re.escape(commands)],
        "read": [temporary, *map(re.escape, (answers, *reads))],
        "topics": [TopicRule(commands, write=_whole(asked)), TopicRule(answers, read=ANSWERS)],
    }


def _taking_commands(topology: Topology, commands: Sequence[str], answers: Sequence[str]) -> list[TopicRule]:
    """The right to bind queues to the exchanges of commands, and to publish answers."""
    keys = {exchange: [key for source, key, _ in topology.bindings() if source == exchange] for exchange in commands}
    reading = {exchange: _whole(map(re.escape, keys[exchange])) for exchange in commands}
    return [
        TopicRule(exchange, write=ANSWERS if exchange in answers else NOTHING, read=reading.get(exchange, NOTHING))
        for exchange in dict.fromkeys((*commands, *answers))
    ]


def _publishing(publisher: str) -> TopicRule:
    names = [event.__name__ for event in events() if event.publisher == publisher]
    return TopicRule(f"{publisher}.events", write=_whole(names))


def _whole(alternatives: Iterable[str]) -> str:
    """A pattern that matches any of these from beginning to end, and nothing if there are none."""
    joined = "|".join(alternatives)
    return f"^({joined})$" if joined else NOTHING


def _with_password(user: User, password: str) -> dict[str, Any]:
    """RabbitMQ's own format of a password hash: four bytes of salt, then the hash of salt and password."""
    salt = secrets.token_bytes(4)
    hashed = salt + hashlib.sha256(salt + password.encode()).digest()
    return {
        "name": user.name,
        "password_hash": base64.b64encode(hashed).decode(),
        "hashing_algorithm": "rabbit_password_hashing_sha256",
        "tags": list(user.tags),
    }
