"""What the probe's handlers find as `unit.dependencies`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from services.probe import points

from chassis.config import Env


@dataclass(frozen=True)
class Dependencies:
    """The folder by which a test and the probe talk, and the guarantees that this probe breaks on purpose."""

    control: Path
    sabotage: frozenset[str]


def build(env: Env) -> Dependencies:
    dependencies = Dependencies(env.path("PROBE_CONTROL"), frozenset(env.list("PROBE_SABOTAGE", [])))
    points.install(dependencies.control, dependencies.sabotage)
    return dependencies
