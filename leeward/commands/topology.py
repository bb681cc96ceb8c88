"""`leeward topology`: what the services declare on the broker, and who may use it."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from dotenv import dotenv_values, set_key
from rich.table import Table

from chassis.bus.permissions import definitions, users_of
from chassis.bus.topology import DELIVERY_LIMIT, RETRY_DELAYS_SECONDS, Topology
from leeward.console.options import new_file
from leeward.console.terminal import console, refuse_unknown
from leeward.runtime.topologies import topologies, variable_of


class PasswordsMissing(Exception):
    """Some users have no password; the message names the variables."""


def passwords_for(users: Iterable[str], file: Path | None) -> dict[str, str]:
    """Each user's password from the environment or the file; missing ones are made and written into the file.

    Raises PasswordsMissing if there is no file to write them into.
    """
    known = {**(dotenv_values(file) if file and file.exists() else {}), **os.environ}
    passwords = {user: known.get(variable_of(user)) or "" for user in users}
    missing = [user for user, password in passwords.items() if not password]
    if missing and file is None:
        raise PasswordsMissing(f"Set {', '.join(map(variable_of, missing))}, or name a file with --passwords.")
    for user in missing:
        assert file is not None
        file.touch(mode=0o600)
        passwords[user] = secrets.token_hex(24)
        set_key(file, variable_of(user), passwords[user], quote_mode="never")
    return passwords


def topology(
    services: Annotated[list[str] | None, typer.Argument(help="All, if none is named.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
    as_definitions: Annotated[
        bool, typer.Option("--definitions", help="For `rabbitmqctl import_definitions`, with a user for each service.")
    ] = False,
    passwords: Annotated[
        Path | None,
        typer.Option(
            callback=new_file, help="A file of RABBITMQ_<USER>_PASSWORD=… lines; missing ones are added to it."
        ),
    ] = None,
    vhost: Annotated[str, typer.Option(help="The virtual host of the definitions.")] = "/",
) -> None:
    """Every exchange, queue and binding, and why; with --definitions also users and permissions, for RabbitMQ."""
    found = refuse_unknown(services)
    if as_definitions:
        if services:
            raise typer.BadParameter("definitions are of all services together")
        everything = topologies()
        try:
            given = passwords_for([user.name for user in users_of(everything)], passwords)
        except PasswordsMissing as missing:
            raise typer.BadParameter(str(missing)) from None
        print(json.dumps(definitions(everything, given, vhost=vhost), indent=2))
        return
    if as_json:
        print(json.dumps([_as_json(service_topology) for service_topology in topologies(found)], indent=2))
        return
    for service_topology in topologies(found):
        console.print(_table(service_topology))


def _as_json(topology: Topology) -> dict[str, Any]:
    (user,) = (user for user in users_of([topology]) if user.name == topology.service)
    return {
        "service": topology.service,
        "exchanges": [
            {"name": exchange.name, "type": exchange.type, "why": _purpose(exchange.name)}
            for exchange in topology.exchanges
        ],
        "listens_to": [exchange.name for exchange in topology.foreign],
        "queues": [
            {"name": queue.name, "arguments": dict(queue.queue_arguments or {}), "why": _purpose(queue.name)}
            for queue in topology.queues
        ],
        "bindings": [
            {"exchange": exchange, "routing_key": key, "queue": queue} for exchange, key, queue in topology.bindings()
        ],
        "permissions": {**user.permission(), "topics": [asdict(rule) for rule in user.topics]},
    }


def _table(topology: Topology) -> Table:
    table = Table(topology.service, "", "why", box=None, title_justify="left", padding=(0, 2, 0, 0))
    for exchange in topology.exchanges:
        table.add_row("exchange", exchange.name, _purpose(exchange.name))
    for exchange in topology.foreign:
        heard = ", ".join(_keys_from(topology, exchange.name))
        table.add_row("listens to" if heard else "answers on", exchange.name, heard)
    for queue in topology.queues:
        bound = "\n".join(f"  {source} / {key}" for source, key, name in topology.bindings() if name == queue.name)
        table.add_row("queue", f"{queue.name}\n{bound}", _purpose(queue.name))
    return table


def _keys_from(topology: Topology, exchange: str) -> Iterator[str]:
    return (key for source, key, _ in topology.bindings() if source == exchange)


def _purpose(name: str) -> str:
    """What an exchange or queue is for, in words."""
    service, _, rest = name.partition(".")
    if name.startswith("rpc-"):
        return f"commands of the {rest}" if rest else "commands of staff's clients"
    if rest.startswith("retry."):
        return f"holds what failed for {RETRY_DELAYS_SECONDS[rest.removeprefix('retry.')]} s"
    return {
        "events": f"the facts that {service} publishes",
        "retry": "takes what failed to the queue of its delay, or to the dead letters",
        "return": "brings a message back into its lane",
        "": "commands and their answers",
        "inbox": f"what {service} hears",
        "urgent": "what must never wait behind the inbox",
        "limit": f"what was handed out {DELIVERY_LIMIT} times; put back by itself, once",
        "dead": "what a person must look at: leeward dead",
    }[rest]
