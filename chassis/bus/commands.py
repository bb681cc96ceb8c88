"""Commands: nameko's RPC, read so that nothing a caller sends can stop the service, and answered in nameko's format.

A command is a JSON object with `args` (none) and `kwargs`, published under `<service>.<command>`; its answer is one
with `result` and `error`, published under the caller's `reply_to`. What can't be read is answered with what is wrong.
"""

from __future__ import annotations

import re
import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import Any, NamedTuple

import orjson
import structlog
from pika.exceptions import ChannelClosedByBroker

from chassis.bus.connection import BusConnection
from chassis.bus.delivery import SUSPECT_AFTER_RETURNS
from chassis.bus.failure_history import number
from chassis.bus.messages import Incoming, Outgoing
from chassis.bus.serving import stay_connected
from chassis.bus.topology import ANSWERS, COMMANDS, answered_on, asked_of, command_queues, front_end_of
from chassis.observability import metrics
from chassis.observability.logs import describe
from contracts.refused import Refused

AT_ONCE, AT_ONCE_OF_A_FRONT_END = 10, 4
"""Commands in hand, of each queue; the others wait in it."""

DEAD_LETTERED = {"x-death", "x-first-death-exchange", "x-first-death-queue", "x-first-death-reason"}
"""What the broker writes on a dead letter, and a sender can't keep it from."""

IDLE_SECONDS, BUSY_SECONDS = 0.5, 0.005
"""How long the broker is waited for, while nothing and while something is in hand that may be finished any moment."""

log = structlog.get_logger()

_is_answered = re.compile(ANSWERS).fullmatch


class CommandRefused(Exception):
    """A command that can't be carried out as it was sent. `name` is what the caller sees as the error's name."""

    def __init__(self, name: str, message: str, *, path: str = "") -> None:
        super().__init__(message)
        self.name, self.message, self.path = name, message, path


class Command(NamedTuple):
    """A command as it arrived. `reply_to` is None if it gives no address that an answer could go to."""

    delivery_tag: int
    exchange: str
    reply_to: str | None
    correlation_id: str | None
    method: str
    fields: Mapping[str, Any]
    refusal: CommandRefused | None


class Result(NamedTuple):
    """What came of a command."""

    command: Command
    value: Any = None
    error: Exception | None = None


Start = Callable[[Command, Callable[[Result], object]], None]
"""Begins to carry out a command, and calls the second argument when that is done."""


def read_command(message: Incoming, service: str, methods: Collection[str]) -> Command:
    """Reads a command, or says what is wrong with it; nothing else comes of it, whatever was sent."""
    reply_to, correlation_id = message.reply_to, message.correlation_id
    method, refusal = "", None
    fields: Mapping[str, Any] = {}
    try:
        method = _method(message, service, methods)
        fields = _fields(message)
    except CommandRefused as refused:
        refusal = refused
    except Exception as error:
        refusal = CommandRefused("UnreadableCommand", f"The command can't be read ({type(error).__name__}).")
    return Command(
        delivery_tag=message.delivery_tag,
        exchange=message.exchange,
        reply_to=reply_to if isinstance(reply_to, str) and _is_answered(reply_to) else None,
        correlation_id=correlation_id if isinstance(correlation_id, str) else None,
        method=method,
        fields=fields,
        refusal=refusal,
    )


def _method(message: Incoming, service: str, methods: Collection[str]) -> str:
    """What is asked for. Only its own routing key counts, which the broker has checked; CC names others as well.

    A dead letter's hasn't been: whoever may declare a queue chooses where, and as what, it goes on from there.
    """
    key = message.routing_key
    if DEAD_LETTERED & message.headers.keys():
        raise CommandRefused("NotReachable", f"Nothing can be asked of {service} in this way.")
    front_end = front_end_of(message.exchange)
    known_there = message.exchange == COMMANDS if front_end is None else key in asked_of(service, front_end)
    name = key.removeprefix(f"{service}.")
    if not known_there or name == key:
        raise CommandRefused("NotReachable", f"Nothing can be asked of {service} in this way.")
    if name not in methods:
        raise CommandRefused("MethodNotFound", name, path="nameko.exceptions.MethodNotFound")
    return name


def _fields(message: Incoming) -> Mapping[str, Any]:
    if message.defect:
        raise CommandRefused("UnreadableCommand", f"The command can't be read: {message.defect}.")
    if number(message.headers, "x-delivery-count") >= SUSPECT_AFTER_RETURNS:
        raise CommandRefused("BringsServiceDown", "The service went down with this command; it isn't tried again.")
    if message.content_type not in (None, "application/json"):
        raise CommandRefused("UnreadableCommand", "Send the command as JSON, with content type application/json.")
    try:
        body = orjson.loads(message.body)
    except ValueError:
        raise CommandRefused("UnreadableCommand", "The command is not JSON, or nested too deep.") from None
    if not isinstance(body, dict) or not isinstance(body.get("kwargs"), dict) or body.get("args") != []:
        raise CommandRefused(
            "MalformedRequest",
            "Send a JSON object with an empty list `args` and an object `kwargs` that holds the fields by name.",
            path="nameko.exceptions.MalformedRequest",
        )
    fields: Mapping[str, Any] = body["kwargs"]
    return fields


def answer_to(result: Result, known: tuple[type[Exception], ...]) -> Outgoing | None:
    """The answer to a command, if it can be answered. Of an error that isn't `known` only its digest is told."""
    command = result.command
    if command.reply_to is None:
        return None
    try:
        told = {"result": result.value, "error": _error(result.error, known)}
        body = orjson.dumps(told, option=orjson.OPT_NON_STR_KEYS)  # a row's names are text, and a little more
    except TypeError as error:
        body = orjson.dumps({"result": None, "error": _error(error, known)})
    return Outgoing(
        exchange=answered_on(command.exchange),
        routing_key=command.reply_to,
        body=body,
        headers={},
        message_id="",
        correlation_id=command.correlation_id,
    )


def _error(error: Exception | None, known: tuple[type[Exception], ...]) -> Mapping[str, Any] | None:
    """As nameko writes an error."""
    if error is None:
        return None
    if isinstance(error, CommandRefused):
        name, path, words = error.name, error.path, error.message
    elif isinstance(error, known):
        name = error.name if isinstance(error, Refused) else type(error).__name__
        path, words = f"{type(error).__module__}.{name}", str(error)
    else:
        name, path = "ServiceFailed", ""
        words = f"The service failed at this, and nothing was changed. Its log says why, under {digest_of(error)}."
    return {"exc_type": name, "exc_path": path, "exc_args": [words], "value": words}


def digest_of(error: Exception) -> str:
    """What the same failure is known by in the log."""
    return str(describe(error)["digest"])


def _finished(finished: deque[tuple[Any, Result]], channel: Any, result: Result) -> None:
    finished.append((channel, result))


class Answers:
    """Publishes answers, to each exchange on a channel of its own.

    The broker closes the channel on which something goes to an exchange that isn't there. Nobody hears those answers;
    the commands are done all the same, and those that came in other ways don't notice.
    """

    def __init__(self, connection: BusConnection) -> None:
        self._connection = connection
        self._channels: dict[str, Any] = {}

    def send(self, answer: Outgoing) -> None:
        if answer.exchange not in self._channels:
            self._open(answer.exchange)
        self._connection.publish(self._channels[answer.exchange], answer)

    def _open(self, exchange: str) -> None:
        def closed(reason: Exception) -> None:
            self._channels.pop(exchange, None)
            if isinstance(reason, ChannelClosedByBroker):  # otherwise it is the connection that is gone, or closed
                log.error("answers_not_taken", exchange=exchange, code=reason.reply_code)

        channel = self._connection.open_channel(on_close=closed)
        channel.add_on_return_callback(lambda *_: log.info("answer_not_waited_for"))
        self._channels[exchange] = channel


class CommandConsumer:
    """Consumes the command queues of a service over one connection, which it opens again whenever it is lost.

    Staff's and each front-end's are queues of their own, so that none has to wait behind another's.
    """

    def __init__(
        self,
        *,
        service: str,
        connect: Callable[[], BusConnection],
        methods: Collection[str],
        known_errors: tuple[type[Exception], ...],
        start: Start,
    ) -> None:
        self._service, self._connect, self._methods = service, connect, methods
        self._known_errors, self._start = known_errors, start
        self.is_connected = False
        self._stopping = threading.Event()
        self._stopped = threading.Event()

    def run(self) -> None:
        try:
            stay_connected(self._connect, self._serve, stopping=self._stopping, name="commands")
        finally:
            self._stopped.set()

    def stop(self) -> None:
        """Takes no more commands, and returns when those in hand are answered."""
        self._stopping.set()
        self._stopped.wait()

    def _serve(self, connection: BusConnection) -> None:
        arrived: deque[tuple[Any, Incoming]] = deque()
        finished: deque[tuple[Any, Result]] = deque()
        in_hand, answers = 0, Answers(connection)
        for queue in command_queues(self._service):
            self._listen(connection, queue, arrived)
        self.is_connected = True
        try:
            while in_hand or not self._stopping.is_set():
                while arrived and not self._stopping.is_set():
                    channel, message = arrived.popleft()
                    command = read_command(message, self._service, self._methods)
                    self._begin(command, partial(_finished, finished, channel))
                    in_hand += 1
                time.sleep(0)  # most are done in one go
                while finished:
                    self._finish(answers, *finished.popleft())
                    in_hand -= 1
                connection.drain(BUSY_SECONDS if in_hand else IDLE_SECONDS)
        finally:
            self.is_connected = False

    def _listen(self, connection: BusConnection, queue: str, arrived: deque[tuple[Any, Incoming]]) -> None:
        channel = connection.open_channel()
        channel.add_on_cancel_callback(lambda frame: connection.give_up(ConnectionAbortedError("the queue is gone")))
        channel.basic_qos(prefetch_count=AT_ONCE if queue == f"rpc-{self._service}" else AT_ONCE_OF_A_FRONT_END)
        connection.consume(channel, queue, lambda message: arrived.append((channel, message)))

    def _begin(self, command: Command, done: Callable[[Result], object]) -> None:
        if command.refusal is None:
            self._start(command, done)
            return
        metrics.COMMANDS_REFUSED.labels(command.refusal.name).inc()
        log.warning("command_refused", why=command.refusal.name, answered=command.reply_to is not None)
        done(Result(command, error=command.refusal))

    def _finish(self, answers: Answers, channel: Any, result: Result) -> None:
        answer = answer_to(result, self._known_errors)
        if answer:
            answers.send(answer)
        channel.basic_ack(result.command.delivery_tag)
