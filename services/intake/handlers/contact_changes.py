"""Changes of contact: by staff, or by the client themselves, with a code or a person to confirm it.

Where somebody wrote for the client it is the writer who knows the passphrase: they change how they themselves are
reached, and agree to nothing for the client.
"""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from chassis.ports import Timer, UnitOfWork
from chassis.privacy.one_time_codes import digits_of, new_code
from contracts.commands.intake import (
    ChangeByClient,
    ChangeContact,
    Done,
    RecordConsent,
    SettleContactChange,
    StatusAnswer,
)
from contracts.events.intake import AnotherTherapistWanted, ContactChangeNoted
from contracts.sealed import ClientChange, ContactLetter, HelpForm, SafeContact
from contracts.vocabulary import (
    ClientGroup,
    ClientStep,
    ConsentKind,
    ConsentTold,
    ContactChangeReason,
    ContactChangeStage,
    ContactChangeState,
    Party,
    ReferralId,
)
from services.intake.application import agreements, contacts
from services.intake.application.conflicts import refuse_who_handles_linked
from services.intake.application.contacts import replace_contact
from services.intake.application.history import BY_CLIENT, CONTACT_CODE_OVER, take_step
from services.intake.application.lookup import get_as_seen, open_sealed
from services.intake.application.records import decrypt_record
from services.intake.application.status import can_agree_to_pass_on, status_answer
from services.intake.application.verification import is_own_reference, verify_credentials
from services.intake.dependencies import Dependencies
from services.intake.domain.contact_change import TAKES_A_CODE, TRIES, ContactChange, digest_of_code
from services.intake.domain.referral import Referral
from services.intake.domain.states import TRANSITIONS, Step
from services.intake.errors import NothingToSettle, NotReachable
from services.intake.store import pending_contacts, referrals

CONFIRMED_BY_A_PERSON = frozenset({ClientGroup.SURVIVOR, ClientGroup.YOUNG_PERSON, ClientGroup.IN_PRISON})
"""Whose new contact a code alone doesn't make count; nor does it for anybody under 18. Into prisons go letters only."""

ASK_AGAIN_AFTER = timedelta(days=7)
"""When the office hears again of a client who still asks for somebody else."""


def change_by_client(unit: UnitOfWork[Dependencies], request: ChangeByClient) -> StatusAnswer:
    """Does what the client asks, if it is possible; the answer says where the request stands then.

    Raises NotSealedToIntake.
    """
    said = open_sealed(unit, ClientChange, request.sealed)
    referral = verify_credentials(unit, said)
    if referral is None:
        return StatusAnswer(recognised=False)
    change = None
    if not is_own_reference(referral, said):
        # Merged into another: this passphrase is not that of the request that goes on.
        return status_answer(unit, referral, said)
    if said.step is ClientStep.CHANGE_CONTACT and said.contact:
        change = _name_contact(unit, referral, said.contact, old_is_safe=said.old_is_safe)
    elif said.step is ClientStep.ENTER_CODE:
        change = _enter_code(unit, referral, said.code or "")
    elif said.step is ClientStep.ASK_FOR_ANOTHER:
        _ask_for_another(unit, referral)
    elif said.step is ClientStep.AGREE_TO_PASS_ON:
        _agree(unit, referral)
    return status_answer(unit, referral, said, change)


def settle_contact_change(unit: UnitOfWork[Dependencies], request: SettleContactChange) -> Done:
    """A person has made sure that the new contact is theirs and safe, or that it isn't.

    Raises UnknownReferral, HandlesLinkedReferral, NothingToSettle, StepNotPossible.
    """
    referral = get_as_seen(unit, request)
    refuse_who_handles_linked(unit, referral, unit.actor.who)
    change = pending_contacts.find_contact_change(unit.session, referral.id)
    if change is None or change.state is not ContactChangeState.WITH_A_PERSON:
        raise NothingToSettle("No new contact of this client waits to be confirmed.")
    if request.accept:
        _apply(unit, referral, change, by=unit.actor.who)
    else:
        change.expire()
    return Done()


def forget_unconfirmed(unit: UnitOfWork[Dependencies], timer: Timer) -> None:
    """Ends a change whose code nobody typed. One that a person has to confirm has no code, and waits for them."""
    change = pending_contacts.find_contact_change(unit.session, ReferralId(UUID(timer.key)))
    if change and change.code_mark and change.expires_at <= unit.now:
        change.expire()


def _name_contact(
    unit: UnitOfWork[Dependencies], referral: Referral, contact: SafeContact, *, old_is_safe: bool
) -> ContactChangeState | None:
    if referral.state not in TRANSITIONS[Step.CHANGE_CONTACT].sources:
        return None
    form, before = decrypt_record(unit, referral), pending_contacts.find_contact_change(unit.session, referral.id)
    if before and before.state is ContactChangeState.WITH_A_PERSON:
        return before.state  # a person confirms what they have seen, and nothing that came after
    if before and not before.may_send(at=unit.now):
        return ContactChangeState.TOO_OFTEN
    change = _begun(unit, referral, form, contact, old_is_safe=old_is_safe, before=before)
    change.count_code(at=unit.now)
    if contact.channel not in TAKES_A_CODE:
        return _leave_to_a_person(unit, change)
    code = new_code()
    change.code_mark = digest_of_code(code, referral_id=referral.id, key=unit.dependencies.passphrase_key)
    letter = _letter(referral, form, contact, code=code)
    _note(unit, change, ContactChangeStage.CODE_WANTED, letter)
    unit.set_timer(CONTACT_CODE_OVER, referral.id, change.expires_at)
    return change.state


def _begun(
    unit: UnitOfWork[Dependencies],
    referral: Referral,
    form: HelpForm,
    contact: SafeContact,
    *,
    old_is_safe: bool,
    before: ContactChange | None,
) -> ContactChange:
    """Replaces a change that was asked for before, whose code is void from now on."""
    change = before or pending_contacts.new_contact_change(unit.session, referral.id, at=unit.now)
    change.whose = Party.WRITER if form.written_by else Party.CLIENT
    change.content = unit.dependencies.vault.encrypt(unit.session, referral.id, contact, at=unit.now)
    change.old_is_safe, change.code_mark, change.tries_left = old_is_safe, None, TRIES
    change.asked_at, change.state = unit.now, ContactChangeState.CODE_SENT
    return change


def _enter_code(unit: UnitOfWork[Dependencies], referral: Referral, typed: str) -> ContactChangeState | None:
    change = pending_contacts.find_contact_change(unit.session, referral.id)
    if change is None or referral.state not in TRANSITIONS[Step.CHANGE_CONTACT].sources:
        return None
    digest = digest_of_code(digits_of(typed), referral_id=referral.id, key=unit.dependencies.passphrase_key)
    if not change.try_code(digest, at=unit.now):
        return change.state
    if referral.young or referral.client_group in CONFIRMED_BY_A_PERSON:
        return _leave_to_a_person(unit, change)
    _apply(unit, referral, change, by=BY_CLIENT)
    return change.state


def _leave_to_a_person(unit: UnitOfWork[Dependencies], change: ContactChange) -> ContactChangeState:
    change.state = ContactChangeState.WITH_A_PERSON
    _note(unit, change, ContactChangeStage.PERSON_WANTED)
    return change.state


def _apply(unit: UnitOfWork[Dependencies], referral: Referral, change: ContactChange, *, by: str) -> None:
    """Makes the new contact the only one, and writes to the old one if that is safe. Raises StepNotPossible."""
    assert change.content is not None
    new = unit.dependencies.vault.decrypt(unit.session, referral.id, SafeContact, change.content)
    form = decrypt_record(unit, referral)
    old = form.writer_contact if change.whose is Party.WRITER else form.contact
    take_step(unit, referral, Step.CHANGE_CONTACT, by=by, reason=ContactChangeReason.CLIENT_ASKED)
    contacts.replace_contact(unit, referral, form, change.whose, new)
    told = _letter(referral, form, old) if change.old_is_safe and old and old.channel in TAKES_A_CODE else None
    _note(unit, change, ContactChangeStage.CHANGED, told)
    change.settle(ContactChangeState.DONE)


def _letter(referral: Referral, form: HelpForm, contact: SafeContact, code: str | None = None) -> ContactLetter:
    return ContactLetter(reference=referral.reference, language=form.language, contact=contact, code=code)


def _note(
    unit: UnitOfWork[Dependencies],
    change: ContactChange,
    stage: ContactChangeStage,
    letter: ContactLetter | None = None,
) -> None:
    unit.emit(
        ContactChangeNoted(
            referral_id=change.referral_id,
            whose=change.whose,
            stage=stage,
            expires_at=change.expires_at if stage is ContactChangeStage.CODE_WANTED else None,
            sealed=unit.dependencies.keyring.seal("notifications", letter) if letter else None,
        )
    )


def _ask_for_another(unit: UnitOfWork[Dependencies], referral: Referral) -> None:
    """Asks staff to get in touch before the match ends; at most once in ASK_AGAIN_AFTER for the same match."""
    step = Step.ASK_FOR_ANOTHER
    if referral.state not in TRANSITIONS[step].sources or referral.match_id is None:
        return
    asked_at = referrals.last_taken(unit.session, referral.id, step, since=(Step.MATCH, Step.GO_ON))
    if asked_at and unit.now < asked_at + ASK_AGAIN_AFTER:
        return
    take_step(unit, referral, step, by=BY_CLIENT)
    unit.emit(AnotherTherapistWanted(referral_id=referral.id, match_id=referral.match_id))


def _agree(unit: UnitOfWork[Dependencies], referral: Referral) -> None:
    if can_agree_to_pass_on(unit, referral):
        agreements.record_consent(
            unit,
            referral,
            RecordConsent(
                referral_id=referral.id,
                consent=ConsentKind.PASS_TO_THERAPIST,
                given=True,
                told=ConsentTold.IN_WRITING,
            ),
            by=BY_CLIENT,
        )


def change_contact(unit: UnitOfWork[Dependencies], request: ChangeContact) -> Done:
    """From now on nothing goes to where it went before. A therapist who knows the old contact is told the new one.

    Raises UnknownReferral, ChangedMeanwhile, StepNotPossible, HandlesLinkedReferral, NotSealedToIntake, NotReachable,
    NobodyWroteForThem.
    """
    referral = get_as_seen(unit, request)
    refuse_who_handles_linked(unit, referral, unit.actor.who)
    contact = open_sealed(unit, SafeContact, request.contact)
    if contact.lacks_address:
        raise NotReachable("Say where they are reached in this way: the address or the number is missing.")
    take_step(
        unit,
        referral,
        Step.CHANGE_CONTACT,
        by=unit.actor.who,
        reason=request.reason,
        note=request.note,
        changed=[f"contact_of_{request.whose}"],
    )
    replace_contact(unit, referral, decrypt_record(unit, referral), request.whose, contact)
    return Done()
