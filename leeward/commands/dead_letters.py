"""`leeward dead`: what a person must look at, and what can be done about it."""

from __future__ import annotations

import json
import re
import sys
from collections import defaultdict
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from chassis.bus.dead_letters import Selection
from chassis.bus.permissions import OPERATOR
from leeward.console.options import VAR, AsJson, Folder
from leeward.console.service_client import open_client
from leeward.console.terminal import console, errors, printable, refuse_unknown
from leeward.dead_letters.discarding import discard_letters
from leeward.dead_letters.letters import (
    EXPORT,
    LIST,
    REPLAY,
    SHOW,
    Answers,
    Letter,
    fetch_letters,
    move_letters,
    selection_fields,
)
from leeward.runtime.workspace import Workspace

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Dead letters: messages that a person must look at.")


UNITS = {"m": "minutes", "h": "hours", "d": "days"}


Services = Annotated[list[str] | None, typer.Option("--service", help="Of this service; may be given again.")]


Cause = Annotated[str | None, typer.Option(help="That died of this cause, as `leeward dead list` names it.")]


OlderThan = Annotated[str | None, typer.Option(help="That first failed longer ago than this: 30m, 12h, 7d.")]


YoungerThan = Annotated[str | None, typer.Option(help="That first failed more recently than this.")]


Ids = Annotated[list[str] | None, typer.Argument(help="The ids of messages.")]


All = Annotated[bool, typer.Option("--all", help="Every one that the other options leave.")]


Yes = Annotated[bool, typer.Option("--yes", help="Don't ask, for scripts.")]


@app.command("list")
def list_(
    services: Services = None,
    cause: Cause = None,
    older_than: OlderThan = None,
    younger_than: YoungerThan = None,
    var: Folder = VAR,
    as_json: AsJson = False,
) -> None:
    """Dead letters, grouped by what they died of."""
    workspace = Workspace(var)
    found = _fetch(workspace, services, LIST, _selection(workspace, None, cause, older_than, younger_than))
    groups = _grouped(found.letters)
    if as_json:
        print(json.dumps([_group_as_json(group) for group in groups], indent=2))
    elif groups:
        console.print(_table(groups))
    elif not found.problems:
        console.print("No dead letters.")
    _end(found)


@app.command()
def show(id_: Annotated[str, typer.Argument(metavar="ID")], var: Folder = VAR, as_json: AsJson = False) -> None:
    """One dead letter: its story, its headers and its body. What is sealed stays sealed."""
    workspace = Workspace(var)
    found = _fetch(workspace, None, SHOW, _selection(workspace, [id_], None, None, None))
    for letter in found.letters:
        if as_json:
            print(json.dumps(letter.details, indent=2))
        else:
            _print_letter(letter)
    if not found.letters and not found.problems:
        errors.print(f"There is no dead letter {id_}.")
        raise typer.Exit(1)
    _end(found)


@app.command()
def replay(
    ids: Ids = None,
    services: Services = None,
    cause: Cause = None,
    older_than: OlderThan = None,
    younger_than: YoungerThan = None,
    every: All = False,
    yes: Yes = False,
    var: Folder = VAR,
    as_json: AsJson = False,
) -> None:
    """Puts dead letters back into the lanes they came from, under their own ids, so that what took effect does nothing.

    Exit code 1 if one was refused or none was found.
    """
    workspace = Workspace(var)
    selection = _narrow_selection(workspace, ids, cause, older_than, younger_than, every)
    with open_client(workspace, OPERATOR) as client:
        found = fetch_letters(client, refuse_unknown(services), LIST, selection)
        _confirm("Replay", found.letters, ask=every and not yes)
        moved = move_letters(client, REPLAY, {letter.service: selection_fields(selection) for letter in found.letters})
    _print_moved(moved, found.problems, "replayed", as_json)


@app.command()
def discard(
    reason: Annotated[str, typer.Option(help="Why; it goes on record, with your name.")],
    ids: Ids = None,
    services: Services = None,
    cause: Cause = None,
    older_than: OlderThan = None,
    younger_than: YoungerThan = None,
    every: All = False,
    yes: Yes = False,
    var: Folder = VAR,
    as_json: AsJson = False,
) -> None:
    """Drops dead letters for good, each on record in var/audit.jsonl. Exit code 1 if none was found."""
    if not reason.strip():
        raise typer.BadParameter("a reason is needed", param_hint="--reason")
    workspace = Workspace(var)
    selection = _narrow_selection(workspace, ids, cause, older_than, younger_than, every)
    var.mkdir(parents=True, exist_ok=True)
    with open_client(workspace, OPERATOR) as client:
        found = fetch_letters(client, refuse_unknown(services), LIST, selection)
        _confirm("Discard", found.letters, ask=every and not yes)
        moved = discard_letters(client, workspace, found.letters, reason)
    _print_moved(moved, found.problems, "discarded", as_json)


@app.command()
def export(
    to: Annotated[Path | None, typer.Option(help="The file to write; standard output if none is named.")] = None,
    services: Services = None,
    cause: Cause = None,
    older_than: OlderThan = None,
    younger_than: YoungerThan = None,
    var: Folder = VAR,
) -> None:
    """Writes dead letters as JSON lines, byte for byte, and leaves them where they are."""
    workspace = Workspace(var)
    found = _fetch(workspace, services, EXPORT, _selection(workspace, None, cause, older_than, younger_than))
    lines = "".join(json.dumps(letter.details) + "\n" for letter in found.letters)
    if to:
        try:
            to.touch(mode=0o600)
            to.write_text(lines)
        except OSError as error:
            raise typer.BadParameter(f"{to} can't be written: {error.strerror}", param_hint="--to") from None
    else:
        sys.stdout.write(lines)
    _end(found)


def _fetch(workspace: Workspace, services: list[str] | None, how: str, selection: Selection) -> Answers:
    with open_client(workspace, OPERATOR) as client:
        return fetch_letters(client, refuse_unknown(services), how, selection)


def _end(answers: Answers) -> None:
    """Prints which services could not be asked, and exits with 1 if there are any: the output is then incomplete."""
    for problem in answers.problems:
        errors.print(problem, style="red", markup=False, soft_wrap=True)
    if answers.problems:
        raise typer.Exit(1)


def _selection(
    workspace: Workspace, ids: list[str] | None, cause: str | None, older_than: str | None, younger_than: str | None
) -> Selection:
    now = workspace.clock.now()
    try:
        before = now - _duration(older_than) if older_than else None
        after = now - _duration(younger_than) if younger_than else None
    except OverflowError:
        raise typer.BadParameter("that is longer ago than anything was ever kept") from None
    return Selection(frozenset(ids or ()), cause, before, after)


def _narrow_selection(
    workspace: Workspace,
    ids: list[str] | None,
    cause: str | None,
    older_than: str | None,
    younger_than: str | None,
    every: bool,
) -> Selection:
    """As `_choice`, but nobody means everything without saying so."""
    if not (ids or cause or every):
        raise typer.BadParameter("name ids, or a --cause, or say --all")
    return _selection(workspace, ids, cause, older_than, younger_than)


def _confirm(what: str, letters: list[Letter], *, ask: bool) -> None:
    """Asks before many letters are touched. Ends with exit code 1 if the answer is no."""
    if ask:
        typer.confirm(f"{what} {len(letters)} dead letter{'' if len(letters) == 1 else 's'}?", abort=True)


def _duration(text: str) -> timedelta:
    found = re.fullmatch(r"(\d+)([mhd])", text)
    if not found:
        raise typer.BadParameter(f"{text} is not a time like 30m, 12h or 7d")
    try:
        return timedelta(**{UNITS[found[2]]: int(found[1])})
    except OverflowError:
        raise typer.BadParameter(f"{text} is longer than anything was ever kept") from None


def _print_moved(answers: Answers, unasked: Iterable[str], done: str, as_json: bool) -> None:
    moved = answers.moved
    count = sum(len(answer["done"]) for answer in moved.values())
    refused = [{"service": service, **letter} for service, answer in moved.items() for letter in answer["refused"]]
    if as_json:
        print(json.dumps({done: count, "refused": refused}, indent=2))
    elif moved:
        console.print(f"{count} {done}.")
    elif not (answers.problems or unasked):
        console.print("There is no such dead letter.")
    if not as_json:
        for letter in refused:
            line = f"{letter['service']} {letter['id']} was refused: {letter['why']}."
            errors.print(line, style="red", markup=False, soft_wrap=True)
    _end(Answers(problems=[*unasked, *answers.problems]))
    if refused or not count:
        raise typer.Exit(1)


def _grouped(letters: list[Letter]) -> list[list[Letter]]:
    groups: dict[tuple[str, str], list[Letter]] = defaultdict(list)
    for letter in letters:
        groups[letter.service, letter.cause].append(letter)
    return sorted(groups.values(), key=len, reverse=True)


def _group_as_json(group: list[Letter]) -> dict[str, Any]:
    details = group[0].details
    alike = {name: details[name] for name in ("service", "cause", "event", "publisher", "reason", "error", "digest")}
    copies = sum(letter.copies for letter in group)
    return {**alike, "count": len(group), "copies": copies, **_span(group), "ids": [letter.id for letter in group]}


def _span(group: list[Letter]) -> dict[str, str | None]:
    failed = sorted(letter.first_failed_at for letter in group if letter.first_failed_at)
    return {"oldest": failed[0].isoformat() if failed else None, "newest": failed[-1].isoformat() if failed else None}


def _table(groups: list[list[Letter]]) -> Table:
    table = Table("service", "event", "why", "cause", "oldest", "newest", box=None)
    table.add_column("letters", justify="right")
    table.add_column("first id")
    for group in groups:
        first, span = group[0], _span(group)
        times = ((span[name] or "–")[:16].replace("T", " ") for name in ("oldest", "newest"))
        cells = (first.service, first.event, first.reason, first.cause, *times, _count(group), first.id)
        table.add_row(*(Text(printable(value)) for value in cells))
    return table


def _count(group: list[Letter]) -> str:
    copies = sum(letter.copies for letter in group)
    return str(len(group)) if copies == len(group) else f"{len(group)}, parked {copies} times"


def _print_letter(letter: Letter) -> None:
    details = letter.details
    title = printable(f"{letter.service} / {letter.event} {letter.id}")
    console.print(title, style="bold", markup=False)
    for name in ("lane", "reason", "error", "digest", "attempts", "copies", "published_at", "first_failed_at", "cause"):
        line = printable(f"  {name.replace('_', ' '):16} {details[name]}")
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    for title in ("headers", "body"):
        console.print(f"  {title}", highlight=False)
        console.print_json(json.dumps(details[title]))
