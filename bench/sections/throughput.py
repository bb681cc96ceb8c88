"""One service: events a second through it, beside the peers and the bare limit."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from bench.contestants import ALL_OURS, ALL_PEERS, BY_NAME, LIMIT, TRACED, Contestant
from bench.core.bus import Bus, connected
from bench.core.lab import Lab
from bench.core.plan import Plan
from bench.core.results import Results
from bench.core.rounds import interleave
from bench.core.statistics import Spread, ratios
from bench.core.trial import drain, running
from bench.report.chapter import STORE_NAMES, Chapter, Target, not_measured, spread, table
from bench.report.svg import BOUND, OURS, THEIRS, Bar, bars

NAME = "throughput"
TITLE = "One service beside the others"
WANTED = {"sqlite": 8.0, "postgresql": 6.0}
WANTED_OF_LIMIT = 0.4
CPU_MICROSECONDS = 1e6


@dataclass(frozen=True)
class Round:
    """One contestant's work in one round. CPU in seconds."""

    round: int
    contestant: str
    store: str
    events: int
    seconds: float
    cpu_process: float
    cpu_database: float
    cpu_broker: float
    rows: int
    followups: int
    duplicates: int
    problem: str

    @property
    def rate(self) -> float:
        return self.events / self.seconds


@dataclass(frozen=True)
class Entry:
    """A contestant on a store."""

    contestant: Contestant
    store: str

    def __str__(self) -> str:
        return f"{self.contestant.name} on {self.store or 'no store'}"


def measure(lab: Lab, plan: Plan, results: Results) -> list[str]:
    return measure_these(_entries(lab), lab, plan, results)


def measure_these(entries: Sequence[Entry], lab: Lab, plan: Plan, results: Results) -> list[str]:
    """Measures some contestants; returns what went wrong."""
    rounds: list[Round] = []
    with connected(lab.amqp_uri) as bus:

        def one(number: int, entry: Entry) -> None:
            rounds.append(_round(lab, bus, plan, number, entry))
            results.save(NAME, rounds)
            last = rounds[-1]
            lab.say(f"round {number}: {entry}: {last.rate:,.0f} events/s {last.problem}")

        problems = interleave(entries, plan.rounds, one, lab.say)
    return problems + [f"round {one.round}, {one.contestant}: {one.problem}" for one in rounds if one.problem]


def _entries(lab: Lab) -> list[Entry]:
    peers = ALL_PEERS if lab.has_peers else ()
    return [
        *(Entry(one, store) for store in lab.stores for one in (*ALL_OURS, *peers)),
        Entry(TRACED, "sqlite"),
        Entry(LIMIT, ""),
    ]


def _round(lab: Lab, bus: Bus, plan: Plan, number: int, entry: Entry) -> Round:
    contestant = entry.contestant
    events = plan.events_peers if contestant in ALL_PEERS else plan.events_ours
    with running(lab, bus, contestant, entry.store) as trial:
        done = drain(trial, events)
    return Round(
        round=number,
        contestant=contestant.name,
        store=entry.store,
        events=events,
        seconds=done.seconds,
        cpu_process=done.cpu.process,
        cpu_database=done.cpu.database,
        cpu_broker=done.cpu.broker,
        rows=done.rows,
        followups=done.followups,
        duplicates=done.duplicates,
        problem=done.problem(events, rows=contestant.has_database),
    )


Valid = dict[tuple[str, str], list[Round]]
"""Valid rounds by contestant and store."""


def chapter(results: Results) -> Chapter:
    chapter = Chapter(TITLE)
    valid: Valid = defaultdict(list)
    for one in results.load(NAME, Round):
        if not one.problem:
            valid[one.contestant, one.store].append(one)
    chapter.add(INTRODUCTION)
    for store in WANTED:
        if any(found == store for _, found in valid):
            _describe_store(chapter, valid, store)
        _set_targets(chapter, valid, store)
    chapter.add(_guarantees())
    return chapter


INTRODUCTION = """\
Everybody does the same job: an event of about 600 bytes as JSON from a durable quorum queue is validated with
marshmallow (eight fields), one row is written idempotently and committed durably, one event follows. The backlog is
published while the contestant stands still (SIGSTOP); the clock runs from the moment it goes on until the independent
queue holds as many follow-up events as there were events. Then rows and follow-ups are counted by identifier, and a
round that lost any is invalid. The contestants take turns within each round; figures are medians, with the range."""


def _describe_store(chapter: Chapter, valid: Valid, store: str) -> None:
    best = best_peer(valid, store)
    shown = [(name, valid[name, found]) for name, found in valid if found in (store, "")]
    shown.sort(key=lambda one: -median(round_.rate for round_ in one[1]))
    rows = [_row(name, rounds, valid.get((best, store), [])) for name, rounds in shown]
    chapter.add(f"### {STORE_NAMES[store]}")
    headings = (
        "contestant",
        "events/s",
        "µs of CPU per event",
        "database's µs",
        "broker's µs",
        "against the best peer",
    )
    chapter.add(table(headings, rows))
    title = f"Events a second through one service, {STORE_NAMES[store]}"
    chapter.add_chart(f"throughput-{store}", title, bars(title, "events/s", [_bar(*one) for one in shown]))


def _row(name: str, rounds: Sequence[Round], best: Sequence[Round]) -> tuple[str, ...]:
    each = [CPU_MICROSECONDS / one.events for one in rounds]
    times = ratios(_by_round(rounds), _by_round(best))
    return (
        BY_NAME[name].title,
        spread([one.rate for one in rounds]),
        f"{median(one.cpu_process * factor for one, factor in zip(rounds, each, strict=True)):.0f}",
        f"{median(one.cpu_database * factor for one, factor in zip(rounds, each, strict=True)):.0f}",
        f"{median(one.cpu_broker * factor for one, factor in zip(rounds, each, strict=True)):.0f}",
        f"{median(times):.2f}×" if times else "–",
    )


def _bar(name: str, rounds: Sequence[Round]) -> Bar:
    found = Spread.of([one.rate for one in rounds])
    colour = OURS if BY_NAME[name].is_ours else BOUND if name == LIMIT.name else THEIRS
    return Bar(BY_NAME[name].title, found.median, found.lowest, found.highest, colour)


def best_peer(valid: Valid, store: str) -> str:
    """The peer with the highest median rate on a store; empty if none was measured."""
    rates = {
        one.name: median(round_.rate for round_ in valid[one.name, store])
        for one in ALL_PEERS
        if (one.name, store) in valid
    }
    return max(rates, key=lambda name: rates[name], default="")


def _set_targets(chapter: Chapter, valid: Valid, store: str) -> None:
    best = best_peer(valid, store)
    for one in ALL_OURS:
        rates = _by_round(valid.get((one.name, store), []))
        label = f"{one.title} on {STORE_NAMES[store]}"
        against = BY_NAME[best].title if best else "the best peer"
        found = ratios(rates, _by_round(valid.get((best, store), [])))
        chapter.targets.append(_target(f"{label}, against {against}", WANTED[store], found, "×"))
        found = ratios(rates, _by_round(valid.get((LIMIT.name, ""), [])))
        chapter.targets.append(_target(f"{label}, against the bare limit", WANTED_OF_LIMIT, found, ""))


def _target(label: str, wanted: float, found: Sequence[float], unit: str) -> Target:
    target = f"≥ {wanted:g}{unit}"
    if not found:
        return not_measured(label, target)
    return Target(
        label, target, f"{median(found):.2f}{unit} ({min(found):.2f}–{max(found):.2f})", median(found) >= wanted
    )


def _by_round(rounds: Sequence[Round]) -> dict[int, float]:
    return {one.round: one.rate for one in rounds}


def _guarantees() -> str:
    ours = (
        "Row and event are one transaction: neither without the other. A message has its effect once, however often it "
        "is delivered (inbox); the event goes out at least once, and a reader with an inbox sees it once."
    )
    rows = [("Leeward", ours)]
    told: dict[str, str] = {}
    for one in (*ALL_PEERS, LIMIT):
        told.setdefault(one.guarantee, one.title.split(",")[0])
    rows += [(title, guarantee) for guarantee, title in told.items()]
    return "What each promises, with the settings measured:\n\n" + table(("", "guarantee"), rows, left=2)
