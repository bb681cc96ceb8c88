"""Finds funds, locked in one order."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from chassis.store import identity_map
from chassis.store.prepared import prepared
from contracts.vocabulary import (
    FundId,
)
from services.billing.domain.funds import Fund
from services.billing.store import tables
from services.billing.store.rows import locked, required

_fund = tables.fund_table.c

_OPEN_FUNDS = prepared(
    locked(select(Fund).where(_fund.starts_on <= bindparam("on"), _fund.ends_on >= bindparam("on")).order_by(_fund.id))
)


def get_fund(session: Session, fund_id: FundId) -> Fund:
    """A fund, locked until the unit ends: nobody else moves its money meanwhile. Raises NotFound."""
    return required(identity_map.lock(session, Fund, fund_id))


def find_fund_named(session: Session, name: str) -> Fund | None:
    """The fund of this name. If there is none, nobody else opens one until the unit ends."""
    identity_map.lock_key(session, Fund, name)
    return session.scalars(select(Fund).where(tables.fund_table.c.name == name)).one_or_none()


def open_funds(session: Session, *, on: date) -> Sequence[Fund]:
    """Every fund that is open on that day, locked in one order, so that two replicas can't wait for each other."""
    return session.scalars(_OPEN_FUNDS, {"on": on}).all()


def all_funds(session: Session) -> Sequence[Fund]:
    return session.scalars(select(Fund).order_by(tables.fund_table.c.ends_on, tables.fund_table.c.id)).all()
