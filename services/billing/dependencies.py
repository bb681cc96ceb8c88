"""What billing's handlers find as `unit.dependencies`: its settings; it has no gateway and no keys."""

from __future__ import annotations

from chassis.config import Env
from chassis.ports import UnitOfWork
from services.billing import settings
from services.billing.settings import BillingSettings

Dependencies = BillingSettings
BillingUnit = UnitOfWork[Dependencies]


def build(env: Env) -> Dependencies:
    return settings.read(env)
