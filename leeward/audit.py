"""`leeward audit`: whether the record of who did what about whom still holds, and what it says of one referral.

Each service keeps a chain in its own database; what an operator does past the services (discarding dead letters) is a
chain of the same kind in a file, one JSON object a line. See `chassis.audit`.
"""

from __future__ import annotations

import fcntl
import getpass
import json
import os
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from chassis.audit import Anchor, Deed, Verdict, chained, last_anchor, verify, write_anchor
from chassis.rpc import CommandFailed, NoAnswer, RpcClient
from leeward.options import VAR, AsJson, Folder
from leeward.terminal import broker_errors, broker_of, console, errors
from leeward.trace import referral_id_of
from leeward.workspace import SERVICES, Workspace

OPERATOR = "operator"
TIMEOUT_SECONDS = 60.0

app = typer.Typer(no_args_is_help=True, add_completion=False, help="The audit log, in every service and of operators.")


def put_on_record(path: Path, what: Deed, *, at: datetime, **about: Any) -> None:
    """Adds a line, and returns when it is on the disk. `about` holds identifiers, codes and the given reason."""
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "r+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        lines = file.read().splitlines()
        last = json.loads(lines[-1]) if lines else None
        entry = {"at": at.isoformat(), "who": getpass.getuser(), "what": what.value, **about}
        after = Anchor(last["sequence"], last["hash"]) if last else None
        file.write(json.dumps(chained(entry, after=after)) + "\n")
        file.flush()
        os.fsync(file.fileno())


def entries_in(path: Path) -> list[dict[str, Any]]:
    """What operators have done, oldest first; nothing if there is no such file."""
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


@app.command("verify")
def verify_all(var: Folder = VAR, as_json: AsJson = False) -> None:
    """Follows every chain from its first entry and past the newest anchor, and anchors what holds.

    Exit code 1 if one is broken or could not be asked.
    """
    workspace = Workspace(var)
    verdicts: dict[str, Verdict | str] = {OPERATOR: _verdict_on_operator(workspace)}
    with broker_errors(), RpcClient(broker_of(workspace)) as client:
        for service in SERVICES:
            verdicts[service] = _ask(client, workspace, service)
    for name, verdict in verdicts.items():
        if isinstance(verdict, Verdict) and verdict.holds and verdict.entries:
            write_anchor(workspace.anchors, name, Anchor(verdict.entries, verdict.head), at=workspace.clock.now())
    if as_json:
        told = {name: one if isinstance(one, str) else asdict(one) for name, one in verdicts.items()}
        print(json.dumps(told, indent=2))
    else:
        _print(verdicts)
    if not all(isinstance(one, Verdict) and one.holds for one in verdicts.values()):
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
    with broker_errors(), RpcClient(broker_of(workspace)) as client:
        referral_id = referral_id_of(client, reference)
        for service in SERVICES:
            try:
                told = client.call(service, "audit", timeout=TIMEOUT_SECONDS, subject_id=referral_id)
            except (NoAnswer, CommandFailed) as error:
                errors.print(f"{service} could not be asked: {error}", style="red", markup=False)
                raise typer.Exit(1) from None
            found += [{"service": service, **entry} for entry in told["entries"]]
    found.sort(key=lambda entry: entry["at"])
    if as_json:
        print(json.dumps(found, indent=2))
        return
    table = Table("time", "who", "did", "reason", "where", box=None)
    for entry in found:
        when = entry["at"][:19].replace("T", " ")
        table.add_row(when, entry["who"], entry["what"], entry["reason"] or "–", entry["service"])
    console.print(table)


def _verdict_on_operator(workspace: Workspace) -> Verdict:
    try:
        entries = entries_in(workspace.audit)
    except ValueError:
        return Verdict(0, "", broken_at=1, why="a line of the file is no JSON")
    return verify(entries, anchor=last_anchor(workspace.anchors, OPERATOR))


def _ask(client: RpcClient, workspace: Workspace, service: str) -> Verdict | str:
    """The service's verdict on its own chain, or why it could not be asked."""
    anchor = last_anchor(workspace.anchors, service)
    asked = {"anchor_sequence": anchor.sequence, "anchor_hash": anchor.hash} if anchor else {}
    try:
        return Verdict(**client.call(service, "audit", timeout=TIMEOUT_SECONDS, **asked)["verdict"])
    except (NoAnswer, CommandFailed) as error:
        return str(error)


def _print(verdicts: dict[str, Verdict | str]) -> None:
    table = Table("where", "verdict", box=None)
    table.add_column("entries", justify="right")
    for name, verdict in verdicts.items():
        if isinstance(verdict, str):
            table.add_row(name, f"[red]could not be asked: {verdict}", "–")
        elif verdict.holds:
            table.add_row(name, "holds", str(verdict.entries))
        else:
            table.add_row(name, f"[red]breaks at entry {verdict.broken_at}: {verdict.why}", str(verdict.entries))
    console.print(table)
