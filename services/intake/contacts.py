"""How the client, and whoever writes for them, can safely be reached: who is given which, and what changes it.

The two are two people. What may not be used yet is not given to anybody: while a client has not agreed to what somebody
else wrote for them, no service but this one knows how to reach them.
"""

from __future__ import annotations

from dataclasses import replace

from chassis.ports import Refused, UnitOfWork
from contracts.commands.intake import ChangeContact, Done
from contracts.events.intake import ContactReleased
from contracts.sealed import ClientContact, HelpForm, SafeContact, WriterContact
from contracts.vocabulary import ContactPurpose, Party, TherapistId
from services.intake import duplicates
from services.intake.dependencies import Dependencies
from services.intake.domain.referral import IN_THERAPY, Referral, Step
from services.intake.linking import refuse_who_handles_linked
from services.intake.records import keep_record, personal_record
from services.intake.refusals import get, open_sealed, refusing
from services.intake.steps import take


class NobodyWroteForThem(Refused):
    """The client wrote themselves: there is no writer whose contact could be changed."""


def release(
    unit: UnitOfWork[Dependencies],
    referral: Referral,
    form: HelpForm,
    purpose: ContactPurpose,
    therapist_id: TherapistId | None = None,
) -> None:
    """Gives notifications what may be used for this purpose.

    The address book knows the client, once they agree, and whoever wrote for them. A therapist is told of the client
    alone, and of the writer only where the client has no contact of their own.
    """
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
        addressee=_in_prison(form),
    )


def _in_prison(form: HelpForm) -> str | None:
    """As prisons ask for it: name and number, on what goes to the prison and on nothing that goes elsewhere."""
    custody, address = form.custody, (form.contact.address if form.contact else None) or ""
    if not (custody and custody.prison and custody.prison.casefold() in address.casefold()):
        return None
    return " ".join(filter(None, (form.name, custody.prison_number))) or None


def change_contact(unit: UnitOfWork[Dependencies], request: ChangeContact) -> Done:
    """From now on nothing goes to where it went before. A therapist who knows the old contact is told the new one.

    Raises UnknownReferral, StepNotPossible, HandlesLinkedReferral, NotSealedToIntake, NobodyWroteForThem.
    """
    referral = get(unit, request.referral_id)
    refuse_who_handles_linked(unit, referral, request.staff)
    contact = open_sealed(unit, SafeContact, request.contact)
    with refusing():
        take(unit, referral, Step.CHANGE_CONTACT, by=request.staff, reason=request.reason, note=request.note)
    put_in_place(unit, referral, personal_record(unit, referral), request.whose, contact)
    return Done()


def put_in_place(
    unit: UnitOfWork[Dependencies], referral: Referral, form: HelpForm, whose: Party, contact: SafeContact
) -> None:
    """The contact that counts from now on. Raises NobodyWroteForThem."""
    form = _changed(form, whose, contact)
    keep_record(unit, referral, form)
    duplicates.mark_anew(unit, referral, form)
    release(unit, referral, form, ContactPurpose.ADDRESS_BOOK)
    told = whose is Party.CLIENT or form.contact is None  # a therapist knows the writer only where there is no other
    if told and referral.state in IN_THERAPY and form.consents.pass_to_therapist:
        release(unit, referral, form, ContactPurpose.CORRECTION, referral.therapist_id)


def _changed(form: HelpForm, whose: Party, contact: SafeContact) -> HelpForm:
    """Raises NobodyWroteForThem."""
    if whose is Party.CLIENT:
        return replace(form, contact=contact)
    if form.written_by is None:
        raise NobodyWroteForThem("The client wrote this request themselves. Change the client's contact instead.")
    return replace(form, written_by=replace(form.written_by, contact=contact, email=None, telephone=None))
