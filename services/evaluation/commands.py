"""What a person's screen asks of evaluation."""

from __future__ import annotations

from chassis.ports import Refused, UnitOfWork
from contracts.commands.evaluation import (
    EvaluationSummary,
    Interval,
    InvitationView,
    ListInvitations,
    SummariseEvaluation,
)
from contracts.vocabulary import Respondent, Stage
from services.evaluation import store
from services.evaluation.dependencies import Dependencies
from services.evaluation.domain.change import Change, Estimate, change_of
from services.evaluation.domain.instruments import Instrument
from services.evaluation.gateways.library import NoSuchInstrument

DECIMALS = 4


class UnknownInstrument(Refused):
    """There is no definition of this instrument."""


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
        for one in store.invitations_of(unit.session, request.referral_id)
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
    counts = store.count_forms(unit.session, instrument.code, respondent)
    pairs = store.pairs_of(unit.session, instrument.code, instrument.version, respondent, until)
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
