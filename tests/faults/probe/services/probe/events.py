"""What the probe hears and says."""

from __future__ import annotations

import os
import signal
from datetime import datetime
from typing import Any, Self
from uuid import UUID

from contracts.command import Command
from contracts.event import Event
from contracts.permissions import Permission


class ProbeAsked(Event, publisher="asker", subject="case_id"):
    """Asks the probe for one effect, and, if `act` says so, to misbehave; see `services.probe.acts`."""

    case_id: UUID
    run: str
    number: int
    act: str = ""
    seconds: float = 0.0
    times: int = 0
    filler: str = ""
    at: datetime | None = None

    @classmethod
    def from_json(cls, data: Any) -> Self:
        """Takes the whole process down, every time, before any handler is reached, if asked to."""
        if isinstance(data, dict) and data.get("act") == "crash_reading":
            os.kill(os.getpid(), signal.SIGKILL)
        return super().from_json(data)


class ProbeHinted(Event, publisher="gossip", subject="case_id"):
    """Another publisher's event, for which the probe does nothing."""

    case_id: UUID


class ProbeKeyed(Event, publisher="asker", subject="case_id"):
    """Asks for the same of a handler that goes by the business key."""

    case_id: UUID
    run: str
    number: int
    act: str = ""
    filler: str = ""


class ProbeDone(Event, publisher="probe", subject="case_id"):
    """The one follow-up of an effect."""

    case_id: UUID
    run: str
    number: int


class Record(Command, needs=Permission.MANAGE_MATCHES):
    """A command: the same effect, asked for by somebody who asks again until there is an answer."""

    case_id: UUID
    run: str
    number: int
