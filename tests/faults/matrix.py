"""The published matrix, docs/faults.md: generated, in an order that never changes."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from tests.faults.mail import Mailing
from tests.faults.scenario import SCENARIOS, STORES, Scenario
from tests.faults.stage import Outcome

PATH = Path(__file__).parent.parent.parent / "docs" / "faults.md"
TITLES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}

INTRODUCTION = """\
# Faults

What happens to events when something breaks, tried by `make faults`, which also writes this page. Every fault is made
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


def write(outcomes: Iterable[Outcome], mailings: Iterable[Mailing], seed: int) -> None:
    PATH.write_text(page(list(outcomes), list(mailings), seed))


def page(outcomes: list[Outcome], mailings: list[Mailing], seed: int) -> str:
    by_place = {(one.number, one.store): one for one in outcomes}
    today = datetime.now(UTC).date().isoformat()
    lines = [INTRODUCTION, f"Run on {today} with seed {seed}, on {machine()}.", ""]
    for store in STORES:
        lines += [f"## On {TITLES[store]}", "", *_table(store, by_place), ""]
    lines += [MAIL, *_mail_table(mailings), ""]
    lines += ["## How each fault is made, and how its scenario was seen to fail", ""]
    for scenario in in_order():
        lines += [f"{scenario.number}. **{scenario.name}**: {scenario.made}. Seen to fail: {scenario.seen}."]
        if scenario.note:
            lines += [f"   {scenario.note}"]
    return "\n".join(lines) + "\n"


def _mail_table(mailings: list[Mailing]) -> list[str]:
    rows = ["| message | its sender is SIGKILLed | store | copies | |", "|--" * 5 + "|"]
    for one in mailings:
        verdict = "; ".join(one.problems) or "held"
        rows.append(f"| {one.what} | {one.when} | {TITLES[one.store]} | {one.copies} | {verdict} |")
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
        "| | fault | events in | lost | done twice | parked | again on the wire | back | |",
        "|--|--|--|--|--|--|--|--|--|",
    ]
    for scenario in in_order():
        outcome = by_place.get((scenario.number, store))
        beginning = f"| {scenario.number} | {scenario.name} |"
        if outcome is None:
            reason = dict(scenario.not_on).get(store, "not run here")
            rows.append(f"{beginning} | | | | | | {reason} |")
            continue
        rows.append(
            f"{beginning} {outcome.events} | {outcome.lost} | {outcome.twice} | {outcome.parked} "
            f"| {outcome.duplicates} | {outcome.seconds:.1f} s | {'; '.join(outcome.problems) or 'held'} |"
        )
    return rows
