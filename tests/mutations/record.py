"""What was last seen of mutated messages, by store, in docs/mutations.json; docs/faults.md is made from it."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from tests.mutations.storm import Tally

RECORD = Path(__file__).parent.parent.parent / "docs" / "mutations.json"

INTRODUCTION = """\
## Messages and commands that somebody means harm by

Every event's golden sample and every command, as its schema has it, with something wrong in up to five places: fields,
sealed content, body, headers, properties; from a seed, to a whole running system, beside healthy requests for help.
`python -m tests.mutations` goes on from what stands here. *Unnamed errors* are failures for which no rule has a name;
*answered* counts commands that say where an answer can go to.
"""


def read() -> dict[str, Tally]:
    """By store."""
    if not RECORD.exists():
        return {}
    return {one["store"]: Tally(**one) for one in json.loads(RECORD.read_text())}


def keep(tally: Tally) -> None:
    kept = read() | {tally.store: tally}
    RECORD.write_text(json.dumps([asdict(kept[store]) for store in sorted(kept)], indent=None) + "\n")


def chapter() -> str:
    """The page's part on it; nothing before the first run."""
    tallies = list(read().values())
    if not tallies:
        return ""
    rows = ["| | " + " | ".join(one.store for one in tallies) + " |", "|--" * (len(tallies) + 1) + "|"]
    lines = [_told(one) for one in tallies]
    rows += ["| " + " | ".join((name, *(line[name] for line in lines))) + " |" for name in lines[0]]
    return "\n".join([INTRODUCTION, *rows, ""])


def _told(tally: Tally) -> dict[str, str]:
    return {
        "sent": f"{tally.sent:,}, {tally.sent / tally.seconds:.0f}/s",
        "restarts": str(tally.restarts),
        "unnamed errors": str(sum(tally.unnamed.values())),
        "commands answered, and not": f"{sum(tally.answers.values()):,}, {tally.unanswered}",
        "parked": f"{tally.parked:,}",
        "healthy requests, lost": f"{len(tally.latencies_ms):,}, {tally.healthy_lost}",
        "their p50, p99": f"{tally.p50:.0f}, {tally.p99:.0f} ms",
        "memory": f"+{tally.grown_mb:.0f} MB at most",
        "verdict": "; ".join(tally.problems()) or "held",
        "last run on": tally.on,
    }
