"""The operators' audit log: a hash-chained file of actions that belong to no single service."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from chassis.audit.anchoring import CONTRADICTS, UNREADABLE
from chassis.audit.anchors import append_line, read_anchors, whole_lines
from chassis.audit.chain import Anchor, AuditAction, Verdict, chained, verify
from leeward.console.operator import login
from leeward.errors import Refusal
from leeward.runtime.workspace import Workspace

OPERATOR = "operator"


class NoEntry(Refusal):
    """A line of the operators' log is no entry; the message says which."""


@dataclass(frozen=True)
class Finding:
    """The result of verifying one log: the verdict, or why there is none, and the lines that are no anchors."""

    verdict: Verdict | str
    unreadable: Sequence[int] = ()

    @property
    def is_well(self) -> bool:
        return isinstance(self.verdict, Verdict) and self.verdict.holds and not self.unreadable

    def to_json(self) -> Any:
        verdict: Any = self.verdict if isinstance(self.verdict, str) else asdict(self.verdict)
        return {**verdict, "unreadable_anchors": list(self.unreadable)} if isinstance(verdict, dict) else verdict


def record_audit(path: Path, what: AuditAction, *, at: datetime, **about: Any) -> None:
    """Appends an entry, and returns once it is on disk. `about` holds identifiers, codes and the given reason.

    Raises NoEntry if the line before isn't one.
    """
    entry = {"at": at.isoformat(), "who": login(), "what": what.value, **about}

    def follow(lines: Sequence[bytes]) -> Mapping[str, object]:
        last = _entry(lines[-1], len(lines), path) if lines else None
        return chained(entry, after=Anchor(last["sequence"], last["hash"]) if last else None)

    append_line(path, follow)


def entries_in(path: Path) -> list[dict[str, Any]]:
    """What operators have done, oldest first; nothing if there is no such file. Raises NoEntry."""
    lines = whole_lines(path.read_bytes()) if path.exists() else []
    return [_entry(line, number, path) for number, line in enumerate(lines, start=1)]


def operators_log(workspace: Workspace) -> Finding:
    """Verifies the operators' log."""
    anchored = read_anchors(workspace.anchors, OPERATOR)
    try:
        verdict = verify(entries_in(workspace.audit), anchors=anchored.anchors)
    except NoEntry as error:
        verdict = Verdict(0, "", broken_at=1, why=str(error))
    return Finding(verdict, anchored.unreadable)


def operators_alarms(workspace: Workspace) -> Mapping[str, int]:
    """The alarms of the operators' log: counts by alarm name, only those above 0."""
    anchored = read_anchors(workspace.anchors, OPERATOR)
    try:
        there = {entry["sequence"]: entry["hash"] for entry in entries_in(workspace.audit)}
    except NoEntry:
        there = {}
    broken = {anchor for anchor in anchored.anchors if there.get(anchor.sequence) != anchor.hash}
    counted = {CONTRADICTS: len(broken), UNREADABLE: len(anchored.unreadable)}
    return {name: count for name, count in counted.items() if count}


def _entry(line: bytes, number: int, path: Path) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except ValueError:
        found = None
    if not isinstance(found, dict) or not {"sequence", "hash"} <= set(found):
        raise NoEntry(f"line {number} of {path} is no entry of the audit log; it was damaged or changed")
    return found
