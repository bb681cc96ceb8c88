"""The health of every service and of the site: up or down, what waits in queues and outboxes, and alarms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, TypeVar

from amqp.exceptions import NotFound
from kombu import Connection

from chassis.audit.anchoring import CONTRADICTS, UNREADABLE
from chassis.bus import permissions
from chassis.bus.topology import RETRY_DELAYS_SECONDS
from chassis.clock import SystemClock
from chassis.rpc import CommandFailed, NoAnswer, RpcClient
from leeward.runtime.restarts import FLAPS_AT, recent
from leeward.runtime.supervisor import SITE, is_ready
from leeward.runtime.workspace import SERVICES, Workspace
from web.publisher.spool import count_put_aside

TIMEOUT_SECONDS = 2.0


PUT_ASIDE = "put_aside"


ALARMS = {
    "safeguarding_unreached": "safeguarding concern(s) that NOBODY COULD BE TOLD OF by any channel: look now",
    PUT_ASIDE: "thing(s) from outside that can't be read and lie aside for a person to look at",
    CONTRADICTS: "anchor(s) that the audit log contradicts: IT WAS CUT OR REWRITTEN. `leeward audit verify` says where",
    UNREADABLE: "line(s) among the anchors of the audit log that are none: somebody has changed the file",
}


@dataclass(frozen=True)
class ServiceStatus:
    """One service. Fields that only the service itself knows are None while it is down.

    `inbox_depth` counts what waits at the broker and what the service has taken and not settled.
    `oldest_message_seconds` is the age of the oldest message that the service is handling, 0 if there is none. While
    the service is down it is None: peeking into a queue would count as a failed delivery of its messages.
    """

    service: str
    up: bool
    inbox_depth: int
    urgent_depth: int
    retrying: int
    dead_letters: int
    oldest_message_seconds: float | None = None
    outbox_rows: int | None = None
    outbox_lag_seconds: float | None = None
    timers_due: int | None = None
    alarms: Mapping[str, int] = field(default_factory=dict)
    recent_restarts: int = 0
    flaps: bool = False
    """Whether it keeps crashing, even if it is up at this moment."""

    @property
    def idle(self) -> bool:
        """Up, with nothing waiting, nothing under way and nothing due."""
        waiting = (self.inbox_depth, self.urgent_depth, self.retrying, self.outbox_rows, self.timers_due)
        return self.up and not any(waiting)


@dataclass(frozen=True)
class SiteStatus:
    """The public site, which has no queue: whether it answers, and where."""

    up: bool
    address: str
    service: str = SITE
    recent_restarts: int = 0
    flaps: bool = False
    alarms: Mapping[str, int] = field(default_factory=dict)


Status = TypeVar("Status", ServiceStatus, SiteStatus)


def site_of(workspace: Workspace) -> SiteStatus | None:
    """The site that runs from this folder; None if none does."""
    found = workspace.read_run_file()
    address = found.get("web") if found else None
    if not address:
        return None
    unreadable = count_put_aside(workspace.spool)
    return SiteStatus(up=is_ready(address), address=address, alarms={PUT_ASIDE: unreadable} if unreadable else {})


def with_restarts(states: Sequence[Status], workspace: Workspace) -> list[Status]:
    """The same states, with how often each was restarted lately, from the folder's run file."""
    found = workspace.read_run_file() or {"services": {}}
    processes = {**found["services"], SITE: found.get(SITE, {})}
    now = SystemClock().now()

    def counted(state: Status) -> Status:
        times = map(datetime.fromisoformat, processes.get(state.service, {}).get("restarted_at", ()))
        count = len(recent(times, at=now))
        return replace(state, recent_restarts=count, flaps=count >= FLAPS_AT)

    return [counted(state) for state in states]


def status_of(amqp_uri: str, services: Sequence[str] = SERVICES) -> list[ServiceStatus]:
    """The state of every service, as it is now. Raises OSError if the broker can't be reached."""
    with Connection(amqp_uri, connect_timeout=5) as connection, RpcClient(amqp_uri, permissions.OPERATOR) as client:
        return [_status(connection, client, service) for service in services]


def _status(connection: Connection, client: RpcClient, service: str) -> ServiceStatus:
    health = _health(client, service)
    lanes: dict[str, Any] = health["lanes"] if health else {}
    taken = {lane: state["taken"] for lane, state in lanes.items()}
    return ServiceStatus(
        service=service,
        up=health is not None,
        inbox_depth=_depth(connection, f"{service}.inbox") + taken.get("inbox", 0),
        urgent_depth=_depth(connection, f"{service}.urgent") + taken.get("urgent", 0),
        retrying=sum(_depth(connection, f"{service}.retry.{delay}") for delay in RETRY_DELAYS_SECONDS),
        dead_letters=_depth(connection, f"{service}.dead"),
        oldest_message_seconds=max((state["oldest_seconds"] for state in lanes.values()), default=0.0)
        if health
        else None,
        outbox_rows=health["outbox_rows"] if health else None,
        outbox_lag_seconds=health["outbox_oldest_seconds"] if health else None,
        timers_due=health["timers_due"] if health else None,
        alarms=health["alarms"] if health else {},
    )


def _health(client: RpcClient, service: str) -> dict[str, Any] | None:
    try:
        health: dict[str, Any] = client.call(service, "health", timeout=TIMEOUT_SECONDS)
    except (NoAnswer, CommandFailed):
        return None
    return health


def _depth(connection: Connection, queue: str) -> int:
    """Messages that wait at the broker; 0 for a queue that isn't there."""
    with connection.channel() as channel:
        try:
            depth: int = channel.queue_declare(queue, passive=True).message_count
        except NotFound:
            return 0
    return depth
