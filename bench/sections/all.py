"""Every section, in the order of the report."""

from __future__ import annotations

from types import ModuleType

from bench.sections import (
    alerts,
    coldstart,
    console_lists,
    journey,
    kills,
    latency,
    relay,
    scaling,
    signing,
    site,
    throughput,
    waiting_list,
)

_IN_ORDER = (
    throughput,
    latency,
    journey,
    waiting_list,
    scaling,
    relay,
    kills,
    alerts,
    signing,
    console_lists,
    coldstart,
    site,
)
SECTIONS: dict[str, ModuleType] = {section.NAME: section for section in _IN_ORDER}
