"""Sends mutated messages and commands to a whole running system, and watches what becomes of it."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from statistics import quantiles
from typing import Any
from uuid import uuid4

import pika
import psutil
from pika.exceptions import AMQPConnectionError, AMQPError, ChannelClosedByBroker

from chassis.bus.connection import BusConnection, open_connection
from chassis.bus.frames import MAX_PROPERTIES_BYTES
from chassis.bus.messages import Incoming
from chassis.bus.topology import RETRY_DELAYS_SECONDS, command_queues
from leeward.runtime.workspace import SERVICES
from tests.mutations.mutator import Mutator
from tests.mutations.values import teach_pika
from tests.support.people import sign_as
from tests.support.samples import somebody
from tests.support.system import System

CHUNK = 1_000
"""Messages that are made from one seed, and after which a run may go on another day."""

BACKLOG = 500
LOOK_EVERY = 200
HEALTHY_EVERY_SECONDS = 0.5
PATIENCE_SECONDS = 120.0


@dataclass
class Tally:
    """What became of so many messages. Latency is of healthy requests meanwhile, in milliseconds; memory in MB."""

    store: str
    seed: int
    sent: int = 0
    seconds: float = 0.0
    restarts: int = 0
    unanswered: int = 0
    unnamed: dict[str, int] = field(default_factory=dict)
    parked: int = 0
    answers: dict[str, int] = field(default_factory=dict)
    healthy_lost: int = 0
    latencies_ms: list[float] = field(default_factory=list)
    grown_mb: float = 0.0
    on: str = ""

    @property
    def p50(self) -> float:
        return self._percentile(50)

    @property
    def p99(self) -> float:
        return self._percentile(99)

    def _percentile(self, which: int) -> float:
        return quantiles(self.latencies_ms, n=100)[which - 1] if len(self.latencies_ms) > 1 else 0.0

    def problems(self, *, grown_mb_at_most: float = 50.0, p99_at_most: float = 1_000.0) -> list[str]:
        found = {
            f"{self.restarts} restarts": self.restarts,
            f"{self.unanswered} commands unanswered": self.unanswered,
            f"unnamed errors: {self.unnamed}": self.unnamed,
            f"{self.healthy_lost} healthy requests lost": self.healthy_lost,
            f"p99 of healthy requests {self.p99:.0f} ms": self.p99 > p99_at_most,
            f"grown by {self.grown_mb:.0f} MB": self.grown_mb > grown_mb_at_most,
        }
        return [problem for problem, is_so in found.items() if is_so]


class Storm:
    """One run on one system."""

    def __init__(self, system: System, tally: Tally) -> None:
        teach_pika()
        self.system, self.tally = system, tally
        self._parameters = pika.URLParameters(system.amqp_uri)
        self._processes = {name: psutil.Process(one.process.pid) for name, one in system.supervisor.running.items()}
        self._logs = {service: system.workspace.log(service).stat().st_size for service in SERVICES}
        self._memory: dict[str, float] = {}
        self._open()

    def run(self, count: int) -> None:
        """Sends so many more, from where the tally stands, and waits until all is done with."""
        began = time.monotonic()
        self._listener = Listener(self.system.amqp_uri)
        with self._listener.running(), self._healthy():
            for begin in range(self.tally.sent, self.tally.sent + count, CHUNK):
                mutator = Mutator(
                    self.system.keyring, sign_as(self.system.workspace.keys), self.tally.seed * 1_000_003 + begin
                )
                for number in range(min(CHUNK, count)):
                    self._send(mutator)
                    if number % LOOK_EVERY == 0:
                        self._look()
                self.tally.sent = begin + min(CHUNK, count)
            self._finish()
        self.tally.seconds += time.monotonic() - began
        self._conclude()

    def _open(self) -> None:
        self._connection = pika.BlockingConnection(self._parameters)
        self._open_channel()

    def _open_channel(self) -> None:
        self._channel = self._connection.channel()
        self._channel.confirm_delivery()

    def _send(self, mutator: Mutator) -> None:
        make = mutator.command if mutator.prefers_a_command() else mutator.event
        message = make(self._listener.reply_to)
        properties = pika.BasicProperties(headers=message.headers, **{"delivery_mode": 2, **message.properties})
        if _is_readable(properties):
            self._listener.expect(properties)
        try:
            self._channel.basic_publish(message.exchange, message.routing_key, message.body, properties)
        except (ChannelClosedByBroker, AMQPConnectionError):  # the broker itself won't have it
            self._listener.forget(properties)
            if self._connection.is_open:
                self._open_channel()
            else:
                self._open()

    def _look(self) -> None:
        """Waits while too much waits, empties what nobody will look at, and measures."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while self._waiting() > BACKLOG and time.monotonic() < deadline and not self._died():
            time.sleep(0.02)
        self._purge()
        self._measure()
        if self._died():
            self.tally.restarts += 1
            raise RuntimeError(f"a service has ended: {[name for name, one in self._processes.items() if _ended(one)]}")

    def _died(self) -> bool:
        return any(_ended(one) for one in self._processes.values())

    def _waiting(self) -> int:
        queues = [f"{service}.{lane}" for service in SERVICES for lane in ("inbox", "urgent")]
        return sum(map(self._depth, (*queues, *(queue for service in SERVICES for queue in command_queues(service)))))

    def _depth(self, queue: str) -> int:
        with self._connection.channel() as channel, suppress(AMQPError):
            return int(channel.queue_declare(queue, passive=True).method.message_count)
        return 0

    def _purge(self) -> None:
        with self._connection.channel() as channel:
            for service in SERVICES:
                self.tally.parked += channel.queue_purge(f"{service}.dead").method.message_count
                for delay in RETRY_DELAYS_SECONDS:
                    channel.queue_purge(f"{service}.retry.{delay}")

    def _measure(self) -> None:
        if self.tally.sent < CHUNK and not self._memory:
            return
        for name, process in self._processes.items():
            rss = process.memory_info().rss / 1_048_576
            self._memory.setdefault(name, rss)
            self.tally.grown_mb = max(self.tally.grown_mb, rss - self._memory[name])

    @contextmanager
    def _healthy(self) -> Iterator[None]:
        """Asks for help twice a second, as people do, for as long as the block runs."""
        ended = threading.Event()

        def ask() -> None:
            while not ended.wait(HEALTHY_EVERY_SECONDS):
                begun = time.monotonic()
                receipt = self.system.publisher.request_help(somebody(str(uuid4())))
                self._listener.sent_healthy(str(receipt.submission_id), begun)

        thread = threading.Thread(target=ask)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    def _finish(self) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline and (self._waiting() or self._listener.is_waiting()) and not self._died():
            self._connection.process_data_events(0.1)

    def _conclude(self) -> None:
        self._look()
        listener, tally = self._listener, self.tally
        tally.unanswered += len(listener.expected)
        tally.answers = dict(Counter(tally.answers) + listener.answers)
        tally.healthy_lost += len(listener.healthy)
        tally.latencies_ms += [round(1_000 * one, 1) for one in listener.latencies]
        unnamed = Counter(tally.unnamed) + Counter(self._unnamed())
        unnamed += Counter({"ServiceFailed": listener.answers["ServiceFailed"]})
        tally.unnamed = {name: count for name, count in unnamed.items() if count}

    def _unnamed(self) -> Iterator[str]:
        """What failed in a way that no rule has a name for, as the services' logs tell of it."""
        for service in SERVICES:
            with self.system.workspace.log(service).open("rb") as log:
                log.seek(self._logs[service])
                for line in iter(log.readline, b""):
                    if b"handler_failed" in line and (said := _read(line)).get("fate") == "retry":
                        yield f"{said.get('type')}: {said['error']} at {said['at']}"
                    elif b"command_failed" in line or b'"died"' in line:
                        said = _read(line)
                        yield f"{said.get('command')}: {said.get('error')} at {said.get('at')}"
                self._logs[service] = log.tell()


class Listener:
    """Hears the answers to commands, and that healthy requests have been received, in a thread of its own."""

    def __init__(self, amqp_uri: str) -> None:
        self._amqp_uri = amqp_uri
        self.reply_to = str(uuid4())
        self.expected: set[str] = set()
        self.answers: Counter[str] = Counter()
        self.healthy: dict[str, float] = {}
        self.latencies: list[float] = []
        self._early: dict[str, float] = {}
        self._lock = threading.Lock()
        self._ended = threading.Event()

    def expect(self, properties: pika.BasicProperties) -> None:
        """An answer, if it is a command that says where it can go to."""
        if properties.reply_to == self.reply_to:
            with self._lock:
                self.expected.add(str(properties.correlation_id))

    def forget(self, properties: pika.BasicProperties) -> None:
        with self._lock:
            self.expected.discard(str(properties.correlation_id))

    def sent_healthy(self, submission_id: str, begun: float) -> None:
        with self._lock:
            heard = self._early.pop(submission_id, None)
            if heard is None:
                self.healthy[submission_id] = begun
            else:
                self.latencies.append(heard - begun)

    def is_waiting(self) -> bool:
        return bool(self.expected or self.healthy)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Reads as services do: whoever hears events hears mutated ones too."""
        connection = open_connection(self._amqp_uri, name="storm", heartbeat_seconds=20)
        channel = connection.open_channel()
        declared = connection.ask(lambda done: channel.queue_declare("", exclusive=True, callback=done))
        queue = declared.method.queue
        for exchange, key in (("nameko-rpc", self.reply_to), ("intake.events", "ReferralReceived")):
            connection.ask(partial(self._bind, channel, queue, exchange, key))
        connection.consume(channel, queue, self._hear, auto_ack=True)
        thread = threading.Thread(target=self._listen, args=(connection,))
        thread.start()
        try:
            yield
        finally:
            self._ended.set()
            thread.join()
            connection.end()

    def _bind(self, channel: Any, queue: str, exchange: str, key: str, done: Any) -> None:
        channel.queue_bind(queue, exchange, key, callback=done)

    def _listen(self, connection: BusConnection) -> None:
        while not self._ended.is_set():
            connection.drain(0.1)

    def _hear(self, message: Incoming) -> None:
        now = time.monotonic()
        with self._lock:
            if message.routing_key == self.reply_to:
                self.expected.discard(message.correlation_id)
                error = json.loads(message.body)["error"]
                self.answers[error["exc_type"] if error else "answered"] += 1
                return
            came = str(message.headers.get("correlationid"))
            begun = self.healthy.pop(came, None)
            if begun is None:
                self._early[came] = now
            else:
                self.latencies.append(now - begun)


def _is_readable(properties: pika.BasicProperties) -> bool:
    """Whether a reader learns where an answer is to go: pika stumbles over some headers, and they may be too large."""
    encoded = b"".join(properties.encode())
    try:
        pika.BasicProperties().decode(encoded)
    except Exception:
        return False
    return len(encoded) < MAX_PROPERTIES_BYTES


def _ended(process: psutil.Process) -> bool:
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def _read(line: bytes) -> dict[str, Any]:
    try:
        said: dict[str, Any] = json.loads(line)
    except ValueError:
        return {}
    return said
