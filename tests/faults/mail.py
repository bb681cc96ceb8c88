"""What can't be exactly once by nature: mail. SMTP can't say whether a server took a message before the line broke.

Notifications takes the safe side: a safeguarding alert goes out twice rather than never, a client's message at most
once more, under the same Message-ID, so that the client's mail program may drop the copy.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from uuid import uuid4

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import Envelope, Session

from chassis.privacy.sealing import Keyring
from contracts.event import Event
from contracts.events.intake import ContactReleased, SafeguardingConcernRaised
from contracts.reference import reference_for
from contracts.sealed import ClientContact, SafeChannel, SafeContact
from contracts.vocabulary import ConcernCategory, ConcernId, ContactPurpose, ReferralId, Severity
from leeward.runtime.free_ports import free_ports
from leeward.runtime.workspace import Workspace
from tests.faults.ground import Ground
from tests.faults.rig import ROOT, Probe, wait_until
from tests.support.bus import Sender
from tests.support.system import virtual_host

LEASE = timedelta(minutes=3)
"""After which an attempt that was never recorded is made again; see `chassis.store.schedule`."""

DEADLINE = 60.0
BEFORE, AFTER = "before the server took it", "after the server took it"
COPIES = {BEFORE: 1, AFTER: 2}


@dataclass(frozen=True)
class Mailing:
    """What came of one message whose sender was killed `when`: the copies that the server took."""

    what: str
    when: str
    store: str
    copies: int
    problems: tuple[str, ...]
    on: str = ""
    """The day, once it is kept for the page."""


@dataclass
class Server:
    """An SMTP server that kills its client as a message arrives: before it has taken it, or after."""

    kill_before: bool = False
    kill_after: bool = False
    process: Probe | None = None
    taken: list[str] = field(default_factory=list)

    async def handle_DATA(self, server: object, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.kill_before:
            self.kill_before = False
            self._kill()
            return "451 later"
        self.taken.append(str(message_from_bytes(envelope.original_content or b"")["Message-ID"]))
        if self.kill_after:
            self.kill_after = False
            self._kill()
        return "250 OK"

    def _kill(self) -> None:
        assert self.process
        self.process.kill()


class Mailroom:
    """Notifications as a process, on one store, and the server it hands its mail to."""

    def __init__(self, ground: Ground, store: str) -> None:
        self.store = store
        self.workspace = Workspace(ground.folder / f"mail-{store}")
        (port,) = free_ports(1)
        self.server = Server()
        self._controller = Controller(self.server, hostname="127.0.0.1", port=port)
        self._controller.start()
        name = f"mail_{store}"
        urls = (
            {"notifications": ground.server.create_database(name)} if store == "postgresql" and ground.server else None
        )
        self.workspace.prepare(urls)
        self.workspace.clock.start()
        self.amqp_uri = virtual_host(ground.node, name)
        self._environment = (
            self.workspace.environment(self.amqp_uri)
            | self.workspace.links_to(None)
            | {
                "NOTIFICATIONS_MAIL": f"smtp://127.0.0.1:{port}?starttls=no",
                "PYTHONPATH": os.pathsep.join(sys.path),
            }
        )
        migrate = [sys.executable, "-m", "chassis.store.migrate", "notifications"]
        subprocess.run(migrate, env=self._environment, cwd=ROOT, check=True)
        command = ["chassis.host.run", "notifications"]
        self.process = self.server.process = Probe(command, self._environment, self.workspace.log("notifications"))
        with Sender(self.amqp_uri) as sender:
            wait_until(lambda: sender.consumers("notifications.urgent"), "notifications listens", DEADLINE)

    def close(self) -> None:
        self.process.close(signal.SIGKILL)
        self._controller.stop()

    def kill_over(self, what: str, when: str, event: Event) -> Mailing:
        """Has a message sent whose sender is killed, and counts its copies when it has been sent for good."""
        self.server.taken.clear()
        self.server.kill_before, self.server.kill_after = when == BEFORE, when == AFTER
        self._publish(event)
        starts, expected = self.process.starts, COPIES[when]
        problems = []
        try:
            wait_until(lambda: self.process.starts > starts, "it was killed over the message", DEADLINE)
            self.workspace.clock.advance(LEASE)
            wait_until(lambda: len(self.server.taken) >= expected, "the message is sent again", DEADLINE)
        except TimeoutError as error:
            problems.append(str(error))
        return Mailing(what, when, self.store, len(self.server.taken), (*problems, *self._problems(expected)))

    def _problems(self, allowed: int) -> list[str]:
        copies = len(self.server.taken)
        found = {
            "never sent": copies == 0,
            f"sent {copies} times": copies > allowed,
            "its copies have different ids": len(set(self.server.taken)) > 1,
        }
        return [problem for problem, is_so in found.items() if is_so]

    def _publish(self, event: Event) -> None:
        with Sender(self.amqp_uri) as sender:
            sender.send(event.exchange(), type(event).__name__, event.to_json(), message_id=str(uuid4()))


@contextmanager
def opened(ground: Ground, store: str) -> Iterator[Mailroom]:
    """A mailroom for as long as the block runs."""
    mailroom = Mailroom(ground, store)
    try:
        yield mailroom
    finally:
        mailroom.close()


def try_all(mailroom: Mailroom) -> Iterator[Mailing]:
    """An alert and a client's message, each with its sender killed before the server took it, and after."""
    for what, about in (("a safeguarding alert", alert), ("a client's message", letter)):
        for when in (BEFORE, AFTER):
            yield mailroom.kill_over(what, when, about(mailroom))


def alert(mailroom: Mailroom) -> Event:
    return SafeguardingConcernRaised(
        concern_id=ConcernId(uuid4()),
        referral_id=ReferralId(uuid4()),
        severity=Severity.IMMEDIATE,
        category=ConcernCategory.CHILD_AT_RISK,
        raised_at=datetime.now(UTC),
    )


def letter(mailroom: Mailroom) -> Event:
    """A new client's way to be reached, which is answered with a letter."""
    referral_id = ReferralId(uuid4())
    contact = ClientContact(
        referral_id=referral_id,
        reference=reference_for(referral_id),
        contact=SafeContact(channel=SafeChannel.EMAIL, email=f"{referral_id}@example.org"),
    )
    sealed = Keyring(mailroom.workspace.keys).seal("notifications", contact)
    return ContactReleased(referral_id=referral_id, purpose=ContactPurpose.ADDRESS_BOOK, sealed=sealed)
