"""Two replicas of a service that are asked at the same time, as far as PostgreSQL lets them."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from sqlalchemy import text

from chassis.ports import Refused
from contracts.shape import InvalidShape
from tests.unit.commands.asking import Service

DEADLINE_SECONDS = 20
WAITING = text("SELECT count(*) FROM pg_locks WHERE NOT granted")

Asked = tuple[str, dict[str, Any]]


class Race:
    """Asks a service and a replica of it: the second works while the first has done its work and not yet committed."""

    def __init__(self, service: Service) -> None:
        self._service, self._replica = service, service.replica()
        self._watch = service.replica().engine

    def run(self, first: Asked, second: Asked) -> tuple[Any, Any]:
        """What came of each: an answer or an error."""
        second_is_done, may_commit = threading.Event(), threading.Event()

        def ask_second() -> Any:
            try:
                return self._outcome(self._replica, second, lambda: (second_is_done.set(), may_commit.wait(30)))
            finally:
                second_is_done.set()

        with ThreadPoolExecutor(1) as other:
            later: Any = None

            def between() -> None:
                nonlocal later
                later = other.submit(ask_second)
                self._wait_until(second_is_done)

            one = self._outcome(self._service.bench.database, first, between)
            may_commit.set()
            return one, later.result() if later else self._outcome(self._replica, second, lambda: None)

    def _outcome(self, database: Any, asked: Asked, before_commit: Any) -> Any:
        try:
            return self._service.ask_on(database, *asked, before_commit)
        except Exception as error:
            return error

    def _wait_until(self, done: threading.Event) -> None:
        """Until the second has done its work too, or waits for the first."""
        deadline = time.monotonic() + DEADLINE_SECONDS
        with self._watch.connect() as connection:
            while not done.wait(0.01):
                if connection.execute(WAITING).scalar_one():
                    return
                assert time.monotonic() < deadline, "neither done nor waiting"


def unnamed(outcome: Any) -> bool:
    return isinstance(outcome, Exception) and not isinstance(outcome, Refused | InvalidShape)
