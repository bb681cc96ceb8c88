"""What the console's handlers find as `unit.dependencies`: nothing, for it seals nothing and opens nothing."""

from __future__ import annotations

from dataclasses import dataclass

from chassis.config import Env


@dataclass(frozen=True)
class Dependencies:
    """Empty."""


def build(env: Env) -> Dependencies:
    return Dependencies()
