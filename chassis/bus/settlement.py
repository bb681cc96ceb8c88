"""Settling a batch: in one transaction if that works, and every message that fails in a transaction of its own.

So one commit serves hundreds of messages, and a message that fails affects no other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from enum import Enum
from typing import NamedTuple

import structlog
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from chassis.bus.delivery import Arrived, Delivery, NotUnderstood, Read, Suspect, Understood
from chassis.observability import metrics, traces
from chassis.observability.logs import describe
from chassis.ports import Invalid, NotYet
from chassis.store import attempts
from chassis.store.unit_of_work import StoreUnit

MAX_SET_ASIDE = 4
"""Failures after which the rest of a batch is settled one by one: more restarts would cost more than they save."""

MAX_ATTEMPTS_ALONE = 3
"""A message that has killed the process this often, while it was handled alone, becomes a dead letter."""

log = structlog.get_logger()


class Fate(Enum):
    """What becomes of a delivery: acknowledged, tried again once an earlier event has come (NotYet), tried again after
    a failure, or moved to the dead letters."""

    DONE = "done"
    LATER = "later"
    RETRY = "retry"
    PARK = "park"


class Settled(NamedTuple):
    """The fate of a delivery, and the error if it failed."""

    delivery: Delivery
    fate: Fate
    error: Exception | None = None


class StoreUnavailable(Exception):
    """The database doesn't answer. The messages are not to blame, so they are kept and tried again."""


class BringsServiceDown(Invalid):
    """Handling this message kills the process."""


class _Failed(Exception):
    def __init__(self, item: Understood, cause: Exception) -> None:
        super().__init__()
        self.item = item
        self.cause = cause


class Settler:
    """Settles batches for one lane."""

    def __init__(self, open_unit: Callable[[], AbstractContextManager[StoreUnit]], read: Read) -> None:
        self._open_unit, self._read = open_unit, read

    def settle(self, batch: Sequence[Arrived]) -> list[Settled]:
        """The fate of every delivery of the batch. Raises StoreUnavailable, after which none has taken effect."""
        settled = [Settled(item.delivery, Fate.PARK, item.error) for item in batch if isinstance(item, NotUnderstood)]
        settled += [self._settle_suspect(item.delivery) for item in batch if isinstance(item, Suspect)]
        waiting = [item for item in batch if isinstance(item, Understood)]
        set_aside: list[Understood] = []
        while waiting:
            try:
                self._commit(waiting)
            except _Failed as failure:
                waiting.remove(failure.item)
                set_aside.append(failure.item)
                if len(set_aside) <= MAX_SET_ASIDE:
                    continue
            except DBAPIError as error:
                _raise_if_unavailable(error)
            else:
                settled += [Settled(item.delivery, Fate.DONE) for item in waiting]
                break
            set_aside += waiting
            break
        return settled + [self._settle_alone(item) for item in set_aside]

    def _commit(self, batch: list[Understood]) -> None:
        with self._open_unit() as unit:
            new = unit.claim(item.envelope.id for item in batch)
            for item in batch:
                if item.envelope.id not in new:
                    continue
                new.remove(item.envelope.id)
                try:
                    _handle(unit, item)
                except Exception as error:
                    raise _Failed(item, error) from error

    def _settle_suspect(self, delivery: Delivery) -> Settled:
        """Handles a message that may kill the process, after committing to the database that it is being tried."""
        fingerprint = delivery.fingerprint
        try:
            with self._open_unit() as unit:
                tries = attempts.begin(unit.session, unit.tables.attempt, fingerprint, unit.now)
            if tries > MAX_ATTEMPTS_ALONE:
                died = BringsServiceDown(f"the service died of it {tries - 1} times")
                settled = Settled(delivery, Fate.PARK, died)
            else:
                settled = self._read_and_settle(delivery)
            with self._open_unit() as unit:
                attempts.end(unit.session, unit.tables.attempt, fingerprint)
        except DBAPIError as error:
            _raise_if_unavailable(error)
            raise
        return settled

    def _read_and_settle(self, delivery: Delivery) -> Settled:
        item = self._read(delivery)
        if isinstance(item, NotUnderstood):
            return Settled(delivery, Fate.PARK, item.error)
        return self._settle_alone(item)

    def _settle_alone(self, item: Understood) -> Settled:
        try:
            self._commit([item])
        except _Failed as failure:
            return self._failed(item, failure.cause)
        except DBAPIError as error:
            return self._failed(item, error)
        return Settled(item.delivery, Fate.DONE)

    def _failed(self, item: Understood, error: Exception) -> Settled:
        if isinstance(error, DBAPIError):
            _raise_if_unavailable(error)
        if isinstance(error, NotYet):
            return Settled(item.delivery, Fate.LATER, error)
        fate = Fate.PARK if isinstance(error, Invalid) else Fate.RETRY
        metrics.FAILED.labels(item.envelope.type, type(error).__name__).inc()
        log.warning(
            "handler_failed", type=item.envelope.type, message_id=item.envelope.id, fate=fate.value, **describe(error)
        )
        return Settled(item.delivery, fate, error)


def _handle(unit: StoreUnit, item: Understood) -> None:
    if not traces.are_on():
        unit.envelope = item.envelope
        item.handler(unit, item.event)
        return
    with traces.handling(item.envelope) as unit.envelope:
        item.handler(unit, item.event)


def _raise_if_unavailable(error: DBAPIError) -> None:
    if error.connection_invalidated or isinstance(error, OperationalError | InterfaceError):
        raise StoreUnavailable(type(error).__name__) from error
