"""Commands to services on behalf of a person at the terminal, with refusals and missing answers as plain messages."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import typer

from chassis.privacy.sealing import NoKey
from chassis.rpc import CommandFailed, NoAnswer, RpcClient
from leeward.console.operator import sign_as_operator
from leeward.console.terminal import broker_errors, broker_of, errors
from leeward.runtime.workspace import Workspace


@contextmanager
def open_client(workspace: Workspace, front_end: str | None = None) -> Iterator[RpcClient]:
    """A client for commands of whoever is logged in, over staff's exchange or a front-end's own.

    Prints why and exits with 1 if a service refuses or doesn't answer.
    """
    try:
        with broker_errors(), operators_client(workspace, front_end) as client:
            yield client
    except CommandFailed as refusal:
        errors.print(refusal.message, style="red", markup=False)
    except NoAnswer as silence:
        errors.print(f"It could not be asked: {silence}.", style="red", markup=False)
    else:
        return
    raise typer.Exit(1)


def operators_client(workspace: Workspace, front_end: str | None = None) -> RpcClient:
    """Signs with the operators' key, if it is in the workspace; without it services answer what needs nobody.

    Ends with exit code 2 if no broker is known.
    """
    amqp_uri = broker_of(workspace)
    try:
        sign = sign_as_operator(workspace)
    except NoKey:
        sign = None
    return RpcClient(amqp_uri, front_end, sign=sign)


def find_referral(client: RpcClient, reference: str) -> dict[str, Any]:
    """Intake's view of the referral with this reference. Raises NoAnswer, or CommandFailed with the reference in it."""
    try:
        found: dict[str, Any] = client.call("intake", "find_referral", reference=reference)
    except CommandFailed as refusal:
        raise CommandFailed(refusal.name, f"{reference}: {refusal.message}") from None
    return found


def ask_intake(workspace: Workspace, method: str, **fields: Any) -> Any:
    """Intake's answer to a command. Prints why and exits with 1 if it refuses or doesn't answer."""
    with open_client(workspace) as client:
        return client.call("intake", method, **fields)
