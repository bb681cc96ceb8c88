"""Whether whoever gives a command may: decided by the service, and refusals are put on record."""

from __future__ import annotations

import threading
import time
from collections import defaultdict, deque
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from chassis.access.actor import Actor, Person
from chassis.access.tokens import CLOCK_TOLERANCE, SystemTime, TokenNotValid, Verifier, now
from chassis.bus.topology import front_end_of
from contracts.command import Command
from contracts.permissions import GRANTS, RECENT_MINUTES, FrontEnd, Permission
from contracts.refused import Refused

BROKER_USERS = {"enquiry": FrontEnd.SITE, "operator": FrontEnd.OPERATOR}
"""By whose exchange a command comes in, where the broker lets nobody else publish."""

RECORDED_A_MINUTE = 60
"""How many refusals a minute of each front-end go on record one by one; more are only counted, so that nobody can fill
the log, and whoever tries hides nobody at another front-end."""


class NotPermitted(Refused):
    """Whoever gave the command may not. `reason` says in a code why, for the record."""

    def __init__(self, message: str, *, reason: str, who: str) -> None:
        super().__init__(message)
        self.reason, self.who = reason, who


class SignInAgain(NotPermitted):
    """The person may, once they have signed in again with their second factor."""


NOT_ALLOWED = (NotPermitted, TokenNotValid)


@dataclass(frozen=True)
class Origin:
    """Where a command came from: the exchange, which the broker vouches for, and the token, if it has one."""

    command: str
    exchange: str
    token: str | None = None
    redelivered: bool = False
    """Whether the broker says that it has delivered this very message before, to a process that went down with it."""

    @property
    def front_end(self) -> FrontEnd:
        return BROKER_USERS.get(front_end_of(self.exchange) or "", FrontEnd.ANYBODY)


def authorize(
    kind: type[Command],
    fields: Mapping[str, Any],
    origin: Origin,
    verifier: Verifier,
    *,
    clock: SystemTime = now,
) -> Actor:
    """Who gives this command. Raises NotPermitted, SignInAgain, TokenNotValid or TokenExpired."""
    if origin.token is None:
        if kind.open_to & {origin.front_end, FrontEnd.ANYBODY}:
            return Actor(front_end=origin.front_end)
        raise NotPermitted("Sign in to do this: the command carries no token.", reason="no_token", who=origin.front_end)
    actor = replace(verifier.verify(origin.token, origin.command, fields), redelivered=origin.redelivered)
    if kind.needs is not None and actor.person is not None:
        _check_person(kind, kind.needs, actor, actor.person, fields, clock)
    elif not kind.open_to & {actor.front_end, FrontEnd.ANYBODY}:
        raise NotPermitted("This is for another front-end.", reason="other_front_end", who=actor.who)
    return actor


def _check_person(
    kind: type[Command],
    needs: Permission,
    actor: Actor,
    person: Person,
    fields: Mapping[str, Any],
    clock: SystemTime,
) -> None:
    grant, who = GRANTS[needs], actor.who
    if needs not in person.permissions:
        raise NotPermitted(f"You need the permission “{grant.words}” for this.", reason="not_held", who=who)
    if actor.front_end is FrontEnd.PORTAL and not _is_own(kind, person, fields):
        raise NotPermitted("You can do this only for yourself.", reason="not_own", who=who)
    if grant.two_people and actor.front_end is not FrontEnd.OPERATOR and person.confirmed_by in (None, person.name):
        raise NotPermitted("This needs two people: somebody else has to confirm it.", reason="one_person", who=who)
    if grant.needs_recent_sign_in and not _signed_in_lately(person, clock):
        raise SignInAgain(
            "Please sign in again, with your second factor, to see this.", reason="sign_in_again", who=who
        )


def _is_own(kind: type[Command], person: Person, fields: Mapping[str, Any]) -> bool:
    """Whether the command is about the therapist who gives it."""
    if kind.own is None or person.therapist_id is None:
        return False
    return fields.get(kind.own) == str(person.therapist_id)


def _signed_in_lately(person: Person, clock: SystemTime) -> bool:
    ago = clock() - person.signed_in.at
    return person.signed_in.factor is not None and -CLOCK_TOLERANCE <= ago <= timedelta(minutes=RECENT_MINUTES)


class RefusalLimit:
    """Whether one more refusal of whoever is at a front-end may go on record this minute."""

    def __init__(self) -> None:
        self._recorded: dict[str, deque[float]] = defaultdict(deque)
        self._lock = threading.Lock()

    def allows(self, who: str) -> bool:
        front_end = who.partition(":")[0]
        with self._lock:
            recorded = self._recorded[front_end]
            while recorded and recorded[0] < time.monotonic() - 60:
                recorded.popleft()
            if len(recorded) >= RECORDED_A_MINUTE:
                return False
            recorded.append(time.monotonic())
            return True
