"""A client, or whoever wrote for them, changes themselves how they are reached: who gets which letter of it."""

from __future__ import annotations

from chassis.ports import Invalid, UnitOfWork
from chassis.privacy.opening import open_or_park
from contracts.events.intake import AnotherTherapistWanted, ContactChangeNoted
from contracts.sealed import ContactLetter
from contracts.vocabulary import ContactChangeStage
from services.notifications.application.queueing import queue_to_office, queue_to_one_contact
from services.notifications.dependencies import Dependencies
from services.notifications.domain.templates import Template


def tell_of_contact_change(unit: UnitOfWork[Dependencies], event: ContactChangeNoted) -> None:
    """A code goes to the new contact at once. The office hears of whatever it has to confirm, and of what counts now.

    Raises Invalid for a letter that can't be opened, or a code without one.
    """
    key = f"{event.referral_id}:{unit.sequence}"
    if event.stage is ContactChangeStage.CODE_WANTED:
        _to_one_contact(unit, Template.CONTACT_CODE, event, key)
        return
    settled = event.stage is ContactChangeStage.CHANGED
    queue_to_office(
        unit,
        Template.NEW_CONTACT_NAMED,
        key=key,
        referral_id=event.referral_id,
        data={"settled": int(settled), "whose": event.whose.value},
    )
    if settled and event.sealed:
        _to_one_contact(unit, Template.CONTACT_MOVED, event, key)


def tell_office_of_wish(unit: UnitOfWork[Dependencies], event: AnotherTherapistWanted) -> None:
    """The client waits for somebody of the charity to get in touch."""
    queue_to_office(
        unit,
        Template.ANOTHER_WANTED,
        key=f"{event.referral_id}:{unit.sequence}",
        referral_id=event.referral_id,
        data={"match_id": str(event.match_id)},
    )


def _to_one_contact(unit: UnitOfWork[Dependencies], template: Template, event: ContactChangeNoted, key: str) -> None:
    letter = open_or_park(unit.dependencies.keyring, ContactLetter, event.sealed or "")
    if template is Template.CONTACT_CODE and (letter.code is None or event.expires_at is None):
        raise Invalid("there is no code in the letter, or no end to it")
    until = {"expires_at": event.expires_at.isoformat()} if event.expires_at else {}
    queue_to_one_contact(unit, template, referral_id=event.referral_id, key=key, data=until, sealed=event.sealed or "")
