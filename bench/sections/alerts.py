"""How long a safeguarding alert takes while 100,000 ordinary messages wait in the same service."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bench.core.bus import Bus, connected, wait_for
from bench.core.lab import Lab
from bench.core.plan import Plan
from bench.core.results import Results
from bench.core.rounds import interleave
from bench.core.statistics import percentile
from bench.journey.people import on_the_wire
from bench.report.chapter import STORE_NAMES, Chapter, Target, not_measured, table
from chassis.ids import new_id
from contracts.events.intake import SafeguardingConcernRaised
from contracts.events.matching import MatchingStalled
from contracts.vocabulary import ConcernCategory, ConcernId, ReferralId, Severity, StallReason
from leeward.runtime.supervisor import Supervisor
from leeward.runtime.workspace import Workspace
from tests.support.system import virtual_host

NAME = "alerts"
TITLE = "A safeguarding alert behind a backlog"
SERVICE = "notifications"
HEARD = "alerts.sent"
PER_SECOND = 5
PATIENCE_SECONDS = 60.0
WANTED_MS = 1_000


@dataclass(frozen=True)
class Round:
    """Milliseconds from publishing a concern to hearing that its alert was sent. `waiting_after` are the ordinary
    messages that were still in the inbox when the last alert was out."""

    store: str
    backlog: int
    waiting_after: int
    alerts: int
    missing: int
    p50_ms: float
    p99_ms: float
    slowest_ms: float


def measure(lab: Lab, plan: Plan, results: Results) -> list[str]:
    rounds: list[Round] = []

    def one(number: int, store: str) -> None:
        rounds.append(_round(lab, store, plan))
        results.save(NAME, rounds)
        lab.say(f"{rounds[-1]}")

    problems = interleave(lab.stores, 1, one, lab.say)
    return problems + [f"{one.missing} alerts on {one.store} never went out" for one in rounds if one.missing]


def _round(lab: Lab, store: str, plan: Plan) -> Round:
    with _waiting(lab, store, plan.alert_backlog) as (supervisor, bus):
        supervisor.start()
        inbox = f"{SERVICE}.inbox"
        wait_for(lambda: bus.depth(inbox) < plan.alert_backlog, "the backlog is being worked off")
        taken, missing = _raise_and_follow(bus, plan.alerts)
        waiting = bus.depth(inbox)
    return Round(
        store=store,
        backlog=plan.alert_backlog,
        waiting_after=waiting,
        alerts=len(taken),
        missing=missing,
        p50_ms=percentile(taken, 0.5),
        p99_ms=percentile(taken, 0.99),
        slowest_ms=max(taken),
    )


@contextmanager
def _waiting(lab: Lab, store: str, backlog: int) -> Iterator[tuple[Supervisor, Bus]]:
    """A notifications service that is stopped, with so many ordinary messages in its inbox."""
    workspace = Workspace(lab.folder / f"alerts-{store}")
    workspace.prepare({SERVICE: lab.database(store, "alerts")} if store == "postgresql" else None)
    amqp_uri = virtual_host(lab.node, f"alerts_{store}")
    with ExitStack() as stack:
        bus = stack.enter_context(connected(amqp_uri))
        for publisher in ("intake", "matching", "billing", "evaluation", SERVICE):
            bus.make_queue(HEARD, exchange=f"{publisher}.events", routing_key="SafeguardingAlertSent")
        supervisor = Supervisor(workspace, amqp_uri, [SERVICE])
        stack.callback(supervisor.stop)
        supervisor.migrate()
        supervisor.start()
        supervisor.stop()
        bus.publish(on_the_wire(_stall()) for _ in range(backlog))
        yield supervisor, bus


def _raise_and_follow(bus: Bus, alerts: int) -> tuple[list[float], int]:
    """The milliseconds that each of so many evenly spaced concerns took, and how many never went out."""
    raised: dict[str, float] = {}
    taken: list[float] = []

    def on_sent(message: Any) -> None:
        at = raised.pop(json.loads(message.body)["concern_id"], None)
        if at is not None:
            taken.append((time.perf_counter() - at) * 1000)

    tag = bus.listen(HEARD, on_sent)
    began = time.perf_counter()
    for number in range(alerts):
        bus.pump(began + number / PER_SECOND - time.perf_counter())
        concern = _concern()
        message = on_the_wire(concern)
        raised[str(concern.concern_id)] = time.perf_counter()
        bus.send(message)
    until = time.monotonic() + PATIENCE_SECONDS
    while raised and time.monotonic() < until:
        bus.pump(0.05)
    bus.stop_listening(tag)
    return taken, len(raised)


def _stall() -> MatchingStalled:
    return MatchingStalled(
        referral_id=ReferralId(new_id()), reason=StallReason.NOBODY_NEAR, waiting_since=datetime.now(UTC)
    )


def _concern() -> SafeguardingConcernRaised:
    return SafeguardingConcernRaised(
        concern_id=ConcernId(new_id()),
        referral_id=ReferralId(new_id()),
        severity=Severity.IMMEDIATE,
        category=ConcernCategory.CHILD_AT_RISK,
        raised_at=datetime.now(UTC),
    )


def chapter(results: Results) -> Chapter:
    chapter = Chapter(TITLE)
    rounds = results.load(NAME, Round)
    chapter.add(
        "Notifications is stopped, ordinary messages are put into its inbox, each of which becomes a letter to the "
        f"office, and it is started again. While it works them off {PER_SECOND} concerns a second are raised, each "
        "timed from the moment before it is published until an independent consumer has heard that the alert was sent, "
        "which is when it lies, synced, in a Maildir."
    )
    rows = [
        (
            STORE_NAMES[one.store],
            *(f"{count:,}" for count in (one.backlog, one.waiting_after, one.alerts)),
            *(f"{figure:,.0f}" for figure in (one.p50_ms, one.p99_ms, one.slowest_ms)),
        )
        for one in rounds
    ]
    headings = ("store", "waiting", "still waiting at the end", "alerts", "p50 ms", "p99 ms", "slowest ms")
    chapter.add(table(headings, rows))
    chapter.targets += [_target(store, rounds) for store in ("sqlite", "postgresql")]
    return chapter


def _target(store: str, rounds: list[Round]) -> Target:
    label, wanted = f"Alert raised to sent behind a backlog, p99 on {STORE_NAMES[store]}", f"< {WANTED_MS:,} ms"
    one = next((one for one in rounds if one.store == store), None)
    if one is None:
        return not_measured(label, wanted)
    measured = f"{one.p99_ms:,.0f} ms behind {one.backlog:,}" + (f", {one.missing} lost" if one.missing else "")
    return Target(label, wanted, measured, one.p99_ms < WANTED_MS and not one.missing)
