"""`leeward export-subject`: everything held about one person, for them to read."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from chassis.rpc import NoAnswer
from contracts.commands.subject import ExportReason, Ground
from contracts.reference import InvalidReference, parse_reference
from contracts.vocabulary import Party
from leeward.console.operator import login
from leeward.console.options import VAR, Folder, Reference, new_folder
from leeward.console.service_client import open_client
from leeward.console.terminal import console, errors, plain_errors
from leeward.runtime.workspace import Workspace
from leeward.subject_access.gathering import Part, Request, gather
from leeward.subject_access.languages import Language
from leeward.subject_access.leaving_out import grounds_of, left_out
from leeward.subject_access.numbers import numbered
from leeward.subject_access.page import Export, as_html, as_json
from leeward.subject_access.questions import in_the_forms_words


def export_subject(
    reference: Reference,
    out: Annotated[
        Path | None,
        typer.Option(callback=new_folder, help="The folder to write into; subject-access in --var otherwise."),
    ] = None,
    reason: Annotated[ExportReason, typer.Option(help="Why; it goes on record.")] = ExportReason.CLIENT_ASKED,
    leave_out: Annotated[
        list[str] | None, typer.Option(metavar="NUMBER", help="Leave this entry out; may be given again.")
    ] = None,
    ground: Annotated[
        list[Ground] | None, typer.Option(help="On which ground: one for all, or one for each in order; on record.")
    ] = None,
    language: Annotated[Language, typer.Option(help="Of the page; the JSON is in English.")] = Language.ENGLISH,
    whose: Annotated[Party, typer.Option(help="Of the client, or of whoever wrote for them.")] = Party.CLIENT,
    var: Folder = VAR,
) -> None:
    """Writes everything that is held about a person, in every service, as one page to print and as JSON.

    Read it before it is handed over: docs/subject-access.md says what to look for. An entry that must not be handed
    over is left out by its number. Exit code 1 if it is refused, if a service can't be asked, if no entry has such a
    number, or if there is such a file already.
    """
    grounds = grounds_of(leave_out or [], ground or [])
    try:
        name = f"subject-access-{parse_reference(reference)}" + ("-writer" if whose is Party.WRITER else "")
    except InvalidReference as error:
        _refuse(str(error))
    out = out or var / "subject-access"  # never beside the source, from where it might be passed on with it
    page, data = out / f"{name}.html", out / f"{name}.json"
    for path in (page, data):
        if path.exists():
            _refuse(f"{path} is there already. Move it, or name another folder with --out.")
    workspace = Workspace(var)
    with plain_errors():
        export = _gather(workspace, reference, reason=reason, whose=whose, grounds=grounds)
    out.mkdir(mode=0o700, parents=True, exist_ok=True)
    _write(page, as_html(replace(export, language=language)))
    _write(data, json.dumps(as_json(export), indent=2, ensure_ascii=False) + "\n")
    console.print(f"{page}\n{data}", markup=False)
    if grounds:
        console.print(f"Left out, on record: {', '.join(grounds)}.")
    console.print("Read it before you hand it over, and delete it here when you have: it is not encrypted.")


def _gather(
    workspace: Workspace,
    reference: str,
    *,
    reason: ExportReason,
    whose: Party,
    grounds: Mapping[str, Ground],
) -> Export:
    """Gathers the export. Raises NoSuchEntry. What is left out is audited before anything is written."""
    values = workspace.values()
    own_forms = Path(forms) if (forms := values.get("SITE_FORMS")) else None
    with open_client(workspace) as client:
        try:
            requests = gather(client, reference, reason=reason, whose=whose)
            found = numbered(_in_words(request, own_forms) for request in requests)
            if entries := left_out(found, grounds):
                client.call("intake", "leave_out", entries=[entry.to_json() for entry in entries])
        except NoAnswer as silence:
            _refuse(f"Nothing was written, because something would be missing: {silence}.")
    return Export(
        requests=[request.without(grounds) for request in found],
        grounds=frozenset(grounds.values()),
        made_at=workspace.clock.now(),
        by=login(),
        reason=reason,
        charity=values.get("SITE_CHARITY") or "Leeward",
        telephone=values.get("SITE_TELEPHONE") or "01632 960 001",
    )


def _in_words(request: Request, own_forms: Path | None) -> Request:
    parts = (Part(part.service, in_the_forms_words(part.section, own_forms)) for part in request.parts)
    return replace(request, parts=tuple(parts))


def _write(path: Path, text: str) -> None:
    """A new file, for its owner alone."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)


def _refuse(why: str) -> NoReturn:
    errors.print(why, style="red", markup=False)
    raise typer.Exit(1)
