"""The public site: how long a page of a form takes, and how many requests for help one process takes in a second."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median
from typing import Any

import psutil

from bench.core.bus import Bus, connected
from bench.core.lab import Lab
from bench.core.plan import Plan
from bench.core.processes import ROOT, launch, stop
from bench.core.results import Results
from bench.core.rounds import interleave
from bench.core.statistics import percentile
from bench.report.chapter import Chapter, Target, not_measured, spread, table
from bench.site.visitor import Visitor
from chassis.privacy.sealing import make_keys
from leeward.runtime.free_ports import free_ports
from leeward.runtime.supervisor import wait_until_it_is_ready
from web.publisher.spool import Spool

NAME = "site"
TITLE = "The public site"
PAGES_PER_SECOND = 50
VISITORS, SENDERS = 8, 48
LISTENER = "listener"
WANTED_MS, WANTED_SENT = 20.0, 200


@dataclass(frozen=True)
class Pages:
    """Pages of a form at an even rate, from the moment each was due; milliseconds."""

    round: int
    requests: int
    p50_ms: float
    p95_ms: float
    p99_ms: float


@dataclass(frozen=True)
class Sending:
    """Requests for help sent as fast as one process takes them, each confirmed by the broker before its page shows."""

    round: int
    sent: int
    seconds: float
    p95_ms: float
    spooled: int
    missing: int


def measure(lab: Lab, plan: Plan, results: Results) -> list[str]:
    pages: list[Pages] = []
    sendings: list[Sending] = []
    with _site(lab) as (address, bus):

        def one(number: int, what: str) -> None:
            if what == "pages":
                pages.append(_pages(number, address, plan.site_seconds))
                lab.say(f"round {number}: {pages[-1]}")
            else:
                sendings.append(_sending(number, address, plan.site_requests, lab, bus))
                lab.say(f"round {number}: {sendings[-1]}")
            results.save(NAME, pages)
            results.save("site-sending", sendings)

        problems = interleave(("pages", "sending"), plan.rounds, one, lab.say)
    return problems + [f"{one.missing} were confirmed and not delivered" for one in sendings if one.missing]


@contextmanager
def _site(lab: Lab) -> Iterator[tuple[str, Bus]]:
    """The site on one core, and a queue that hears what it sends."""
    amqp_uri = lab.virtual_host("site")
    (port,) = free_ports(1)
    address = f"http://127.0.0.1:{port}"
    make_keys(lab.folder / "site-keys", "intake")
    environment = {
        "AMQP_URI": amqp_uri,
        "LEEWARD_SITE": f"127.0.0.1:{port}",
        "LEEWARD_KEYS": str(lab.folder / "site-keys"),
        "SITE_SPOOL": str(lab.folder / "site-spool"),
        "SITE_SECURE": "false",
    }
    with connected(amqp_uri) as bus:
        bus.make_queue(LISTENER, exchange="web.events", routing_key="#")
        process = launch((str(ROOT / ".venv/bin/python"), "-m", "web.site"), environment, lab.log("site"))
        try:
            if not wait_until_it_is_ready(address, process):
                raise RuntimeError("the site did not start")
            psutil.Process(process.pid).cpu_affinity([0])
            yield address, bus
        finally:
            stop(process)


def _pages(number: int, address: str, seconds: float) -> Pages:
    """Visitors take turns; each answers a page and takes in the next, two requests. A late start counts as waiting."""
    took: list[float] = []
    steps = iter(range(int(seconds * PAGES_PER_SECOND / 2)))
    lock = threading.Lock()
    began = time.perf_counter() + 0.2

    def visit() -> None:
        visitor = Visitor(address)
        visitor.begin()
        while True:
            with lock:
                step = next(steps, None)
            if step is None:
                visitor.close()
                return
            due = began + 2 * step / PAGES_PER_SECOND
            time.sleep(max(0.0, due - time.perf_counter()))
            late, before = (time.perf_counter() - due) * 1000, len(visitor.answered)
            visitor.begin() if visitor.path == "/check" else visitor.go_on()
            found = [one.milliseconds for one in visitor.answered[before:]]
            took.extend([found[0] + late, *found[1:]])

    _all(visit, VISITORS)
    return Pages(number, len(took), percentile(took, 0.5), percentile(took, 0.95), percentile(took, 0.99))


def _sending(number: int, address: str, count: int, lab: Lab, bus: Bus) -> Sending:
    """Everybody has filled in the form; then all send, as many at a time as there are senders."""
    visitors = [Visitor(address) for _ in range(count)]
    _in_turn(Visitor.fill_in, visitors)
    before = bus.depth(LISTENER)
    began = time.perf_counter()
    took = _in_turn(Visitor.send, visitors)
    seconds = time.perf_counter() - began
    for visitor in visitors:
        visitor.close()
    spooled = len(Spool(lab.folder / "site-spool"))
    arrived = bus.depth(LISTENER) - before
    return Sending(number, count, seconds, percentile(took, 0.95), spooled, count - spooled - arrived)


def _all(work: Callable[[], None], count: int) -> None:
    with ThreadPoolExecutor(count) as pool:
        for one in [pool.submit(work) for _ in range(count)]:
            one.result()


def _in_turn(work: Callable[[Visitor], Any], visitors: list[Visitor]) -> list[Any]:
    with ThreadPoolExecutor(SENDERS) as pool:
        return list(pool.map(work, visitors))


def chapter(results: Results) -> Chapter:
    chapter = Chapter(TITLE)
    pages, sendings = results.load(NAME, Pages), results.load("site-sending", Sending)
    chapter.add(
        "One process of the public site, held to one core. Visitors go through the form of somebody who asks for "
        f"themselves, {PAGES_PER_SECOND} requests a second evenly spaced, half of them answers and half of them pages. "
        f"Then as many requests for help as fit are sent, {SENDERS} people at a time: each is sealed, synced to disk, "
        "and confirmed by the broker before its confirmation shows. The visitors run on the same machine."
    )
    page_label = f"Form page, p95 at {PAGES_PER_SECOND} requests/s on one core"
    sent_label = "Submissions by one process"
    page_target, sent_target = f"≤ {WANTED_MS:g} ms", f"≥ {WANTED_SENT}/s"
    if not pages or not sendings:
        chapter.targets += [not_measured(page_label, page_target), not_measured(sent_label, sent_target)]
        return chapter
    p95 = [one.p95_ms for one in pages]
    rates = [one.sent / one.seconds for one in sendings]
    chapter.targets += [
        Target(page_label, page_target, f"{spread(p95)} ms", median(p95) <= WANTED_MS),
        Target(sent_label, sent_target, f"{spread(rates)}/s", median(rates) >= WANTED_SENT),
    ]
    rows = [("a page", *(spread([getattr(one, name) for one in pages]) for name in ("p50_ms", "p95_ms", "p99_ms")))]
    chapter.add(table(("", "p50 ms", "p95 ms", "p99 ms"), rows))
    sent = (str(sum(one.sent for one in sendings)), spread(rates), spread([one.p95_ms for one in sendings]))
    unconfirmed = str(sum(one.spooled for one in sendings))
    headings = ("sent", "a second", "p95 ms to the confirmation", "not confirmed in time")
    chapter.add(table(headings, [(*sent, unconfirmed)]))
    return chapter
