"""Commands about two referrals lock them in one order, so that two persons can't wait for each other for ever."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import select, update

from services.intake.store.tables import referrals
from tests.unit.commands.asking import Service
from tests.unit.commands.racing import DEADLINE_SECONDS, WAITING

PAIRS: dict[str, tuple[str, dict[str, Any]]] = {
    "link": ("other_referral_id", {"kind": "partner", "reason": "said_by_client"}),
    "merge": ("into_referral_id", {"reason": "sent_twice"}),
    "tell_apart": ("other_referral_id", {"reason": "different_people"}),
}


@pytest.fixture
def service(serve: Callable[[str, str], Service]) -> Service:
    return serve("intake", "postgresql")


def assert_locks_in_order(service: Service, command: str, given: dict[str, Any], low: Any, high: Any) -> None:
    """While another holds the lower, the command waits for it, and leaves the higher alone."""

    def locking(id_: Any) -> Any:
        return select(referrals.c.id).where(referrals.c.id == id_).with_for_update(nowait=True)

    watch = service.replica().engine
    with ThreadPoolExecutor(1) as other, watch.connect() as holder, watch.connect() as watcher:
        holder.execute(locking(low))
        asked = other.submit(service.ask, command, given)
        deadline = time.monotonic() + DEADLINE_SECONDS
        while not watcher.execute(WAITING).scalar_one():
            assert time.monotonic() < deadline, "it never waited"
        holder.execute(locking(high))
        holder.rollback()
        asked.result()


def two_of(service: Service) -> list[Any]:
    """Identifier and reference of two referrals, the lower first."""
    wanted = select(referrals.c.id, referrals.c.reference).where(referrals.c.reference.in_(service.references[:2]))
    with service.bench.database.engine.connect() as connection:
        return list(connection.execute(wanted.order_by(referrals.c.id)).all())


@pytest.mark.parametrize("command", PAIRS)
def test_a_pair_is_locked_in_one_order_whichever_is_named_first(service: Service, command: str) -> None:
    low, high = two_of(service)
    other, rest = PAIRS[command]
    assert_locks_in_order(service, command, {"referral_id": str(high.id), other: str(low.id), **rest}, low.id, high.id)


def test_a_person_is_erased_in_one_order_whichever_reference_is_named(service: Service) -> None:
    low, high = two_of(service)
    with service.bench.database.engine.begin() as connection:
        connection.execute(update(referrals).where(referrals.c.id == high.id).values(merged_into=low.id))
    given = {"reference": high.reference, "reason": "client_asked", "anyway": True}
    assert_locks_in_order(service, "erase", given, low.id, high.id)
