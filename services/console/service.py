"""The console's read model: a table of contents."""

from __future__ import annotations

from chassis.host.entrypoints import (
    Chassis,
    audit_list,
    audit_query,
    command,
    dead_letter_discard,
    dead_letter_export,
    dead_letter_list,
    dead_letter_replay,
    dead_letter_view,
    event_log_query,
    health_check,
    lane,
    on,
    own_audit_list,
    schedule,
    secret_key_list,
)
from contracts.catalogue import events as all_events
from contracts.commands.console import (
    AssignReferral,
    CountQueues,
    CountWork,
    ListEvents,
    ListNewToMe,
    ListQueue,
    MoveWork,
    NoteOpened,
    RebuildReadModel,
    ShowReferral,
)
from contracts.commands.snapshots import FillReadModel
from contracts.events.intake import ReferralErased
from services.console import dependencies
from services.console.handlers import commands, events, queries
from services.console.store import tables

FROM_SERVICES = ("intake", "matching", "billing", "notifications", "evaluation")
"""Whose events are kept: every one. What front-ends publish is on its way to one of these, and sealed."""


class ConsoleService:
    """Lists what waits for whom, from every event that services publish. Nothing personal is in it."""

    name = "console"
    chassis = Chassis(metadata=tables.metadata, dependencies=dependencies.build)

    inbox = lane(
        "inbox",
        on(ReferralErased, events.forget),
        *(
            on(event, events.hear)
            for event in all_events()
            if event.publisher in FROM_SERVICES and event is not ReferralErased
        ),
    )
    timers = schedule()

    queue = command(ListQueue, queries.list_queue)
    count_queues = command(CountQueues, queries.count_queues)
    show = command(ShowReferral, queries.show_referral)
    list_events = command(ListEvents, queries.list_events)
    assign = command(AssignReferral, commands.assign_referral)
    count_work = command(CountWork, queries.count_work)
    move_work = command(MoveWork, commands.move_work)
    list_new_to_me = command(ListNewToMe, queries.list_new_to_me)
    note_opened = command(NoteOpened, commands.note_opened)
    rebuild = command(RebuildReadModel, commands.rebuild_read_model)
    fill = command(FillReadModel, commands.fill_read_model)
    health = health_check()
    story = event_log_query()
    audit = audit_query()
    list_audit = audit_list()
    list_own_audit = own_audit_list()
    list_secret_keys = secret_key_list()
    list_dead_letters = dead_letter_list()
    show_dead_letters = dead_letter_view()
    export_dead_letters = dead_letter_export()
    replay_dead_letters = dead_letter_replay()
    discard_dead_letters = dead_letter_discard()
