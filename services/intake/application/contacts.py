"""How the client, and whoever writes for them, can safely be reached: who is given which contact.

The two are different people. What may not be used yet is given to nobody: while a client has not agreed to what
somebody else wrote for them, no service but this one knows how to reach them.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from chassis.ports import UnitOfWork
from contracts.events.intake import ContactReleased
from contracts.sealed import ClientContact, HelpForm, SafeContact, WriterContact
from contracts.vocabulary import ContactChangeState, ContactPurpose, Party, TherapistId
from services.intake.application import duplicate_detection
from services.intake.application.records import replace_record
from services.intake.dependencies import Dependencies
from services.intake.domain.referral import Referral
from services.intake.domain.states import IN_THERAPY, UNREVIEWED
from services.intake.errors import NobodyWroteForThem
from services.intake.store import pending_contacts


def release_contact(
    unit: UnitOfWork[Dependencies],
    referral: Referral,
    form: HelpForm,
    purpose: ContactPurpose,
    therapist_id: TherapistId | None = None,
) -> None:
    """Gives notifications what may be used for this purpose.

    The address book knows the client, once they agree, and whoever wrote for them. A therapist is told of the client
    alone, and of the writer only where the client has no contact of their own. What may be spam is given to nobody.
    """
    if referral.state in UNREVIEWED:
        return
    known = contact_of(referral, form)
    if purpose is not ContactPurpose.ADDRESS_BOOK and known.contact:
        known = replace(known, writer=None)
    sealed = unit.dependencies.keyring.seal("notifications", known)
    unit.emit(ContactReleased(referral_id=referral.id, purpose=purpose, therapist_id=therapist_id, sealed=sealed))


def contact_of(referral: Referral, form: HelpForm) -> ClientContact:
    writer, reached = form.written_by, form.writer_contact
    return ClientContact(
        referral_id=referral.id,
        reference=referral.reference,
        name=form.name,
        language=form.language,
        contact=form.contact if referral.client_agrees else None,
        client_agrees=referral.client_agrees,
        writer=WriterContact(name=writer.name, relationship=writer.relationship, contact=reached)
        if writer and reached
        else None,
        addressee=_prison_addressee(form),
    )


def _prison_addressee(form: HelpForm) -> str | None:
    """Name and prison number, as prisons ask for on letters; None for a contact that isn't at the prison."""
    custody, address = form.custody, (form.contact.address if form.contact else None) or ""
    if not (custody and custody.prison and custody.prison.casefold() in address.casefold()):
        return None
    return " ".join(filter(None, (form.name, custody.prison_number))) or None


def replace_contact(
    unit: UnitOfWork[Dependencies], referral: Referral, form: HelpForm, whose: Party, contact: SafeContact
) -> None:
    """Stores the new contact and releases it to those who had the old one. Raises NobodyWroteForThem."""
    form = _changed(form, whose, contact)
    replace_record(unit, referral, form)
    duplicate_detection.refresh_match_keys(unit, referral, form)
    release_contact(unit, referral, form, ContactPurpose.ADDRESS_BOOK)
    # A therapist was given the writer's contact only where the client has none.
    known_to_therapist = whose is Party.CLIENT or form.contact is None
    if known_to_therapist and referral.state in IN_THERAPY and form.consents.pass_to_therapist:
        release_contact(unit, referral, form, ContactPurpose.CORRECTION, referral.therapist_id)


def _changed(form: HelpForm, whose: Party, contact: SafeContact) -> HelpForm:
    """Raises NobodyWroteForThem."""
    if whose is Party.CLIENT:
        return replace(form, contact=contact)
    if form.written_by is None:
        raise NobodyWroteForThem("The client wrote this request themselves. Change the client's contact instead.")
    return replace(form, written_by=replace(form.written_by, contact=contact, email=None, telephone=None))


def unconfirmed_contact(
    unit: UnitOfWork[Dependencies], referral: Referral, *, whose: Collection[Party]
) -> SafeContact | None:
    """The new contact that a person has still to confirm, if it is one of theirs."""
    change = pending_contacts.find_contact_change(unit.session, referral.id)
    if change is None or change.content is None or change.state is not ContactChangeState.WITH_A_PERSON:
        return None
    if change.whose not in whose:
        return None
    return unit.dependencies.vault.decrypt(unit.session, referral.id, SafeContact, change.content)
