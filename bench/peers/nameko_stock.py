"""Stock nameko: `@event_handler` and `EventDispatcher`, ten workers.

    nameko run bench.peers.nameko_stock --broker amqp://…

Guarantee: row and event are not atomic: killed between commit and dispatch, the message comes again, so the event goes
out at least once; a handler that raises is acknowledged all the same, and its message is lost. Published persistently
and with a confirm each. Duplicates: of the event yes, of the row no (unique key).
"""

from __future__ import annotations

from typing import Any

from nameko.events import EventDispatcher, event_handler

from bench.peers import job


class Recorder:
    name = "recorder"

    dispatch = EventDispatcher()

    @event_handler("desk", "AttendanceNoted")
    def record(self, payload: dict[str, Any]) -> None:
        self.dispatch("AttendanceRecorded", job.record(payload))
