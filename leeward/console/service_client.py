"""Asking a service something for a person, who is told in words what it refuses and that it is silent."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import typer

from chassis.rpc import CommandFailed, NoAnswer, RpcClient
from leeward.console.terminal import broker_errors, broker_of, errors
from leeward.runtime.workspace import Workspace


@contextmanager
def asking(workspace: Workspace, front_end: str | None = None) -> Iterator[RpcClient]:
    """As staff, or as a front-end that may ask less.

    Ends with exit code 1, in words, if a service refuses or can't be asked.
    """
    try:
        with broker_errors(), RpcClient(broker_of(workspace), front_end) as client:
            yield client
    except CommandFailed as refusal:
        errors.print(refusal.message, style="red", markup=False)
    except NoAnswer as silence:
        errors.print(f"It could not be asked: {silence}.", style="red", markup=False)
    else:
        return
    raise typer.Exit(1)


def find(client: RpcClient, reference: str) -> dict[str, Any]:
    """How the referral of this reference stands. Raises NoAnswer, or CommandFailed that says which reference it is."""
    try:
        found: dict[str, Any] = client.call("intake", "find_referral", reference=reference)
    except CommandFailed as refusal:
        raise CommandFailed(refusal.name, f"{reference}: {refusal.message}") from None
    return found


def ask(workspace: Workspace, method: str, **fields: Any) -> Any:
    """Intake's answer. Ends with exit code 1, in words, if it refuses or can't be asked."""
    with asking(workspace) as client:
        return client.call("intake", method, **fields)
