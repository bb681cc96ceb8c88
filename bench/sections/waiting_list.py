"""What one freed place costs while 10,000 referrals wait and 10,000 therapists of another kind have room."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import Any

from bench.core.bus import Bus, connected
from bench.core.lab import Lab
from bench.core.plan import Plan
from bench.core.results import Results
from bench.core.rounds import interleave
from bench.core.statistics import percentile
from bench.journey.people import on_the_wire
from bench.report.chapter import STORE_NAMES, Chapter, Target, not_measured, table
from bench.waiting.people import ROOMY, Population, newcomer, populate
from chassis.rpc import CommandFailed, RpcClient
from leeward.console.operator import sign_as_operator
from leeward.runtime.supervisor import Supervisor
from leeward.runtime.workspace import Workspace
from tests.support.system import virtual_host

NAME = "waiting"
TITLE = "A freed place while thousands wait"
SERVICE = "matching"
HEARD = "waiting.offered"
COMMANDS_PER_SECOND = 10
NEWCOMERS_PER_SECOND = 5
PATIENCE_SECONDS = 30.0
WANTED_MS, WANTED_AGE_MS = 250, 1_000


@dataclass(frozen=True)
class Round:
    """Milliseconds. `age` is from publishing a referral's assessment to hearing that it was offered, which an old inbox
    delays; `served` from freeing a place to hearing that it was offered to somebody on the list."""

    store: str
    waiting: int
    therapists: int
    places_freed: int
    served: int
    served_p50_ms: float
    served_slowest_ms: float
    commands: int
    commands_p50_ms: float
    commands_p99_ms: float
    commands_slowest_ms: float
    newcomers: int
    missing: int
    age_p50_ms: float
    age_p99_ms: float
    age_slowest_ms: float


@dataclass
class Seen:
    """What has been timed so far."""

    freed_at: dict[str, float] = field(default_factory=dict)
    published_at: dict[str, float] = field(default_factory=dict)
    to_decline: SimpleQueue[tuple[str, str]] = field(default_factory=SimpleQueue)
    commands_ms: list[float] = field(default_factory=list)
    served_ms: list[float] = field(default_factory=list)
    age_ms: list[float] = field(default_factory=list)
    freed: int = 0


def measure(lab: Lab, plan: Plan, results: Results) -> list[str]:
    rounds: list[Round] = []

    def one(number: int, store: str) -> None:
        rounds.append(_round(lab, store, plan))
        results.save(NAME, rounds)
        lab.say(f"{rounds[-1]}")

    problems = interleave(lab.stores, 1, one, lab.say)
    return problems + [f"{one.missing} newcomers on {one.store} were never offered" for one in rounds if one.missing]


def _round(lab: Lab, store: str, plan: Plan) -> Round:
    with _waiting(lab, store, plan.waiting) as (bus, population, client):
        seen = _drive(bus, population, client, plan.waiting_seconds)
    return Round(
        store=store,
        waiting=plan.waiting,
        therapists=plan.waiting,
        places_freed=seen.freed,
        served=len(seen.served_ms),
        served_p50_ms=percentile(seen.served_ms, 0.5),
        served_slowest_ms=max(seen.served_ms),
        commands=len(seen.commands_ms),
        commands_p50_ms=percentile(seen.commands_ms, 0.5),
        commands_p99_ms=percentile(seen.commands_ms, 0.99),
        commands_slowest_ms=max(seen.commands_ms),
        newcomers=len(seen.age_ms),
        missing=len(seen.published_at),
        age_p50_ms=percentile(seen.age_ms, 0.5),
        age_p99_ms=percentile(seen.age_ms, 0.99),
        age_slowest_ms=max(seen.age_ms),
    )


@contextmanager
def _waiting(lab: Lab, store: str, count: int) -> Iterator[tuple[Bus, Population, RpcClient]]:
    """A matching service at work, with so many who wait, and so many therapists who suit none of them."""
    workspace = Workspace(lab.folder / f"waiting-{store}")
    url = lab.database(store, "waiting")
    workspace.prepare({SERVICE: url})
    amqp_uri = virtual_host(lab.node, f"waiting_{store}")
    with ExitStack() as stack:
        bus = stack.enter_context(connected(amqp_uri))
        for publisher in ("intake", "billing", "notifications", SERVICE):
            bus.make_queue(HEARD, exchange=f"{publisher}.events", routing_key="TherapistOffered")
        supervisor = Supervisor(workspace, amqp_uri, [SERVICE])
        stack.callback(supervisor.stop)
        supervisor.migrate()
        population = populate(url, count)
        supervisor.start()
        sign = sign_as_operator(workspace, "bench")
        yield bus, population, stack.enter_context(RpcClient(amqp_uri, sign=sign))


def _drive(bus: Bus, population: Population, client: RpcClient, seconds: float) -> Seen:
    """Commands at an even rate from one thread, newcomers from this one."""
    seen = Seen()

    def on_offered(message: Any) -> None:
        _hear(seen, population, json.loads(message.body), time.perf_counter())

    tag = bus.listen(HEARD, on_offered)
    until = time.perf_counter() + seconds
    giving = threading.Thread(target=_give_commands, args=(seen, population, client, until))
    giving.start()
    due = time.perf_counter()
    while due < until:
        bus.pump(due - time.perf_counter())
        received, assessed = newcomer()
        seen.published_at[str(received.referral_id)] = time.perf_counter()
        bus.send(on_the_wire(received))
        bus.send(on_the_wire(assessed, first=False))
        due += 1 / NEWCOMERS_PER_SECOND
    patience = time.perf_counter() + PATIENCE_SECONDS
    while (seen.published_at or giving.is_alive()) and time.perf_counter() < patience:
        bus.pump(0.05)
    giving.join()
    bus.stop_listening(tag)
    return seen


def _hear(seen: Seen, population: Population, offered: dict[str, Any], at: float) -> None:
    published = seen.published_at.pop(offered["referral_id"], None)
    if published is not None:
        seen.age_ms.append((at - published) * 1000)
        return
    freed = seen.freed_at.pop(offered["therapist_id"], None)
    if freed is not None and offered["referral_id"] in population.suited:
        seen.served_ms.append((at - freed) * 1000)
        seen.to_decline.put((offered["offer_id"], offered["therapist_id"]))


def _give_commands(seen: Seen, population: Population, client: RpcClient, until: float) -> None:
    """Each timed from the moment it was due, whatever the one before it took."""
    due = time.perf_counter()
    for number in range(1_000_000):
        due += 1 / COMMANDS_PER_SECOND
        if due >= until:
            return
        time.sleep(max(0.0, due - time.perf_counter()))
        _command(seen, population, client, number)
        seen.commands_ms.append((time.perf_counter() - due) * 1000)


def _command(seen: Seen, population: Population, client: RpcClient, number: int) -> None:
    """Every tenth frees a place of somebody who suits few, every tenth one for which all who wait are too poor, and
    those who were offered somebody decline, which frees it again; the rest are questions."""
    kind = number % 10
    if kind == 0:
        therapist_id = population.suitable[(number // 10) % len(population.suitable)]
        seen.freed_at[therapist_id] = time.perf_counter()
        seen.freed += 1
        client.call(SERVICE, "change_places", therapist_id=therapist_id, places=1)
    elif kind == 5:
        seen.freed += 1
        client.call(SERVICE, "change_places", therapist_id=population.too_dear, places=1)
    elif kind % 2 == 0 and _decline(seen, client):
        return
    else:
        client.call(SERVICE, "standing", referral_id=population.somebody)


def _decline(seen: Seen, client: RpcClient) -> bool:
    try:
        offer_id, therapist_id = seen.to_decline.get_nowait()
    except Empty:
        return False
    seen.freed_at[therapist_id] = time.perf_counter()
    seen.freed += 1
    answer: dict[str, Any] = {"offer_id": offer_id, "therapist_id": therapist_id, "reason": "outside_experience"}
    try:
        client.call(SERVICE, "decline_offer", **answer)
    except CommandFailed:  # a place that was changed meanwhile
        return False
    return True


def chapter(results: Results) -> Chapter:
    chapter = Chapter(TITLE)
    rounds = results.load(NAME, Round)
    chapter.add(
        "Matching runs alone, with so many referrals on its waiting list and as many therapists who have room and take "
        f"another client group, so that none of them suits anybody. {COMMANDS_PER_SECOND} commands a second are given, "
        "each timed from the moment it is due: every tenth gives a place to a therapist who suits some of those who "
        "wait, who then declines, so that the place is free again; every tenth gives one to a therapist who would suit "
        "everybody who waits but for the fee. Meanwhile "
        f"{NEWCOMERS_PER_SECOND} new referrals a second come in by the inbox, and one of {ROOMY} therapists with room "
        "is offered each: the time from publishing the assessment to hearing of the offer is no less than the age of "
        "the inbox."
    )
    rows = [
        (
            STORE_NAMES[one.store],
            *(f"{count:,}" for count in (one.waiting, one.therapists, one.places_freed, one.served)),
            *(f"{figure:,.0f}" for figure in (one.served_p50_ms, one.served_slowest_ms)),
            *(f"{figure:,.0f}" for figure in (one.commands_p50_ms, one.commands_p99_ms, one.commands_slowest_ms)),
            *(f"{figure:,.0f}" for figure in (one.age_p50_ms, one.age_p99_ms, one.age_slowest_ms)),
        )
        for one in rounds
    ]
    headings = (
        "store", "waiting", "therapists", "places freed", "given", "given p50 ms", "slowest ms",
        "commands p50 ms", "p99 ms", "slowest ms", "inbox p50 ms", "p99 ms", "slowest ms",
    )  # fmt: skip
    chapter.add(table(headings, rows))
    chapter.targets += [target for store in ("sqlite", "postgresql") for target in _targets(store, rounds)]
    return chapter


def _targets(store: str, rounds: list[Round]) -> Iterator[Target]:
    commands = f"Commands to matching while thousands wait, p99 on {STORE_NAMES[store]}", f"< {WANTED_MS} ms"
    age = f"Age of matching's inbox while thousands wait, on {STORE_NAMES[store]}", f"< {WANTED_AGE_MS:,} ms"
    one = next((one for one in rounds if one.store == store), None)
    if one is None:
        yield from (not_measured(*figure) for figure in (commands, age))
        return
    yield Target(*commands, f"{one.commands_p99_ms:,.0f} ms with {one.waiting:,}", one.commands_p99_ms < WANTED_MS)
    lost = f", {one.missing} lost" if one.missing else ""
    within = one.age_slowest_ms < WANTED_AGE_MS and not one.missing
    yield Target(*age, f"{one.age_slowest_ms:,.0f} ms at most{lost}", within)


__all__ = ["NAME", "TITLE", "chapter", "measure"]
