"""Commands: nameko's RPC, read so that nothing a caller sends can stop the service, and answered in nameko's format.

A command is a JSON object with `args` (none) and `kwargs`, published under `<service>.<command>`; its answer is one
with `result` and `error`, published under the caller's `reply_to`. A command that can't be read is answered with an
error that says what is wrong.
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

from chassis.access.tokens import HEADER
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
"""How many commands of each queue are processed at once; the others wait in it."""

DEAD_LETTERED = {"x-death", "x-first-death-exchange", "x-first-death-queue", "x-first-death-reason"}
"""Headers that the broker adds to a dead letter, whether or not the sender likes it."""

IDLE_SECONDS, BUSY_SECONDS = 0.5, 0.005
"""How long to wait for the broker while no command is in progress, and while one may be finished at any moment."""

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
    token: str | None
    refusal: CommandRefused | None
    redelivered: bool = False


class Result(NamedTuple):
    """What a command returned, or the error it raised."""

    command: Command
    value: Any = None
    error: Exception | None = None


Start = Callable[[Command, Callable[[Result], object]], None]
"""Begins to carry out a command, and calls the second argument when that is done."""


def read_command(message: Incoming, service: str, methods: Collection[str]) -> Command:
    """Reads a command. Never raises: what is wrong with it, whatever was sent, is in the command's `refusal`."""
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
        token=_token(message),
        refusal=refusal,
        redelivered=message.redelivered,
    )


def _method(message: Incoming, service: str, methods: Collection[str]) -> str:
    """The method to call. Only the message's own routing key counts, which the broker has checked, and not those in CC.

    A dead letter's routing key is refused, because it wasn't checked: anyone who may declare a queue can choose the
    exchange and the routing key that its dead letters are published with.
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


def _token(message: Incoming) -> str | None:
    """The token that says who gives the command. What isn't text is a token that can't be read."""
    token = message.headers.get(HEADER)
    return None if token is None else str(token)


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
    """The answer to a command; None without a reply address. An error that isn't `known` is given by its digest
    only."""
    command = result.command
    if command.reply_to is None:
        return None
    try:
        content = {"result": result.value, "error": _error(result.error, known)}
        body = orjson.dumps(content, option=orjson.OPT_NON_STR_KEYS)  # a row's column names are a subclass of str
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
    """An error in nameko's format."""
    if error is None:
        return None
    if isinstance(error, CommandRefused):
        name, path, message = error.name, error.path, error.message
    elif isinstance(error, known):
        name = error.name if isinstance(error, Refused) else type(error).__name__
        path, message = f"{type(error).__module__}.{name}", str(error)
    else:
        name, path = "ServiceFailed", ""
        message = f"The service failed at this, and nothing was changed. Its log says why, under {digest_of(error)}."
    details = error.details if isinstance(error, Refused) else None
    arguments = [message] if details is None else [message, details]
    return {"exc_type": name, "exc_path": path, "exc_args": arguments, "value": message}


def digest_of(error: Exception) -> str:
    """The digest by which this failure is found in the log."""
    return str(describe(error)["digest"])


def _finished(finished: deque[tuple[Any, Result]], channel: Any, result: Result) -> None:
    finished.append((channel, result))


class Answers:
    """Publishes answers, with a channel for each exchange.

    The broker closes a channel that publishes to an exchange that doesn't exist. The answers on it are lost, but their
    commands were carried out, and answers on other channels are not affected.
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
            if isinstance(reason, ChannelClosedByBroker):  # otherwise the whole connection was lost or closed
                log.error("answers_not_taken", exchange=exchange, code=reason.reply_code)

        channel = self._connection.open_channel(on_close=closed)
        channel.add_on_return_callback(lambda *_: log.info("answer_not_waited_for"))
        self._channels[exchange] = channel


class CommandConsumer:
    """Consumes the command queues of a service over one connection, which it opens again whenever it is lost.

    Staff and each front-end have a queue of their own, so that nobody has to wait behind another's commands.
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
        """Takes no more commands, and returns when those in progress are answered."""
        self._stopping.set()
        self._stopped.wait()

    def _serve(self, connection: BusConnection) -> None:
        arrived: deque[tuple[Any, Incoming]] = deque()
        finished: deque[tuple[Any, Result]] = deque()
        in_progress, answers = 0, Answers(connection)
        for queue in command_queues(self._service):
            self._listen(connection, queue, arrived)
        self.is_connected = True
        try:
            while in_progress or not self._stopping.is_set():
                while arrived and not self._stopping.is_set():
                    channel, message = arrived.popleft()
                    command = read_command(message, self._service, self._methods)
                    self._begin(command, partial(_finished, finished, channel))
                    in_progress += 1
                time.sleep(0)  # lets the workers run: most finish without waiting for anything
                while finished:
                    self._finish(answers, *finished.popleft())
                    in_progress -= 1
                connection.drain(BUSY_SECONDS if in_progress else IDLE_SECONDS)
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
