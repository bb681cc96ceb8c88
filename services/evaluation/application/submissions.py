"""Taking a form back: recognise it, score it, and see to an answer that asks for a person."""

from __future__ import annotations

import hashlib
import json

from chassis.ports import Invalid, UnitOfWork
from chassis.privacy.one_time_links import hash_of
from contracts.commands.evaluation import (
    EnterAnswers,
    GetForm,
)
from contracts.events.evaluation import EvaluationRiskFlagged, EvaluationSubmitted
from contracts.sealed import EvaluationForm
from contracts.shape import InvalidShape
from contracts.vocabulary import FormId
from services.evaluation.dependencies import Dependencies
from services.evaluation.domain.invitations import Invitation, Mode, NotOpen, Response, State
from services.evaluation.domain.scoring import MalformedForm, Scored, score
from services.evaluation.errors import InvitationClosed, UnknownInvitation
from services.evaluation.store import repository


def take(unit: UnitOfWork[Dependencies], form: EvaluationForm) -> None:
    """Raises Invalid."""
    invitation = repository.find_by_token(unit.session, hash_of(form.token))
    if invitation is None:
        raise Invalid("the form belongs to no invitation")
    if invitation.state is State.RETURNED and _is_the_same(unit, invitation, form):
        return
    take_answers(unit, invitation, form)


def take_answers(
    unit: UnitOfWork[Dependencies],
    invitation: Invitation,
    form: EvaluationForm,
    *,
    mode: Mode = Mode.ONLINE,
    entered_by: str | None = None,
) -> None:
    """Scores what was answered to an invitation, however it came. Raises Invalid."""
    scored = _score(unit, invitation, form)
    response = Response(
        invitation_id=invitation.id,
        form_id=FormId(unit.new_id()),
        answers_mark=_mark(form),
        score=scored.score,
        missing=scored.missing,
        submitted_at=unit.now,
        mode=mode,
        entered_by=entered_by,
    )
    try:
        _settle(unit, invitation, response)
    except NotOpen as error:
        raise Invalid(f"the form can't be taken: {error}") from None
    for item in scored.risks:
        unit.emit(
            EvaluationRiskFlagged(
                form_id=response.form_id,
                referral_id=invitation.referral_id,
                instrument=invitation.instrument,
                item=item,
            )
        )


def _settle(unit: UnitOfWork[Dependencies], invitation: Invitation, response: Response) -> None:
    """Records the form, or only that it came if its invitation was cancelled or has lapsed. Raises NotOpen."""
    if invitation.state in (State.CANCELLED, State.LAPSED, State.TOO_LATE):
        invitation.answer_too_late(at=unit.now)
        return
    invitation.answer(at=unit.now)
    unit.session.add(response)
    _announce(unit, invitation, response)


def _announce(unit: UnitOfWork[Dependencies], invitation: Invitation, response: Response) -> None:
    """A form with too many blanks has no score to announce."""
    if response.score is None:
        return
    unit.emit(
        EvaluationSubmitted(
            form_id=response.form_id,
            referral_id=invitation.referral_id,
            respondent=invitation.respondent,
            stage=invitation.stage,
            instrument=invitation.instrument,
            score=response.score,
            submitted_at=response.submitted_at,
        )
    )


def _score(unit: UnitOfWork[Dependencies], invitation: Invitation, form: EvaluationForm) -> Scored:
    instrument = unit.dependencies.library.get(invitation.instrument, invitation.instrument_version)
    try:
        return score(instrument, [(answer.item, answer.value) for answer in form.answers])
    except MalformedForm as error:
        raise Invalid(str(error)) from None


def open_form(unit: UnitOfWork[Dependencies], sealed: str) -> EvaluationForm:
    """Raises Unopenable; Invalid for what is no form inside."""
    try:
        return unit.dependencies.keyring.open(EvaluationForm, sealed)
    except InvalidShape as error:
        raise Invalid(str(error)) from None


def _is_the_same(unit: UnitOfWork[Dependencies], invitation: Invitation, form: EvaluationForm) -> bool:
    response = repository.find_response(unit.session, invitation.id)
    return response is not None and response.answers_mark == _mark(form)


def _mark(form: EvaluationForm) -> bytes:
    """By which the same answers are known again. The token in it keeps the mark from telling what they were."""
    answers = sorted((answer.item, answer.value) for answer in form.answers)
    return hashlib.sha256(json.dumps([form.token, answers]).encode()).digest()


def open_invitation(unit: UnitOfWork[Dependencies], request: GetForm | EnterAnswers) -> Invitation:
    invitation = repository.find_invitation(unit.session, request.invitation_id)
    if invitation is None:
        raise UnknownInvitation("There is no such invitation. Please check the identifier.")
    if not invitation.is_open:
        raise InvitationClosed(
            f"This form is not asked for any more: it is {invitation.state.value.replace('_', ' ')}."
        )
    return invitation
