"""What the page of a form shows, and forms that a person fills in with somebody by telephone or from paper."""

from __future__ import annotations

from chassis.ports import Invalid, Refused, UnitOfWork
from chassis.privacy.one_time_links import hash_in
from chassis.privacy.sealing import Unopenable, key_of
from contracts.commands.evaluation import (
    AskFormLink,
    Choice,
    EnterAnswers,
    Entered,
    FormPage,
    Item,
    ListUnreadableForms,
    RetriedForm,
    RetryUnreadableForm,
    ShowForm,
    UnreadableFormView,
)
from contracts.sealed import EnteredAnswers, EvaluationForm
from contracts.shape import InvalidShape
from contracts.vocabulary import LinkState
from services.evaluation import store, unreadable
from services.evaluation.dependencies import Dependencies
from services.evaluation.domain.instruments import Instrument
from services.evaluation.domain.invitations import Invitation, Mode, State
from services.evaluation.domain.wording import Wording
from services.evaluation.returning import open_form as open_returned
from services.evaluation.returning import take, take_answers

SAID = {
    State.OPEN: LinkState.OPEN,
    State.RETURNED: LinkState.ANSWERED,
    State.CANCELLED: LinkState.WITHDRAWN,
    State.LAPSED: LinkState.EXPIRED,
    State.TOO_LATE: LinkState.EXPIRED,
}


class UnknownInvitation(Refused):
    """There is no such invitation."""


class InvitationClosed(Refused):
    """The form was answered, or isn't asked for any more."""


class AnswersDontFit(Refused):
    """What was entered is not answers to this form."""


class StillUnreadable(Refused):
    """The form can't be taken as it is; the message says why."""


class NothingUnreadable(Refused):
    """Nothing is kept of this submission; it may have been read meanwhile."""


def open_form(unit: UnitOfWork[Dependencies], request: AskFormLink) -> FormPage:
    """What a link opens. Of one that nobody was given only that it is unknown."""
    token_hash = hash_in(unit.dependencies.keyring, request.sealed)
    invitation = store.find_by_token(unit.session, token_hash) if token_hash else None
    if invitation is None:
        return FormPage(state=LinkState.UNKNOWN)
    if not invitation.is_open:
        return FormPage(state=SAID[invitation.state], respondent=invitation.respondent)
    return _page(unit, invitation, request.language)


def show_form(unit: UnitOfWork[Dependencies], request: ShowForm) -> FormPage:
    """The same for staff, by the invitation. Raises UnknownInvitation, InvitationClosed."""
    return _page(unit, _open_invitation(unit, request), request.language, needs_words=False)


def enter_answers(unit: UnitOfWork[Dependencies], request: EnterAnswers) -> Entered:
    """Scores answers that were given by telephone or on paper as those from the page are.

    Raises UnknownInvitation, InvitationClosed, AnswersDontFit.
    """
    invitation = _open_invitation(unit, request)
    try:
        entered = unit.dependencies.keyring.open(EnteredAnswers, request.sealed)
        form = EvaluationForm(token=str(invitation.id), answers=entered.answers)
        take_answers(unit, invitation, form, mode=Mode(request.mode.value), entered_by=request.staff)
    except (Unopenable, InvalidShape, Invalid) as error:
        raise AnswersDontFit(f"These answers don't fit the form: {error}.") from None
    return Entered(invitation_id=invitation.id)


def list_unreadable(unit: UnitOfWork[Dependencies], request: ListUnreadableForms) -> list[UnreadableFormView]:
    return [
        UnreadableFormView(submission_id=one.submission_id, received_at=one.received_at, sealed_to=key_of(one.sealed))
        for one in unreadable.unread(unit.session, request.limit)
    ]


def retry_unreadable(unit: UnitOfWork[Dependencies], request: RetryUnreadableForm) -> RetriedForm:
    """Raises NothingUnreadable, StillUnreadable."""
    kept = unreadable.find(unit.session, request.submission_id)
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
    unreadable.drop(unit.session, request.submission_id)
    return RetriedForm(submission_id=request.submission_id)


def _page(
    unit: UnitOfWork[Dependencies], invitation: Invitation, language: str, *, needs_words: bool = True
) -> FormPage:
    instrument = unit.dependencies.library.get(invitation.instrument, invitation.instrument_version)
    wording = unit.dependencies.wordings.find(instrument, language)
    if wording is None:
        items = () if needs_words else _items(instrument, None)
        return FormPage(state=LinkState.OPEN, respondent=invitation.respondent, items=items)
    return FormPage(
        state=LinkState.OPEN,
        respondent=invitation.respondent,
        language=wording.language,
        title=wording.title,
        introduction=wording.introduction,
        licence=wording.licence,
        items=_items(instrument, wording),
    )


def _items(instrument: Instrument, wording: Wording | None) -> tuple[Item, ...]:
    """Without words the items are told by their codes, for a person who has the paper at hand."""
    return tuple(
        Item(
            code=item.code,
            text=wording.items[item.code] if wording else item.code,
            choices=tuple(
                Choice(value=value, label=wording.choices[value] if wording else str(value))
                for value in range(item.lowest, item.highest + 1)
            ),
        )
        for item in instrument.items
    )


def _open_invitation(unit: UnitOfWork[Dependencies], request: ShowForm | EnterAnswers) -> Invitation:
    invitation = store.find_invitation(unit.session, request.invitation_id)
    if invitation is None:
        raise UnknownInvitation("There is no such invitation. Please check the identifier.")
    if not invitation.is_open:
        raise InvitationClosed(
            f"This form is not asked for any more: it is {invitation.state.value.replace('_', ' ')}."
        )
    return invitation
