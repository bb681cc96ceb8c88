"""`leeward referral show` and `outcomes`: what a client wrote and what was decided, for a person who may read it.

Every reading is recorded in the audit log. Duplicates and corrections are commands of the same group in modules of
their own.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from chassis.privacy.ephemeral_key import OneTimeKey
from contracts.commands.subject import ReadingReason, Section, Topic
from leeward.console.options import VAR, AsJson, Folder, Reference
from leeward.console.service_client import find_referral, open_client
from leeward.console.terminal import console
from leeward.runtime.workspace import Workspace
from leeward.subject_access.gathering import open_answer
from leeward.subject_access.questions import in_the_forms_words

TITLES: Mapping[Topic, str] = {
    Topic.REQUEST: "The request",
    Topic.ANSWERS: "What they wrote",
    Topic.CONTACT: "The new contact that they named, to be confirmed",
    Topic.CONSENTS: "What they agreed to",
    Topic.STEPS: "What happened",
    Topic.ASSESSMENT: "The assessment",
    Topic.CONCERNS: "The concern",
}

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="What a client wrote and what was decided, for who may read it; requests that came twice.",
)


@app.command()
def show(
    reference: Reference,
    reason: Annotated[ReadingReason, typer.Option(help="Why; it goes on record.")],
    var: Folder = VAR,
    as_json: AsJson = False,
) -> None:
    """What a client wrote, every step with its notes, and the assessment.

    Whoever handles somebody linked to the client is refused.
    """
    workspace, key = Workspace(var), OneTimeKey()
    with open_client(workspace) as client:
        referral_id = find_referral(client, reference)["referral_id"]
        asked: dict[str, Any] = {"reason": reason.value, "seal_to": key.public}
        answer = client.call("intake", "read_record", referral_id=referral_id, **asked)
    own_forms = Path(forms) if (forms := workspace.values().get("SITE_FORMS")) else None
    sections = [in_the_forms_words(section, own_forms) for section in open_answer(key, answer).sections]
    _print_sections(sections, as_json=as_json)


@app.command()
def outcomes(reference: Reference, var: Folder = VAR, as_json: AsJson = False) -> None:
    """What was decided about each safeguarding concern of a client, and why."""
    workspace, key = Workspace(var), OneTimeKey()
    sections: list[Section] = []
    with open_client(workspace) as client:
        for concern in find_referral(client, reference).get("concerns", ()):
            asked: dict[str, Any] = {"concern_id": concern["concern_id"], "seal_to": key.public}
            sections += open_answer(key, client.call("notifications", "read_outcomes", **asked)).sections
    _print_sections(sections, as_json=as_json)


def _print_sections(sections: Iterable[Section], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps([section.to_json() for section in sections], indent=2, ensure_ascii=False))
        return
    for section in sections:
        console.print(f"\n{TITLES[section.topic]}", style="bold")
        for entry in section.entries:
            for what, value in entry.told().items():
                console.print(f"  {what}: {_without_controls(value)}", markup=False, highlight=False)
            console.print()


def _without_controls(typed: str) -> str:
    """What somebody typed, without control characters that would steer the terminal; further lines are indented."""
    plain = "".join(char if char.isprintable() or char == "\n" else "\N{REPLACEMENT CHARACTER}" for char in typed)
    return plain.replace("\n", "\n    ")
