"""What every handler of billing works in, and how it enters a journal."""

from __future__ import annotations

from chassis.ports import UnitOfWork
from services.billing.domain.ledger import Journal
from services.billing.settings import BillingSettings
from services.billing.store import journals

BillingUnit = UnitOfWork[BillingSettings]


def post(unit: BillingUnit, journal: Journal) -> None:
    journals.post(unit.session, journal, id_=unit.new_id(), at=unit.now)
