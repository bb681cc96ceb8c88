"""What notifications does once a backup was restored that is older than somebody's erasure."""

from __future__ import annotations

from chassis.ids import new_id
from chassis.testing import DueTimer
from contracts.vocabulary import ReferralId
from services.notifications.handlers import restore
from services.notifications.store import people
from tests.unit.notifications.conftest import Desk


def contact(desk: Desk, referral_id: ReferralId) -> bytes | None:
    with desk.bench.database.reading() as unit:
        client = people.read_client(unit.session, referral_id)
        assert client
        return client.contact


def test_an_address_whose_key_is_gone_is_forgotten_and_no_other(desk: Desk, referral_id: ReferralId) -> None:
    other = ReferralId(new_id())
    for one in (referral_id, other):
        desk.release(one)
    with desk.bench.database.unit() as unit:
        unit.dependencies.vault.destroy(unit.session, referral_id, at=unit.now)
    with desk.bench.database.unit() as unit:
        restore.forget_restored(unit, DueTimer(key="all", due_at=unit.now, data={}))
    assert contact(desk, referral_id) is None
    assert contact(desk, other)
