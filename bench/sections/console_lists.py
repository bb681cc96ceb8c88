"""The console's lists among 100,000 referrals: every order with every filter and pair, near and far; how fast events
are taken in, and how fast all is made anew."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from kombu import Connection, Exchange
from sqlalchemy import create_engine, func, select

from bench.console.populate import QUEUE, RARE, populate
from bench.console.steps import STORY, Intake
from bench.core.lab import Lab
from bench.core.plan import Plan
from bench.core.processes import rss_mb
from bench.core.results import Results
from bench.core.rounds import interleave
from bench.report.chapter import STORE_NAMES, Chapter, Target, not_measured, table
from bench.sections import console_live
from chassis.rpc import RpcClient
from chassis.testing import HandlerBench
from contracts.commands.console import ListQueue, Order
from contracts.vocabulary import ClientGroup, RiskLevel
from leeward.console.operator import sign_as_operator
from leeward.runtime.supervisor import Supervisor
from leeward.runtime.workspace import Workspace
from services.console.dependencies import Dependencies
from services.console.handlers.queries import list_queue
from services.console.store import tables
from tests.support.statements import listening
from tests.support.system import virtual_host

NAME = "console"
TITLE = "The console's lists"
PAGE, FAR_PAGE = 50, 500
PAGE_MS, STATEMENTS, EVENTS_A_SECOND, MEMORY_MB = 100.0, 3, 1_000, 120.0
REBUILT_A_SECOND, REBUILT_SERVING_A_SECOND = 5_000, 2_500
MEANWHILE_A_SECOND = 20
"""Pages, and stories of four events, while all is made anew."""
AT_ONCE = 500
FILTERS: dict[str, Any] = {
    "assigned": "nobodys", "overdue": True, "client_group": ClientGroup.SURVIVOR.value,
    "risk_level": RiskLevel.HIGHER.value,
}  # fmt: skip
OF_FEW = {"client_group": RARE.value}


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
    rebuilt_serving_a_second: float
    statements: int
    """The most that any of these pages took."""
    memory_mb: float


def measure(lab: Lab, plan: Plan, results: Results) -> list[str]:
    rounds: list[Round] = []

    def one(number: int, store: str) -> None:
        rounds.append(_round(lab, store, plan))
        results.save(NAME, rounds)
        lab.say(f"{rounds[-1]}")

    return interleave(lab.stores, 1, one, lab.say) + console_live.measure(lab, plan, results)


def _round(lab: Lab, store: str, plan: Plan) -> Round:
    workspace = Workspace(lab.folder / f"console-{store}")
    workspace.prepare({"console": lab.database(store, "console")} if store == "postgresql" else None)
    amqp_uri = virtual_host(lab.node, f"console_{store}")
    url = workspace.stores()["console"]
    with _running(workspace, amqp_uri, lambda: populate(url, plan.listed)) as (pid, client):
        told = sorted(_pages(client, url), key=lambda one: one[0])
        events, seconds = _take_in(amqp_uri, url, plan.listed_events)
        rebuilt = _rebuild(client)
        with _busy(workspace, amqp_uri):
            serving = _rebuild(client)
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
        rebuilt_serving_a_second=serving,
        statements=_statements(url),
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


def _pages(client: RpcClient, url: str) -> Iterator[tuple[float, str]]:
    """Every order with no filter, each, each pair, and a rare one; the first page, and the 500th."""
    for asked, name in _every_page(url):
        began = time.perf_counter()
        client.call("console", "queue", **asked)
        yield (time.perf_counter() - began) * 1000, name


def _every_page(url: str) -> Iterator[tuple[dict[str, Any], str]]:
    chosen: list[dict[str, Any]] = [{}, *({name: FILTERS[name]} for name in FILTERS), OF_FEW]
    chosen += [{one: FILTERS[one], other: FILTERS[other]} for one, other in combinations(FILTERS, 2)]
    for order in Order:
        far = _far(url, order)
        for filters in chosen:
            for where, after in (("first", None), ("500th", far)):
                asked: dict[str, Any] = {"queue": QUEUE.value, "order": order.value, "limit": PAGE, "after": after}
                yield asked | filters, f"{order} {' '.join(filters) or 'unfiltered'} {where}"


def _statements(url: str) -> int:
    """Of the same pages, as the service's own function asks the database."""
    bench = HandlerBench("console", tables.metadata, dependencies=Dependencies(), url=url)
    most = 0
    for asked, _ in _every_page(url):
        with listening(bench.database.engine) as told:
            bench.ask(list_queue, ListQueue.from_json(asked))
        most = max(most, sum(statement.lstrip().upper().startswith("SELECT") for statement in told))
    bench.database.engine.dispose()
    return most


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
        intake = Intake(connection)
        for _ in range(count // len(STORY)):
            intake.tell_story()
    count -= count % len(STORY)
    while _kept(url) - before < count:
        time.sleep(0.1)
    return count, time.monotonic() - began


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


@contextmanager
def _busy(workspace: Workspace, amqp_uri: str) -> Iterator[None]:
    """Pages are asked for, and events come, until the block ends."""
    over = threading.Event()

    def ask() -> None:
        with RpcClient(amqp_uri, sign=sign_as_operator(workspace, "bench")) as client:
            while not over.wait(1 / MEANWHILE_A_SECOND):
                client.call("console", "queue", queue=QUEUE.value, limit=PAGE, timeout=60.0)

    def publish() -> None:
        with Connection(amqp_uri) as connection:
            intake = Intake(connection)
            while not over.wait(1 / MEANWHILE_A_SECOND):
                intake.tell_story()

    working = [threading.Thread(target=work) for work in (ask, publish)]
    for thread in working:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in working:
            thread.join()


def chapter(results: Results) -> Chapter:
    chapter = Chapter(TITLE)
    rounds = results.load(NAME, Round)
    chapter.add(
        f"Pages of {PAGE} of one queue in which all referrals wait: every order with no filter, with each, with each "
        f"pair, and with a rare value, the first page and the {FAR_PAGE}th, asked of the running service by signed "
        "command. Then events are published as fast as one publisher can, and at last all that they changed is made "
        f"anew from the archive: by itself, and while {MEANWHILE_A_SECOND} pages are asked for and "
        f"{MEANWHILE_A_SECOND * len(STORY)} events come in a second."
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
        "while serving",
        "statements",
        "MB",
    )
    chapter.add(table(headings, [_row(one) for one in rounds]))
    for store in ("sqlite", "postgresql"):
        chapter.targets += _targets(store, next((one for one in rounds if one.store == store), None))
    console_live.add_to(chapter, results)
    return chapter


def _row(one: Round) -> tuple[str, ...]:
    times = (f"{ms:.1f}" for ms in (one.page_p50_ms, one.page_p95_ms, one.page_max_ms))
    rates = (
        f"{rate:,.0f}" for rate in (one.events_a_second, one.rebuilt_events_a_second, one.rebuilt_serving_a_second)
    )
    counted = (f"{one.referrals:,}", str(one.pages))
    return (STORE_NAMES[one.store], *counted, *times, one.slowest, *rates, str(one.statements), f"{one.memory_mb:.0f}")


def _targets(store: str, one: Round | None) -> list[Target]:
    on = STORE_NAMES[store]
    wanted = (
        (f"A queue's page among 100,000 on {on}, p95", f"≤ {PAGE_MS:g} ms"),
        (f"Events that the console takes in on {on}", f"≥ {EVENTS_A_SECOND:,}/s"),
        (f"SQL statements of a queue's page on {on}", f"≤ {STATEMENTS}"),
        (f"Events that lists are made anew from on {on}, by itself", f"≥ {REBUILT_A_SECOND:,}/s"),
        (f"The same while pages are asked for and events come, on {on}", f"≥ {REBUILT_SERVING_A_SECOND:,}/s"),
        (f"Memory of the console's service on {on}", f"≤ {MEMORY_MB:g} MB"),
    )
    if one is None:
        return [not_measured(*label) for label in wanted]
    seen = (
        (f"{one.page_p95_ms:.1f} ms", one.page_p95_ms <= PAGE_MS),
        (f"{one.events_a_second:,.0f}/s", one.events_a_second >= EVENTS_A_SECOND),
        (f"{one.statements}", one.statements <= STATEMENTS),
        (f"{one.rebuilt_events_a_second:,.0f}/s", one.rebuilt_events_a_second >= REBUILT_A_SECOND),
        (f"{one.rebuilt_serving_a_second:,.0f}/s", one.rebuilt_serving_a_second >= REBUILT_SERVING_A_SECOND),
        (f"{one.memory_mb:.0f} MB", one.memory_mb <= MEMORY_MB),
    )
    return [Target(*label, *figure) for label, figure in zip(wanted, seen, strict=True)]
