"""`leeward erase` and `leeward hold`: erasure of everything held about a person, and legal holds that prevent it."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import Annotated, Any

import typer

from chassis.bus.dead_letters import Selection
from contracts.commands.privacy import ErasureReason, HoldReason, LiftReason
from leeward.console.options import VAR, AsJson, Folder, Reference
from leeward.console.referral_events import gather
from leeward.console.service_client import ask_intake, open_client, operators_client
from leeward.console.terminal import broker_errors, console, errors
from leeward.dead_letters.attribution import Attribution, Person
from leeward.dead_letters.discarding import discard_letters
from leeward.dead_letters.letters import SHOW, Letter, fetch_letters
from leeward.runtime.workspace import SERVICES, Workspace

hold_app = typer.Typer(no_args_is_help=True, add_completion=False, help="Legal holds, which stop every erasure.")


def erase(
    reference: Reference,
    reason: Annotated[ErasureReason | None, typer.Option(help="Why; it goes on record.")] = None,
    status: Annotated[bool, typer.Option("--status", help="Only tell which services have confirmed.")] = False,
    anyway: Annotated[
        bool, typer.Option("--anyway", help="Past a therapy that goes on or a concern that waits for an answer.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask, for scripts.")] = False,
    var: Folder = VAR,
    as_json: AsJson = False,
) -> None:
    """Erases what is held about a person, for good, in every service, and dead letters about them.

    Nothing brings it back. Exit code 1 if it is refused, if the dead letters of a service could not be looked at, or
    with --status if a service has not confirmed yet.
    """
    workspace = Workspace(var)
    problems: list[str] = []
    if status:
        view = ask_intake(workspace, "erasure", reference=reference)
    else:
        if reason is None:
            raise typer.BadParameter("a reason is needed", param_hint="--reason")
        if not yes:
            typer.confirm(f"Erase everything about {reference}, for good?", abort=True)
        view = ask_intake(workspace, "erase", reference=reference, reason=reason.value, anyway=anyway)
        unattributed, problems = discard_letters_about(
            workspace, _person(workspace, [view, *view.get("with_it", ())]), reason
        )
        view["letters_about_nobody_known"] = [{"service": letter.service, "id": letter.id} for letter in unattributed]
    if as_json:
        print(json.dumps(view, indent=2))
    else:
        _print_erasure(view)
    for problem in problems:
        errors.print(f"{problem} There may be some about this person.", style="red", markup=False, soft_wrap=True)
    if problems or (status and view.get("waiting_for")):
        raise typer.Exit(1)


@hold_app.command()
def place(
    reference: Reference,
    reason: Annotated[HoldReason, typer.Option(help="Why; it goes on record.")],
    var: Folder = VAR,
) -> None:
    """Keeps what is held about a person, whatever asks for its erasure, until the hold is lifted."""
    ask_intake(Workspace(var), "place_hold", reference=reference, reason=reason.value)
    console.print(f"{reference} is on legal hold.")


@hold_app.command()
def lift(
    reference: Reference,
    reason: Annotated[LiftReason, typer.Option(help="Why; it goes on record.")],
    var: Folder = VAR,
) -> None:
    """Ends a legal hold."""
    ask_intake(Workspace(var), "lift_hold", reference=reference, reason=reason.value)
    console.print(f"{reference} is on legal hold no longer.")


@hold_app.command()
def show(reference: Reference, var: Folder = VAR, as_json: AsJson = False) -> None:
    """Every legal hold there is and was on a person."""
    holds = ask_intake(Workspace(var), "holds", reference=reference)
    if as_json:
        print(json.dumps(holds, indent=2))
        return
    for hold in holds:
        lifted = f", lifted {hold['lifted_at'][:10]} by {hold['lifted_by']}" if hold.get("lifted_at") else ""
        line = f"{hold['placed_at'][:10]} {hold['reason'].replace('_', ' ')}, placed by {hold['placed_by']}{lifted}"
        console.print(line, markup=False)
    if not holds:
        console.print("None.")


def discard_letters_about(
    workspace: Workspace, person: Person, reason: ErasureReason
) -> tuple[list[Letter], list[str]]:
    """Discards the dead letters about a person that hold something sealed, and records each in the audit log.

    Returns the letters that may be about anybody, for the operator to look at, and what kept services from answering.
    """
    found: dict[Attribution, list[Letter]] = defaultdict(list)
    with open_client(workspace) as client:
        shown = fetch_letters(client, SERVICES, SHOW, Selection())
        for letter in shown.letters:
            found[person.attribute(letter)].append(letter)
        moved = discard_letters(client, workspace, found[Attribution.THEM], reason.value)
    return found[Attribution.CANT_TELL], [*shown.problems, *moved.problems]


def _person(workspace: Workspace, erased: list[dict[str, Any]]) -> Person:
    """The identifiers by which a letter can be attributed to a person, as far as the services remember them."""
    events: dict[str, dict[str, Any]] = {}
    with broker_errors(), operators_client(workspace) as client:
        for referral in erased:
            events |= gather(client, referral["referral_id"]).events_of(referral["referral_id"])
    referrals = {referral["referral_id"] for referral in erased}
    own_events = {id_: row for id_, row in events.items() if row["referral_id"] in referrals}
    return Person(
        subjects=referrals | {referral["submission_id"] for referral in erased},
        events=own_events.keys(),
        correlations={row["correlation_id"] for row in own_events.values()},
    )


def _print_erasure(view: dict[str, Any]) -> None:
    why = view["reason"].replace("_", " ")
    console.print(
        f"{view['reference']} was erased on {view['erased_at'][:10]} by {view['erased_by']} ({why}).", markup=False
    )
    for confirmation in view.get("confirmed", ()):
        when = confirmation["confirmed_at"][:19].replace("T", " ")
        console.print(f"  {confirmation['service']} confirmed {when}", markup=False)
    for service in view.get("waiting_for", ()):
        late = " [red]and is overdue" if view.get("overdue_since") else ""
        console.print(f"  {service} has not confirmed yet{late}")
    for referral in view.get("with_it", ()):
        console.print(f"  {referral['reference']}, which was the same request, was erased with it", markup=False)
    for letter in view.get("letters_about_nobody_known", ()):
        look = f"leeward dead show {letter['id']}"
        console.print(f"  A dead letter of {letter['service']} doesn't tell whom it is about: {look}", markup=False)
