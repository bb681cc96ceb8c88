"""Faults under the store."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from tests.faults.scenario import fault
from tests.faults.stage import Stage

TRANSFER_SECONDS = 1.0


@fault(
    17,
    "database down, or deadlock, mid-batch",
    made="on PostgreSQL the server is stopped at once in the middle of a batch and started later, and then a "
    "second session locks two rows in the other order; on SQLite another process holds the write lock "
    "while the service is killed and waits",
    seen="a consumer that acknowledges before it commits, with a handler that commits its rows one by one",
    sabotage="commit_early no_ack",
    short=30,
    long=300,
    differs=True,
)
def database_away(stage: Stage) -> None:
    if stage.rig.store == "sqlite":
        held_by_another(stage)
    else:
        server_stopped(stage)
        deadlocked(stage)
    stage.over()


def held_by_another(stage: Stage) -> None:
    holder = sqlite3.connect(stage.rig.folder / "probe.db", isolation_level=None, timeout=stage.deadline)
    holder.execute("BEGIN IMMEDIATE")
    try:
        stage.send(stage.size)
        stage.wait(lambda: stage.rig.said("store_unavailable"), "the probe finds the database locked")
        restarted(stage)
    finally:
        holder.close()


def restarted(stage: Stage) -> None:
    """Kills the probe and waits until another has been started."""
    starts = stage.rig.probe.starts
    stage.rig.kill()
    stage.wait(lambda: stage.rig.probe.starts > starts, "another was started")


def server_stopped(stage: Stage) -> None:
    server = stage.rig.ground.server
    assert server
    stage.send(stage.size // 2)
    stage.send(1, "gate", seconds=stage.deadline)
    stage.send(stage.size // 2)
    stage.wait(stage.busy, "the probe is in the middle of a batch")
    server.stop()
    try:
        stage.rig.open_gate()
        stage.wait(lambda: stage.rig.said("store_unavailable"), "the probe finds the database gone")
    finally:
        server.start()
    stage.wait(lambda: len(stage.effects()) == len(set(stage.expected)), "it goes on")


def deadlocked(stage: Stage) -> None:
    (stage.rig.control / "busy").unlink()
    with psycopg.connect(stage.rig.database_url.replace("+psycopg", "")) as other:
        other.execute("SET deadlock_timeout = '60s'")  # so that it is the probe that PostgreSQL turns down
        other.execute("UPDATE balance SET pence = pence WHERE account = 'debtors'")
        stage.send(stage.size // 2)
        stage.send(1, "transfer", seconds=TRANSFER_SECONDS)
        stage.wait(stage.busy, "the probe holds the one account")
        wanted = threading.Thread(
            target=other.execute, args=("UPDATE balance SET pence = pence WHERE account = 'fees'",)
        )
        wanted.start()
        wanted.join()
        other.rollback()


@fault(
    30,
    "disk full under the store",
    made="the store lies on a small file system of its own, a tmpfs mounted for it, or where mounts aren't allowed in "
    "/dev/shm, if that is as small as in a container; it is filled up, the service is killed while it waits, and there "
    "is room again later",
    seen="a consumer that acknowledges before it commits: what waited for room is lost",
    sabotage="no_ack",
    short=200,
    long=2000,
    differs=True,
    disk=True,
)
def disk_full(stage: Stage) -> None:
    with no_room(stage):
        stage.send(stage.size)
        restarted(stage)
    stage.over()


@contextmanager
def no_room(stage: Stage) -> Iterator[None]:
    """Nothing more fits onto the store's disk while the block runs, and the probe has noticed."""
    assert stage.rig.disk

    def noticed() -> bool:
        stage.send()
        return stage.rig.said("store_unavailable")

    stage.rig.disk.fill()
    try:
        stage.wait(noticed, "the probe finds no room")
        yield
    finally:
        stage.rig.disk.empty()
