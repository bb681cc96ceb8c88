"""Waiting for PostgreSQL without blocking the other greenlets.

psycopg waits in C, where eventlet can run nothing else. An answer that takes longer than a moment is waited for through
eventlet's hub instead, so that other greenlets can publish and read messages meanwhile.
"""

from __future__ import annotations

from typing import Any

from eventlet import hubs, patcher
from psycopg.abc import RV, PQGen
from psycopg.waiting import Ready, Wait

from chassis.store.fastpath.pipelining import SparingConnection

A_MOMENT_SECONDS = 0.0002
"""Longer than PostgreSQL needs for one row. Switching to the hub costs 50 µs, and the time that others then take."""

_select: Any = patcher.original("select").select
"""Python's original, which eventlet replaces."""


class PatientConnection(SparingConnection):
    """A connection that lets other greenlets run while it waits."""

    def wait(self, gen: PQGen[RV], interval: float = 0.1, timeout: float | None = None) -> RV:
        if timeout is not None:
            return super().wait(gen, interval, timeout)
        moment = A_MOMENT_SECONDS
        try:
            wanted = next(gen)
            while True:
                wanted, moment = gen.send(self._ready(wanted, moment)), 0.0
        except StopIteration as done:
            answer: RV = done.value
            return answer

    def _ready(self, wanted: Wait, moment: float) -> Ready:
        socket = self.pgconn.socket
        if wanted == Wait.R:
            if not _select((socket,), (), (), moment)[0]:
                hubs.trampoline(socket, read=True)
            return Ready.R
        can_read, can_write, _ = _select((socket,) if wanted & Wait.R else (), (socket,), (), 0)
        if not can_write:
            hubs.trampoline(socket, write=True)
        return Ready.RW if can_read else Ready.W
