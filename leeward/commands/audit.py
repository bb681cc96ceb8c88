"""`leeward audit`: verifies the audit logs, and shows their entries about one referral.

Each service has a hash chain in its own database. What operators do outside the services, such as discarding dead
letters, is a chain of the same kind in a file, one JSON object a line. See `chassis.audit.chain`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer
from rich.table import Table
from sqlalchemy.exc import DBAPIError

from chassis.audit.anchors import file_of, read_anchors, write_anchor
from chassis.audit.asking import ask_verdict
from chassis.audit.chain import Anchor, Verdict
from chassis.audit.store import check
from chassis.rpc import CommandFailed, NoAnswer, RpcClient
from chassis.store.engine import open_engine
from chassis.store.tables import chassis_tables, new_metadata
from contracts.commands.operations import MAX_ANCHORS
from leeward.console.operators_audit import OPERATOR, Finding, operators_log
from leeward.console.options import VAR, AsJson, Folder
from leeward.console.referral_events import referral_id_of
from leeward.console.service_client import operators_client
from leeward.console.terminal import broker_errors, console, errors
from leeward.runtime.workspace import ACCOUNTS, SERVICES, Workspace

TIMEOUT_SECONDS = 60.0


ANCHORS_AT_ONCE = MAX_ANCHORS
"""Anchors in one command; the service walks its whole chain for each command."""


app = typer.Typer(no_args_is_help=True, add_completion=False, help="The audit log, in every service and of operators.")


@app.command("verify")
def verify_all(var: Folder = VAR, as_json: AsJson = False) -> None:
    """Follows every chain from its first entry and past every anchor, and anchors what holds.

    Exit code 1 if one is broken or could not be asked, or if a line among the anchors is none.
    """
    workspace = Workspace(var)
    found = {OPERATOR: operators_log(workspace)}
    with broker_errors(), operators_client(workspace) as client:
        for service in SERVICES:
            found[service] = _ask(client, workspace, service)
    if url := workspace.accounts_store_if_any():
        found[ACCOUNTS] = verify_here(workspace, ACCOUNTS, url)
    for name, finding in found.items():
        verdict = finding.verdict
        if isinstance(verdict, Verdict) and verdict.holds and verdict.entries:
            write_anchor(workspace.anchors, name, Anchor(verdict.entries, verdict.head), at=workspace.clock.now())
    if as_json:
        print(json.dumps({name: finding.to_json() for name, finding in found.items()}, indent=2))
    else:
        _print(found, workspace)
    if not all(finding.is_well for finding in found.values()):
        raise typer.Exit(1)


@app.command()
def show(
    reference: Annotated[str, typer.Argument(help="The client's reference, or the referral's identifier.")],
    var: Folder = VAR,
    as_json: AsJson = False,
) -> None:
    """Who has read, exported, held or erased what is kept about a person, in every service."""
    workspace = Workspace(var)
    found: list[dict[str, Any]] = []
    with broker_errors(), operators_client(workspace) as client:
        referral_id = referral_id_of(client, reference)
        for service in SERVICES:
            try:
                answer = client.call(service, "audit", timeout=TIMEOUT_SECONDS, subject_id=referral_id)
            except (NoAnswer, CommandFailed) as error:
                errors.print(f"{service} could not be asked: {error}", style="red", markup=False)
                raise typer.Exit(1) from None
            found += [{"service": service, **entry} for entry in answer["entries"]]
    found.sort(key=lambda entry: entry["at"])
    if as_json:
        print(json.dumps(found, indent=2))
        return
    table = Table("time", "who", "did", "reason", "where", box=None)
    for entry in found:
        when = entry["at"][:19].replace("T", " ")
        table.add_row(when, entry["who"], entry["what"], entry["reason"] or "–", entry["service"])
    console.print(table)


def _ask(client: RpcClient, workspace: Workspace, service: str) -> Finding:
    """The service's verdict on its own chain, or why it could not be asked."""
    known = read_anchors(workspace.anchors, service)

    def ask(anchors: Sequence[dict[str, Any]]) -> Any:
        return client.call(service, "audit", timeout=TIMEOUT_SECONDS, anchors=anchors)

    try:
        return Finding(ask_verdict(ask, known.anchors, at_once=ANCHORS_AT_ONCE), known.unreadable)
    except (NoAnswer, CommandFailed) as error:
        return Finding(str(error), known.unreadable)


def verify_here(workspace: Workspace, name: str, url: str) -> Finding:
    """The verdict on a chain that is read here, because nobody answers for it on the bus."""
    known, engine = read_anchors(workspace.anchors, name), open_engine(url)
    try:
        with engine.connect().execution_options(read_only=True) as connection:
            verdict: Verdict | str = check(connection, chassis_tables(new_metadata()).audit_entry, known.anchors)
    except DBAPIError:
        verdict = "its database can't be read"
    finally:
        engine.dispose()
    return Finding(verdict, known.unreadable)


def _print(found: Mapping[str, Finding], workspace: Workspace) -> None:
    table = Table("where", "verdict", box=None)
    table.add_column("entries", justify="right")
    for name, finding in found.items():
        verdict = finding.verdict
        if isinstance(verdict, str):
            table.add_row(name, f"[red]could not be asked: {verdict}", "–")
        elif verdict.holds:
            table.add_row(name, "holds", str(verdict.entries))
        else:
            table.add_row(name, f"[red]breaks at entry {verdict.broken_at}: {verdict.why}", str(verdict.entries))
    console.print(table)
    for name, finding in found.items():
        for number in finding.unreadable:
            file = file_of(workspace.anchors, name, number)
            console.print(f"{file}, line {number}, is no anchor: it was damaged or changed.", style="red", markup=False)
