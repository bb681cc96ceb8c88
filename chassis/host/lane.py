"""The entrypoint that consumes a lane inside a nameko container."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from eventlet.event import Event
from nameko.extensions import Entrypoint

from chassis.bus.consumer import LaneConsumer
from chassis.bus.delivery import Arrived, Delivery, NotUnderstood, Subscription, Understood, read
from chassis.bus.settlement import Settled, Settler
from chassis.host.provider import chassis_of

WORKER_POLL_SECONDS = 0.05
URGENT = "urgent"
"""The lane that never backs off and never waits for other work."""


@dataclass(frozen=True)
class LaneHealth:
    """Messages taken from the broker and not yet settled, and the age of the first of them."""

    taken: int
    oldest_seconds: float


class Lane(Entrypoint):  # type: ignore[misc]
    """Consumes `<service>.<lane>` in batches; each batch is one nameko worker and one transaction."""

    def __init__(
        self, lane: str, subscriptions: tuple[Subscription, ...], at_most: int | None = None, **kwargs: Any
    ) -> None:
        self.lane = lane
        self.subscriptions = subscriptions
        self._at_most = at_most
        super().__init__(**kwargs)

    def setup(self) -> None:
        by_name = {
            (subscription.event.publisher, subscription.event.__name__): subscription
            for subscription in self.subscriptions
        }
        self._chassis = chassis_of(self.container)
        settings = self._chassis.settings
        one_user_each = self._chassis.one_user_each

        def read_delivery(delivery: Delivery) -> Understood | NotUnderstood:
            return read(delivery, by_name, one_user_each=one_user_each)

        self._settler = Settler(self._chassis.unit, read_delivery)
        self.consumer = LaneConsumer(
            service=self.container.service_name,
            lane=self.lane,
            connect=lambda: self._chassis.connect(self.lane),
            heartbeat_seconds=settings.heartbeat_seconds,
            batch_limit=min(settings.batch_limit, self._at_most or settings.batch_limit),
            clock=self._chassis.clock,
            read=read_delivery,
            settle=self._settler.settle if self.lane == URGENT else self._settle_in_turn,
            run_worker=self._run_worker,
            seconds_to_back_off=(lambda: 0.0)
            if self.lane == URGENT
            else self._chassis.cpu_pressure.seconds_to_back_off,
        )

    def start(self) -> None:
        self.container.spawn_managed_thread(self.consumer.run, identifier=f"lane {self.lane}")

    def stop(self) -> None:
        self.consumer.stop()

    @property
    def is_connected(self) -> bool:
        return self.consumer.is_connected

    def health(self) -> LaneHealth:
        return LaneHealth(*self.consumer.taken())

    def _settle_in_turn(self, batch: Sequence[Arrived]) -> list[Settled]:
        self._chassis.urgent_first.wait()
        return self._settler.settle(batch)

    def _run_worker(self, work: Callable[[], list[Settled]], meanwhile: Callable[[], bool]) -> list[Settled]:
        """Runs `work` in a nameko worker, and meanwhile calls `meanwhile`, without a pause as long as it returns True.

        A killed worker never calls `handle_result`, so the end of its thread is waited for.
        """
        finished = Event()
        outcome: dict[str, Any] = {}

        def handle_result(context: Any, result: Any, exc_info: Any) -> tuple[Any, Any]:
            outcome.update(result=result, exc_info=exc_info)
            return result, exc_info

        context = self.container.spawn_worker(self, (work,), {}, handle_result=handle_result)
        self.container._worker_threads[context].link(lambda thread: finished.send())
        time.sleep(0)
        while not finished.ready():
            if meanwhile():
                time.sleep(0)
            else:
                finished.wait(WORKER_POLL_SECONDS)
        if not outcome:
            raise ConnectionAbortedError("the worker was killed")
        if outcome["exc_info"]:
            raise outcome["exc_info"][1]
        settled: list[Settled] = outcome["result"]
        return settled
