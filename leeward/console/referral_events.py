"""The events of a referral that the services remember, gathered and put in order, with causes and delays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import typer

from chassis.rpc import CommandFailed, NoAnswer, RpcClient
from leeward.console.terminal import errors
from leeward.runtime.workspace import SERVICES

TIMEOUT_SECONDS = 5.0


FROM_OUTSIDE = "(from outside)"


@dataclass(frozen=True)
class Handled:
    """A service that has handled an event, when, and how long after it was emitted."""

    service: str
    at: str
    seconds_after: float | None


@dataclass(frozen=True)
class Step:
    """One event of the story. `service` emitted it; empty for a message from outside, which only its handlers know."""

    id: str
    at: str
    service: str
    event: str
    referral_id: str | None
    causation_id: str | None
    correlation_id: str | None
    seconds_since_cause: float | None
    handled: list[Handled]


@dataclass
class Gathered:
    """The events that services have reported so far, by id, and why some of them don't answer, by service."""

    emitted: dict[str, dict[str, Any]] = field(default_factory=dict)
    handled: dict[str, dict[str, str]] = field(default_factory=dict)
    silent: dict[str, str] = field(default_factory=dict)

    def events_of(self, referral_id: str) -> dict[str, dict[str, Any]]:
        """The events of this referral and all their causes, some of which may be another referral's."""
        events = {id_: row for id_, row in self.emitted.items() if row["referral_id"] == referral_id}
        causes = [row["causation_id"] for row in events.values()]
        while causes:
            cause = causes.pop()
            if cause in self.emitted and cause not in events:
                events[cause] = self.emitted[cause]
                causes.append(events[cause]["causation_id"])
        return events


def gather(client: RpcClient, referral_id: str, services: Sequence[str] = SERVICES) -> Gathered:
    """Asks every service again with all the ids found so far, until there are no new ones."""
    gathered, asked = Gathered(), None
    while True:
        known = gathered.events_of(referral_id)
        query = {
            "referral_ids": [referral_id],
            "correlation_ids": sorted({row["correlation_id"] for row in known.values()}),
            "message_ids": sorted(known.keys() | _causes(known)),
        }
        if query == asked:
            return gathered
        asked = query
        for service in services:
            _ask(client, service, query, gathered)


def story_of(gathered: Gathered, referral_id: str) -> list[Step]:
    """The steps in order of time."""
    known = gathered.events_of(referral_id)
    times = {id_: row["emitted_at"] for id_, row in known.items()}
    unknown = (_causes(known) - known.keys()) & gathered.handled.keys()
    outside = {id_: min(gathered.handled[id_].values()) for id_ in unknown}
    steps = [
        Step(
            id=id_,
            at=row["emitted_at"],
            service=row["service"],
            event=row["type"],
            referral_id=row["referral_id"],
            causation_id=row["causation_id"],
            correlation_id=row["correlation_id"],
            seconds_since_cause=_seconds((times | outside).get(row["causation_id"]), row["emitted_at"]),
            handled=_handled(gathered, id_, row["emitted_at"]),
        )
        for id_, row in known.items()
    ]
    steps += [
        Step(id_, at, "", FROM_OUTSIDE, None, None, None, None, _handled(gathered, id_, None))
        for id_, at in outside.items()
    ]
    return sorted(steps, key=lambda step: (step.at, step.event != FROM_OUTSIDE, step.id))


def _ask(client: RpcClient, service: str, query: dict[str, Any], gathered: Gathered) -> None:
    if service in gathered.silent:
        return
    try:
        answer = client.call(service, "story", timeout=TIMEOUT_SECONDS, **query)
    except (NoAnswer, CommandFailed) as error:
        gathered.silent[service] = str(error)
        return
    for row in answer["emitted"]:
        gathered.emitted[row["event_id"]] = {**row, "service": service}
    for id_, at in answer["handled"].items():
        gathered.handled.setdefault(id_, {})[service] = at


def referral_id_of(client: RpcClient, reference: str) -> str:
    """The referral's id for its reference; an id is returned as it is. Exits with 1 if intake doesn't know it."""
    try:
        return str(UUID(reference))
    except ValueError:
        pass
    try:
        return str(client.call("intake", "find_referral", reference=reference)["referral_id"])
    except CommandFailed as refusal:
        errors.print(refusal.message, style="red", markup=False)
    except NoAnswer as silence:
        errors.print(f"Only intake knows references, and {silence}.", style="red", markup=False)
    raise typer.Exit(1)


def _causes(known: dict[str, dict[str, Any]]) -> set[str]:
    return {row["causation_id"] for row in known.values() if row["causation_id"]}


def _handled(gathered: Gathered, id_: str, emitted_at: str | None) -> list[Handled]:
    by_time = sorted(gathered.handled.get(id_, {}).items(), key=lambda item: item[1])
    return [Handled(service, at, _seconds(emitted_at, at)) for service, at in by_time]


def _seconds(since: str | None, until: str) -> float | None:
    if since is None:
        return None
    return round((datetime.fromisoformat(until) - datetime.fromisoformat(since)).total_seconds(), 3)
