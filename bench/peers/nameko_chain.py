"""A bare chain of four stock nameko services: event in, validate, one row, event out. Nothing of a referral's rules.

    nameko run bench.peers.nameko_chain:First --broker amqp://…

Guarantee: as `nameko_stock.py`, at each of the four hops.
"""

from __future__ import annotations

from typing import Any

from nameko.events import EventDispatcher, event_handler

from bench.peers import job


class First:
    name = "hop1"

    dispatch = EventDispatcher()

    @event_handler("desk", "AttendanceNoted")
    def record(self, payload: dict[str, Any]) -> None:
        job.record(payload)
        self.dispatch("AttendanceNoted", payload)


class Second:
    name = "hop2"

    dispatch = EventDispatcher()

    @event_handler("hop1", "AttendanceNoted")
    def record(self, payload: dict[str, Any]) -> None:
        job.record(payload)
        self.dispatch("AttendanceNoted", payload)


class Third:
    name = "hop3"

    dispatch = EventDispatcher()

    @event_handler("hop2", "AttendanceNoted")
    def record(self, payload: dict[str, Any]) -> None:
        job.record(payload)
        self.dispatch("AttendanceNoted", payload)


class Fourth:
    name = "hop4"

    dispatch = EventDispatcher()

    @event_handler("hop3", "AttendanceNoted")
    def record(self, payload: dict[str, Any]) -> None:
        self.dispatch("AttendanceRecorded", job.record(payload))
