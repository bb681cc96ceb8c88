"""Forgets addresses again after a backup was restored that still has them."""

from __future__ import annotations

from chassis.ports import Timer, UnitOfWork
from chassis.privacy.restore import destroyed
from contracts.vocabulary import ReferralId
from services.notifications.application.contacts import remove_address
from services.notifications.dependencies import Dependencies
from services.notifications.store import people, tables


def forget_restored(unit: UnitOfWork[Dependencies], timer: Timer) -> None:
    """Records for each client whose key was destroyed that their address is removed."""
    for subject_id in destroyed(unit.session, tables.data_keys):
        client = people.find_client(unit.session, ReferralId(subject_id))
        if client is not None and client.contact is not None:
            remove_address(unit, client)
