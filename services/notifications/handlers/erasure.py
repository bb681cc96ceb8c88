"""Forgetting an erased client at notifications."""

from __future__ import annotations

from chassis.ports import UnitOfWork
from contracts.events.intake import ReferralErased
from contracts.events.notifications import ErasureConfirmed
from services.notifications.application.contacts import FORGET_CLIENT, remove_address
from services.notifications.application.queueing import cancel
from services.notifications.dependencies import Dependencies
from services.notifications.domain.templates import Template
from services.notifications.store import messages, people


def forget(unit: UnitOfWork[Dependencies], event: ReferralErased) -> None:
    """Forgets how the client is reached, and cancels what was still to be sent to them or about them.

    Alerts, messages about money and a withdrawn offer are still sent: none of them can tell who the client was.
    """
    client = people.client_of(unit.session, event.referral_id)
    client.withdraw(at=unit.now, sequence=unit.sequence)
    for message in messages.queued_about_referral(unit.session, event.referral_id):
        if message.template.ends_with_withdrawal or message.template is Template.WITHDRAWAL_CONFIRMED:
            cancel(unit, message)
    unit.cancel_timer(FORGET_CLIENT, event.referral_id)
    remove_address(unit, client)
    unit.emit(ErasureConfirmed(referral_id=event.referral_id))
