"""The console's lists among 100,000 referrals: every order with every filter and pair, near and far; how fast events
are taken in, and how fast all is made anew."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import combinations
from random import Random
from typing import Any

from kombu import Connection, Exchange, Producer
from sqlalchemy import create_engine, func, select, text

from bench.core.lab import Lab
from bench.core.plan import Plan
from bench.core.processes import rss_mb
from bench.core.results import Results
from bench.core.rounds import interleave
from bench.report.chapter import STORE_NAMES, Chapter, Target, not_measured, table
from chassis.ids import new_id
from chassis.rpc import RpcClient
from contracts.accounts import AccountId
from contracts.commands.console import Order, WorkQueue
from contracts.envelope import Envelope, source_of, to_headers
from contracts.events.intake import ReferralStepTaken
from contracts.vocabulary import ClientGroup, ReferralId, RiskLevel
from leeward.console.operator import sign_as_operator
from leeward.runtime.supervisor import Supervisor
from leeward.runtime.workspace import Workspace
from services.console.domain.queues import place_of
from services.console.domain.referral import Referral
from services.console.store import tables
from services.console.store.queues import values_of
from tests.support.system import virtual_host

NAME = "console"
TITLE = "The console's lists"
QUEUE, PAGE, FAR_PAGE = WorkQueue.WAITING, 50, 500
PAGE_MS, EVENTS_A_SECOND, REBUILT_A_SECOND, MEMORY_MB = 100.0, 1_000, 2_500, 120.0
AT_ONCE = 500
FILTERS: dict[str, Any] = {
    "assigned": "nobodys", "overdue": True, "client_group": ClientGroup.SURVIVOR.value,
    "risk_level": RiskLevel.HIGHER.value,
}  # fmt: skip
RARE = {"client_group": ClientGroup.IN_PRISON.value}
"""One referral in a thousand."""


@dataclass(frozen=True)
class Round:
    """Milliseconds of a page of a queue, asked of the running service by signed command, and rates of events."""

    store: str
    referrals: int
    pages: int
    page_p50_ms: float
    page_p95_ms: float
    page_max_ms: float
    slowest: str
    events: int
    events_a_second: float
    rebuilt_events_a_second: float
    memory_mb: float


def measure(lab: Lab, plan: Plan, results: Results) -> list[str]:
    rounds: list[Round] = []

    def one(number: int, store: str) -> None:
        rounds.append(_round(lab, store, plan))
        results.save(NAME, rounds)
        lab.say(f"{rounds[-1]}")

    return interleave(lab.stores, 1, one, lab.say)


def _round(lab: Lab, store: str, plan: Plan) -> Round:
    workspace = Workspace(lab.folder / f"console-{store}")
    workspace.prepare({"console": lab.database(store, "console")} if store == "postgresql" else None)
    amqp_uri = virtual_host(lab.node, f"console_{store}")
    url = workspace.stores()["console"]
    with _running(workspace, amqp_uri, lambda: _populate(url, plan.listed)) as (pid, client):
        told = sorted(_pages(client, url), key=lambda one: one[0])
        events, seconds = _take_in(amqp_uri, url, plan.listed_events)
        rebuilt = _rebuild(client)
        memory = rss_mb(pid)
    times = [ms for ms, _ in told]
    return Round(
        store=store,
        referrals=plan.listed,
        pages=len(times),
        page_p50_ms=times[len(times) // 2],
        page_p95_ms=times[int(len(times) * 0.95)],
        page_max_ms=times[-1],
        slowest=told[-1][1],
        events=events,
        events_a_second=events / seconds,
        rebuilt_events_a_second=rebuilt,
        memory_mb=memory,
    )


@contextmanager
def _running(workspace: Workspace, amqp_uri: str, populate: Any) -> Iterator[tuple[int, RpcClient]]:
    supervisor = Supervisor(workspace, amqp_uri, ["console"])
    try:
        supervisor.migrate()
        populate()
        _declare_exchanges(amqp_uri)
        supervisor.start()
        with RpcClient(amqp_uri, sign=sign_as_operator(workspace, "bench")) as client:
            yield supervisor.running["console"].process.pid, client
    finally:
        supervisor.stop()


def _declare_exchanges(amqp_uri: str) -> None:
    """What the other services would have declared, which don't run here."""
    with Connection(amqp_uri) as connection:
        for publisher in ("intake", "matching", "billing", "notifications", "evaluation"):
            Exchange(f"{publisher}.events", "topic", durable=True)(connection.channel()).declare()


def _populate(url: str, count: int) -> None:
    """All of them wait in one queue, which is the worst that can be."""
    chance, now = Random(20261201), datetime.now(UTC)
    groups = [group for group in ClientGroup if group is not ClientGroup.IN_PRISON]
    accounts = [AccountId(new_id()) for _ in range(20)]
    referrals = []
    for number in range(count):
        referral = Referral(id=ReferralId(new_id()), heard_at=now, version=4, step=3, state="matching")
        referral.state_since = now - timedelta(minutes=chance.randrange(200_000))
        referral.client_group = ClientGroup.IN_PRISON if number % 1_000 == 0 else chance.choice(groups)
        referral.risk_level = chance.choice(list(RiskLevel))
        referral.assigned_to = chance.choice([None, *accounts])
        referrals.append(referral)
    engine = create_engine(url)
    with engine.begin() as connection:
        rows = [{column.name: getattr(one, column.name) for column in tables.referrals.c} for one in referrals]
        connection.execute(tables.referrals.insert(), rows)
        items = [values_of(one, place) for one in referrals if (place := place_of(one))]
        connection.execute(tables.queue_items.insert(), items)
        connection.execute(tables.queue_counts.insert(), [{"queue": QUEUE, "total": count, "version": 1}])
        if engine.dialect.name == "postgresql":  # as it does by itself within a minute
            connection.execute(text("ANALYZE"))
    engine.dispose()


def _pages(client: RpcClient, url: str) -> Iterator[tuple[float, str]]:
    """Every order with no filter, each, each pair, and a rare one; the first page, and the 500th."""
    chosen: list[dict[str, Any]] = [{}, *({name: FILTERS[name]} for name in FILTERS), RARE]
    chosen += [{one: FILTERS[one], other: FILTERS[other]} for one, other in combinations(FILTERS, 2)]
    for order in Order:
        far = _far(url, order)
        for filters in chosen:
            for where, after in (("first", None), ("500th", far)):
                asked: dict[str, Any] = {"queue": QUEUE.value, "order": order.value, "limit": PAGE, **filters}
                began = time.perf_counter()
                client.call("console", "queue", **asked, after=after)
                yield (time.perf_counter() - began) * 1000, f"{order} {' '.join(filters) or 'unfiltered'} {where}"


def _far(url: str, order: Order) -> dict[str, str] | None:
    """Where the 500th page begins."""
    items = tables.queue_items.c
    key = items.due_by if order is Order.DUE else items.since
    by = (key.desc(), items.subject_id.desc()) if order is Order.NEWEST else (key, items.subject_id)
    engine = create_engine(url)
    with engine.connect() as connection:
        total = connection.execute(select(func.count()).select_from(tables.queue_items)).scalar_one()
        offset = min(FAR_PAGE * PAGE, total - PAGE) - 1
        row = connection.execute(select(key, items.subject_id).order_by(*by).offset(offset).limit(1)).one()
    engine.dispose()
    return {"at": row[0].isoformat(), "subject_id": str(row[1])}


def _take_in(amqp_uri: str, url: str, count: int) -> tuple[int, float]:
    """So many events are published and heard: how long from the first that was sent until the last is kept."""
    before = _kept(url)
    began = time.monotonic()
    with Connection(amqp_uri) as connection:
        producer = Producer(connection.channel(), Exchange("intake.events", "topic", durable=True), serializer="json")
        for number in range(count // 4):
            _publish_story(producer, number)
    while _kept(url) - before < count // 4 * 4:
        time.sleep(0.1)
    return count // 4 * 4, time.monotonic() - began


def _publish_story(producer: Producer, number: int) -> None:
    """A new referral's first four steps."""
    referral_id, now = ReferralId(new_id()), datetime.now(UTC)
    steps = (("receive", "received"), ("take_up", "awaiting_assessment"), ("assess", "assessed"), ("offer", "offered"))
    for step, (name, state) in enumerate(steps, start=1):
        event = ReferralStepTaken(
            referral_id=referral_id, number=step, step=name, state=state, taken_at=now,
            taken_by="rule",
        )  # fmt: skip
        envelope = Envelope(
            id=new_id(), source=source_of("intake"), type="ReferralStepTaken", time=now, subject=str(referral_id),
            sequence=step,
        )  # fmt: skip
        producer.publish(event.to_json(), routing_key="ReferralStepTaken", headers=to_headers(envelope))


def _kept(url: str) -> int:
    engine = create_engine(url)
    with engine.connect() as connection:
        kept = connection.execute(select(func.max(tables.archive.c.position))).scalar() or 0
    engine.dispose()
    return int(kept)


def _rebuild(client: RpcClient) -> float:
    """Events a second, beside a service that hears nothing else meanwhile."""
    began, events, after = time.monotonic(), 0, None
    while True:
        done = client.call("console", "rebuild", timeout=120.0, limit=AT_ONCE, after=after)
        events += done["events"]
        if (after := done.get("after")) is None:
            return float(events / (time.monotonic() - began))


def chapter(results: Results) -> Chapter:
    chapter = Chapter(TITLE)
    rounds = results.load(NAME, Round)
    chapter.add(
        f"Pages of {PAGE} of one queue in which all referrals wait: every order with no filter, with each, with each "
        f"pair, and with a rare value, the first page and the {FAR_PAGE}th, asked of the running service by signed "
        "command. Then events are published as fast as one publisher can, and at last all that they changed is made "
        "anew from the archive."
    )
    headings = (
        "store",
        "referrals",
        "pages",
        "p50 ms",
        "p95 ms",
        "slowest ms",
        "which",
        "events/s",
        "rebuilt events/s",
        "MB",
    )
    chapter.add(table(headings, [_row(one) for one in rounds]))
    for store in ("sqlite", "postgresql"):
        chapter.targets += _targets(store, next((one for one in rounds if one.store == store), None))
    return chapter


def _row(one: Round) -> tuple[str, ...]:
    times = (f"{ms:.1f}" for ms in (one.page_p50_ms, one.page_p95_ms, one.page_max_ms))
    rates = (f"{rate:,.0f}" for rate in (one.events_a_second, one.rebuilt_events_a_second))
    counted = (f"{one.referrals:,}", str(one.pages))
    return (STORE_NAMES[one.store], *counted, *times, one.slowest, *rates, f"{one.memory_mb:.0f}")


def _targets(store: str, one: Round | None) -> list[Target]:
    on = STORE_NAMES[store]
    wanted = (
        (f"A queue's page among 100,000 on {on}, p95", f"≤ {PAGE_MS:g} ms"),
        (f"Events that the console takes in on {on}", f"≥ {EVENTS_A_SECOND:,}/s"),
        (f"Events that lists are made anew from on {on}", f"≥ {REBUILT_A_SECOND:,}/s"),
        (f"Memory of the console's service on {on}", f"≤ {MEMORY_MB:g} MB"),
    )
    if one is None:
        return [not_measured(*label) for label in wanted]
    seen = (
        (f"{one.page_p95_ms:.1f} ms", one.page_p95_ms <= PAGE_MS),
        (f"{one.events_a_second:,.0f}/s", one.events_a_second >= EVENTS_A_SECOND),
        (f"{one.rebuilt_events_a_second:,.0f}/s", one.rebuilt_events_a_second >= REBUILT_A_SECOND),
        (f"{one.memory_mb:.0f} MB", one.memory_mb <= MEMORY_MB),
    )
    return [Target(*label, *figure) for label, figure in zip(wanted, seen, strict=True)]
