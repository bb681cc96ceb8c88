"""`leeward evaluation`: forms that a person fills in with somebody, and forms that could not be read."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from chassis.privacy.sealing import Keyring
from contracts.sealed import Answer, EnteredAnswers
from contracts.vocabulary import AnswerMode
from leeward.console import unreadable
from leeward.console.options import VAR, AsJson, Folder
from leeward.console.service_client import find_referral, open_client
from leeward.console.terminal import console, errors, id_column, printable
from leeward.console.unreadable import Every, Submissions
from leeward.runtime.workspace import Workspace

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Evaluation forms.")
unreadable_app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="Forms that are sealed to a key that evaluation doesn't have."
)
app.add_typer(unreadable_app, name="unreadable")


@app.command("list")
def list_(
    reference: Annotated[str, typer.Argument(help="The referral's, as its letters have it.")],
    var: Folder = VAR,
    as_json: AsJson = False,
) -> None:
    """Who was asked for which form about a referral, and what came of it. Never what was answered."""
    with open_client(Workspace(var)) as client:
        referral_id = find_referral(client, reference)["referral_id"]
        found: list[dict[str, Any]] = client.call("evaluation", "invitations", referral_id=referral_id)
    if as_json:
        print(json.dumps(found, indent=2))
    else:
        console.print(_invitations(found) if found else "Nobody was asked for a form about this referral.")


@app.command()
def answer(
    invitation: Annotated[str, typer.Argument(help="Its id, as the list shows it.")],
    how: Annotated[AnswerMode, typer.Option("--how", help="How they were given.")],
    var: Folder = VAR,
) -> None:
    """Asks for each answer of an open form, so that it can be filled in by telephone or from paper.

    Nothing is written down here: what is typed goes sealed to evaluation, and is scored as if it came from the page.
    """
    workspace = Workspace(var)
    with open_client(workspace) as client:
        form = client.call("evaluation", "show_form", invitation_id=invitation)
        answers = tuple(given for item in form["items"] if (given := _ask_for_answer(item)) is not None)
        sealed = Keyring(workspace.keys).seal("evaluation", EnteredAnswers(answers=answers))
        fields: dict[str, Any] = {"invitation_id": invitation, "mode": how.value, "sealed": sealed}
        client.call("evaluation", "enter_answers", **fields)
    console.print("Thank you. The answers are on record.")


@unreadable_app.command("list")
def list_unreadable(var: Folder = VAR, as_json: AsJson = False) -> None:
    """What waits for a key, the oldest first. Exit code 1 if there is any."""
    none = "Every form that came could be read."
    unreadable.show("evaluation", "unreadable_forms", _unreadable, none=none, var=var, as_json=as_json)


@unreadable_app.command()
def retry(submissions: Submissions = None, every: Every = False, var: Folder = VAR) -> None:
    """Reads them again. First put the key that was missing into the keys folder, and start evaluation again.

    Exit code 1 if one still can't be read.
    """
    commands = ("unreadable_forms", "retry_unreadable_form")
    unreadable.read_again("evaluation", commands, submissions, every=every, say=lambda _: "", var=var)


def _ask_for_answer(item: dict[str, Any]) -> Answer | None:
    """Prompts until a valid answer to one question is typed; None if the question is left out."""
    labels = {str(choice["value"]): choice["label"] for choice in item["choices"]}
    console.print(f"\n{printable(item['text'])}", markup=False)
    for value, label in labels.items():
        console.print(f"  {value}  {printable(label)}", markup=False, highlight=False)
    while True:
        typed = typer.prompt("Answer, or - to leave it out").strip()
        if typed == "-":
            return None
        if typed in labels:
            return Answer(item=item["code"], value=int(typed))
        errors.print(f"Please type one of {', '.join(labels)}, or -.", style="red")


def _invitations(found: list[dict[str, Any]]) -> Table:
    table = Table(id_column("invitation"), "who", "when in therapy", "questionnaire", "state", "asked", box=None)
    for invitation in found:
        asked = invitation["invited_at"][:16].replace("T", " ")
        cells = [invitation[name] for name in ("invitation_id", "respondent", "stage", "instrument", "state")]
        table.add_row(*(Text(printable(value.replace("_", " "))) for value in (*cells, asked)))
    return table


def _unreadable(found: list[dict[str, Any]]) -> Table:
    table = Table(id_column("sent as"), "came", "sealed to key", box=None)
    for form in found:
        cells = (form["submission_id"], form["received_at"][:16].replace("T", " "), form.get("sealed_to") or "–")
        table.add_row(*(Text(printable(value)) for value in cells))
    return table
