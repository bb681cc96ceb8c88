"""What the report says of the whole journey."""

from __future__ import annotations

from statistics import median

from bench.core.results import Results
from bench.core.statistics import ratios
from bench.report.chapter import STORE_NAMES, Chapter, Target, not_measured, spread, table
from bench.sections.journey_rows import Depth, Look, Round, Service
from bench.sections.journey_steady import describe_streams

WANTED = 2.0
MOST_MB_AT_REST = 120.0
CPU_MICROSECONDS = 1e6
CORES = 2
"""On which the journey is asked for."""

LEEWARD, CHAIN = "leeward", "nameko chain"
TITLES = {LEEWARD: "Leeward, the whole journey", CHAIN: "nameko, a bare chain of four"}

INTRODUCTION = """\
All five services run, with a broker, on this machine. Sealed requests for help are published all at once. A driver,
standing for the people, assesses each referral and accepts each offer by command as soon as it hears of it. The clock
runs until every referral is matched, charged for and subsidised, both sides are invited to evaluate, and the last
letter is written; all of it seen by an independent consumer. The bare chain has four stock nameko services, each of
which validates an event, writes one row and passes the event on: no rules, no letters, no encryption, no inbox."""


def chapter(results: Results) -> Chapter:
    chapter = Chapter("The whole journey")
    chapter.add(INTRODUCTION)
    rounds = [one for one in results.load("journey", Round) if not one.problem]
    services = results.load("journey-services", Service)
    depths = results.load("journey-depths", Depth)
    _describe_rates(chapter, rounds)
    _describe_services(chapter, services)
    describe_streams(chapter, depths)
    _describe_looks(chapter, results.load("journey-profile", Look))
    return chapter


def _describe_rates(chapter: Chapter, rounds: list[Round]) -> None:
    rows = []
    for store in ("sqlite", "postgresql"):
        for who in (LEEWARD, CHAIN):
            found = [one for one in rounds if (one.store, one.who) == (store, who)]
            if found:
                rows.append(_rate_row(store, who, found))
        chapter.targets.append(_rate_target(store, rounds))
    headings = (
        "store",
        "",
        "referrals/s",
        "events each",
        "letters",
        "services' ms",
        "driver's",
        "broker's",
        "database's",
    )
    chapter.add(table(headings, rows, left=2))
    chapter.add(
        "Milliseconds are of CPU, for each referral. Events are those that the driver waits for, letters among them."
    )
    for room in filter(None, (_room(store, rounds) for store in ("sqlite", "postgresql"))):
        chapter.add(room)


def _room(store: str, rounds: list[Round]) -> str:
    """What the target leaves for a referral, beside what only the broker takes of it; empty if nothing is known."""
    ours, chain = ([one for one in rounds if (one.store, one.who) == (store, who)] for who in (LEEWARD, CHAIN))
    if not ours or not chain:
        return ""
    left = CORES * 1000 / (WANTED * median(one.rate for one in chain))
    broker = median(one.cpu_broker / one.referrals for one in ours) * 1000
    return (
        f"On {STORE_NAMES[store]}, {WANTED:g} times the chain's rate would leave {left:.1f} ms of {CORES} cores for a "
        f"referral. The broker alone takes {broker:.1f} ms of them for what a referral has it carry."
    )


def _rate_row(store: str, who: str, found: list[Round]) -> tuple[str, ...]:
    def per_referral(name: str) -> str:
        return f"{median(getattr(one, name) / one.referrals for one in found):.1f}"

    def milliseconds(name: str) -> str:
        return f"{median(getattr(one, name) / one.referrals for one in found) * 1000:.2f}"

    cpu = [milliseconds(name) for name in ("cpu_services", "cpu_driver", "cpu_broker", "cpu_database")]
    rate = spread([one.rate for one in found])
    return (STORE_NAMES[store], TITLES[who], rate, per_referral("events"), per_referral("letters"), *cpu)


def _rate_target(store: str, rounds: list[Round]) -> Target:
    label, target = f"Whole journey on {STORE_NAMES[store]}, against the bare chain", f"≥ {WANTED:g}×"
    by_who = {
        who: {one.round: one.rate for one in rounds if (one.store, one.who) == (store, who)} for who in (LEEWARD, CHAIN)
    }
    found = ratios(by_who[LEEWARD], by_who[CHAIN])
    if not found:
        return not_measured(label, target)
    measured = f"{median(found):.2f}× ({min(found):.2f}–{max(found):.2f})"
    return Target(label, target, measured, median(found) >= WANTED)


def _describe_services(chapter: Chapter, services: list[Service]) -> None:
    names = list(dict.fromkeys(one.service for one in services))
    rows = []
    for store in ("sqlite", "postgresql"):
        for name in names:
            found = [one for one in services if (one.store, one.service) == (store, name)]
            if found:
                cpu = spread([one.cpu / one.referrals * CPU_MICROSECONDS for one in found])
                after = max(one.rss_after for one in found)
                rows.append((STORE_NAMES[store], name, cpu, f"{found[0].rss_at_rest:.0f}", f"{after:.0f}"))
    headings = ("store", "service", "µs of CPU per referral", "MB at rest", "MB after load, at most")
    chapter.add(table(headings, rows, left=2))
    label, target = "Memory of each service at rest", f"≤ {MOST_MB_AT_REST:g} MB"
    if not services:
        chapter.targets.append(not_measured(label, target))
        return
    largest = max(services, key=lambda one: one.rss_at_rest)
    measured = f"{largest.rss_at_rest:.0f} MB at most ({largest.service}, {STORE_NAMES[largest.store]})"
    chapter.targets.append(Target(label, target, measured, largest.rss_at_rest <= MOST_MB_AT_REST))


def _describe_looks(chapter: Chapter, looks: list[Look]) -> None:
    for store in ("sqlite", "postgresql"):
        found = [one for one in looks if one.store == store]
        if found:
            who = f"What {found[0].service}, which uses the most CPU, spends it on"
            chapter.add(f"{who} ({STORE_NAMES[store]}; py-spy, in a run of its own):")
            chapter.add(table(("", "share"), [(one.area, f"{one.share * 100:.0f} %") for one in found]))
