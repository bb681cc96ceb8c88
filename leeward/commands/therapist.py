"""`leeward therapist`: changes to a therapist's record, codes given out by telephone, and new links. All audited."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

import typer

from chassis.privacy.ephemeral_key import OneTimeKey
from chassis.privacy.sealing import Keyring
from chassis.rpc import RpcClient
from contracts.commands.notifications import GivenCode
from contracts.london import LONDON
from contracts.sealed import OneTimeCode, TherapistContact
from contracts.typed.emails import read_email
from contracts.typed.money import read_pounds
from contracts.typed.telephones import read_telephone
from contracts.vocabulary import CallerCheck, ChangeReason
from leeward.console.options import VAR, Folder
from leeward.console.service_client import find_referral, open_client
from leeward.console.terminal import console
from leeward.console.typed_values import parsed_by, prompt_for, text_of
from leeward.runtime.workspace import Workspace

Therapist = Annotated[str, typer.Argument(metavar="THERAPIST", help="The therapist's id.")]
Reason = Annotated[ChangeReason, typer.Option(help="Whose word it rests on; it goes on record.")]

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="What is otherwise about a therapist, the code that one rings for, and another link.",
)
MOST_OF_NAME = 120


@app.command()
def contact(therapist: Therapist, reason: Reason, var: Folder = VAR) -> None:
    """Changes how a therapist is reached, also for letters that have still to be sent.

    Name, email and telephone are asked for, so that they stand in no history of the terminal.
    """
    new = TherapistContact(
        name=prompt_for("Name", text_of(MOST_OF_NAME)),
        email=prompt_for("Email", read_email),
        telephone=prompt_for("Telephone (nothing if there is none)", _telephone, otherwise=""),
    )
    sealed = Keyring(Workspace(var).keys).seal("notifications", new)
    _change(var, therapist, reason, contact=sealed)
    console.print("From now on the therapist is reached in the new way.")


@app.command()
def change(
    therapist: Therapist,
    reason: Reason,
    fee: Annotated[
        int | None,
        typer.Option(
            parser=parsed_by(read_pounds), metavar="POUNDS", help="What a session costs, such as 55 or 52.50."
        ),
    ] = None,
    language: Annotated[
        list[str] | None, typer.Option(help="A language they work in, such as en or cy; all of them, one by one.")
    ] = None,
    interpreters: Annotated[
        bool | None, typer.Option("--interpreters/--no-interpreters", help="Whether they work with interpreters.")
    ] = None,
    young_from: Annotated[int | None, typer.Option(min=0, max=17, help="The youngest age of young people.")] = None,
    young_to: Annotated[int | None, typer.Option(min=0, max=17, help="The oldest age of young people.")] = None,
    var: Folder = VAR,
) -> None:
    """Changes a therapist's fee, languages, or whom they see; what isn't named stays.

    It holds for offers and searches from now on. A fee that was agreed with a match stays.
    """
    said: dict[str, Any] = {
        "session_fee_pence": fee,
        "languages": language or None,
        "works_with_interpreters": interpreters,
        "young_from_years": young_from,
        "young_to_years": young_to,
    }
    changes = {name: value for name, value in said.items() if value is not None}
    if not changes:
        raise typer.BadParameter("name what is otherwise, such as --fee 55")
    _change(var, therapist, reason, **changes)
    console.print("It is on record, and holds from now on.")


@app.command()
def code(
    introduction: Annotated[str, typer.Argument(metavar="MATCH|REFERENCE", help="The match's id, or the reference.")],
    reason: Annotated[CallerCheck, typer.Option(help="How you made sure who is calling; it goes on record.")],
    var: Folder = VAR,
) -> None:
    """Gives a code to read out to a therapist who gets no text messages, so that they can see their client's contact.

    Make sure first that it is the therapist who is calling.
    """
    key = OneTimeKey()
    asked: dict[str, Any] = {"check": reason.value, "seal_to": key.public}
    with open_client(Workspace(var)) as client:
        asked |= _introduction(client, introduction)
        given = GivenCode.from_json(client.call("notifications", "give_client_code", **asked))
    digits = key.open(OneTimeCode, given.sealed).code
    console.print(f"For therapist {given.therapist_id}:", markup=False, highlight=False)
    console.print(f"{digits[:3]} {digits[3:]}, until {given.valid_until.astimezone(LONDON):%H:%M}", highlight=False)


@app.command()
def link(
    introduction: Annotated[str, typer.Argument(metavar="MATCH|REFERENCE", help="The match's id, or the reference.")],
    var: Folder = VAR,
) -> None:
    """Sends a therapist another link to their client's contact, where the one in their letter is too old or lost."""
    with open_client(Workspace(var)) as client:
        asked: dict[str, Any] = {**_introduction(client, introduction)}
        to = client.call("notifications", "renew_introduction", **asked)["therapist_id"]
    console.print(f"A letter with another link is on its way to therapist {to}.", markup=False, highlight=False)


def _introduction(client: RpcClient, typed: str) -> dict[str, str]:
    """What names an introduction in a command to notifications."""
    if _is_match(typed):
        return {"match_id": typed}
    return {"referral_id": find_referral(client, typed)["referral_id"]}


def _is_match(introduction: str) -> bool:
    try:
        return bool(UUID(introduction))
    except ValueError:
        return False


def _telephone(text: str) -> str | None:
    return read_telephone(text).e164 if text else None


def _change(var: Any, therapist: str, reason: ChangeReason, **changes: Any) -> None:
    with open_client(Workspace(var)) as client:
        client.call("matching", "change_therapist", therapist_id=therapist, reason=reason.value, **changes)
