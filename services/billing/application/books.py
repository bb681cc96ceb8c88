"""Enters journals into the books."""

from __future__ import annotations

from services.billing.dependencies import BillingUnit
from services.billing.domain.ledger import Journal
from services.billing.store import journals


def post(unit: BillingUnit, journal: Journal) -> None:
    journals.post(unit.session, journal, id_=unit.new_id(), at=unit.now)
