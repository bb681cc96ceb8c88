"""What clients are told as their request goes on, and both sides when a form is due."""

from __future__ import annotations

from chassis.ports import Invalid, Unit
from chassis.sealing import Unopenable
from contracts.events.billing import SubsidyApproved, SubsidyWaitlisted
from contracts.events.evaluation import EvaluationInvited
from contracts.events.matching import TherapistMatched
from contracts.sealed import EvaluationLink
from contracts.shape import InvalidShape
from contracts.vocabulary import Respondent
from services.notifications import store
from services.notifications.domain.templates import Template
from services.notifications.handlers.queueing import cancel, queue_to_client, queue_to_therapist
from services.notifications.tools import Tools

SUBSIDY = "subsidy"


def tell_client_of_match(unit: Unit[Tools], event: TherapistMatched) -> None:
    queue_to_client(unit, Template.MATCHED, referral_id=event.referral_id, key=event.match_id)


def tell_client_of_subsidy(unit: Unit[Tools], event: SubsidyApproved) -> None:
    queue_to_client(
        unit,
        Template.SUBSIDY_APPROVED,
        referral_id=event.referral_id,
        key=event.award_id,
        data={"pence_per_session": event.pence_per_session, "sessions": event.sessions},
    )
    store.moves_on(unit.session, event.referral_id, SUBSIDY, unit.sequence)
    for message in store.queued_about_referral(unit.session, event.referral_id):
        if message.template is Template.SUBSIDY_WAITING:
            cancel(unit, message)


def tell_client_of_subsidy_wait(unit: Unit[Tools], event: SubsidyWaitlisted) -> None:
    """Says nothing if an award that came after it has been told of."""
    if store.moves_on(unit.session, event.referral_id, SUBSIDY, unit.sequence):
        queue_to_client(
            unit, Template.SUBSIDY_WAITING, referral_id=event.referral_id, key=f"{event.referral_id}:{event.reason}"
        )


def ask_for_form(unit: Unit[Tools], event: EvaluationInvited) -> None:
    """Sends the link to whoever is to fill the form in. The link stays sealed until then."""
    _refuse_unless_link(unit, event.sealed)
    if event.respondent is Respondent.CLIENT:
        queue_to_client(
            unit,
            Template.CLIENT_EVALUATION,
            referral_id=event.referral_id,
            key=event.invitation_id,
            sealed=event.sealed,
        )
    else:
        queue_to_therapist(
            unit,
            Template.THERAPIST_EVALUATION,
            therapist_id=event.therapist_id,
            referral_id=event.referral_id,
            key=event.invitation_id,
            data={"stage": event.stage.value},
            sealed=event.sealed,
        )


def _refuse_unless_link(unit: Unit[Tools], sealed: str) -> None:
    try:
        unit.tools.keyring.open(EvaluationLink, sealed)
    except (Unopenable, InvalidShape) as error:
        raise Invalid(str(error)) from None
