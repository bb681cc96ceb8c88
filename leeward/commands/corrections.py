"""`leeward referral consent`, `contact`, `needs`, `undo`: what a client changes later, and corrections of mistakes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import typer

from chassis.privacy.sealing import Keyring
from contracts.sealed import SafeChannel, SafeContact, SafeHours
from contracts.typed.distances import read_kilometres
from contracts.typed.emails import read_email
from contracts.typed.money import read_pounds
from contracts.typed.telephones import read_telephone
from contracts.vocabulary import (
    ConsentKind,
    ConsentTold,
    ContactChangeReason,
    NeedsChangeReason,
    Party,
    Sessions,
    Sex,
    UndoReason,
    Wish,
)
from leeward.console.options import VAR, Folder, Reference
from leeward.console.service_client import find_referral, open_client
from leeward.console.terminal import console
from leeward.console.typed_values import parsed_by, prompt_for, text_of
from leeward.runtime.workspace import Workspace

MOST_OF_ADDRESS = 400

NEEDED: dict[SafeChannel, tuple[str, Callable[[str], str]]] = {
    SafeChannel.EMAIL: ("email", read_email),
    SafeChannel.POST: ("address", text_of(MOST_OF_ADDRESS)),
    SafeChannel.TELEPHONE: ("telephone", lambda text: read_telephone(text).e164),
    SafeChannel.TEXT: ("telephone", lambda text: read_telephone(text, for_texts=True).e164),
}
"""The field of a safe contact that each channel needs, and its reader. A client who calls themselves needs none."""


app = typer.Typer(no_args_is_help=True, add_completion=False)


@app.command()
def consent(
    reference: Reference,
    about: Annotated[ConsentKind, typer.Argument(help="What they agree to, or not.")],
    told: Annotated[ConsentTold, typer.Option(help="How they said so.")],
    given: Annotated[bool, typer.Option("--given/--not-given", help="Whether they agree.")] = True,
    var: Folder = VAR,
) -> None:
    """Puts on record what a client agrees to. A search that waited for it begins; one that may not go on stops."""
    with open_client(Workspace(var)) as client:
        referral = find_referral(client, reference)
        said: dict[str, Any] = {"consent": about.value, "given": given, "told": told.value}
        client.call("intake", "record_consent", referral_id=referral["referral_id"], **said)
        state = find_referral(client, reference)["state"].replace("_", " ")
    console.print(f"It is on record. {referral['reference']} is {state}.", markup=False)


@app.command()
def new_contact(
    reference: Reference,
    accept: Annotated[bool, typer.Option("--accept/--refuse", help="Whether it is theirs and safe.")],
    var: Folder = VAR,
) -> None:
    """Settles a new contact that a client named on the status page and a person has to confirm.

    `leeward referral show` tells what they named.
    """
    with open_client(Workspace(var)) as client:
        referral = find_referral(client, reference)
        client.call("intake", "settle_contact_change", referral_id=referral["referral_id"], accept=accept)
    now = "is reached in the new way from now on" if accept else "is reached as before"
    console.print(f"{referral['reference']} {now}.", markup=False)


@app.command()
def contact(
    reference: Reference,
    reason: Annotated[ContactChangeReason, typer.Option(help="Why; it goes on record.")],
    channel: Annotated[SafeChannel, typer.Option(help="How it is safe to reach them from now on.")],
    whose: Annotated[Party, typer.Option(help="The client's, or that of whoever wrote for them.")] = Party.CLIENT,
    hours: Annotated[SafeHours | None, typer.Option(help="When it is safe; at any time if nobody said.")] = None,
    may_leave_message: Annotated[
        bool | None, typer.Option(help="Whether a message may be left; none is if nobody said.")
    ] = None,
    discreet: Annotated[bool, typer.Option(help="Whether what is sent must not say who we are.")] = True,
    var: Folder = VAR,
) -> None:
    """Changes how somebody is reached. Nothing goes to the old contact from then on.

    The address or number is asked for, so that it stands in no history of the terminal.
    """
    said: dict[str, Any] = {
        "channel": channel,
        "hours": hours,
        "may_leave_message": may_leave_message,
        "discreet": discreet,
    }
    if channel in NEEDED:
        what, read = NEEDED[channel]
        said |= {what: prompt_for(what.capitalize(), read)}
    new = SafeContact.from_json(said)
    workspace = Workspace(var)
    sealed = Keyring(workspace.keys).seal("intake", new)
    with open_client(workspace) as client:
        referral = find_referral(client, reference)
        change: dict[str, Any] = {"whose": whose.value, "contact": sealed, "reason": reason.value}
        client.call("intake", "change_contact", referral_id=referral["referral_id"], **change)
    console.print(f"From now on {referral['reference']} is reached in the new way.", markup=False)


@app.command()
def undo(
    reference: Reference,
    reason: Annotated[UndoReason, typer.Option(help="Why; it goes on record.")],
    var: Folder = VAR,
) -> None:
    """Brings back a request that a person withdrew or signposted by mistake."""
    with open_client(Workspace(var)) as client:
        referral = find_referral(client, reference)
        client.call("intake", "undo", referral_id=referral["referral_id"], reason=reason.value)
    console.print(f"{referral['reference']} goes on where it was.", markup=False)


@app.command()
def undo_match_end(
    reference: Reference,
    reason: Annotated[UndoReason, typer.Option(help="Why; it goes on record.")],
    var: Folder = VAR,
) -> None:
    """Has client and therapist go on, whose match was ended by mistake. If it can't be, it says what to do instead."""
    with open_client(Workspace(var)) as client:
        referral = find_referral(client, reference)
        match_id = client.call("matching", "standing", referral_id=referral["referral_id"]).get("last_match_id")
        if match_id is None:
            raise typer.BadParameter(f"{referral['reference']} never had a therapist, so that nothing has ended")
        done = client.call("matching", "undo_match_end", match_id=match_id, reason=reason.value)
    goes_on = "goes on with the same therapist" if done["changed"] else "hadn't ended: they go on anyway"
    console.print(f"{referral['reference']} {goes_on}.", markup=False)


@app.command()
def needs(
    reference: Reference,
    reason: Annotated[NeedsChangeReason, typer.Option(help="Why; it goes on record.")],
    told: Annotated[ConsentTold, typer.Option(help="How they said so, or who answers for them.")],
    sessions: Annotated[Sessions | None, typer.Option(help="How they would meet.")] = None,
    online: Annotated[
        bool | None, typer.Option("--prison-allows-online/--prison-forbids-online", help="What the prison says.")
    ] = None,
    distance: Annotated[
        float | None,
        typer.Option(
            parser=parsed_by(read_kilometres), metavar="DISTANCE", help="How far, such as '10 miles' or '16 km'."
        ),
    ] = None,
    sex: Annotated[Sex | None, typer.Option(help="The therapist's sex.")] = None,
    sex_only: Annotated[bool | None, typer.Option("--sex-only/--sex-preferred", help="Whether it is a must.")] = None,
    language: Annotated[str | None, typer.Option(help="To talk in, such as cy.")] = None,
    language_only: Annotated[
        bool | None, typer.Option("--language-only/--language-preferred", help="Whether it is a must.")
    ] = None,
    interpreter: Annotated[str | None, typer.Option(help="The language that is interpreted, such as pl.")] = None,
    most: Annotated[
        int | None,
        typer.Option(
            parser=parsed_by(read_pounds), metavar="POUNDS", help="What they can pay a session, such as 25.50."
        ),
    ] = None,
    no_longer: Annotated[list[Wish] | None, typer.Option(help="What they have no wish about any more.")] = None,
    var: Folder = VAR,
) -> None:
    """Changes what a client needs of a therapist, or prefers, with their word for it. What isn't named stays."""
    said: dict[str, Any] = {
        "sessions": sessions and sessions.value,
        "online_allowed": online,
        "max_distance_km": distance,
        "therapist_sex": sex and sex.value,
        "therapist_sex_only": sex_only,
        "therapy_language": language,
        "therapy_language_must": language_only,
        "interpreter_language": interpreter,
        "most_per_session": most,
        "no_longer": [wish.value for wish in no_longer or ()] or None,
    }
    changes = {name: value for name, value in said.items() if value is not None}
    with open_client(Workspace(var)) as client:
        referral = find_referral(client, reference)
        why: dict[str, Any] = {"reason": reason.value, "told": told.value}
        client.call("intake", "change_needs", referral_id=referral["referral_id"], **why, **changes)
    console.print(f"It is on record, and a therapist is sought for {referral['reference']} accordingly.", markup=False)
