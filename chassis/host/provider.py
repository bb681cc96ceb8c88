"""The dependency provider of every service: its store, its relay and its clock."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

import structlog
from nameko.extensions import DependencyProvider
from sqlalchemy import MetaData, func, select
from sqlalchemy.exc import DBAPIError, IntegrityError

from chassis.access.actor import Actor
from chassis.access.authorization import NotPermitted, Origin, RefusalLimit, authorize
from chassis.access.once import answer_once
from chassis.access.readings import WITHIN, TooManyReadings, refuse_many_readings
from chassis.access.tokens import TokenNotValid, Verifier
from chassis.audit.chain import AuditAction
from chassis.audit.commands import named_with_reason, subject_of
from chassis.bus.connection import BusConnection, open_connection, user_of
from chassis.bus.relay import Relay
from chassis.clock import clock_for
from chassis.config import ChassisSettings, Env
from chassis.host.cpu_pressure import CpuPressure
from chassis.host.urgent_first import UrgentFirst
from chassis.host.webhooks import NO_SUCH_PLACE, Post, Posted, receive
from chassis.observability import metrics
from chassis.observability.logs import describe
from chassis.ports import CommandHandler, Refused
from chassis.store.database import Database
from chassis.store.engine import open_engine
from chassis.store.unit_of_work import StoreUnit, count
from contracts.command import Command, Query
from contracts.permissions import FrontEnd
from contracts.shape import Shape

log = structlog.get_logger()

Alarm = Callable[[StoreUnit], int]

ASSUMED_UP_SECONDS = 0.5
"""How long after a commit the store is assumed to be reachable, without a test."""

COLLISIONS = {"40001", "40P01"}
"""PostgreSQL's error codes for a serialization failure and a deadlock."""

SETTINGS, DEPENDENCIES = "LEEWARD_SETTINGS", "LEEWARD_DEPENDENCIES"
"""The keys under which `chassis.host.run` puts them into nameko's configuration."""


WEBHOOK = Actor(front_end=FrontEnd.ANYBODY)
"""Who posts to a webhook, which has a secret of its own."""


class TwoAtOnce(Refused):
    """This command collided with another one in the database, twice."""


@dataclass(frozen=True)
class StoreHealth:
    """The state of a service's store."""

    outbox_rows: int
    outbox_oldest_seconds: float
    timers_due: int
    alarms: Mapping[str, int]
    """By name: how many things a person must act on at once. Only names whose count isn't 0."""


class Chassis(DependencyProvider):  # type: ignore[misc]
    """Opens the service's store and relays its outbox.

    `tell_of_readings` says to a lead who was stopped because they had read about many people. `metadata` holds the
    service's tables. `dependencies` makes, from the environment, what its handlers find as
    `unit.dependencies`. `alarms` count, by name, what a person must act on at once. `webhooks` are, by path, what other
    programs may post to the service's HTTP port.
    """

    def __init__(
        self,
        *,
        metadata: MetaData,
        dependencies: Callable[[Env], Any],
        alarms: Mapping[str, Alarm] | None = None,
        webhooks: Mapping[str, Post] | None = None,
        tell_of_readings: Callable[[StoreUnit, str], None] | None = None,
    ) -> None:
        self.metadata = metadata
        self._alarms = alarms or {}
        self._webhooks = webhooks or {}
        self.found: dict[str, int] = {}
        """Alarms from housekeeping, by name, with a count; they last until its next round."""
        self.make_dependencies = dependencies
        self._wake_ups: list[tuple[frozenset[str], Callable[[], None]]] = []
        self._when_recorded: list[Callable[[], None]] = []
        self._at_the_end: list[Callable[[], None]] = []
        self._is_open = False
        self._refusals = RefusalLimit()
        self._tell_of_readings = tell_of_readings
        self._told_of_readings: dict[str, datetime] = {}
        self.urgent_first = UrgentFirst()
        self.cpu_pressure = CpuPressure()
        self._committed_at = -math.inf

    def setup(self) -> None:
        self.open()

    def open(self) -> None:
        """Opens the store, once: nameko sets extensions up in no particular order, and others need it."""
        if self._is_open:
            return
        self._is_open = True
        self.settings: ChassisSettings = self.container.config[SETTINGS]
        service = self.container.service_name
        engine = open_engine(self.settings.database_url, connect=_connect)
        self.clock = clock_for(self.settings.clock_file)
        self.database = Database(
            service=service,
            engine=engine,
            metadata=self.metadata,
            clock=self.clock,
            dependencies=self.container.config[DEPENDENCIES],
        )
        self._verifier = Verifier(self.settings.keys, service)
        self.relay = Relay(
            service=service,
            outbox=self.database.outbox,
            amqp_uri=self.settings.amqp_uri,
            heartbeat_seconds=self.settings.heartbeat_seconds,
        )

    def start(self) -> None:
        self.container.spawn_managed_thread(self.relay.run, identifier="relay")

    def stop(self) -> None:
        self.relay.stop()
        for finish in self._at_the_end:
            finish()

    def get_dependency(self, worker_ctx: Any) -> Chassis:
        return self

    def wake_when_due(self, timers: frozenset[str], wake: Callable[[], None]) -> None:
        """Calls `wake` after every unit of work that has set one of these timers for now."""
        self._wake_ups.append((timers, wake))

    def wake_when_recorded(self, wake: Callable[[], None], *, at_the_end: Callable[[], None]) -> None:
        """Calls `wake` after every unit of work that has added to the audit log, and `at_the_end` when the service
        stops and no more units come."""
        self._when_recorded.append(wake)
        self._at_the_end.append(at_the_end)

    @property
    def one_user_each(self) -> bool:
        """Whether each service has the broker user of its name, as `leeward topology --definitions` makes them."""
        return user_of(self.settings.amqp_uri) == str(self.container.service_name)

    def connect(self, name: str) -> BusConnection:
        """A connection to the broker, with this service's limits. Raises one of LOST."""
        return open_connection(
            self.settings.amqp_uri,
            name=f"{self.container.service_name} {name}",
            heartbeat_seconds=self.settings.heartbeat_seconds,
            max_message_bytes=self.settings.max_message_bytes,
        )

    @contextmanager
    def unit(self) -> Iterator[StoreUnit]:
        """A unit of work; the events that it emitted go to the relay as soon as it has committed."""
        with self.database.unit(self._announce) as unit:
            yield unit
        self._committed_at = time.monotonic()
        for timers, wake in self._wake_ups:
            if timers & unit.timers_due:
                wake()
        if unit.has_recorded:
            for wake in self._when_recorded:
                wake()
        time.sleep(0)  # lets other greenlets run, so that urgent work waits for one unit of work at most

    def _announce(self, unit: StoreUnit) -> None:
        if unit.committed:
            self.relay.take(unit.committed)

    def authorize(self, kind: type[Command], fields: Mapping[str, Any], origin: Origin) -> Actor:
        """Who gives this command, if they may. Raises NotPermitted or TokenNotValid."""
        return authorize(kind, fields, origin, self._verifier)

    def record_refusal(self, refusal: NotPermitted | TokenNotValid, origin: Origin) -> None:
        """Puts on record that somebody wasn't allowed to give a command."""
        who = refusal.who if isinstance(refusal, NotPermitted) else origin.front_end.value
        log.warning("command_not_permitted", command=origin.command, reason=refusal.reason, front_end=origin.front_end)
        tell = self._tell_of_readings if isinstance(refusal, TooManyReadings) and self._is_news(who) else None
        if not self._refusals.allows(who) and tell is None:
            return
        with self.unit() as unit:
            unit.record_audit(AuditAction.REFUSED, who=who, reason=f"{origin.command} {refusal.reason}"[:64])
            if tell:
                tell(unit, who)
        if tell:
            self._told_of_readings[who] = unit.now

    def _is_news(self, who: str) -> bool:
        """Whether nobody was told of this person's readings within the hour."""
        told_at = self._told_of_readings.get(who)
        return told_at is None or self.database.clock.now() - told_at > WITHIN

    def once(self, actor: Actor, kind: type[Command], carry_out: Callable[[], Any]) -> Any:
        """What isn't done in the service's store: notes that the token was used, and then carries the command out."""
        if actor.command_id is not None:
            with self.unit() as unit:
                answer_once(unit, actor, kind, lambda: None)
        return carry_out()

    def ask(self, handler: CommandHandler, request: Shape, actor: Actor) -> Any:
        """Runs a command in a unit of work, and returns its answer as JSON-ready values.

        A person waits for it and nothing retries it. So the store is tested first, to replace connections that the
        database has dropped, and a command that collides with another one is run once more. Raises TwoAtOnce if it
        collides again.
        """
        if time.monotonic() > self._committed_at + ASSUMED_UP_SECONDS:
            self.answers()
        for attempt in (1, 2):
            try:
                return self._ask_once(handler, request, actor)
            except DBAPIError as error:
                if not _is_collision(error):
                    raise
                log.warning("command_collided", attempt=attempt, **describe(error))
        raise TwoAtOnce("Somebody changed the same thing at the same moment. Look at it again, and try again.")

    def _ask_once(self, handler: CommandHandler, request: Shape, actor: Actor) -> Any:
        with self.unit() as unit:
            unit.given_by = actor
            refuse_many_readings(unit, actor, type(request), self.settings.readings_per_hour)
            return answer_once(unit, actor, type(request), lambda: _carried_out(handler, unit, request))

    def receive(self, path: str, posted: Posted) -> str:
        """Processes a webhook's request, and returns the HTTP status; see `chassis.host.webhooks`."""
        post = self._webhooks.get(path)
        if post is None:
            return NO_SUCH_PLACE
        dependencies = self.container.config[DEPENDENCIES]
        take = partial(self.ask, post.take, actor=WEBHOOK)
        return receive(path, post, posted, dependencies=dependencies, take=take)

    def health(self) -> StoreHealth:
        outbox, timer = self.database.tables.outbox, self.database.tables.timer
        now = self.clock.now()
        with self.database.reading() as unit:
            oldest = unit.session.execute(select(outbox.c.created_at).order_by(outbox.c.id).limit(1)).scalar()
            due = select(func.count()).select_from(timer).where(timer.c.due_at <= now)
            timers_due, rows = unit.session.execute(due).scalar_one(), count(unit.session, outbox)
            alarms = self._active_alarms(unit)
        return StoreHealth(rows, round((now - oldest).total_seconds(), 3) if oldest else 0.0, timers_due, alarms)

    def alarms(self) -> Mapping[str, int]:
        """What a person must act on at once; only what housekeeping found, if the store can't be read."""
        try:
            with self.database.reading() as unit:
                return self._active_alarms(unit)
        except DBAPIError:
            return {name: count for name, count in self.found.items() if count}

    def _active_alarms(self, unit: StoreUnit) -> dict[str, int]:
        counted = {name: alarm(unit) for name, alarm in self._alarms.items()}
        return {name: count for name, count in {**counted, **self.found}.items() if count}

    def answers(self) -> bool:
        """Whether the store can be read."""
        try:
            with self.database.reading() as unit:
                unit.session.execute(select(1))
        except DBAPIError:
            return False
        return True

    def measure(self) -> None:
        """Updates the gauges, if the store can be read."""
        try:
            health = self.health()
        except DBAPIError:
            return
        metrics.OUTBOX_ROWS.set(health.outbox_rows)
        metrics.OUTBOX_LAG.set(health.outbox_oldest_seconds)
        metrics.TIMERS_DUE.set(health.timers_due)
        for name in (*self._alarms, *self.found):
            metrics.alarm(name).set(health.alarms.get(name, 0))


def _carried_out(handler: CommandHandler, unit: StoreUnit, request: Shape) -> Any:
    """The answer. What a person did goes on record, unless the handler has recorded it in its own words."""
    answer = as_json(handler(unit, request))
    if isinstance(request, Command) and not isinstance(request, Query) and request.needs and not unit.has_recorded:
        what, who = AuditAction.COMMANDED, unit.actor.who
        unit.record_audit(what, who=who, subject_id=subject_of(request), reason=named_with_reason(request))
    return answer


def as_json(value: Any) -> Any:
    """An answer, which is a shape, a list of shapes or what JSON has, as JSON-ready values."""
    if isinstance(value, Shape):
        return value.to_json()
    if isinstance(value, list | tuple):
        return [as_json(item) for item in value]
    return value


def _is_collision(error: DBAPIError) -> bool:
    """Whether two units of work collided: both added the same row, or each waited for the other."""
    return isinstance(error, IntegrityError) or getattr(error.orig, "sqlstate", None) in COLLISIONS


def _connect(*arguments: Any, **options: Any) -> Any:
    """A connection to PostgreSQL. Its modules are imported here, so that a service on SQLite needn't load them."""
    from chassis.host.postgres_wait import PatientConnection

    return PatientConnection.connect(*arguments, **options)


def chassis_of(container: Any) -> Chassis:
    """The Chassis of a nameko container, opened."""
    chassis: Chassis = next(dependency for dependency in container.dependencies if isinstance(dependency, Chassis))
    chassis.open()
    return chassis
