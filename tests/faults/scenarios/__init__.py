"""The scenarios, by what they disturb. Importing this fills `tests.faults.scenario.SCENARIOS`."""

from tests.faults.scenarios import (
    broker,
    clocks,
    consuming,
    database,
    hostile,
    network,
    parking,
    producing,
    replicas,
    restarts,
)

__all__ = [
    "broker",
    "clocks",
    "consuming",
    "database",
    "hostile",
    "network",
    "parking",
    "producing",
    "replicas",
    "restarts",
]
