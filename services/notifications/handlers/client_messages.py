"""Messages to clients about subsidies and a changed contact, and to clients and therapists about forms."""

from __future__ import annotations

from chassis.ports import Invalid, UnitOfWork
from chassis.privacy.opening import open_or_park
from contracts.events.billing import SubsidyApproved, SubsidyDeclined, SubsidyResumed, SubsidyWaitlisted
from contracts.events.evaluation import EvaluationInvitationCancelled, EvaluationInvited
from contracts.events.intake import ContactChangeNoted
from contracts.sealed import ContactLetter
from contracts.vocabulary import ContactChangeStage, ReferralId, Respondent, SubsidyWaitReason
from services.notifications.application.queueing import (
    cancel,
    check_link_secret,
    queue_to_client,
    queue_to_enclosed_contact,
    queue_to_office,
    queue_to_therapist,
    rule_out,
)
from services.notifications.dependencies import Dependencies
from services.notifications.domain.templates import Template
from services.notifications.store import latest_facts, messages

SUBSIDY = "subsidy"
FOR_THE_OFFICE = frozenset(
    {
        SubsidyWaitReason.AREA_TO_BE_CONFIRMED,
        SubsidyWaitReason.NO_THERAPIST_FITS,
        SubsidyWaitReason.AWARD_USED_UP,
    }
)
"""The reasons for waiting about which a person can do something."""


def notify_client_of_subsidy(unit: UnitOfWork[Dependencies], event: SubsidyApproved) -> None:
    queue_to_client(
        unit,
        Template.SUBSIDY_APPROVED,
        referral_id=event.referral_id,
        key=event.award_id,
        data={"pence_per_session": event.pence_per_session, "sessions": event.sessions},
    )
    latest_facts.advance(unit.session, event.referral_id, SUBSIDY, unit.sequence)
    _cancel_waiting_notices(unit, event.referral_id)


def note_subsidy_resumed(unit: UnitOfWork[Dependencies], event: SubsidyResumed) -> None:
    """What was still to be said about waiting is overtaken: the award that they know of goes on."""
    if latest_facts.advance(unit.session, event.referral_id, SUBSIDY, unit.sequence):
        _cancel_waiting_notices(unit, event.referral_id)


def notify_client_of_subsidy_wait(unit: UnitOfWork[Dependencies], event: SubsidyWaitlisted) -> None:
    """Says why, each time that the reason changes, unless something newer has been told.

    The office hears of it if it can do something, and if the client is in therapy without the money for it.
    """
    if not latest_facts.advance(unit.session, event.referral_id, SUBSIDY, unit.sequence):
        return
    key = f"{event.referral_id}:{event.reason}:{unit.sequence}"
    if event.reason in FOR_THE_OFFICE or event.match_id is not None:
        _ask_office_to_look(unit, event.referral_id, key, event.reason.value)
    _cancel_waiting_notices(unit, event.referral_id)
    queue_to_client(
        unit,
        Template.SUBSIDY_WAITING,
        referral_id=event.referral_id,
        key=key,
        data={"reason": event.reason.value},
    )


def notify_client_of_subsidy_decline(unit: UnitOfWork[Dependencies], event: SubsidyDeclined) -> None:
    """Says that no subsidy is needed, and how to object. Where therapy is going on, the office sees to it too."""
    if not latest_facts.advance(unit.session, event.referral_id, SUBSIDY, unit.sequence):
        return
    key = f"{event.referral_id}:{event.reason}:{unit.sequence}"
    if event.match_id is not None:
        _ask_office_to_look(unit, event.referral_id, key, event.reason.value)
    _cancel_waiting_notices(unit, event.referral_id)
    queue_to_client(unit, Template.SUBSIDY_DECLINED, referral_id=event.referral_id, key=key)


def _ask_office_to_look(unit: UnitOfWork[Dependencies], referral_id: ReferralId, key: str, reason: str) -> None:
    queue_to_office(unit, Template.SUBSIDY_TO_LOOK_AT, key=key, referral_id=referral_id, data={"reason": reason})


def _cancel_waiting_notices(unit: UnitOfWork[Dependencies], referral_id: ReferralId) -> None:
    """Cancels what was still to be said about waiting: it is overtaken."""
    for message in messages.queued_about_referral(unit.session, referral_id):
        if message.template is Template.SUBSIDY_WAITING:
            cancel(unit, message)


def ask_for_form(unit: UnitOfWork[Dependencies], event: EvaluationInvited) -> None:
    """Sends the link to whoever is to fill the form in. The link stays sealed until then."""
    check_link_secret(unit, event.sealed)
    if event.respondent is Respondent.CLIENT:
        queue_to_client(
            unit,
            Template.CLIENT_EVALUATION,
            referral_id=event.referral_id,
            key=_form_key(event),
            data={"reminder": event.reminder},
            sealed=event.sealed,
        )
    else:
        queue_to_therapist(
            unit,
            Template.THERAPIST_EVALUATION,
            therapist_id=event.therapist_id,
            referral_id=event.referral_id,
            key=_form_key(event),
            data={"stage": event.stage.value, "reminder": event.reminder},
            sealed=event.sealed,
        )


def stop_asking_for_form(unit: UnitOfWork[Dependencies], event: EvaluationInvitationCancelled) -> None:
    """Cancels what has not been sent yet: it would lead to a form that nobody need fill in."""
    client = event.respondent is Respondent.CLIENT
    template = Template.CLIENT_EVALUATION if client else Template.THERAPIST_EVALUATION
    invited = rule_out(unit, template, key=_form_key(event), referral_id=event.referral_id)
    for message in messages.queued_about_referral(unit.session, event.referral_id):
        if message.business_key.startswith(f"{invited.business_key}:"):
            cancel(unit, message)


def _form_key(event: EvaluationInvited | EvaluationInvitationCancelled) -> str:
    """Each invitation and each reminder is a fact of its own."""
    asked = f"{event.invitation_id}:{event.invited_at.isoformat()}" if event.invited_at else str(event.invitation_id)
    reminder = event.reminder if isinstance(event, EvaluationInvited) else 0
    return f"{asked}:{reminder}" if reminder else asked


def notify_of_contact_change(unit: UnitOfWork[Dependencies], event: ContactChangeNoted) -> None:
    """A code goes to the new contact at once. The office hears of what it has to confirm, and of what has changed.

    Raises Invalid if what came sealed can't be opened, or has no code where there must be one.
    """
    key = f"{event.referral_id}:{unit.sequence}"
    if event.stage is ContactChangeStage.CODE_WANTED:
        _queue_to_enclosed_contact(unit, Template.CONTACT_CODE, event, key)
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
        _queue_to_enclosed_contact(unit, Template.CONTACT_MOVED, event, key)


def _queue_to_enclosed_contact(
    unit: UnitOfWork[Dependencies], template: Template, event: ContactChangeNoted, key: str
) -> None:
    enclosed = open_or_park(unit.dependencies.keyring, ContactLetter, event.sealed or "")
    if template is Template.CONTACT_CODE and (enclosed.code is None or event.expires_at is None):
        raise Invalid("there is no code in the letter, or no end to it")
    until = {"expires_at": event.expires_at.isoformat()} if event.expires_at else {}
    queue_to_enclosed_contact(
        unit, template, referral_id=event.referral_id, key=key, data=until, sealed=event.sealed or ""
    )
