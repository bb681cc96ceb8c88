"""Every service with something in its store, and requests that fit a command's shape and go to its limits."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

from environs import Env
from marshmallow import fields, validate
from sqlalchemy import MetaData, Uuid, select

from chassis.access.actor import Actor
from chassis.access.authorization import Origin
from chassis.host.commands import CommandMethod
from chassis.host.entrypoints import declared_by
from chassis.host.provider import as_json
from chassis.privacy.ephemeral_key import OneTimeKey
from chassis.privacy.sealing import Keyring
from chassis.privacy.vault import new_master_key
from chassis.store.database import Database
from chassis.store.engine import open_engine
from chassis.testing import HandlerBench, somebody
from contracts import sealed
from contracts.commands.billing import RecordAttendance
from contracts.envelope import MAX_SEQUENCE
from contracts.events.intake import SafeguardingConcernRaised
from contracts.fields import (
    FIRST_DAY,
    FIRST_INSTANT,
    LAST_DAY,
    LAST_INSTANT,
    Day,
    Instant,
    Nested,
    StrictBoolean,
    Tuple,
)
from contracts.reference import reference_for
from contracts.shape import Shape
from contracts.vocabulary import ConcernCategory, ConcernId, ReferralId, Severity, TherapistId
from services.billing.handlers import sessions
from services.billing.service import BillingService
from services.billing.store import tables as billing_tables
from services.console.service import ConsoleService
from services.console.store import tables as console_tables
from services.evaluation.service import EvaluationService
from services.evaluation.store import tables as evaluation_tables
from services.intake.dependencies import build
from services.intake.service import IntakeService
from services.intake.store import tables as intake_tables
from services.matching.service import MatchingService
from services.matching.store import tables as matching_tables
from services.notifications.handlers import alerts
from services.notifications.service import NotificationsService
from services.notifications.store import tables as notifications_tables
from tests.support.samples import PASSPHRASE
from tests.unit.billing import making
from tests.unit.console.conftest import Console
from tests.unit.evaluation.conftest import a_study
from tests.unit.intake.conftest import Intake
from tests.unit.matching.conftest import Matching, a_toolbox
from tests.unit.notifications.conftest import MONDAY_10, desk_on

SERVICES: dict[str, tuple[type, MetaData]] = {
    "intake": (IntakeService, intake_tables.metadata),
    "matching": (MatchingService, matching_tables.metadata),
    "billing": (BillingService, billing_tables.metadata),
    "notifications": (NotificationsService, notifications_tables.metadata),
    "evaluation": (EvaluationService, evaluation_tables.metadata),
    "console": (ConsoleService, console_tables.metadata),
}
NEED_A_BROKER = ("health", *(f"{what}_dead_letters" for what in ("list", "show", "export", "replay", "discard")))
COMMANDS = [
    (service, one.attribute, one.entrypoint.request)
    for service, (kind, _) in SERVICES.items()
    for one in declared_by(kind)
    if isinstance(one.entrypoint, CommandMethod) and one.attribute not in NEED_A_BROKER
]


@dataclass
class Service:
    """A service and its store, asked as nameko would ask it. `tokens` are secrets that open something there."""

    name: str
    bench: HandlerBench
    url: str
    keyring: Keyring
    references: list[str]
    tokens: list[str]

    def ask(self, command: str, given: dict[str, Any]) -> Any:
        return self.ask_on(self.bench.database, command, given)

    def ask_on(self, database: Database, command: str, given: dict[str, Any],
               before_commit: Callable[[], None] = lambda: None) -> Any:  # fmt: skip
        """Asks a replica of the service, which works on `database`."""

        def ask(handler: Any, request: Any, actor: Actor) -> Any:
            with database.unit() as unit:
                unit.given_by = actor
                answer = as_json(handler(unit, request))
                before_commit()
            return answer

        chassis = SimpleNamespace(
            ask=ask,
            once=lambda actor, kind, answer: answer(),
            authorize=lambda *_: somebody(),
            database=database,
            settings=SimpleNamespace(keys=None),
        )
        origin = Origin(command, "nameko-rpc")
        return getattr(SERVICES[self.name][0], command)(SimpleNamespace(chassis=chassis), given, origin)

    def replica(self) -> Database:
        dependencies = self.bench.database._dependencies
        metadata = SERVICES[self.name][1]
        return Database(
            service=self.name,
            engine=open_engine(self.url),
            metadata=metadata,
            clock=self.bench.clock,
            dependencies=dependencies,
        )

    def ids(self) -> dict[str, list[UUID]]:
        """The identifiers in the service's store, by what they are of: `referral_id`, `offer_id`."""
        found: dict[str, list[UUID]] = {}
        with self.bench.database.reading() as unit:
            for table in SERVICES[self.name][1].sorted_tables:
                for column in table.columns:
                    if isinstance(column.type, Uuid):
                        name = f"{table.name}_id" if column.name == "id" else column.name
                        rows = unit.session.execute(select(column).limit(20)).scalars()
                        found.setdefault(name, []).extend(id_ for id_ in rows if id_ is not None)
        return found


def an_intake(url: str, keys: Path, monkeypatch: Any) -> Service:
    monkeypatch.setenv("LEEWARD_KEYS", str(keys))
    monkeypatch.setenv("INTAKE_MASTER_KEY", new_master_key())
    intake = Intake(build(Env()), keys, url)
    asked = [intake.ask_for_help(name=f"Robin {n}") for n in range(2)]
    assessed = [intake.ask_and_assess() for _ in range(2)]
    intake.match(assessed[0].referral_id)
    intake.flag_risk(asked[0].referral_id)
    references = [one.reference for one in (*asked, *assessed)]
    return Service("intake", intake, url, intake.web, references, [PASSPHRASE])


def a_matching(url: str, keys: Path, monkeypatch: Any) -> Service:
    bench = Matching("matching", matching_tables.metadata, dependencies=a_toolbox(keys), url=url)
    for _ in range(3):
        bench.admit(places=2)
    referrals = [bench.search_for() for _ in range(3)]
    bench.accept(referrals[0])
    return Service("matching", bench, url, Keyring(keys), [], [])


def a_billing(url: str, keys: Path, monkeypatch: Any) -> Service:
    bench = making.Bench(url)
    bench.open_fund()
    for subsidised in (True, True, False):
        received = making.referral(subsidy_requested=subsidised)
        match = making.matched(received.referral_id)
        bench.told(received, making.assessed(received.referral_id), making.admitted(match.therapist_id), match)
        bench.settle()
    bench.ask(sessions.record_attendance, RecordAttendance(referral_id=received.referral_id, attended_on=bench.today))
    return Service("billing", bench, url, Keyring(keys), [], [])


def a_notifications(url: str, keys: Path, monkeypatch: Any) -> Service:
    desk = desk_on(url, keys)
    referral_id = ReferralId(uuid4())
    desk.release(referral_id)
    desk.admit(TherapistId(uuid4()))
    concern = SafeguardingConcernRaised(
        concern_id=ConcernId(uuid4()),
        referral_id=referral_id,
        severity=Severity.URGENT,
        category=ConcernCategory.RISK_TO_SELF,
        raised_at=MONDAY_10,
    )
    desk.bench.hear(alerts.raise_alert, concern)
    desk.run()
    return Service("notifications", desk.bench, url, desk.keyring, [], [])


def an_evaluation(url: str, keys: Path, monkeypatch: Any) -> Service:
    study = a_study(keys, url)
    referral_id = ReferralId(uuid4())
    study.receive(referral_id)
    study.match(referral_id)
    tokens = [study.token(stage, respondent) for stage, respondent in study.asked()]
    return Service("evaluation", study.bench, url, study.keyring, [], tokens)


def a_console(url: str, keys: Path, monkeypatch: Any) -> Service:
    console = Console(url)
    received = [console.received() for _ in range(3)]
    console.concern(received[0])
    return Service("console", console, url, Keyring(keys), [], [])


MAKE = {
    "intake": an_intake,
    "matching": a_matching,
    "billing": a_billing,
    "notifications": a_notifications,
    "evaluation": an_evaluation,
    "console": a_console,
}
SEALED_SHAPES = [
    kind for kind in vars(sealed).values() if isinstance(kind, type) and issubclass(kind, Shape) and kind is not Shape
]
FITTING: dict[str, type[Shape]] = {
    "note": sealed.Note,
    "aspects": sealed.Aspects,
    "whereabouts": sealed.Whereabouts,
    "contact": sealed.DutyContact,
    "reason": sealed.OutcomeReason,
    "sealed": sealed.PersonSought,
}
"""What lies inside a sealed field of this name."""

CODES = ["NP20", "CF10", "ZZ9", "W06000022", "gwent", "core-10", "a" * 64, "help", "en", "cym", "07700 900123",
    "harbour lantern quiet", "name@example.org", " \n", "Jo Made-Up", "ß" * 60]  # fmt: skip
"""Of which each pattern is fitted by some."""

WORDS = [
    "",
    " ",
    "\n",
    "ß" * 200,
    "İ" * 60,
    "x",
    "Zalgo\u0301\u0301\u0301",
    "🙂" * 50,
    "%s'; --",
    "\\",
    "null",
    "a" * 2_000,
]


class Requests:
    """Makes requests for one service, by chance from a seed."""

    def __init__(self, service: Service, seed: int) -> None:
        self._service, self._chance = service, random.Random(seed)
        self._ids = service.ids()

    def of(self, shape: type[Shape]) -> dict[str, Any]:
        """Values for a shape's fields, as they come out of JSON; most fit, and many are extreme."""
        return dict(self._given(shape))

    def sequence(self) -> int:
        """Where an event stands among those about its subject."""
        return self._chance.choice([1, 2, 100, 1_000, MAX_SEQUENCE])

    def _given(self, shape: type[Shape]) -> Iterator[tuple[str, Any]]:
        for name, field in shape.schema.fields.items():
            if field.required or self._chance.random() < 0.6:
                yield name, self._value(name, field)

    def _value(self, name: str, field: Any) -> Any:
        if "sealed_to" in field.metadata:
            return self._sealed(FITTING.get(name))
        if isinstance(field, fields.UUID) and self._chance.random() < 0.8 and self._ids.get(_of_what(name)):
            return str(self._chance.choice(self._ids[_of_what(name)]))
        if name == "seal_to":
            return self._chance.choice([OneTimeKey().public, "{}", '{"kty":"EC"}', "x"])
        if name == "reference" and self._chance.random() < 0.8:
            return self._chance.choice([*self._service.references, reference_for(uuid4()), "x"])
        if name in ("token", "passphrase") and self._service.tokens:
            return self._chance.choice([*self._service.tokens, "x" * 24])
        return self._of_kind(field)

    def _of_kind(self, field: Any) -> Any:
        chance = self._chance
        match field:
            case fields.UUID():
                known = [id_ for ids in self._ids.values() for id_ in ids]
                return str(chance.choice([*known, uuid4(), UUID(int=0), UUID(int=2**128 - 1)]))
            case fields.Enum():
                return chance.choice(list(field.enum)).value
            case StrictBoolean():
                return chance.random() < 0.5
            case Instant():
                now = self._service.bench.clock.now()
                return chance.choice([FIRST_INSTANT, LAST_INSTANT, now, now + timedelta(days=1)]).isoformat()
            case Day():
                today = self._service.bench.clock.now().date()
                days = [FIRST_DAY, LAST_DAY, today, today, today - timedelta(days=1), today + timedelta(days=1)]
                return chance.choice(days).isoformat()
            case fields.Number():
                (bounds,) = (check for check in field.validators if isinstance(check, validate.Range))
                return chance.choice([bounds.min, bounds.max, max(bounds.min, 1), min(bounds.max, 100)])
            case Tuple():
                return [self._of_kind(field.inner) for _ in range(chance.choice([0, 1, 1, 2, 3, 50]))]
            case Nested():
                return self.of(field.shape)
            case _:
                return self._text(field)

    def _text(self, field: Any) -> str:
        choices = [check.choices for check in field.validators if isinstance(check, validate.OneOf)]
        patterns = [check.regex for check in field.validators if isinstance(check, validate.Regexp)]
        lengths = [check.max for check in field.validators if isinstance(check, validate.Length)]
        if any(isinstance(check, validate.Email) for check in field.validators):
            return "name@example.org"
        if choices:
            return str(self._chance.choice(choices[0]))
        if patterns and self._chance.random() < 0.9:
            return self._chance.choice([text for text in CODES if patterns[0].match(text)] or WORDS)
        return self._chance.choice([*WORDS, "x" * min(lengths)])

    def _sealed(self, fitting: type[Shape] | None) -> str:
        kind = fitting if fitting and self._chance.random() < 0.8 else self._chance.choice(SEALED_SHAPES)
        for _ in range(20):
            try:
                return self._service.keyring.seal(self._service.name, kind.from_json(self.of(kind)))
            except ValueError:
                continue
        return self._chance.choice(["x", "....", json.dumps({})])


def _of_what(name: str) -> str:
    return name.removeprefix("other_").removeprefix("into_")
