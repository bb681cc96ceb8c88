"""`leeward referral duplicates`, `merge`, `unmerge`, `tell-apart`: what may be one person's same request.

A person decides; nothing here shows what anybody wrote.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any

import typer
from rich.table import Table

from chassis.rpc import CommandFailed, RpcClient
from contracts.vocabulary import ApartReason, MarkKind, MergeReason, UnmergeReason
from leeward.console.options import VAR, AsJson, Folder, Reference
from leeward.console.service_client import find_referral, open_client
from leeward.console.terminal import console
from leeward.runtime.workspace import Workspace

AT_MOST = 1_000
ALIKE: Mapping[MarkKind, str] = {
    MarkKind.EMAIL: "e-mail address",
    MarkKind.TELEPHONE: "telephone number",
    MarkKind.NAME_AND_BIRTH: "name and date of birth",
}

Other = Annotated[str, typer.Argument(help="The reference of the other request.")]


app = typer.Typer(no_args_is_help=True, add_completion=False)


@app.command()
def duplicates(
    reference: Annotated[str | None, typer.Argument(help="Only pairs with this request.")] = None,
    var: Folder = VAR,
    as_json: AsJson = False,
) -> None:
    """Pairs of requests that may be one person's same request and wait for a person to look, the newest first."""
    with open_client(Workspace(var)) as client:
        found = _pairs(client, find_referral(client, reference)["referral_id"] if reference else None)
    if as_json:
        print(json.dumps(found, indent=2))
    else:
        console.print(_table(found) if found else "None wait to be looked at.")


@app.command()
def merge(
    reference: Annotated[str, typer.Argument(help="The request that stops.")],
    into: Annotated[str, typer.Argument(help="The request that goes on in its place.")],
    reason: Annotated[MergeReason, typer.Option(help="Why; it goes on record.")],
    anyway: Annotated[
        bool, typer.Option("--anyway", help="Though intake knows of nothing that the two have in common.")
    ] = False,
    var: Folder = VAR,
) -> None:
    """Stops a request that is the same as another. `leeward referral unmerge` takes it back."""
    with open_client(Workspace(var)) as client:
        referral, other = find_referral(client, reference), find_referral(client, into)
        if not anyway:
            _refuse_unless_alike(client, referral, other)
        ids = {"referral_id": referral["referral_id"], "into_referral_id": other["referral_id"]}
        client.call("intake", "merge", **ids, reason=reason.value)
    console.print(f"{referral['reference']} has stopped, and {other['reference']} goes on in its place.", markup=False)


@app.command()
def unmerge(
    reference: Reference,
    reason: Annotated[UnmergeReason, typer.Option(help="Why; it goes on record.")],
    var: Folder = VAR,
) -> None:
    """Lets a request that was merged into another go on where it was: they were not the same after all."""
    with open_client(Workspace(var)) as client:
        referral = find_referral(client, reference)
        client.call("intake", "unmerge", referral_id=referral["referral_id"], reason=reason.value)
    console.print(f"{referral['reference']} goes on where it was.", markup=False)


@app.command()
def tell_apart(
    reference: Reference,
    other_reference: Other,
    reason: Annotated[ApartReason, typer.Option(help="Why; it goes on record.")],
    var: Folder = VAR,
) -> None:
    """Two requests are not the same, and are never suggested to be again."""
    with open_client(Workspace(var)) as client:
        referral, other = find_referral(client, reference), find_referral(client, other_reference)
        ids = {"referral_id": referral["referral_id"], "other_referral_id": other["referral_id"]}
        done = client.call("intake", "tell_apart", **ids, reason=reason.value)
    both = f"{referral['reference']} and {other['reference']}"
    result = "are told apart for good" if done["changed"] else "had been told apart before; nothing has changed"
    console.print(f"{both} {result}.", markup=False)


def _pairs(client: RpcClient, referral_id: str | None) -> list[dict[str, Any]]:
    fields: dict[str, Any] = {"referral_id": referral_id} if referral_id else {}
    found: list[dict[str, Any]] = client.call("intake", "possible_duplicates", limit=AT_MOST, **fields)
    return found


def _refuse_unless_alike(client: RpcClient, referral: dict[str, Any], other: dict[str, Any]) -> None:
    """Raises CommandFailed, as if intake had refused."""
    both = {referral["referral_id"], other["referral_id"]}
    pairs = _pairs(client, referral["referral_id"])
    if all({pair["referral_id"], pair["other_referral_id"]} != both for pair in pairs):
        raise CommandFailed(
            "NotAlike",
            f"{referral['reference']} and {other['reference']} are no pair that waits to be looked at "
            "(`leeward referral duplicates`). If you are sure that they are the same request, say --anyway.",
        )


def _table(found: list[dict[str, Any]]) -> Table:
    table = Table("request", "stands", "the other", "stands", "the same", "found", box=None)
    for pair in found:
        later = (pair["reference"], _words(pair["state"]))
        earlier = (pair["other_reference"], _words(pair["other_state"]))
        alike = ", ".join(ALIKE[MarkKind(kind)] for kind in pair["alike"])
        table.add_row(*later, *earlier, alike, pair["found_at"][:10])
    return table


def _words(code: str) -> str:
    return code.replace("_", " ")
