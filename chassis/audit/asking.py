"""Asks a service whether its audit log holds, against any number of anchors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

from chassis.audit.chain import Anchor, Verdict

Ask = Callable[[Sequence[dict[str, Any]]], Any]
"""Gives the service's `audit` command these anchors, and returns its answer."""


def ask_verdict(ask: Ask, anchors: Sequence[Anchor], *, at_once: int) -> Verdict:
    """The service walks its whole chain each time it is asked, `at_once` anchors at a time. Raises what `ask` does."""
    given = [asdict(anchor) for anchor in anchors]
    verdict = Verdict(**ask(given[:at_once])["verdict"])
    for start in range(at_once, len(given), at_once):
        if not verdict.holds:
            break
        verdict = Verdict(**ask(given[start : start + at_once])["verdict"])
    return verdict
