"""What a person's screen asks of evaluation."""

from __future__ import annotations

from chassis.ports import UnitOfWork
from chassis.privacy.one_time_links import hash_in
from chassis.privacy.sealing import key_of
from contracts.commands.evaluation import (
    Choice,
    EvaluationSummary,
    FormPage,
    GetForm,
    GetFormLink,
    Interval,
    InvitationView,
    Item,
    ListInvitations,
    ListUnreadableForms,
    SummariseEvaluation,
    UnreadableFormView,
)
from contracts.vocabulary import LinkState, Respondent, Stage
from services.evaluation.application.submissions import open_invitation
from services.evaluation.dependencies import Dependencies
from services.evaluation.domain.change import Change, Estimate, change_of
from services.evaluation.domain.instruments import Instrument
from services.evaluation.domain.invitations import Invitation, State
from services.evaluation.domain.wording import Wording
from services.evaluation.errors import UnknownInstrument
from services.evaluation.gateways.library import NoSuchInstrument
from services.evaluation.store import repository, unreadable_forms

DECIMALS = 4


def list_invitations(unit: UnitOfWork[Dependencies], request: ListInvitations) -> list[InvitationView]:
    return [
        InvitationView(
            invitation_id=one.id,
            match_id=one.match_id,
            stage=one.stage,
            respondent=one.respondent,
            instrument=one.instrument,
            state=one.state.value,
            invited_at=one.invited_at,
            settled_at=one.settled_at,
        )
        for one in repository.invitations_of(unit.session, request.referral_id)
    ]


def summarise(unit: UnitOfWork[Dependencies], request: SummariseEvaluation) -> list[EvaluationSummary]:
    """One summary for each instrument and respondent of whom a form was asked. Raises UnknownInstrument."""
    codes = [request.instrument] if request.instrument else unit.dependencies.library.codes()
    respondents = [request.respondent] if request.respondent else list(Respondent)
    try:
        instruments = [unit.dependencies.library.newest(code) for code in codes]
    except NoSuchInstrument as error:
        raise UnknownInstrument(f"{error}.") from None
    summaries = (_summary(unit, one, who, request.until) for one in instruments for who in respondents)
    return [summary for summary in summaries if summary.invited]


def _summary(
    unit: UnitOfWork[Dependencies], instrument: Instrument, respondent: Respondent, until: Stage
) -> EvaluationSummary:
    counts = repository.count_forms(unit.session, instrument.code, respondent)
    pairs = repository.pairs_of(unit.session, instrument.code, instrument.version, respondent, until)
    change = change_of(pairs, instrument=instrument, smallest_group=unit.dependencies.settings.smallest_group)
    return EvaluationSummary(
        instrument=instrument.code,
        respondent=respondent,
        until=until,
        invited=counts.invited,
        returned=counts.returned,
        response_rate=round(counts.returned / counts.invited, DECIMALS) if counts.invited else None,
        suppressed=change is None,
        pairs=change.pairs if change else None,
        mean_change=_interval(change.mean) if change else None,
        standard_error=round(change.standard_error, DECIMALS) if change else None,
        reliably_improved=_improved(change),
        reliably_worse=_interval(change.worse) if change and change.worse else None,
    )


def _improved(change: Change | None) -> Interval | None:
    return _interval(change.improved) if change and change.improved else None


def _interval(estimate: Estimate) -> Interval:
    return Interval(
        estimate=round(estimate.estimate, DECIMALS),
        low=round(estimate.low, DECIMALS),
        high=round(estimate.high, DECIMALS),
    )


SAID = {
    State.OPEN: LinkState.OPEN,
    State.RETURNED: LinkState.ANSWERED,
    State.CANCELLED: LinkState.WITHDRAWN,
    State.LAPSED: LinkState.EXPIRED,
    State.TOO_LATE: LinkState.EXPIRED,
}


def open_form(unit: UnitOfWork[Dependencies], request: GetFormLink) -> FormPage:
    """What a link opens. Of one that nobody was given only that it is unknown."""
    token_hash = hash_in(unit.dependencies.keyring, request.sealed)
    invitation = repository.find_by_token(unit.session, token_hash) if token_hash else None
    if invitation is None:
        return FormPage(state=LinkState.UNKNOWN)
    if not invitation.is_open:
        return FormPage(state=SAID[invitation.state], respondent=invitation.respondent)
    return _page(unit, invitation, request.language)


def show_form(unit: UnitOfWork[Dependencies], request: GetForm) -> FormPage:
    """The same for staff, by the invitation. Raises UnknownInvitation, InvitationClosed."""
    return _page(unit, open_invitation(unit, request), request.language, needs_words=False)


def list_unreadable(unit: UnitOfWork[Dependencies], request: ListUnreadableForms) -> list[UnreadableFormView]:
    return [
        UnreadableFormView(submission_id=one.submission_id, received_at=one.received_at, sealed_to=key_of(one.sealed))
        for one in unreadable_forms.unread(unit.session, request.limit)
    ]


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
