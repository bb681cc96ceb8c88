"""Waiting for PostgreSQL: the rest of the process goes on."""

from __future__ import annotations

import subprocess
import sys

import pytest

WHILE_IT_SLEEPS = """
import warnings
warnings.simplefilter("ignore")
import eventlet
eventlet.monkey_patch()
import sys
from sqlalchemy import text
from chassis.host.postgres_wait import PatientConnection
from chassis.store.engine import open_engine

turns = []
def others():
    while True:
        turns.append(1)
        eventlet.sleep(0.001)

with open_engine(sys.argv[1], PatientConnection.connect).connect() as connection:
    eventlet.spawn(others)
    eventlet.sleep(0)
    before = len(turns)
    answer = connection.execute(text("SELECT 'awake' FROM pg_sleep(0.5)")).scalar()
    large = connection.execute(text("SELECT length(:text)"), {"text": "x" * 30_000_000}).scalar()
    print(answer, large, len(turns) - before)
"""


@pytest.fixture
def told(postgresql_url: str) -> list[str]:
    command = [sys.executable, "-c", WHILE_IT_SLEEPS, postgresql_url]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=120).stdout.split()


def test_others_have_their_turns_while_postgresql_works(told: list[str]) -> None:
    answer, large, turns = told
    assert (answer, large) == ("awake", "30000000")
    assert int(turns) > 1
