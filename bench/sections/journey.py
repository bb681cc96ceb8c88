"""The whole journey of a request, through five services, beside a bare chain of four."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench.core.bus import connected, wait_for
from bench.core.lab import Lab
from bench.core.plan import Plan
from bench.core.processes import cpu_seconds
from bench.core.results import Results
from bench.core.rounds import attempt, interleave
from bench.journey import people, profile
from bench.journey.chain import Chain, running_chain
from bench.journey.driver import COUNTED
from bench.journey.system import Journey, running_journey, settle
from bench.sections.journey_rows import Depth, Look, Round, Service
from bench.sections.journey_steady import SHARES, stream_of
from bench.sections.journey_text import chapter

__all__ = ["NAME", "TITLE", "chapter", "measure"]

NAME = "journey"
TITLE = "The whole journey"
JOURNEY_SECONDS = 300.0
SETTLE_SECONDS = 60.0
PUMP_SECONDS = 0.1
WARM_UP = 40
BURST_SECONDS = 10.0
"""A burst has as many referrals as the warm-up promises to fill this time, and no more than planned."""

LEEWARD, CHAIN = "leeward", "nameko chain"


class Notes:
    """What was measured so far, saved after every step."""

    def __init__(self, results: Results) -> None:
        self._results = results
        self.rounds: list[Round] = []
        self.services: list[Service] = []
        self.depths: list[Depth] = []
        self.looks: list[Look] = []

    def save(self) -> None:
        self._results.save(NAME, self.rounds)
        self._results.save("journey-services", self.services)
        self._results.save("journey-depths", self.depths)
        self._results.save("journey-profile", self.looks)


def measure(lab: Lab, plan: Plan, results: Results) -> list[str]:
    notes = Notes(results)
    problems: list[str] = []
    for store in lab.stores:
        failure = attempt(lambda store=store: problems.extend(_on_store(lab, plan, notes, store)))  # type: ignore[misc]
        if failure:
            lab.say(f"{store}: {failure}")
            problems.append(f"{store}: {failure}")
    return problems


def _on_store(lab: Lab, plan: Plan, notes: Notes, store: str) -> list[str]:
    with ExitStack() as stack:
        journey = stack.enter_context(running_journey(lab, store))
        chain = _chain(lab, stack, store)
        warm_up, _, _ = _burst(lab, journey, 0, WARM_UP)
        referrals = min(plan.referrals, max(WARM_UP, int(warm_up.rate * BURST_SECONDS)))

        def one(number: int, who: str) -> None:
            if who == CHAIN:
                assert chain is not None
                notes.rounds.append(_chain_round(lab, chain, number, store, plan.chain_referrals))
            else:
                round_, services, depths = _burst(lab, journey, number, referrals)
                notes.rounds.append(round_)
                notes.services += services
                notes.depths += depths if number == 1 else []  # one is enough to look at
            notes.save()
            last = notes.rounds[-1]
            lab.say(f"round {number}: {who} on {store}: {last.rate:,.0f} referrals/s {last.problem}")

        problems = interleave((LEEWARD, CHAIN) if chain else (LEEWARD,), plan.few_rounds, one, lab.say)
        problems += _afterwards(lab, plan, notes, journey, referrals)
    return problems


def _chain(lab: Lab, stack: ExitStack, store: str) -> Chain | None:
    if not lab.has_peers:
        return None
    bus = stack.enter_context(connected(lab.amqp_uri))
    return stack.enter_context(running_chain(lab, bus, store))


def _afterwards(lab: Lab, plan: Plan, notes: Notes, journey: Journey, referrals: int) -> list[str]:
    """Steady streams, and a look inside the busiest service. Each may fail without losing the other."""
    rates = [one.rate for one in notes.rounds if one.who == LEEWARD and one.store == journey.store and not one.problem]
    if not rates:
        return [f"{journey.store}: no rate to go by, so neither steady streams nor profile"]

    def steady() -> None:
        for share in SHARES:
            notes.depths += (depths := _steady(journey, median(rates) * share, plan.steady_seconds))
            stream = stream_of(depths)
            lab.say(f"{stream.per_second:.0f} referrals/s on {journey.store}: {stream.described}")
            if not stream.grows:
                break

    def look() -> None:
        notes.looks += _look_inside(lab, journey, notes, referrals, plan.profile_seconds)

    failures = [(name, attempt(step)) for name, step in (("steady streams", steady), ("profile", look))]
    notes.save()
    return [f"{journey.store}, {name}: {failure}" for name, failure in failures if failure]


def _burst(lab: Lab, journey: Journey, number: int, referrals: int) -> tuple[Round, list[Service], list[Depth]]:
    """Publishes so many requests at once, and follows them until all is done."""
    requests = list(people.requests(journey.keyring, referrals, seed=number))
    driver = journey.driver
    driver.begin()
    before = _used(lab, journey.store, journey.cpu())
    began = time.monotonic()
    with journey.sampling() as depths:
        driver.publish(requests)
        _follow(journey, referrals)
    used, rss = _used(lab, journey.store, journey.cpu()), journey.rss()
    round_ = Round(
        round=number,
        store=journey.store,
        who=LEEWARD,
        referrals=referrals,
        seconds=driver.last_at - began,
        events=sum(driver.counts.values()),
        letters=driver.counts["MessageSent"],
        problem=_problem(journey, referrals),
        **used.since(before),
    )
    services = [
        Service(
            number, journey.store, name, referrals, cpu - before.services[name], journey.rss_at_rest[name], rss[name]
        )
        for name, cpu in used.services.items()
    ]
    return round_, services, depths


@dataclass(frozen=True)
class Used:
    """CPU seconds up to a moment: of each service, the driver, the broker and the database."""

    services: dict[str, float]
    driver: float
    broker: float
    database: float

    def since(self, before: Used) -> dict[str, float]:
        """What was used between two moments, as a Round names it."""
        return {
            "cpu_services": sum(self.services.values()) - sum(before.services.values()),
            "cpu_driver": self.driver - before.driver,
            "cpu_broker": self.broker - before.broker,
            "cpu_database": self.database - before.database,
        }


def _used(lab: Lab, store: str, services: dict[str, float]) -> Used:
    database = lab.database_pid if store == "postgresql" else None
    return Used(
        services=services,
        driver=time.process_time(),
        broker=cpu_seconds(lab.broker_pid),
        database=cpu_seconds(database) if database else 0.0,
    )


def _follow(journey: Journey, referrals: int) -> None:
    def done() -> bool:
        journey.check_alive()
        journey.bus.pump(PUMP_SECONDS)
        return journey.driver.has_seen(referrals)

    wait_for(done, f"{referrals} referrals on {journey.store}", every=0, within=JOURNEY_SECONDS)
    settle(journey, SETTLE_SECONDS)


def _problem(journey: Journey, referrals: int) -> str:
    driver = journey.driver
    wrong = [f"{driver.counts[name]} {name}" for name in COUNTED if driver.counts[name] < referrals]
    wrong += [f"{count} {name}" for name, count in driver.refused.items()]
    return f"{', '.join(wrong)} for {referrals} referrals" if wrong else ""


def _chain_round(lab: Lab, chain: Chain, number: int, store: str, referrals: int) -> Round:
    before = _used(lab, store, {CHAIN: chain.cpu()})
    seconds = chain.run(referrals)
    return Round(
        round=number,
        store=store,
        who=CHAIN,
        referrals=referrals,
        seconds=seconds,
        events=referrals * 4,
        letters=0,
        problem="",
        **_used(lab, store, {CHAIN: chain.cpu()}).since(before),
    )


def _steady(journey: Journey, per_second: float, seconds: float) -> list[Depth]:
    """Sends so many requests a second, evenly, and watches the queues."""
    requests = list(people.requests(journey.keyring, int(per_second * seconds), seed=-1))
    journey.driver.begin()
    with journey.sampling(per_second) as depths:
        began = time.monotonic()
        for number, request in enumerate(requests):
            journey.bus.pump(began + number / per_second - time.monotonic())
            journey.bus.send(request)
    _follow(journey, len(requests))
    return depths


def _look_inside(lab: Lab, journey: Journey, notes: Notes, referrals: int, seconds: int) -> list[Look]:
    """A burst of its own while py-spy watches the service that uses the most CPU."""
    mine = [one for one in notes.services if one.store == journey.store]
    busiest = max({one.service for one in mine}, key=lambda name: sum(one.cpu for one in mine if one.service == name))
    file: Path = lab.folder / f"profile-{journey.store}.txt"
    watching = profile.start(journey.pid(busiest), seconds, file)
    if watching is None:
        raise FileNotFoundError("py-spy is not installed; make the peers' virtual environment with `make bench`")
    _burst(lab, journey, -2, referrals)
    watching.wait(seconds + JOURNEY_SECONDS)
    looked = profile.shares(file.read_text())
    return [Look(journey.store, busiest, area, share) for area, share in looked.items()]
