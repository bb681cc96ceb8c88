"""`leeward events tail`: what the services tell each other, as it happens."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

import amqp
import typer
from amqp.exceptions import NotFound
from kombu import Connection

from contracts.catalogue import PUBLISHERS
from leeward.bodies import body_for_people
from leeward.options import VAR, AsJson, Folder
from leeward.terminal import broker_errors, broker_of, errors
from leeward.workspace import Workspace

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
    def of(cls, message: amqp.Message) -> Seen:
        headers = message.headers or {}
        exchange, name = (message.delivery_info[one] for one in ("exchange", "routing_key"))
        return cls(
            at=str(headers.get("cloudEvents_time") or datetime.now(UTC).isoformat()),
            exchange=exchange,
            event=name,
            subject=headers.get("cloudEvents_subject"),
            id=headers.get("cloudEvents_id") or message.properties.get("message_id"),
            correlation=headers.get("correlationid"),
            body=body_for_people(exchange.removesuffix(".events"), name, message.body),
        )

    def line(self, *, with_body: bool) -> str:
        parts = (self.at, self.exchange, self.event, self.subject, self.id, self.correlation)
        line = "  ".join(part or "–" for part in parts)
        return f"{line}  {json.dumps(self.body)}" if with_body else line

    def as_json(self, *, with_body: bool) -> str:
        told = {name: value for name, value in vars(self).items() if name != "body" or with_body}
        return json.dumps(told)


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
    arrived: list[amqp.Message] = []
    with Connection(amqp_uri, connect_timeout=5, heartbeat=HEARTBEAT_SECONDS) as connection:
        there = [one for one in publishers if _is_there(connection, f"{one}.events")]
        channel = connection.default_channel
        queue = channel.queue_declare(exclusive=True, auto_delete=True).queue
        for publisher in there:
            for key in types:
                channel.queue_bind(queue, f"{publisher}.events", key)
        channel.basic_consume(queue, no_ack=True, callback=arrived.append)
        errors.print(f"Listening to {', '.join(there) or 'nobody: no service has run here'}. Ctrl-C ends it.")
        while True:
            with suppress(TimeoutError):
                connection.drain_events(timeout=HEARTBEAT_SECONDS / 4)
            connection.heartbeat_check()
            yield from map(Seen.of, arrived)
            arrived.clear()


def _is_there(connection: Connection, exchange: str) -> bool:
    with connection.channel() as channel:
        try:
            channel.exchange_declare(exchange, "topic", passive=True)
        except NotFound:
            return False
    return True
