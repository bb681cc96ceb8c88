"""What a person tells evaluation to do."""

from __future__ import annotations

from chassis.ports import Invalid, UnitOfWork
from chassis.privacy.sealing import Unopenable
from contracts.commands.evaluation import (
    EnterAnswers,
    Entered,
    RetriedForm,
    RetryUnreadableForm,
)
from contracts.sealed import EnteredAnswers, EvaluationForm
from contracts.shape import InvalidShape
from services.evaluation.application.submissions import open_form as open_returned
from services.evaluation.application.submissions import open_invitation, take, take_answers
from services.evaluation.dependencies import Dependencies
from services.evaluation.domain.invitations import Mode
from services.evaluation.errors import AnswersDontFit, NothingUnreadable, StillUnreadable
from services.evaluation.store import unreadable_forms


def enter_answers(unit: UnitOfWork[Dependencies], request: EnterAnswers) -> Entered:
    """Scores answers that were given by telephone or on paper as those from the page are.

    Raises UnknownInvitation, InvitationClosed, AnswersDontFit.
    """
    invitation = open_invitation(unit, request)
    try:
        entered = unit.dependencies.keyring.open(EnteredAnswers, request.sealed)
        form = EvaluationForm(token=str(invitation.id), answers=entered.answers)
        take_answers(unit, invitation, form, mode=Mode(request.mode.value), entered_by=unit.actor.who)
    except (Unopenable, InvalidShape, Invalid) as error:
        raise AnswersDontFit(f"These answers don't fit the form: {error}.") from None
    return Entered(invitation_id=invitation.id)


def retry_unreadable(unit: UnitOfWork[Dependencies], request: RetryUnreadableForm) -> RetriedForm:
    """Raises NothingUnreadable, StillUnreadable."""
    kept = unreadable_forms.find(unit.session, request.submission_id)
    if kept is None:
        raise NothingUnreadable("Nothing unreadable is kept of this submission. It may have been read meanwhile.")
    try:
        take(unit, open_returned(unit, kept.sealed))
    except Unopenable:
        raise StillUnreadable(
            "It is sealed to a key that evaluation does not have. Put that key into the keys folder and restart it."
        ) from None
    except Invalid as error:
        raise StillUnreadable(f"It can't be taken: {error}.") from None
    unreadable_forms.drop(unit.session, request.submission_id)
    return RetriedForm(submission_id=request.submission_id)
