"""A console's store with as many referrals as are asked for, all of which wait in one queue: the worst that can be."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random

from sqlalchemy import create_engine, text

from chassis.ids import new_id
from contracts.accounts import AccountId
from contracts.commands.console import WorkQueue
from contracts.vocabulary import ClientGroup, ReferralId, RiskLevel
from services.console.domain.queues import place_of
from services.console.domain.referral import Referral
from services.console.store import tables
from services.console.store.queues import values_of

QUEUE = WorkQueue.WAITING
RARE = ClientGroup.IN_PRISON
ONE_IN = 1_000
"""So few are of the rare group."""


def populate(url: str, count: int) -> None:
    chance, now = Random(20261201), datetime.now(UTC)
    groups = [group for group in ClientGroup if group is not RARE]
    accounts = [AccountId(new_id()) for _ in range(20)]
    referrals = []
    for number in range(count):
        referral = Referral(id=ReferralId(new_id()), heard_at=now, version=4, step=3, state="matching")
        referral.state_since = now - timedelta(minutes=chance.randrange(200_000))
        referral.client_group = RARE if number % ONE_IN == 0 else chance.choice(groups)
        referral.risk_level = chance.choice(list(RiskLevel))
        referral.assigned_to = chance.choice([None, *accounts])
        referrals.append(referral)
    engine = create_engine(url)
    with engine.begin() as connection:
        rows = [{column.name: getattr(one, column.name) for column in tables.referrals.c} for one in referrals]
        connection.execute(tables.referrals.insert(), rows)
        items = [values_of(one, place) for one in referrals if (place := place_of(one))]
        connection.execute(tables.queue_items.insert(), items)
        connection.execute(tables.queue_counts.insert(), [{"queue": QUEUE, "total": count, "version": 1}])
        if engine.dialect.name == "postgresql":  # as it does by itself within a minute
            connection.execute(text("ANALYZE"))
    engine.dispose()
