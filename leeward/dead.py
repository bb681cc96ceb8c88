"""`leeward dead`: what a person must look at, and what can be done about it."""

from __future__ import annotations

import json
import re
import sys
import warnings
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from chassis.audit import Deed
from leeward.audit import put_on_record
from leeward.letters import DeadLetter, Outcome, dead_queues, too_old
from leeward.options import VAR, AsJson, Folder
from leeward.terminal import broker_errors, broker_of, console, errors, refuse_unknown
from leeward.workspace import Workspace

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Dead letters: messages that a person must look at.")

UNITS = {"m": "minutes", "h": "hours", "d": "days"}
Services = Annotated[list[str] | None, typer.Option("--service", help="Of this service; may be given again.")]
Cause = Annotated[str | None, typer.Option(help="That died of this cause, as `leeward dead list` names it.")]
OlderThan = Annotated[str | None, typer.Option(help="That first failed longer ago than this: 30m, 12h, 7d.")]
YoungerThan = Annotated[str | None, typer.Option(help="That first failed more recently than this.")]
Ids = Annotated[list[str] | None, typer.Argument(help="The ids of messages.")]
All = Annotated[bool, typer.Option("--all", help="Every one that the other options leave.")]
Yes = Annotated[bool, typer.Option("--yes", help="Don't ask, for scripts.")]


@dataclass(frozen=True)
class Choice:
    """Which letters are meant."""

    ids: frozenset[str]
    cause: str | None
    failed_before: datetime | None
    failed_after: datetime | None

    def __call__(self, letter: DeadLetter) -> bool:
        failed = letter.first_failed_at
        return (
            (not self.ids or letter.id in self.ids)
            and self.cause in (None, letter.cause)
            and (self.failed_before is None or (failed is not None and failed < self.failed_before))
            and (self.failed_after is None or (failed is not None and failed > self.failed_after))
        )


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
    letters = _find(workspace, services, _choice(workspace, None, cause, older_than, younger_than))
    groups = _grouped(letters)
    if as_json:
        print(json.dumps([_group_as_json(group) for group in groups], indent=2))
    elif groups:
        console.print(_table(groups))
    else:
        console.print("No dead letters.")


@app.command()
def show(id_: Annotated[str, typer.Argument(metavar="ID")], var: Folder = VAR, as_json: AsJson = False) -> None:
    """One dead letter: its story, its headers and its body. What is sealed stays sealed."""
    workspace = Workspace(var)
    letters = _find(workspace, None, _choice(workspace, [id_], None, None, None))
    if not letters:
        errors.print(f"There is no dead letter {id_}.")
        raise typer.Exit(1)
    for letter in letters:
        headers = {name: str(value) for name, value in letter.headers.items() if not name.startswith("x-")}
        told = {**letter.told(), "headers": headers, "body": letter.body()}
        if as_json:
            print(json.dumps(told, indent=2))
        else:
            _print_letter(letter, told)


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
    workspace, now = Workspace(var), Workspace(var).clock.now()
    choice = _narrowed(workspace, ids, cause, older_than, younger_than, every)
    retention = _retention(workspace)
    _ask(workspace, services, choice, "Replay", ask=every and not yes)

    def refusal(letter: DeadLetter) -> str | None:
        return too_old(letter, now=now, retention=retention, safe=business_key)

    with broker_errors(), dead_queues(broker_of(workspace), refuse_unknown(services)) as queues:
        outcomes = [queue.replay(choice, refusal) for queue in queues]
    _tell(outcomes, "replayed", as_json)


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
    choice = _narrowed(workspace, ids, cause, older_than, younger_than, every)
    _ask(workspace, services, choice, "Discard", ask=every and not yes)
    var.mkdir(parents=True, exist_ok=True)

    def record(letter: DeadLetter) -> None:
        about = {"service": letter.service, "id": letter.id, "event": letter.event, "died_of": letter.reason}
        put_on_record(workspace.audit, Deed.DISCARDED, at=workspace.clock.now(), **about, reason=reason)

    with broker_errors(), dead_queues(broker_of(workspace), refuse_unknown(services)) as queues:
        outcomes = [queue.discard(choice, record) for queue in queues]
    _tell(outcomes, "discarded", as_json)


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
    letters = _find(workspace, services, _choice(workspace, None, cause, older_than, younger_than))
    lines = "".join(json.dumps(letter.exported(), default=str) + "\n" for letter in letters)
    if to:
        to.touch(mode=0o600)
        to.write_text(lines)
    else:
        sys.stdout.write(lines)


def _find(workspace: Workspace, services: list[str] | None, choice: Choice) -> list[DeadLetter]:
    with broker_errors(), dead_queues(broker_of(workspace), refuse_unknown(services)) as queues:
        return [letter for queue in queues for letter in queue.letters() if choice(letter)]


def _choice(
    workspace: Workspace, ids: list[str] | None, cause: str | None, older_than: str | None, younger_than: str | None
) -> Choice:
    now = workspace.clock.now()
    before = now - _duration(older_than) if older_than else None
    after = now - _duration(younger_than) if younger_than else None
    return Choice(frozenset(ids or ()), cause, before, after)


def _narrowed(
    workspace: Workspace,
    ids: list[str] | None,
    cause: str | None,
    older_than: str | None,
    younger_than: str | None,
    every: bool,
) -> Choice:
    """As `_choice`, but nobody means everything without saying so."""
    if not (ids or cause or every):
        raise typer.BadParameter("name ids, or a --cause, or say --all")
    return _choice(workspace, ids, cause, older_than, younger_than)


def _ask(workspace: Workspace, services: list[str] | None, choice: Choice, what: str, *, ask: bool) -> None:
    """Asks before many letters are touched. Ends with exit code 1 if the answer is no."""
    if ask:
        count = len(_find(workspace, services, choice))
        typer.confirm(f"{what} {count} dead letter{'' if count == 1 else 's'}?", abort=True)


def _duration(text: str) -> timedelta:
    found = re.fullmatch(r"(\d+)([mhd])", text)
    if not found:
        raise typer.BadParameter(f"{text} is not a time like 30m, 12h or 7d")
    return timedelta(**{UNITS[found[2]]: int(found[1])})


def _retention(workspace: Workspace) -> timedelta:
    """How long the services remember what they have handled."""
    return timedelta(days=int(workspace.values().get("LEEWARD_INBOX_RETENTION_DAYS") or 14))


def business_key(letter: DeadLetter) -> str:
    """What makes its handler safe without the inbox, as the service declares it, or nothing."""
    return _safe_handlers(letter.service).get((letter.publisher, letter.event), "")


@cache
def _safe_handlers(service: str) -> Mapping[tuple[str, str], str]:
    warnings.filterwarnings("ignore", message=r"\s*Eventlet is deprecated")
    from chassis.host.load import load  # only an old letter is worth waiting for nameko to be loaded
    from chassis.host.service import safe_by_business_key

    return safe_by_business_key(load(service))


def _tell(outcomes: list[Outcome], done: str, as_json: bool) -> None:
    count = sum(outcome.done for outcome in outcomes)
    refused = [one for outcome in outcomes for one in outcome.refused]
    if as_json:
        about = [{"service": letter.service, "id": letter.id, "why": why} for letter, why in refused]
        print(json.dumps({done: count, "refused": about}, indent=2))
    else:
        console.print(f"{count} {done}.")
        for letter, why in refused:
            errors.print(f"{letter.service} {letter.id} was refused: {why}.", style="red", markup=False, soft_wrap=True)
    if refused or not count:
        raise typer.Exit(1)


def _grouped(letters: list[DeadLetter]) -> list[list[DeadLetter]]:
    groups: dict[tuple[str, str], list[DeadLetter]] = defaultdict(list)
    for letter in letters:
        groups[letter.service, letter.cause].append(letter)
    return sorted(groups.values(), key=len, reverse=True)


def _group_as_json(group: list[DeadLetter]) -> dict[str, Any]:
    one = group[0].told()
    alike = {name: one[name] for name in ("service", "cause", "event", "publisher", "reason", "error", "digest")}
    copies = sum(letter.copies for letter in group)
    return {**alike, "count": len(group), "copies": copies, **_span(group), "ids": [letter.id for letter in group]}


def _span(group: list[DeadLetter]) -> dict[str, str | None]:
    failed = sorted(letter.first_failed_at for letter in group if letter.first_failed_at)
    return {"oldest": failed[0].isoformat() if failed else None, "newest": failed[-1].isoformat() if failed else None}


def _table(groups: list[list[DeadLetter]]) -> Table:
    table = Table("service", "event", "why", "cause", "oldest", "newest", box=None)
    table.add_column("letters", justify="right")
    for group in groups:
        one, span = group[0], _span(group)
        times = ((span[name] or "–")[:16].replace("T", " ") for name in ("oldest", "newest"))
        table.add_row(one.service, one.event, one.reason, one.cause, *times, _count(group))
    return table


def _count(group: list[DeadLetter]) -> str:
    copies = sum(letter.copies for letter in group)
    return str(len(group)) if copies == len(group) else f"{len(group)}, parked {copies} times"


def _print_letter(letter: DeadLetter, told: dict[str, Any]) -> None:
    console.print(f"{letter.service} / {letter.event} {letter.id}", style="bold", markup=False)
    for name in ("lane", "reason", "error", "digest", "attempts", "copies", "published_at", "first_failed_at", "cause"):
        console.print(f"  {name.replace('_', ' '):16} {told[name]}", markup=False, highlight=False, soft_wrap=True)
    for title in ("headers", "body"):
        console.print(f"  {title}", highlight=False)
        console.print_json(json.dumps(told[title]))
