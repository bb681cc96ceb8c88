"""What the pages of the work have in common: the services they ask, and who people are."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from chassis.privacy.sealing import Keyring
from chassis.rpc import CommandFailed, NoAnswer
from contracts.commands.console import QueueCount, QueueItem, QueuePage, ReferralFacts, WorkQueue
from contracts.commands.intake import History, ReferenceOf
from contracts.permissions import GRANTS, Permission, account_of, is_account
from contracts.sealed import Note
from contracts.vocabulary import ReferralId, Severity
from web.console.services import Services
from web.console.shared import Shared
from web.shared.accounts.domain.accounts import Account
from web.shared.accounts.domain.sessions import SignedIn
from web.shared.accounts.domain.vocabulary import State
from web.shared.forms.definition import Definition
from web.shared.staff.application import Unanswered
from web.shared.staff.visit import Visit

ALERTS, EVERYTHING = f"queue:{WorkQueue.CONCERNS.value}", "everything"
"""Topics of the stream of changes, the second where it isn't known what was missed."""

ALERTS_KNOWN_FOR_SECONDS = 1.0
"""How long what one page learnt of open alerts is good for all others."""

EVERY_CONCERN = f"/work/{WorkQueue.CONCERNS.value}"

MOST_AT_ONCE = 8
"""To how many services one page speaks at the same time."""


@dataclass
class Alerts:
    """What nobody has in hand: every page says so, and all that are open share one answer."""

    asked_at: float = float("-inf")
    unacknowledged: Unanswered | None = field(default_factory=Unanswered)


@dataclass
class Ground:
    """The ground of a map, as a path of SVG, once it was asked for."""

    path: str | None = None


class Known(ReferralFacts):
    """A referral with the reference by which people know it, which intake alone tells."""

    reference: str


@dataclass(frozen=True)
class Desk:
    """The services on the broker, the keys that notes are sealed with, and the forms that requests are typed in by."""

    services: Services
    keyring: Keyring
    forms: Mapping[str, Definition]
    alerts: Alerts = field(default_factory=Alerts)
    shared: Shared = field(default_factory=lambda: Shared(EVERYTHING))
    ground: Ground = field(default_factory=Ground)
    anchors: Path | None = None
    """Where audit logs are anchored, if that can be read here."""
    keys: Path | None = None
    """The folder of the console's own keys."""
    site: str | None = None
    """Where the public site is, if that is known here."""

    def ask(self, visit: Visit, service: str, command: str, **fields: Any) -> Any:
        """Raises CommandFailed, NoAnswer."""
        return self.services.ask(visit.me, service, command, **fields)

    @staticmethod
    def ask_each(services: Iterable[str], ask: Callable[[str], Any]) -> dict[str, Any]:
        """What `ask` returns for each service, all at the same time; those that give no answer are missing.

        Raises CommandFailed.
        """

        def asked(service: str) -> tuple[str, Any] | None:
            try:
                return service, ask(service)
            except NoAnswer:
                return None

        with ThreadPoolExecutor(MOST_AT_ONCE) as pool:
            return dict(filter(None, pool.map(asked, services)))

    def tell(self, visit: Visit, service: str, command: str, **fields: Any) -> Any:
        """Gives a command under the identifier that its form carries, so that a form sent twice is done once.

        Raises CommandFailed, NoAnswer.
        """
        return self.services.ask(visit.me, service, command, command_id=command_id_of(visit), **fields)

    def referral(self, visit: Visit) -> Known:
        """The referral that the address names. Raises CommandFailed, NoAnswer."""
        return self.known(visit, visit.params["referral"])

    def known(self, visit: Visit, referral_id: UUID) -> Known:
        """Raises CommandFailed, NoAnswer."""
        facts = ReferralFacts.from_json(self.ask(visit, "console", "show", referral_id=referral_id))
        return Known(**vars(facts), reference=self.references(visit, [facts.referral_id])[facts.referral_id])

    def refuse_who_handles_linked(self, visit: Visit, facts: Known) -> None:
        """For what another service holds about somebody, as intake refuses what it holds itself. Raises CommandFailed,
        NoAnswer.
        """
        history = History.from_json(self.ask(visit, "intake", "history", referral_id=facts.referral_id))
        if history.handles_linked:
            raise CommandFailed(
                "HandlesLinkedReferral",
                f"You handle a referral that is linked to {facts.reference}. Please leave this one to a colleague.",
            )

    def references(self, visit: Visit, referral_ids: Iterable[ReferralId]) -> dict[ReferralId, str]:
        """By which references people know these referrals. Raises CommandFailed, NoAnswer."""
        wanted = list(dict.fromkeys(referral_ids))
        if not wanted:
            return {}
        told = self.ask(visit, "intake", "references", referral_ids=wanted)
        known = {one.referral_id: one.reference for one in map(ReferenceOf.from_json, told)}
        return {referral_id: known.get(referral_id, "erased") for referral_id in wanted}

    def counts(self, who: SignedIn) -> dict[WorkQueue, QueueCount]:
        """Raises CommandFailed, NoAnswer."""
        answer = self.services.ask(who, "console", "count_queues")
        return {count.queue: count for count in map(QueueCount.from_json, answer)}

    def seal_note(self, text: str) -> str | None:
        return self.keyring.seal("intake", Note(text=text)) if text else None

    def forget(self, topics: set[str]) -> None:
        """What was known of what has changed is no more."""
        if topics & {ALERTS, EVERYTHING}:
            self.alerts.asked_at = float("-inf")
        self.shared.forget(topics)

    def unacknowledged(self, visit: Visit) -> Unanswered | None:
        """The concerns that nobody has in hand, for whoever may see alerts; None if that can't be known now."""
        if visit.who is None or Permission.SEE_ALERTS not in visit.who.permissions:
            return Unanswered()
        now = time.monotonic()
        if now - self.alerts.asked_at > ALERTS_KNOWN_FOR_SECONDS:
            self.alerts.asked_at = now
            try:
                self.alerts.unacknowledged = self._unanswered(visit.who)
            except (CommandFailed, NoAnswer):
                self.alerts.unacknowledged = None
        return self.alerts.unacknowledged

    def _unanswered(self, who: SignedIn) -> Unanswered:
        """How many there are, and the page of the most pressing one, on which it is taken in hand."""
        number = self.counts(who)[WorkQueue.CONCERNS].unacknowledged
        if not number:
            return Unanswered()
        page = QueuePage.from_json(self.services.ask(who, "console", "queue", queue=WorkQueue.CONCERNS.value))
        waiting = sorted((one for one in page.items if one.acknowledged_at is None), key=pressing)
        paths = (f"/referrals/{one.referral_id}/concerns/{one.subject_id}" for one in waiting)
        return Unanswered(number, next(paths, EVERY_CONCERN), EVERY_CONCERN)


def pressing(concern: QueueItem) -> tuple[int, datetime]:
    """By which concerns are taken in hand: the more severe first, and of those the one that has waited longest."""
    severity = concern.severity or Severity.IMMEDIATE
    return list(Severity).index(severity), concern.since


def id_in(text: str | None) -> UUID | None:
    """The identifier in an address or a hidden field; a mistyped one is none."""
    try:
        return UUID(text) if text else None
    except ValueError:
        return None


def command_id_of(visit: Visit) -> UUID:
    """The identifier that a form carries, so that it counts once however often it is sent."""
    return id_in(visit.first("command_id")) or uuid4()


def names(visit: Visit, account_ids: Iterable[UUID | None]) -> dict[UUID | None, str]:
    """What people with an account are called, and whether they have left; and nobody."""
    wanted = {id_ for id_ in account_ids if id_ is not None}
    if not wanted:
        return {None: "Nobody"}
    with visit.app.accounts.reading() as work:
        found = work.accounts.find_many(wanted)
    return {**{one.id: called(one) for one in found}, None: "Nobody"}


def colleagues(visit: Visit) -> list[tuple[UUID, str]]:
    """Who can be given work, by name: whoever may say whose work something is."""
    with visit.app.accounts.reading() as work:
        holders = work.accounts.holders(*GRANTS[Permission.ASSIGN_WORK].roles)
    return sorted(((one.id, one.name) for one in holders), key=lambda one: one[1].casefold())


def called(account: Account) -> str:
    return f"{account.name} (has left)" if account.state is State.ENDED else account.name


def account_in(who: str) -> UUID | None:
    """The account of whoever is on record as having done something; None for a client, a rule or the command line."""
    try:
        return account_of(who)[1] if is_account(who) else UUID(who)
    except ValueError:
        return None


def seen_of(visit: Visit) -> int | None:
    """The number of the step that whoever sends the form had seen last."""
    typed = visit.first("seen")
    return int(typed) if typed.isdecimal() and len(typed) < 6 else None
