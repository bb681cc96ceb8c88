"""Whoever has one broker user's password can speak for that user alone: not for another, and not past its exchanges."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pika
import pytest
from pika.exceptions import AMQPChannelError, ChannelClosedByBroker
from sqlalchemy import create_engine, text

from chassis.access.authorization import BROKER_USERS
from chassis.bus.permissions import ACCOUNTS, ENQUIRY, OPERATOR, STAFF
from chassis.bus.topology import COMMANDS, FRONT_ENDS, answers_of, command_queues, commands_of
from chassis.host.commands import CommandMethod
from chassis.host.entrypoints import declared_by, heard_by
from chassis.host.service_loader import load
from contracts import generate
from contracts.catalogue import PUBLISHERS, events
from contracts.commands.matching import AdmitTherapist
from contracts.event import Event
from contracts.permissions import FrontEnd
from contracts.sealed import TherapistContact
from contracts.shape import InvalidShape
from contracts.vocabulary import ClientGroup, Competence, Sessions, Sex, TherapistId
from leeward.runtime.local_broker import Node
from leeward.runtime.workspace import SERVICES
from tests.support.bus import Sender, eventually
from tests.support.system import System, whole_system
from tests.support.users import Guarded, import_definitions

USERS = (*SERVICES, "web", STAFF, OPERATOR, ENQUIRY)
SAMPLES = Path(generate.FOLDER) / "samples"


@dataclass
class Forger:
    """Somebody who has a user's password, and tries every way in."""

    guarded: Guarded
    user: str
    sent: dict[UUID, bool] = field(default_factory=dict)
    """By message id, whether this user may say so."""

    ways: dict[UUID, str] = field(default_factory=dict)
    """By message id, what was sent which way, for whoever must find out how it came through."""

    @contextmanager
    def connected(self) -> Iterator[None]:
        self._connection = pika.BlockingConnection(pika.URLParameters(self.guarded.uri(self.user)))
        self._channel = self._connection.channel()
        self._channel.confirm_delivery()
        yield
        self._connection.close()

    def try_every_way(self) -> None:
        """Every event, by every way that the broker leaves open to this user."""
        for exchange, key in [way for way in self._ways() if self._publish(*way, b"{}", {}, uuid4())]:
            try:
                self._publish_at_once(exchange, key)
            except AMQPChannelError:  # one is refused, and with it the transaction: each by itself
                for event in events():
                    self._publish(exchange, key, *self._forged(exchange, key, event))

    def _publish_at_once(self, exchange: str, key: str) -> None:
        """Every event in one transaction: the broker says once for all that it has them, and not for each."""
        channel = self._connection.channel()
        channel.tx_select()
        for event in events():
            body, headers, id_ = self._forged(exchange, key, event)
            channel.basic_publish(exchange, key, body, properties_of(headers, id_))
        channel.tx_commit()
        channel.close()

    def _ways(self) -> Iterator[tuple[str, str]]:
        """Exchanges and keys. What comes out of a service's own return exchange is that service's own word."""
        names = {event.__name__ for event in events()}
        for publisher in PUBLISHERS:
            yield from ((f"{publisher}.events", name) for name in names)
        for service in set(SERVICES) - {self.user}:
            yield from ((f"{service}.{name}", "inbox.forged") for name in ("return", "retry"))
        for exchange in (COMMANDS, *(f"{one}.{name}" for one in FRONT_ENDS for name in ("commands", "answers"))):
            yield from ((exchange, key) for key in (str(uuid4()), "intake.status", "intake.health", "intake.inbox"))
        yield from ((exchange, "intake.inbox") for exchange in ("", "amq.topic", "amq.direct"))

    def command(self, exchange: str, key: str, body: dict[str, Any], called: list[str]) -> None:
        """A command under a key that this user may use, and under others besides."""
        for header in ("CC", "BCC"):
            self._publish(exchange, key, json.dumps(body).encode(), {header: called}, uuid4())

    def _forged(self, exchange: str, key: str, event: type[Event]) -> tuple[bytes, dict[str, Any], UUID]:
        """The event's sample as if it came by a way of its owner's, which `sent` then knows of."""
        id_, sample = uuid4(), sample_of(event)
        headers = {
            "cloudEvents_id": str(id_),
            "leeward_exchange": event.exchange(),
            "leeward_routing_key": event.__name__,
            "leeward_user": event.publisher,
            "leeward_lane": "inbox",
            "x-death": [{"queue": "intake.inbox", "exchange": event.exchange(), "routing-keys": [event.__name__]}],
            "CC": [event.__name__, "inbox.replay", "urgent.replay", *(f"{one}.inbox" for one in SERVICES)],
        }
        self.sent[id_] = self._may_say(exchange, key, sample)
        self.ways[id_] = f"{event.__name__} by {self.user} to {exchange} as {key}"
        return json.dumps(sample).encode(), headers, id_

    def give(self, exchange: str, key: str, reply_to: str) -> str:
        """Gives a command without a token; the answer has what is returned as its correlation id."""
        id_ = uuid4()
        self._publish(exchange, key, b'{"args": [], "kwargs": {}}', {}, id_, reply_to)
        return str(id_)

    def command_by_dead_letter(self, key: str, body: dict[str, Any]) -> None:
        """A queue of this user's own, made anew so that what expires in it goes on as a command."""
        if self.user not in SERVICES:
            return
        own = f"{self.user}.retry.1h"
        self._channel.queue_delete(own)
        passed_on = {"x-dead-letter-exchange": COMMANDS, "x-dead-letter-routing-key": key, "x-message-ttl": 1}
        self._channel.queue_declare(own, durable=True, arguments=passed_on)
        self._channel.queue_bind(own, f"{self.user}.retry", "inbox.1h")
        self._publish(f"{self.user}.retry", "inbox.1h", json.dumps(body).encode(), {}, uuid4())

    def _may_say(self, exchange: str, key: str, data: dict[str, Any]) -> bool:
        """Whether these data are, where and as what they are published, an event of this user's own."""
        mine = [one for one in events() if one.exchange() == exchange and one.__name__ == key]
        speaks_as = ACCOUNTS if self.user == STAFF else self.user
        if exchange != f"{speaks_as}.events" or not mine:
            return False
        try:
            mine[0].from_json(data)
        except InvalidShape:
            return False
        return True

    def _publish(
        self, exchange: str, key: str, body: bytes, headers: dict[str, Any], id_: UUID, reply_to: str = ""
    ) -> bool:
        """Whether the broker lets it."""
        try:
            self._channel.basic_publish(exchange, key, body, properties_of(headers, id_, reply_to))
        except ChannelClosedByBroker:
            self._channel = self._connection.channel()
            self._channel.confirm_delivery()
            return False
        return True


@cache
def sample_of(event: type[Event]) -> dict[str, Any]:
    sample: dict[str, Any] = json.loads((SAMPLES / f"{event.publisher}.{event.__name__}.json").read_text())
    return sample


def properties_of(headers: dict[str, Any], id_: UUID, reply_to: str = "") -> pika.BasicProperties:
    return pika.BasicProperties(
        headers=headers,
        message_id=str(id_),
        content_type="application/json",
        reply_to=reply_to or str(uuid4()),
        correlation_id=str(id_),
    )


@pytest.fixture(scope="module")
def guarded_system(node: Node, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Guarded, System]]:
    folder = tmp_path_factory.mktemp("forging")
    guarded = import_definitions(node, "forging", folder)
    with whole_system(node, folder / "var", name="forging", server=None, guarded=guarded) as system:
        yield guarded, system


def handled(system: System) -> set[UUID]:
    """Every message that has taken effect anywhere."""
    found: set[UUID] = set()
    for url in system.workspace.stores().values():
        engine = create_engine(url)
        with engine.connect() as connection:
            found |= {UUID(str(row[0])) for row in connection.execute(text("SELECT message_id FROM inbox"))}
        engine.dispose()
    return found


def is_quiet(sender: Sender) -> bool:
    queues = [f"{service}.{lane}" for service in SERVICES for lane in heard_by(load(service))]
    queues += [queue for service in SERVICES for queue in command_queues(service)]
    return not any(sender.depth(queue) for queue in queues)


@pytest.mark.timeout(400)  # every user, every event, every way, and the broker closes a channel at each refusal
def test_no_event_takes_effect_that_is_not_its_owners(guarded_system: tuple[Guarded, System]) -> None:
    guarded, system = guarded_system
    forgers = [Forger(guarded, user) for user in USERS]
    for forger in forgers:
        with forger.connected():
            forger.try_every_way()
    with Sender(guarded.admin_uri) as sender:
        eventually(lambda: is_quiet(sender), "everything is read", 120)
    effective = handled(system)
    forged = {id_ for forger in forgers for id_, is_own in forger.sent.items() if not is_own}
    assert len(forged) > 5 * len(list(events()))
    assert [way for forger in forgers for id_, way in forger.ways.items() if id_ in effective & forged] == []


def test_no_command_is_carried_out_for_whom_may_not_give_it(guarded_system: tuple[Guarded, System]) -> None:
    guarded, system = guarded_system
    forged: set[str] = set()
    for user in USERS:
        forger, therapist_id = Forger(guarded, user), TherapistId(uuid4())
        admit = AdmitTherapist(
            therapist_id=therapist_id,
            contact=system.keyring.seal("notifications", TherapistContact(name="A. Example", email="a@example.org")),
            competence=Competence.HIGHER,
            client_groups=(ClientGroup.AT_RISK,),
            couple_work=False,
            outward_code="NP19",
            sessions=Sessions.EITHER,
            languages=("en",),
            session_fee_pence=60_00,
            sex=Sex.FEMALE,
            wheelchair_access=True,
            places=2,
        )
        forged.add(str(therapist_id))
        body, key = {"args": [], "kwargs": admit.to_json()}, "matching.admit_therapist"
        answer = str(uuid4())
        with forger.connected():
            for exchange in (COMMANDS, *(f"{one}.{name}" for one in FRONT_ENDS for name in ("commands", "answers"))):
                for own_key in (key, answer, "intake.status", "matching.health"):
                    forger.command(exchange, own_key, body, [key])
            forger.command_by_dead_letter(key, body)
    with Sender(guarded.admin_uri) as sender:
        eventually(lambda: not any(sender.depth(f"{service}.retry.1h") for service in SERVICES), "they have expired")
        eventually(lambda: is_quiet(sender), "everything is read")
    system.rpc.call("matching", "health")  # taken after all of them
    engine = create_engine(system.workspace.stores()["matching"])
    with engine.connect() as connection:
        known = {str(UUID(str(row[0]))) for row in connection.execute(text("SELECT id FROM therapist"))}
    engine.dispose()
    assert known & forged == set()


COMMANDS_OF_ALL = [
    (service, declared.attribute, declared.entrypoint.request)
    for service in SERVICES
    for declared in declared_by(load(service))
    if isinstance(declared.entrypoint, CommandMethod)
]
NOT_CARRIED_OUT = {"NotPermitted", "NotReachable"}


@contextmanager
def answers(admin_uri: str, reply_to: str) -> Iterator[Callable[[], dict[str, str]]]:
    """By correlation id: the names of the errors of what was answered so far, empty for a result."""
    connection = pika.BlockingConnection(pika.URLParameters(admin_uri))
    channel, found = connection.channel(), {}
    queue = channel.queue_declare("", exclusive=True).method.queue
    for exchange in (COMMANDS, *(answers_of(front_end) for front_end in FRONT_ENDS)):
        channel.queue_bind(queue, exchange, reply_to)

    def read() -> dict[str, str]:
        while (got := channel.basic_get(queue, auto_ack=True))[0]:
            error = json.loads(got[2])["error"]
            found[got[1].correlation_id] = error["exc_type"] if error else ""
        return found

    yield read
    connection.close()


@pytest.mark.timeout(400)
def test_a_stolen_password_commands_nothing_but_what_is_open_where_it_may_publish(
    guarded_system: tuple[Guarded, System],
) -> None:
    """Every user of the broker, every command, every exchange of commands."""
    guarded, _ = guarded_system
    reply_to, given = str(uuid4()), {}
    exchanges = {COMMANDS: FrontEnd.ANYBODY, **{commands_of(one): BROKER_USERS[one] for one in FRONT_ENDS}}
    with answers(guarded.admin_uri, reply_to) as read, Sender(guarded.admin_uri) as sender:
        for user in USERS:
            forger = Forger(guarded, user)
            with forger.connected():
                for exchange in exchanges:
                    for service, command, request in COMMANDS_OF_ALL:
                        may = bool(request.open_to & {exchanges[exchange], FrontEnd.ANYBODY})
                        given[forger.give(exchange, f"{service}.{command}", reply_to)] = (user, command, may)
        eventually(lambda: is_quiet(sender), "everything is read", 120)
        eventually(lambda: any(given[id_][1] == "discard_dead_letters" for id_ in read()), "they are answered")
        answered = read()
    wrongly = [given[id_] for id_, error in answered.items() if error not in NOT_CARRIED_OUT and not given[id_][2]]
    assert wrongly == []
    asked = {given[id_][:2] for id_, error in answered.items() if error not in NOT_CARRIED_OUT}
    assert {(STAFF, "health"), (ENQUIRY, "status"), (OPERATOR, "health")} <= asked, "some of it was"
    assert {user for user, _ in asked} == {STAFF, ENQUIRY, OPERATOR}
