"""The probe: a service like any other, except that it does harm when asked to."""

from __future__ import annotations

from services.probe import dependencies, handlers, store
from services.probe.events import ProbeAsked, ProbeHinted, ProbeKeyed, Record

from chassis.host.entrypoints import (
    Chassis,
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
    chassis = Chassis(metadata=store.metadata, dependencies=dependencies.build)

    inbox = lane(
        "inbox",
        on(ProbeAsked, handlers.note),
        on(ProbeHinted, handlers.ignore),
        on(ProbeKeyed, handlers.note_once, idempotent_by="run and number"),
    )
    timers = schedule(due("remind", handlers.remind))
    record = command(Record, handlers.record)
    health = health_check()
    list_dead_letters = lister()
    show_dead_letters = shower()
    export_dead_letters = exporter()
    replay_dead_letters = replayer()
    discard_dead_letters = discarder()
