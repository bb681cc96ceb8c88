"""Fetches and moves dead letters through the services' commands. A service that doesn't answer is reported, and the
others are asked all the same."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from chassis.bus.connection import LOST
from chassis.bus.dead_letters import Selection
from chassis.rpc import CommandFailed, NoAnswer, RpcClient

LIST, SHOW, EXPORT = "list_dead_letters", "show_dead_letters", "export_dead_letters"
REPLAY, DISCARD = "replay_dead_letters", "discard_dead_letters"
LOOK_SECONDS, MOVE_SECONDS = 10.0, 60.0
"""How long a service may take to list one page of letters, and to move letters."""


@dataclass(frozen=True)
class Letter:
    """One dead letter. `details` is its service's whole answer, with headers and body for SHOW and EXPORT."""

    service: str
    id: str
    event: str
    reason: str
    cause: str
    copies: int
    first_failed_at: datetime | None
    details: Mapping[str, Any] = field(repr=False)

    @classmethod
    def of(cls, details: Mapping[str, Any]) -> Letter:
        failed = details["first_failed_at"]
        names = ("service", "id", "event", "reason", "cause", "copies")
        return cls(
            **{name: details[name] for name in names},
            first_failed_at=datetime.fromisoformat(failed) if failed else None,
            details=details,
        )


@dataclass
class Answers:
    """What services answered: their letters, or what they moved, and a message for each incomplete or missing answer.

    `moved` has the JSON of `contracts.commands.operations.DeadLettersMoved` by service.
    """

    letters: list[Letter] = field(default_factory=list)
    moved: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def fetch_letters(client: RpcClient, services: Iterable[str], how: str, selection: Selection) -> Answers:
    """The selected letters of these services; `how` is LIST, SHOW or EXPORT. Raises one of LOST."""
    answers = Answers()
    for service in services:
        try:
            for page in _pages(client, service, how, selection):
                answers.letters += map(Letter.of, page["letters"])
        except (NoAnswer, CommandFailed) as failure:
            answers.problems.append(_in_words(service, failure))
        else:
            if not page["are_all"]:
                answers.problems.append(f"{service} has more dead letters than it looks at; settle the oldest first.")
    return answers


def move_letters(client: RpcClient, how: str, fields: Mapping[str, Mapping[str, Any]]) -> Answers:
    """Has services REPLAY or DISCARD letters; `fields` has the command's fields by service. Raises one of LOST."""
    answers = Answers()
    for service, asked in fields.items():
        try:
            answers.moved[service] = client.call(service, how, timeout=MOVE_SECONDS, **asked)
        except (NoAnswer, CommandFailed) as failure:
            answers.problems.append(_in_words(service, failure))
    return answers


def selection_fields(selection: Selection) -> dict[str, Any]:
    """A selection, as the fields of `contracts.commands.operations.ChosenDeadLetters`."""
    return {**vars(selection), "ids": sorted(selection.ids)}


def _pages(client: RpcClient, service: str, how: str, selection: Selection) -> Iterator[Mapping[str, Any]]:
    asked, after = selection_fields(selection), None
    while True:
        page = client.call(service, how, timeout=LOOK_SECONDS, after=after, **asked)
        yield page
        after = page["next"]
        if after is None:
            return


def _in_words(service: str, failure: NoAnswer | CommandFailed) -> str:
    if isinstance(failure, CommandFailed):
        return f"{service} could not be asked about its dead letters: {failure.message}"
    if isinstance(failure.__cause__, LOST):
        raise failure.__cause__  # the broker is gone, so no other service can be asked either
    return f"{service} could not be asked about its dead letters: {failure}."
