"""The probe: a service like any other, except that it does harm when asked to."""

from __future__ import annotations

from services.probe import handlers, store, tools
from services.probe.events import ProbeAsked, ProbeKeyed, Record

from chassis.host.service import Ports, command, due, health_check, lane, on, schedule


class ProbeService:
    """Writes one row and two ledger lines an event, and says so."""

    name = "probe"
    ports = Ports(metadata=store.metadata, tools=tools.build)

    inbox = lane(
        "inbox",
        on(ProbeAsked, handlers.note),
        on(ProbeKeyed, handlers.note_once, safe_by_business_key="run and number"),
    )
    timers = schedule(due("remind", handlers.remind))
    record = command(Record, handlers.record)
    health = health_check()
