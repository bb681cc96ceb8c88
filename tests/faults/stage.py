"""One run of one scenario: sends events, counts what became of them, and says when all was back to normal.

Nothing is asked of the code under test: rows are counted in the database, follow-ups by the independent reader, dead
letters in their queue.
"""

from __future__ import annotations

import json
import random
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pika
from pika.exceptions import AMQPError
from sqlalchemy.exc import DBAPIError

from chassis.bus.dead_letters import dead_queue
from chassis.bus.failure_history import LANE as LANE_HEADER
from chassis.bus.failure_history import ORIGIN_EXCHANGE, ORIGIN_ROUTING_KEY, REASON
from chassis.bus.messages import MAX_MESSAGE_BYTES
from chassis.store.outbox import TAKE_OVER_AFTER
from tests.faults.rig import Rig, wait_until
from tests.faults.scenario import Scenario

EXCHANGE, PLAIN, SAFE, LANE, DEAD = "asker.events", "ProbeAsked", "ProbeKeyed", "probe.inbox", "probe.dead"
FILLER = "x" * 300
LOOKS = 15
"""How often the store must look the same before it is held to be at rest."""


@dataclass(frozen=True)
class Outcome:
    """What came of a scenario on one store. `problems` is empty if every guarantee held."""

    number: int
    store: str
    events: int
    lost: int
    twice: int
    duplicates: int
    parked: int
    seconds: float
    problems: tuple[str, ...]
    on: str = ""
    """The day, once it is kept for the page."""


@dataclass(frozen=True)
class Message:
    """A message as it was published, or as it lies in the dead letters."""

    exchange: str
    routing_key: str
    properties: pika.BasicProperties
    body: bytes


class Stage:
    """A rig, a number of events and a seed; how long the fault may take to be made, and then the way back to normal.

    In a `hurry` the clock is moved on by what a replica waits before it takes over another's rows.
    """

    def __init__(
        self,
        rig: Rig,
        scenario: Scenario,
        *,
        size: int,
        seed: int,
        deadline: float,
        back_within: float,
        hurry: bool = False,
    ) -> None:
        self.rig, self.scenario, self.size, self.deadline = rig, scenario, size, deadline
        self.random = random.Random(seed * 100 + scenario.number)
        self._back_within, self._hurry = back_within, hurry
        self.run = f"fault-{scenario.number}"
        self.sent: dict[str, Message] = {}
        self.expected: set[int] = set()
        self.to_be_parked = 0
        self.dead: list[Message] = []
        self.also_wrong: list[str] = []
        """What a scenario itself has found that shouldn't be."""
        self._over: float | None = None
        self._number = 0
        rig.tidy()
        self.wait(lambda: self.consumers() >= len(rig.probes), "the probe listens")

    def send(self, count: int = 1, act: str = "", **details: Any) -> None:
        """Publishes so many events; see `compose`."""
        self.publish([self.compose(act, **details) for _ in range(count)])

    def send_behind_gate(self) -> None:
        """Has the probe wait inside a handler, with all the events behind it, until the gate is opened."""
        self.send(1, "gate", seconds=self.deadline)
        self.wait(self.busy, "the probe waits at the gate")
        self.send(self.size)

    def compose(
        self, act: str = "", *, event: str = PLAIN, age: timedelta = timedelta(), done: bool = True, **data: Any
    ) -> Message:
        """An event of this age that the probe is to handle, or, if not `done`, to park."""
        self._number += 1
        if done:
            self.expected.add(self._number)
        else:
            self.to_be_parked += 1
        message = self._message(event, age, {"run": self.run, "number": self._number, "act": act, **data})
        self.sent[str(message.properties.message_id)] = message
        return message

    def publish(self, messages: Iterable[Message]) -> None:
        """Puts messages on the broker, past the proxy, each confirmed; what it doesn't take is published again."""
        waiting = deque(messages)

        def published() -> bool:
            try:
                with self.rig.channel() as channel:
                    channel.confirm_delivery()
                    while waiting:
                        one = waiting[0]
                        channel.basic_publish(one.exchange, one.routing_key, one.body, one.properties, mandatory=True)
                        waiting.popleft()
            except (AMQPError, OSError):
                return False
            return True

        self.wait(published, "the broker takes what the test publishes")

    def also_expect(self, numbers: Iterable[int]) -> None:
        """Effects that are asked for in another way than by an event."""
        self.expected.update(numbers)

    def take_number(self) -> int:
        self._number += 1
        self.expected.add(self._number)
        return self._number

    def new_id(self) -> UUID:
        return UUID(int=self.random.getrandbits(128), version=4)

    def wait(self, condition: Callable[[], Any], what: str) -> None:
        """Raises TimeoutError if the condition isn't met before the scenario's deadline."""
        wait_until(condition, what, self.deadline)

    def over(self) -> None:
        """Says that the fault itself is over: from here on the way back to normal is timed."""
        self._over = time.monotonic()

    def rest(self) -> None:
        """Waits until nothing has changed in the store for a while."""
        seen: list[tuple[int, int]] = []

        def is_at_rest() -> bool:
            seen.append((self.effects().total(), self.in_outbox()))
            return len(seen) > LOOKS and len(set(seen[-LOOKS:])) == 1

        self.wait(is_at_rest, "nothing changes in the store any more")

    def busy(self) -> bool:
        """Whether the probe is inside a handler that takes its time."""
        return (self.rig.control / "busy").exists()

    def effects(self) -> Counter[int]:
        """Business rows by number; none while the database is away."""
        try:
            rows = self.rig.query("SELECT number, count(*) FROM effect WHERE run = :run GROUP BY number", self._mine)
        except DBAPIError:
            return Counter()
        return Counter({int(number): int(count) for number, count in rows})

    def consumers(self) -> int:
        """How many consumers the lane has; none while the broker is away."""
        try:
            with self.rig.channel() as channel:
                return int(channel.queue_declare(LANE, passive=True).method.consumer_count)
        except (AMQPError, OSError):
            return 0

    def collect_dead(self) -> None:
        """Takes what was parked out of the dead letters. A broker that is away has none."""
        try:
            with self.rig.channel() as channel:
                while True:
                    method, properties, body = channel.basic_get(DEAD, auto_ack=True)
                    if method is None:
                        return
                    self.dead.append(Message("", LANE, properties, body))
        except (AMQPError, OSError):
            return

    def park(self, messages: Iterable[Message]) -> None:
        """Puts messages among the dead letters, as the probe does."""
        told = {ORIGIN_EXCHANGE: EXCHANGE, LANE_HEADER: "inbox", REASON: "put there by the test"}
        parked = []
        for one in messages:
            old = one.properties
            headers = {**old.headers, **told, ORIGIN_ROUTING_KEY: one.routing_key}
            properties = pika.BasicProperties(
                message_id=old.message_id, content_type=old.content_type, delivery_mode=2, headers=headers
            )
            parked.append(Message("probe.retry", "dead", properties, one.body))
        self.publish(parked)

    def collect_refused(self, count: int) -> None:
        """Has the probe discard so many dead letters that the broker parked as they were, since pika may not read them.

        Why each lies there is asked of the code under test; that it does is counted at the broker before.
        """
        self.wait(lambda: self.lying_dead() >= count, "they are among the dead letters")
        with dead_queue(self.rig.direct_uri, "probe", max_message_bytes=MAX_MESSAGE_BYTES) as queue:
            letters = queue.letters()
        for letter in letters:
            headers = {REASON: letter.reason} if letter.reason else {}
            self.dead += [
                Message("", LANE, pika.BasicProperties(message_id=f"{letter.id} {number}", headers=headers), b"")
                for number in range(letter.copies)
            ]
        with self.rig.client() as client:
            ids = [letter.id for letter in letters]
            client.call("probe", "discard_dead_letters", ids=ids, timeout=self.deadline)

    def lying_dead(self) -> int:
        """How many dead letters lie there now; see `collect_dead` for those taken away."""
        with self.rig.channel() as channel:
            return int(channel.queue_declare(DEAD, passive=True).method.message_count)

    def expect_done_instead(self) -> None:
        """What was to be parked is to be done after all, because a person replays it."""
        self.expected.update(range(1, self._number + 1))
        self.to_be_parked = 0

    def settle(self) -> Outcome:
        """Waits until everything is back to normal and counts."""
        over = self._over or time.monotonic()
        problems = list(self.also_wrong)
        if self._hurry:
            self.rig.clock.advance(TAKE_OVER_AFTER)  # nobody waits here for what a killed replica left behind
        try:
            wait_until(self._is_done, "everything that was sent is done or parked", self._back_within)
            seconds = time.monotonic() - over
            self._pass_a_last_message()
        except TimeoutError as error:
            seconds = time.monotonic() - over
            problems.append(str(error))
        return self._outcome(seconds, problems)

    def give_up(self, why: str) -> Outcome:
        """What is there when something that a scenario waits for has not come about."""
        self.rig.reader.collect()
        return self._outcome(time.monotonic() - (self._over or time.monotonic()), [why])

    def _is_done(self) -> bool:
        if self.effects().keys() < self.expected:
            return False
        self.collect_dead()
        self.rig.reader.collect()
        return (
            self.rig.reader.heard[self.run].keys() >= self.expected
            and self._parked() >= self.to_be_parked
            and self.in_outbox() == 0
        )

    def _pass_a_last_message(self) -> None:
        """What the queue held before this one has been handled when this one has, so that all doubles are in."""
        last = f"{self.run}-last"
        self.publish([self._message(PLAIN, timedelta(), {"run": last, "number": 1})])

        def came() -> bool:
            self.rig.reader.collect()
            return bool(self.rig.reader.heard[last])

        self.wait(came, "one more message is handled")
        self.collect_dead()

    def _outcome(self, seconds: float, problems: list[str]) -> Outcome:
        effects, heard = self.effects(), self.rig.reader.heard[self.run]
        lost = {number for number in self.expected if number not in effects or number not in heard}
        twice = {number for number in effects if effects[number] > 1 or len(heard[number]) > 1}
        twice |= effects.keys() - self.expected
        duplicates = sum(sum(ids.values()) - len(ids) for ids in heard.values())
        problems += self._problems(len(lost), len(twice), duplicates)
        return Outcome(
            number=self.scenario.number,
            store=self.rig.store,
            events=self._number,
            lost=len(lost),
            twice=len(twice),
            duplicates=duplicates,
            parked=self._parked(),
            seconds=round(seconds, 1),
            problems=tuple(problems),
        )

    def _problems(self, lost: int, twice: int, duplicates: int) -> list[str]:
        limit, lines = self.scenario.duplicates_at_most, self._ledger_lines()
        found = {
            f"{lost} lost": lost,
            f"{twice} done twice": twice,
            f"{self._parked()} parked instead of {self.to_be_parked}": self._parked() != self.to_be_parked,
            "a dead letter gives no reason": any(REASON not in (one.properties.headers or {}) for one in self.dead),
            f"{duplicates} duplicates on the wire instead of {limit} at most": limit is not None and duplicates > limit,
            "the ledger doesn't balance": sum(pence for _, pence in lines) != 0,
            "an effect without its two ledger lines": any(
                count != 2 for count in Counter(number for number, _ in lines).values()
            )
            and not twice,
        }
        return [problem for problem, is_so in found.items() if is_so]

    def _parked(self) -> int:
        """Dead letters by id: one may lie there twice if its park was not confirmed at first."""
        return len({one.properties.message_id for one in self.dead})

    def _ledger_lines(self) -> list[tuple[int, int]]:
        rows = self.rig.query("SELECT number, pence FROM ledger_line WHERE run = :run", self._mine)
        return [(int(number), int(pence)) for number, pence in rows]

    def in_outbox(self) -> int:
        """How many follow-ups wait to be published."""
        like = {"run": f'%"{self.run}"%'}
        return int(self.rig.query("SELECT count(*) FROM outbox WHERE body LIKE :run", like)[0][0])

    @property
    def _mine(self) -> dict[str, str]:
        return {"run": self.run}

    def _message(self, event: str, age: timedelta, data: dict[str, Any]) -> Message:
        id_, case_id = self.new_id(), self.new_id()
        body = {"case_id": str(case_id), "filler": FILLER, **data}
        published_at = datetime.now(UTC) + self.rig.clock.offset() - age
        properties = pika.BasicProperties(
            message_id=str(id_),
            content_type="application/json",
            delivery_mode=2,
            headers={
                "cloudEvents_id": str(id_),
                "cloudEvents_type": event,
                "cloudEvents_source": "/leeward/asker",
                "cloudEvents_time": published_at.isoformat(),
                "cloudEvents_subject": str(case_id),
            },
        )
        return Message(EXCHANGE, event, properties, json.dumps(body).encode())
