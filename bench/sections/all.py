"""Every section, in the order of the report."""

from __future__ import annotations

from types import ModuleType

from bench.sections import alerts, coldstart, journey, kills, latency, relay, scaling, site, throughput

SECTIONS: dict[str, ModuleType] = {
    section.NAME: section for section in (throughput, latency, journey, scaling, relay, kills, alerts, coldstart, site)
}
