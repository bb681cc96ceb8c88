"""The probe: a service like any other, except that it does harm when asked to."""

from __future__ import annotations

from services.probe import handlers, store, tools
from services.probe.events import ProbeAsked, ProbeHinted, ProbeKeyed, Record

from chassis.host.entrypoints import (
    Ports,
    command,
    discarder,
    due,
    exporter,
    health_check,
    lane,
    lister,
    on,
    replayer,
    schedule,
    shower,
)


class ProbeService:
    """Writes one row and two ledger lines an event, and says so."""

    name = "probe"
    ports = Ports(metadata=store.metadata, tools=tools.build)

    inbox = lane(
        "inbox",
        on(ProbeAsked, handlers.note),
        on(ProbeHinted, handlers.ignore),
        on(ProbeKeyed, handlers.note_once, safe_by_business_key="run and number"),
    )
    timers = schedule(due("remind", handlers.remind))
    record = command(Record, handlers.record)
    health = health_check()
    list_dead_letters = lister()
    show_dead_letters = shower()
    export_dead_letters = exporter()
    replay_dead_letters = replayer()
    discard_dead_letters = discarder()
