"""`leeward events tail`: what the services tell each other, as it happens."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from itertools import product
from typing import Annotated, Any

import typer
from pika.exceptions import ChannelClosedByBroker

from chassis.bus.connection import close_quietly, open_connection
from chassis.bus.dead_letters import NOT_FOUND
from chassis.bus.failure_history import text
from chassis.bus.messages import Incoming
from chassis.privacy.redaction import body_for_people
from contracts.catalogue import PUBLISHERS
from leeward.console.options import VAR, AsJson, Folder
from leeward.console.terminal import broker_errors, broker_of, errors, printable
from leeward.runtime.workspace import Workspace

app = typer.Typer(no_args_is_help=True, add_completion=False, help="The facts that the services tell each other.")

HEARTBEAT_SECONDS = 20
EVERYTHING = "#"


@dataclass(frozen=True)
class Seen:
    """One event as it passed."""

    at: str
    exchange: str
    event: str
    subject: str | None
    id: str | None
    correlation: str | None
    body: Any

    @classmethod
    def of(cls, message: Incoming) -> Seen:
        headers, exchange, name = message.headers, message.exchange, message.routing_key
        publisher = exchange.removesuffix(".events")
        return cls(
            at=text(headers, "cloudEvents_time") or datetime.now(UTC).isoformat(),
            exchange=exchange,
            event=name,
            subject=text(headers, "cloudEvents_subject"),
            id=text(headers, "cloudEvents_id") or (str(message.message_id) if message.message_id else None),
            correlation=text(headers, "correlationid"),
            body=f"<{message.defect}>" if message.defect else body_for_people(publisher, name, message.body),
        )

    def line(self, *, with_body: bool) -> str:
        parts = (self.at, self.exchange, self.event, self.subject, self.id, self.correlation)
        line = "  ".join(printable(part) if part else "–" for part in parts)
        return f"{line}  {json.dumps(self.body)}" if with_body else line

    def as_json(self, *, with_body: bool) -> str:
        fields = {name: value for name, value in vars(self).items() if name != "body" or with_body}
        return json.dumps(fields)


@app.callback()
def events() -> None:
    """The facts that the services tell each other."""


@app.command()
def tail(
    publishers: Annotated[list[str] | None, typer.Option("--service", help="Published by this one.")] = None,
    types: Annotated[list[str] | None, typer.Option("--type", help="Of this name.")] = None,
    subject: Annotated[str | None, typer.Option(help="About whatever has this identifier.")] = None,
    with_body: Annotated[bool, typer.Option("--body", help="Bodies too; what is sealed stays sealed.")] = False,
    var: Folder = VAR,
    as_json: AsJson = False,
) -> None:
    """Live traffic, one line an event: time, exchange, name, subject, id, correlation. Ctrl-C ends it."""
    unknown = sorted(set(publishers or ()) - set(PUBLISHERS))
    if unknown:
        raise typer.BadParameter(f"nothing is published by {', '.join(unknown)}")
    amqp_uri = broker_of(Workspace(var))
    try:
        with broker_errors():
            for seen in listen(amqp_uri, publishers or list(PUBLISHERS), types or [EVERYTHING]):
                if subject in (None, seen.subject):
                    print(seen.as_json(with_body=with_body) if as_json else seen.line(with_body=with_body), flush=True)
    except KeyboardInterrupt:
        return


def listen(amqp_uri: str, publishers: Sequence[str], types: Sequence[str]) -> Iterator[Seen]:
    """Every event from now on, from a queue of its own that goes with the connection."""
    arrived: list[Incoming] = []
    connection = open_connection(amqp_uri, name="events tail", heartbeat_seconds=HEARTBEAT_SECONDS)
    try:
        there = [publisher for publisher in publishers if _is_there(amqp_uri, f"{publisher}.events")]
        channel = connection.open_channel()
        declared = connection.ask(
            lambda done: channel.queue_declare("", exclusive=True, auto_delete=True, callback=done)
        )
        queue = declared.method.queue
        for publisher, key in product(there, types):
            connection.ask(partial(_bind, channel, queue, f"{publisher}.events", key))
        connection.consume(channel, queue, arrived.append, auto_ack=True)
        errors.print(f"Listening to {', '.join(there) or 'nobody: no service has run here'}. Ctrl-C ends it.")
        while True:
            connection.drain(HEARTBEAT_SECONDS / 4)
            yield from map(Seen.of, arrived)
            arrived.clear()
    finally:
        close_quietly(connection)


def _bind(channel: Any, queue: str, exchange: str, key: str, done: Any) -> None:
    channel.queue_bind(queue, exchange, key, callback=done)


def _is_there(amqp_uri: str, exchange: str) -> bool:
    connection = open_connection(amqp_uri, name="events tail", heartbeat_seconds=HEARTBEAT_SECONDS)
    try:
        channel = connection.open_channel()
        connection.ask(lambda done: channel.exchange_declare(exchange, "topic", passive=True, callback=done))
    except ChannelClosedByBroker as closed:
        if closed.reply_code == NOT_FOUND:
            return False
        raise
    finally:
        close_quietly(connection)
    return True
