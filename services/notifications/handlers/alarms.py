"""What a person must know at once, counted whenever the service's health is asked for."""

from __future__ import annotations

from chassis.ports import UnitOfWork
from services.notifications.dependencies import Dependencies
from services.notifications.gateways import dsn, receipts
from services.notifications.store import alerts


def unreached(unit: UnitOfWork[Dependencies]) -> int:
    """Alerts that have reached nobody."""
    return alerts.count_unreached(unit.session, unit.now)


def put_aside(unit: UnitOfWork[Dependencies]) -> int:
    """Bounced e-mails and delivery receipts that could not be read, and wait for a person to look at them."""
    settings = unit.dependencies.settings
    mails = dsn.count_unreadable(settings.bounces) if settings.bounces else 0
    return mails + receipts.count_put_aside(settings.unreadable)
