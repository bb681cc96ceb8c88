"""The probe: a service like any other, except that it does harm when asked to."""

from __future__ import annotations

from services.probe import dependencies, handlers, store
from services.probe.events import ProbeAsked, ProbeHinted, ProbeKeyed, Record

from chassis.host.entrypoints import (
    Chassis,
    command,
    dead_letter_discard,
    dead_letter_export,
    dead_letter_list,
    dead_letter_replay,
    dead_letter_view,
    due,
    health_check,
    lane,
    on,
    schedule,
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
    list_dead_letters = dead_letter_list()
    show_dead_letters = dead_letter_view()
    export_dead_letters = dead_letter_export()
    replay_dead_letters = dead_letter_replay()
    discard_dead_letters = dead_letter_discard()
