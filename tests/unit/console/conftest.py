"""The console's read model on a store of its own, with events made up for each test."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from chassis.access.actor import Actor
from chassis.host.provider import as_json
from chassis.ports import CommandHandler
from chassis.testing import HandlerBench
from contracts.commands.console import (
    CountQueues,
    ListQueue,
    QueueCount,
    QueuePage,
    ReferralFacts,
    ShowReferral,
    WorkQueue,
)
from contracts.event import Event
from contracts.events.intake import ReferralReceived, ReferralStepTaken, SafeguardingConcernRaised
from contracts.shape import Shape
from contracts.vocabulary import (
    AgeBand,
    ClientGroup,
    ConcernCategory,
    ConcernId,
    Known,
    ReferralId,
    Route,
    Sessions,
    Severity,
)
from services.console.dependencies import Dependencies
from services.console.handlers import events, queries
from services.console.store import tables
from tests.support.postgresql import Server


class Console(HandlerBench):
    """The bench, with the sentences that tests are written in."""

    def __init__(self, url: str) -> None:
        super().__init__("console", tables.metadata, dependencies=Dependencies(), url=url)

    def heard(self, event: Event, **envelope: Any) -> None:
        self.hear(events.hear, event, **envelope)

    def received(self, **changes: Any) -> ReferralId:
        """A request that has been taken in, as intake tells of it."""
        referral_id = ReferralId(uuid4())
        self.step(referral_id, 1, "receive", "received", by="client")
        told: dict[str, Any] = {
            "referral_id": referral_id, "received_at": self.clock.now(), "route": Route.SELF,
            "client_group": ClientGroup.AT_RISK, "age_band": AgeBand.FROM_35, "outward_code": "CF10",
            "language": "en", "sessions": Sessions.EITHER, "max_distance_km": 30.0, "subsidy_requested": False,
            "known_to_authorities": Known.NO,
        }  # fmt: skip
        self.heard(ReferralReceived(**(told | changes)))
        return referral_id

    def step(
        self,
        referral_id: ReferralId,
        number: int,
        step: str,
        state: str,
        *,
        by: str = "console",
        account_id: Any = None,
        **more: Any,
    ) -> None:
        event = ReferralStepTaken(
            referral_id=referral_id,
            number=number,
            step=step,
            state=state,
            taken_at=self.clock.now(),
            taken_by=by,
            account_id=account_id,
            due_at=self.clock.now() + timedelta(days=2) if state in ("received", "awaiting_assessment") else None,
            **more,
        )
        self.heard(event)

    def concern(self, referral_id: ReferralId) -> ConcernId:
        concern_id = ConcernId(uuid4())
        self.heard(
            SafeguardingConcernRaised(
                concern_id=concern_id,
                referral_id=referral_id,
                severity=Severity.IMMEDIATE,
                category=ConcernCategory.CHILD_AT_RISK,
                raised_at=self.clock.now(),
            )
        )
        return concern_id

    def queue(self, queue: WorkQueue, *, by: Actor | None = None, **asked: Any) -> QueuePage:
        return QueuePage.from_json(self.told(queries.list_queue, ListQueue(queue=queue, **asked), by=by))

    def in_queue(self, queue: WorkQueue, **asked: Any) -> list[UUID]:
        return [item.subject_id for item in self.queue(queue, **asked).items]

    def counts(self, *, by: Actor | None = None) -> dict[WorkQueue, QueueCount]:
        told = self.told(queries.count_queues, CountQueues(), by=by)
        return {count.queue: count for count in map(QueueCount.from_json, told)}

    def show(self, referral_id: ReferralId) -> ReferralFacts:
        return ReferralFacts.from_json(self.told(queries.show_referral, ShowReferral(referral_id=referral_id)))

    def told(self, handler: CommandHandler, request: Shape, *, by: Actor | None = None) -> Any:
        """The answer as it comes out of a message."""
        return json.loads(json.dumps(as_json(self.ask(handler, request, by=by))))

    def rows(self) -> dict[str, list[tuple[Any, ...]]]:
        """All that is listed."""
        listed = (tables.referrals, tables.concerns, tables.queue_items)
        with self.database.reading() as unit:
            found = {table.name: sorted(map(tuple, unit.session.execute(table.select())), key=str) for table in listed}
            counted = unit.session.execute(tables.queue_counts.select()).all()
        return found | {"count": sorted((row.queue.value, row.total) for row in counted if row.total)}


@pytest.fixture(params=["sqlite", "postgresql"])
def console(request: pytest.FixtureRequest) -> Iterator[Console]:
    url = "sqlite://"
    if request.param == "postgresql":
        server: Server = request.getfixturevalue("postgresql_server")
        url = server.create_database(f"console_{uuid4().hex}")
    bench = Console(url)
    yield bench
    bench.database.engine.dispose()
