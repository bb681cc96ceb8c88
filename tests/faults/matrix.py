"""The published matrix, docs/faults.md: generated, in an order that never changes."""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.faults import scenarios  # noqa: F401 - which fills SCENARIOS
from tests.faults.mail import Mailing
from tests.faults.scenario import SCENARIOS, STORES, Scenario
from tests.faults.stage import Outcome
from tests.mutations import record as mutations

PATH = Path(__file__).parent.parent.parent / "docs" / "faults.md"
RECORD = PATH.with_suffix(".json")
"""What was last seen of each fault, from which the page is made."""
SEED = 20261121
Place = tuple[str, str]
TITLES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}

INTRODUCTION = """\
# Faults

What happens to events when something breaks, tried by `make faults`, which also writes this page: what was last seen of
each fault, and on which day. Every fault is made
against real processes of a probe service, a real RabbitMQ and both stores; killing means SIGKILL. Each event asks for
one business row, two ledger lines and one follow-up event. *Lost* and *done twice* are counted in the database and by
an independent reader of the follow-ups, never asked of the code under test. *Again on the wire* counts follow-ups
that were published more than once under one id, which their readers' inboxes absorb. *Back* is the time from the end
of the fault (the process killed, the network whole, the broker or the database started again) until everything was
done.

`python -m tests.faults --sabotage` breaks on purpose what each scenario puts to the test and checks that it is noticed.
"""


MAIL = """\
## What can't hold by nature: mail

SMTP can't say whether a server took a message before the line broke. Notifications takes the safe side: a safeguarding
alert goes out twice rather than never, and a client's message at most once more, under the same Message-ID. The server
here kills the service over a message, before it has taken it or after.
"""


def progress(outcome: Outcome, scenario: Scenario) -> str:
    """One line for a person who waits."""
    verdict = "; ".join(outcome.problems) or "held"
    return (
        f"{outcome.number:2} {outcome.store:10} {scenario.name[:50]:50} {outcome.events:5} in, "
        f"{outcome.duplicates:4} again, back in {outcome.seconds:5.1f} s: {verdict}"
    )


def keep(seen: Outcome | Mailing, seed: int) -> None:
    """Puts what was seen into the record, where it was seen before or not, and writes the page anew."""
    record = read_record()
    record[_place(seen)] = replace(seen, on=datetime.now(UTC).date().isoformat())
    in_order = [record[place] for place in sorted(record)]
    RECORD.write_text(json.dumps([asdict(one) for one in in_order], indent=1) + "\n")
    write_page(seed)


def write_page(seed: int = SEED) -> None:
    """Writes the page anew from what was last seen of everything."""
    record = read_record()
    in_order = [record[place] for place in sorted(record)]
    outcomes = [one for one in in_order if isinstance(one, Outcome)]
    mailings = [one for one in in_order if isinstance(one, Mailing)]
    PATH.write_text(page(outcomes, mailings, seed))


def read_record() -> dict[Place, Outcome | Mailing]:
    """What was last seen, by what it was seen of."""
    if not RECORD.exists():
        return {}
    seen = [_read(one) for one in json.loads(RECORD.read_text())]
    return {_place(one): one for one in seen}


def _read(one: dict[str, Any]) -> Outcome | Mailing:
    one["problems"] = tuple(one["problems"])
    return Outcome(**one) if "number" in one else Mailing(**one)


def _place(seen: Outcome | Mailing) -> Place:
    return (f"{seen.number:02}" if isinstance(seen, Outcome) else f"{seen.what}, {seen.when}", seen.store)


def page(outcomes: list[Outcome], mailings: list[Mailing], seed: int) -> str:
    by_place = {(one.number, one.store): one for one in outcomes}
    lines = [INTRODUCTION, f"Run with seed {seed}, on {machine()}.", ""]
    for store in STORES:
        lines += [f"## On {TITLES[store]}", "", *_table(store, by_place), ""]
    lines += [MAIL, *_mail_table(mailings), "", *mutations.chapter().splitlines(), ""]
    lines += ["## How each fault is made, and how its scenario was seen to fail", ""]
    for scenario in in_order():
        lines += [f"{scenario.number}. **{scenario.name}**: {scenario.made}. Seen to fail: {scenario.seen}."]
        if scenario.note:
            lines += [f"   {scenario.note}"]
    return "\n".join(lines) + "\n"


def _mail_table(mailings: list[Mailing]) -> list[str]:
    rows = ["| message | its sender is SIGKILLed | store | copies | | run on |", "|--" * 6 + "|"]
    for one in mailings:
        verdict = "; ".join(one.problems) or "held"
        rows.append(f"| {one.what} | {one.when} | {TITLES[one.store]} | {one.copies} | {verdict} | {one.on} |")
    return rows


def in_order() -> list[Scenario]:
    return [SCENARIOS[number] for number in sorted(SCENARIOS)]


def machine() -> str:
    """Cores, memory and versions; nothing by which a machine is known."""
    broker = _version("dpkg-query", "--show", "--showformat=${Version}", "rabbitmq-server")
    postgres = _version("dpkg-query", "--show", "--showformat=${Version}", "postgresql")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 1024**3
    return (
        f"{os.cpu_count()} cores, {memory} GiB, {platform.system()}, Python {platform.python_version()}, "
        f"RabbitMQ {broker}, PostgreSQL {postgres}"
    )


def _version(*command: str) -> str:
    try:
        found = subprocess.run(command, capture_output=True, text=True).stdout
    except FileNotFoundError:
        found = ""
    match = re.match(r"[\d.]+", found)
    return match[0].rstrip(".") if match else "(version unknown)"


def _table(store: str, by_place: dict[tuple[int, str], Outcome]) -> list[str]:
    rows = [
        "| | fault | events in | lost | done twice | parked | again on the wire | back | | run on |",
        "|--|--|--|--|--|--|--|--|--|--|",
    ]
    for scenario in in_order():
        outcome = by_place.get((scenario.number, store))
        beginning = f"| {scenario.number} | {scenario.name} |"
        if outcome is None:
            reason = dict(scenario.not_on).get(store, "not run here")
            rows.append(f"{beginning} | | | | | | {reason} | |")
            continue
        verdict = "; ".join(outcome.problems) or "held"
        rows.append(
            f"{beginning} {outcome.events} | {outcome.lost} | {outcome.twice} | {outcome.parked} "
            f"| {outcome.duplicates} | {outcome.seconds:.1f} s | {verdict} | {outcome.on} |"
        )
    return rows
