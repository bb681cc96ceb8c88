"""The console's open pages: how long until a change is seen on them, how long a referral's pages take, and what that
takes of memory. It is part of the section `console`."""

from __future__ import annotations

import http.client
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from random import Random
from urllib.parse import urlsplit
from uuid import UUID

from kombu import Connection

from bench.console.office import Office, opened
from bench.console.populate import QUEUE
from bench.console.steps import Intake
from bench.console.watched import Change, delays, seen_by, watched
from bench.core.lab import Lab
from bench.core.plan import Plan
from bench.core.processes import ROOT, rss_mb
from bench.core.results import Results
from bench.core.rounds import interleave
from bench.core.statistics import percentile
from bench.report.chapter import STORE_NAMES, Chapter, Target, not_measured, table
from chassis.ids import new_id
from contracts.commands.console import WorkQueue
from contracts.vocabulary import ReferralId
from services.console.domain.queues import QUEUE_OF_STATE
from web.shared.staff.application import STATIC

NAME = "console_live"
SHOWN_A_SECOND, BUSY_A_SECOND = 10, 100
"""Events about rows that are on the page; and all events, where others come over all queues besides."""

P95_SECONDS, P99_SECONDS = 1.0, 2.0
REFERRAL_MS, CANDIDATES_MS = 150.0, 500.0
PAGES_MB, LISTS_MB, SCRIPTS_KB = 150.0, 120.0, 60.0
SETTLE_SECONDS = 3.0
"""Waited after the last event: later than that nobody has seen it in time anyway."""

ELSEWHERE = [state for state, queue in QUEUE_OF_STATE.items() if queue is not QUEUE]


@dataclass(frozen=True)
class Seen:
    """Seconds from the publication of an event until its row has changed in a browser. `missed` were never seen."""

    store: str
    consoles: int
    events_a_second: int
    changes: int
    p50: float
    p95: float
    p99: float
    missed: int
    fetched_a_second: float
    """By the other open pages."""


@dataclass(frozen=True)
class Pages:
    """Milliseconds of pages, and megabytes at the end. `scripts_kb` is of all scripts together."""

    store: str
    requests: int
    referral_p50_ms: float
    referral_p95_ms: float
    candidates_p50_ms: float
    candidates_p95_ms: float
    pages_mb: float
    lists_mb: float
    scripts_kb: float


def measure(lab: Lab, plan: Plan, results: Results) -> list[str]:
    seen: list[Seen] = []
    pages: list[Pages] = []

    def one(number: int, store: str) -> None:
        numbers = count(100)
        with opened(lab, store, plan.listed) as office:
            for rate in (SHOWN_A_SECOND, BUSY_A_SECOND):
                seen.append(_live(office, store, rate, numbers, plan))
                lab.say(f"{seen[-1]}")
                results.save(NAME, seen)
            pages.append(_pages(office, store, plan.page_requests))
            lab.say(f"{pages[-1]}")
            results.save("console_pages", pages)

    return interleave(lab.stores, 1, one, lab.say)


def _live(office: Office, store: str, rate: int, numbers: Iterator[int], plan: Plan) -> Seen:
    path = f"/work/{QUEUE}?order=newest"
    with watched(office, path) as (page, marked), _crowd(office, plan.live_consoles) as crowd:
        began = time.monotonic()
        published = _publish(office.amqp_uri, marked, rate, numbers, plan.live_seconds)
        time.sleep(SETTLE_SECONDS)
        found = delays(published, seen_by(page))
        seconds, fetched = time.monotonic() - began, crowd()
    return Seen(
        store=store,
        consoles=plan.live_consoles + 1,
        events_a_second=rate,
        changes=len(found),
        p50=percentile(found, 0.5),
        p95=percentile(found, 0.95),
        p99=percentile(found, 0.99),
        missed=sum(one == float("inf") for one in found),
        fetched_a_second=fetched / seconds,
    )


def _publish(amqp_uri: str, marked: dict[str, bool], rate: int, numbers: Iterator[int], seconds: float) -> list[Change]:
    """At an even rate: rows of the page in turn, each marked and unmarked, and between them referrals elsewhere."""
    published: list[Change] = []
    chance, keys = Random(20261201), list(marked)
    others = [ReferralId(new_id()) for _ in range(200)]
    with Connection(amqp_uri) as connection:
        intake, began = Intake(connection), time.monotonic()
        for number in range(int(rate * seconds)):
            time.sleep(max(0.0, began + number / rate - time.monotonic()))
            step = next(numbers)
            turn, besides = divmod(number, rate // SHOWN_A_SECOND)
            if besides:
                intake.take(chance.choice(others), step, "hold", chance.choice(ELSEWHERE))
                continue
            key = keys[turn % len(keys)]
            marked[key] = not marked[key]
            published.append(Change(key, marked[key], time.time()))
            lead = marked[key]
            intake.take(ReferralId(UUID(key)), step, "sign_off", "matching", needs_safeguarding_lead=lead)
    return published


@contextmanager
def _crowd(office: Office, consoles: int) -> Iterator[Callable[[], int]]:
    """Other open pages, over all queues; called, they end, and it is known how many pages they fetched."""
    queues = [queue for queue in WorkQueue for _ in range(consoles)][:: len(WorkQueue)][:consoles]
    pages = [word for queue in queues for word in (f"/work/{queue}", f"queue:{queue}")]
    command = [sys.executable, "-m", "bench.console.crowd", office.address, office.cookie, *pages]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline().strip() == "ready"

        def ended() -> int:
            process.terminate()
            assert process.stdout
            return int(process.stdout.readline())

        try:
            yield ended
        finally:
            process.kill()


def _pages(office: Office, store: str, requests: int) -> Pages:
    page = f"/referrals/{office.referral_id}"
    referral, candidates = (_asked(office, path, requests) for path in (page, f"{page}/candidates"))
    scripts = {script.name: script.stat().st_size for folder in STATIC for script in folder.glob("*.js")}
    return Pages(
        store=store,
        requests=requests,
        referral_p50_ms=percentile(referral, 0.5),
        referral_p95_ms=percentile(referral, 0.95),
        candidates_p50_ms=percentile(candidates, 0.5),
        candidates_p95_ms=percentile(candidates, 0.95),
        pages_mb=rss_mb(office.pages_pid),
        lists_mb=rss_mb(office.lists_pid),
        scripts_kb=sum(scripts.values()) / 1_000,
    )


def _asked(office: Office, path: str, requests: int) -> list[float]:
    """Milliseconds of each answer, one after the other."""
    times = []
    connection = http.client.HTTPConnection(urlsplit(office.address).netloc, timeout=60)
    for _ in range(requests):
        began = time.perf_counter()
        connection.request("GET", path, headers={"Cookie": office.cookie})
        answer = connection.getresponse()
        answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{path} answered {answer.status}")
        times.append((time.perf_counter() - began) * 1000)
    connection.close()
    return times


def add_to(chapter: Chapter, results: Results) -> None:
    seen, pages = results.load(NAME, Seen), results.load("console_pages", Pages)
    chapter.add(
        "A page of a queue is open in Chromium, and so are those of other consoles, in clients that do what the page's "
        "script does: they hear the stream of changes, and fetch their page again when it names their queue. Events "
        "are published at an even rate; ten a second change a row of the page in turn, and of a hundred the rest is "
        "about referrals in all other queues. It is measured in the browser how long after its publication a row has "
        "changed. Every service runs beside it, all on this machine."
    )
    headings = ("store", "consoles", "events/s", "changes", "p50 s", "p95 s", "p99 s", "never seen", "fetched/s")
    chapter.add(table(headings, [_seen_row(one) for one in seen]))
    chapter.add(
        "A referral with an open offer and its page of candidates, who are a hundred, asked of the pages' process one "
        "after the other; memory after all of this."
    )
    asked = ("store", "referral p50 ms", "p95 ms", "candidates p50 ms", "p95 ms", "pages MB", "lists MB")
    chapter.add(table(asked, [_pages_row(one) for one in pages]))
    for store in ("sqlite", "postgresql"):
        chapter.targets += _targets_of_seen(store, [one for one in seen if one.store == store])
        chapter.targets += _targets_of_pages(store, next((one for one in pages if one.store == store), None))


def _seen_row(one: Seen) -> tuple[str, ...]:
    times = (f"{seconds:.2f}" for seconds in (one.p50, one.p95, one.p99))
    counted = (str(one.consoles), str(one.events_a_second), str(one.changes))
    return (STORE_NAMES[one.store], *counted, *times, str(one.missed), f"{one.fetched_a_second:.0f}")


def _pages_row(one: Pages) -> tuple[str, ...]:
    times = (one.referral_p50_ms, one.referral_p95_ms, one.candidates_p50_ms, one.candidates_p95_ms)
    return (STORE_NAMES[one.store], *(f"{ms:.0f}" for ms in times), f"{one.pages_mb:.0f}", f"{one.lists_mb:.0f}")


def _targets_of_seen(store: str, seen: Sequence[Seen]) -> Iterator[Target]:
    for rate in (SHOWN_A_SECOND, BUSY_A_SECOND):
        label = f"A change is on 50 open consoles on {STORE_NAMES[store]} at {rate} events/s, p95 and p99"
        wanted = f"< {P95_SECONDS:g} s, < {P99_SECONDS:g} s"
        one = next((one for one in seen if one.events_a_second == rate), None)
        if one is None:
            yield not_measured(label, wanted)
        else:
            met = one.p95 < P95_SECONDS and one.p99 < P99_SECONDS
            yield Target(label, wanted, f"{one.p95:.2f} s, {one.p99:.2f} s", met)


def _targets_of_pages(store: str, one: Pages | None) -> Iterator[Target]:
    on = STORE_NAMES[store]
    for label, most, unit, name in (
        (f"A referral's page on {on}, p95", REFERRAL_MS, "ms", "referral_p95_ms"),
        (f"The page of its candidates on {on}, p95", CANDIDATES_MS, "ms", "candidates_p95_ms"),
        (f"Memory of the staff's pages on {on}", PAGES_MB, "MB", "pages_mb"),
        (f"Memory of the console's service after open pages on {on}", LISTS_MB, "MB", "lists_mb"),
        (f"All scripts of the staff's pages together, seen with {on}", SCRIPTS_KB, "KB", "scripts_kb"),
    ):
        if one is None:
            yield not_measured(label, f"≤ {most:g} {unit}")
        else:
            figure: float = getattr(one, name)
            yield Target(label, f"≤ {most:g} {unit}", f"{figure:.0f} {unit}", figure <= most)
