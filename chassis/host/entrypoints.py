"""The functions that a service's `service.py` is written with: a nameko class that lists the service's entrypoints.

::

    class BillingService:
        name = "billing"
        chassis = Chassis(metadata=store.metadata, dependencies=settings.read)

        inbox = lane("inbox", on(TherapistMatched, handlers.charge_referral_fee))
        timers = schedule(due("renew_membership", handlers.renew_membership))
        open_fund = command(OpenFund, handlers.open_fund)
        health = health_check()
        story = event_log_query()
        audit = audit_query()
        list_audit = audit_list()
        list_own_audit = own_audit_list()
        list_dead_letters = dead_letter_list()
        show_dead_letters = dead_letter_view()
        export_dead_letters = dead_letter_export()
        replay_dead_letters = dead_letter_replay()
        discard_dead_letters = dead_letter_discard()
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

from nameko.extensions import ENTRYPOINT_EXTENSIONS_ATTR, Entrypoint, register_entrypoint

from chassis.access.actor import Actor
from chassis.access.authorization import NOT_ALLOWED, Origin
from chassis.audit.chain import Anchor
from chassis.audit.store import check, entries, page
from chassis.bus.dead_letters import DeadLetter
from chassis.bus.delivery import Subscription
from chassis.bus.topology import Topology, topology_of
from chassis.host import dead_letters
from chassis.host.commands import CommandMethod
from chassis.host.lane import Lane
from chassis.host.maintenance import Housekeeping
from chassis.host.provider import Chassis, as_json
from chassis.host.timers import Schedule
from chassis.host.webhooks import Post
from chassis.ports import CommandHandler, EventHandler, Refused, TimerHandler
from chassis.privacy.key_files import PRIVATE_SUFFIX, SIGNING_SUFFIX, readable_keys
from chassis.store.event_log import find_events
from chassis.store.schedule import Due, Flush, Perform, Record, SideEffect, nothing
from contracts.command import Command
from contracts.commands.operations import (
    AuditPage,
    CheckAudit,
    DiscardDeadLetters,
    ExportDeadLetters,
    GetHealth,
    GetStory,
    ListAudit,
    ListDeadLetters,
    ListOwnAudit,
    ListSecretKeys,
    LookAtDeadLetters,
    RecordedEntry,
    ReplayDeadLetters,
    SecretKeys,
    ShowDeadLetters,
)
from contracts.event import Event
from contracts.shape import InvalidShape, Shape

__all__ = [
    "Chassis",
    "Post",
    "audit_list",
    "audit_query",
    "command",
    "dead_letter_discard",
    "dead_letter_export",
    "dead_letter_list",
    "dead_letter_replay",
    "dead_letter_view",
    "due",
    "event_log_query",
    "health_check",
    "heard_by",
    "idempotent_by",
    "lane",
    "on",
    "own_audit_list",
    "schedule",
    "secret_key_list",
    "side_effect",
    "topology_for",
]

EntrypointMethod = Callable[..., Any]
CommandT = TypeVar("CommandT", bound=Command)


def on(event: type[Event], handler: EventHandler, *, idempotent_by: str = "") -> Subscription:
    """Subscribes a handler to an event.

    `idempotent_by` names the business key by which the handler recognises an event that it has handled before, even
    under another message id. Only then may a dead letter be replayed that is older than the inbox remembers.
    """
    return Subscription(event, handler, idempotent_by)


def lane(name: str, *subscriptions: Subscription, at_most: int | None = None) -> EntrypointMethod:
    """The queue `<service>.<name>` and its subscriptions.

    `at_most` limits the size of a batch, in services where urgent work would have to wait for a large one.
    """

    def settle_batch(service: Any, work: Callable[[], Any]) -> Any:
        return work()

    register_entrypoint(settle_batch, Lane(name, subscriptions, at_most))
    return settle_batch


def due(name: str, handler: TimerHandler) -> Due:
    """A timer's name and the handler that is called when such a timer is due."""
    return Due(name, handler)


def side_effect(
    name: str, *, perform: Perform, record: Record, failed: TimerHandler, flush: Flush = nothing, urgent: bool = False
) -> SideEffect:
    """A timer that acts on the outside world; see `chassis.store.schedule.SideEffect`."""
    return SideEffect(name, perform, record, failed, urgent, flush)


def schedule(*entries: Due | SideEffect) -> EntrypointMethod:
    """The service's timers."""

    def fire(service: Any) -> None:
        """Never called: the entrypoint fires each timer's own handler."""

    register_entrypoint(fire, Schedule(entries))
    return fire


def command(request: type[Command], handler: CommandHandler) -> EntrypointMethod:
    """A command, in nameko's wire format, that takes the request's fields by name and answers with a shape as JSON.

    A caller gets InvalidShape for invalid fields, and the name of the Refused for what the rules don't allow.
    """
    return _method(request, lambda service, asked, actor: service.chassis.ask(handler, asked, actor))


def health_check() -> EntrypointMethod:
    """The command by which `leeward status` asks for a service's health. It brings the Housekeeping entrypoint
    along."""

    def health(service: Any, asked: GetHealth, actor: Actor) -> dict[str, Any]:
        chassis: Chassis = service.chassis
        lanes = [entrypoint for entrypoint in chassis.container.entrypoints if isinstance(entrypoint, Lane)]
        return {**asdict(chassis.health()), "lanes": {lane.lane: asdict(lane.health()) for lane in lanes}}

    method = _method(GetHealth, health)
    register_entrypoint(method, Housekeeping())
    return method


def event_log_query() -> EntrypointMethod:
    """The command by which `leeward trace` asks for a referral's events; see `chassis.store.event_log`."""

    def story(service: Any, asked: GetStory, actor: Actor) -> dict[str, Any]:
        chassis: Chassis = service.chassis
        with chassis.database.reading() as unit:
            return find_events(
                unit.session,
                unit.tables,
                referral_ids=asked.referral_ids,
                correlation_ids=asked.correlation_ids,
                message_ids=asked.message_ids,
            )

    return _once(GetStory, story)


def audit_query() -> EntrypointMethod:
    """The command by which `leeward audit` verifies a service's audit log, or reads the entries about a person."""

    def audit(service: Any, asked: CheckAudit, actor: Actor) -> dict[str, Any]:
        chassis: Chassis = service.chassis
        table = chassis.database.tables.audit_entry
        with chassis.database.reading() as unit:
            connection = unit.session.connection()
            if asked.subject_id is not None:
                return {"entries": list(entries(connection, table, asked.subject_id))}
            anchors = [Anchor(anchor.sequence, anchor.hash) for anchor in asked.anchors]
            return {"verdict": asdict(check(connection, table, anchors))}

    return _once(CheckAudit, audit)


def audit_list() -> EntrypointMethod:
    """The command by which people with the right to read the audit log look through it."""

    def list_audit(service: Any, asked: ListAudit, actor: Actor) -> list[RecordedEntry]:
        return _audit_page(service, asked, who=asked.by)

    return _once(ListAudit, list_audit)


def own_audit_list() -> EntrypointMethod:
    """The command by which everybody looks through what is on record of themselves."""

    def list_own_audit(service: Any, asked: ListOwnAudit, actor: Actor) -> list[RecordedEntry]:
        return _audit_page(service, asked, who=actor.who)

    return _once(ListOwnAudit, list_own_audit)


def _audit_page(service: Any, asked: AuditPage, *, who: str | None) -> list[RecordedEntry]:
    chassis: Chassis = service.chassis
    with chassis.database.reading() as unit:
        found = page(
            unit.session.connection(),
            chassis.database.tables.audit_entry,
            who=who,
            subject_id=asked.subject_id,
            since=asked.since,
            until=asked.until,
            before=asked.before,
            what=asked.what,
            limit=asked.limit,
        )
    return [RecordedEntry(**entry) for entry in found]


def secret_key_list() -> EntrypointMethod:
    """The command by which people see whether keys are kept apart."""

    def list_secret_keys(service: Any, asked: ListSecretKeys, actor: Actor) -> SecretKeys:
        folder = service.chassis.settings.keys
        return SecretKeys(readers=readable_keys(folder, PRIVATE_SUFFIX), signers=readable_keys(folder, SIGNING_SUFFIX))

    return _once(ListSecretKeys, list_secret_keys)


def dead_letter_list() -> EntrypointMethod:
    """The command by which `leeward dead list` lists a service's dead letters."""
    return _reading(ListDeadLetters, DeadLetter.summary)


def dead_letter_view() -> EntrypointMethod:
    """The command by which `leeward dead show` shows dead letters; sealed fields stay sealed."""
    return _reading(ShowDeadLetters, dead_letters.shown)


def dead_letter_export() -> EntrypointMethod:
    """The command by which `leeward dead export` copies dead letters unchanged."""
    return _reading(ExportDeadLetters, dead_letters.exported)


def dead_letter_replay() -> EntrypointMethod:
    """The command by which `leeward dead replay` puts a service's dead letters back into their lanes."""

    def replay(service: Any, asked: ReplayDeadLetters, actor: Actor) -> Shape:
        return dead_letters.replay(service.chassis, service.name, asked, idempotent_by(type(service)))

    return _once(ReplayDeadLetters, replay)


def dead_letter_discard() -> EntrypointMethod:
    """The command by which `leeward dead discard` drops a service's dead letters."""

    def discard(service: Any, asked: DiscardDeadLetters, actor: Actor) -> Shape:
        return dead_letters.discard(service.chassis, service.name, asked, by=actor.who)

    return _once(DiscardDeadLetters, discard)


def _reading(request: type[LookAtDeadLetters], describe: dead_letters.Describe) -> EntrypointMethod:
    def look(service: Any, asked: LookAtDeadLetters, actor: Actor) -> dict[str, Any]:
        return dead_letters.look(service.chassis, service.name, asked, describe)._asdict()

    return _once(request, look)


def _once(request: Any, answer: Callable[[Any, Any, Actor], Any]) -> EntrypointMethod:
    """For what isn't done in the service's store."""

    def ask(service: Any, asked: Any, actor: Actor) -> Any:
        return service.chassis.once(actor, request, lambda: as_json(answer(service, asked, actor)))

    return _method(request, ask)


def _method(request: type[CommandT], answer: Callable[[Any, CommandT, Actor], Any]) -> EntrypointMethod:
    """An entrypoint whose caller was checked before `answer` is called."""

    def ask(service: Any, fields: Mapping[str, Any], origin: Origin) -> Any:
        chassis: Chassis = service.chassis
        try:
            actor = chassis.authorize(request, fields, origin)
            return answer(service, request.from_json(fields), actor)
        except NOT_ALLOWED as refusal:
            chassis.record_refusal(refusal, origin)
            raise

    register_entrypoint(ask, CommandMethod(request, expected_exceptions=(Refused, InvalidShape)))
    return ask


@dataclass(frozen=True)
class Declared:
    """An entrypoint of a service class, and the attribute that it is declared as."""

    attribute: str
    entrypoint: Entrypoint


def declared_by(service: type) -> list[Declared]:
    """The entrypoints of a service class, by attribute."""
    return [
        Declared(attribute, entrypoint)
        for attribute, method in vars(service).items()
        for entrypoint in getattr(method, ENTRYPOINT_EXTENSIONS_ATTR, ())
    ]


def heard_by(service: type) -> Mapping[str, list[type[Event]]]:
    """The events that a service subscribes to, by lane."""
    lanes = (declared.entrypoint for declared in declared_by(service) if isinstance(declared.entrypoint, Lane))
    return {lane.lane: [subscription.event for subscription in lane.subscriptions] for lane in lanes}


def idempotent_by(service: type) -> Mapping[tuple[str, str], str]:
    """By publisher and event name: the business keys of the events that may be handled again without the inbox."""
    lanes = (declared.entrypoint for declared in declared_by(service) if isinstance(declared.entrypoint, Lane))
    return {
        (subscription.event.publisher, subscription.event.__name__): subscription.idempotent_by
        for lane in lanes
        for subscription in lane.subscriptions
        if subscription.idempotent_by
    }


def topology_for(service: Any) -> Topology:
    """Everything that a service class declares on the broker."""
    return topology_of(service.name, heard_by(service))
