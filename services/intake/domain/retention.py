"""How long what is held about somebody is retained: by what became of their referral, and by whom it is about."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from contracts.london import LONDON
from contracts.vocabulary import ClientGroup, ClosureReason, MatchEndReason
from services.intake.domain.referral import Referral
from services.intake.domain.states import BEFORE_ASSESSMENT, State, Step

Answer = str | bool
SETTLED = frozenset({State.ENDED, State.CLOSED, State.WITHDRAWN, State.SIGNPOSTED, State.RE_REFERRED, State.DISCARDED})
"""States from which nothing more is expected, so that a term begins with them."""
BEGIN_NO_TERM = frozenset({Step.NOTE})
"""What colleagues write about somebody doesn't lengthen how long they are kept."""
THERAPY_TOOK_PLACE = frozenset({MatchEndReason.COMPLETED.value, ClosureReason.THERAPY_ENDED.value})


class Outcome(StrEnum):
    """What became of a referral, as far as it has come."""

    THERAPY = "therapy"
    NOT_ATTENDED = "not_attended"
    WITHDRAWN = "withdrawn"
    SIGNPOSTED = "signposted"
    ASKED_AGAIN = "asked_again"
    UNANSWERED = "unanswered"
    UNFINISHED = "unfinished"
    DISCARDED = "discarded"


@dataclass(frozen=True, kw_only=True)
class Term:
    """For how many months referrals of these outcomes are kept, if every named answer is one of those given."""

    name: str
    outcomes: frozenset[Outcome]
    when: Mapping[str, frozenset[Answer]]
    months: int
    why: str

    def fits(self, outcome: Outcome, *, client_group: ClientGroup, young: bool) -> bool:
        answers: dict[str, Answer] = {"client_group": client_group, "young": young}
        return outcome in self.outcomes and all(answers[name] in wanted for name, wanted in self.when.items())


@dataclass(frozen=True, kw_only=True)
class RetentionPolicy:
    """A version of the terms, of which the first that fits counts; one fits every referral."""

    version: int
    source: str
    look_again: timedelta
    terms: tuple[Term, ...]

    def term_for(self, outcome: Outcome, *, client_group: ClientGroup, young: bool) -> Term:
        return next(term for term in self.terms if term.fits(outcome, client_group=client_group, young=young))


class StepSummary(NamedTuple):
    """Of a referral's history what its retention depends on: when the newest step was, and all known coded reasons."""

    newest_at: datetime
    reasons: frozenset[str]


class RetentionDate(NamedTuple):
    """Until when a referral is kept by itself, by which term, for what has become of it since when."""

    due_at: datetime
    term: Term
    outcome: Outcome
    counted_from: datetime


DISCARDED = Term(
    name="discarded",
    outcomes=frozenset({Outcome.DISCARDED}),
    when={},
    months=0,
    why="Nobody had asked for help, as far as a person could tell: a week, in which that can be put right.",
)
KEPT_DISCARDED = timedelta(days=7)
"""No policy shortens it: a person in need may have been taken for a machine."""


def outcome_of(referral: Referral, steps: StepSummary) -> Outcome:
    """What has become of a referral. Therapy took place if billing says so, or matching by how the match ended."""
    if referral.state in SETTLED and (referral.attended_match_id or steps.reasons & THERAPY_TOOK_PLACE):
        return Outcome.THERAPY
    if referral.state in BEFORE_ASSESSMENT:
        return Outcome.UNANSWERED
    return _OUTCOMES.get(referral.state, Outcome.UNFINISHED)


def date_of(referral: Referral, steps: StepSummary, policy: RetentionPolicy) -> RetentionDate:
    """Until when a referral would be kept if it stood alone and nothing stopped it."""
    outcome = outcome_of(referral, steps)
    if outcome is Outcome.DISCARDED:
        return RetentionDate(steps.newest_at + KEPT_DISCARDED, DISCARDED, outcome, steps.newest_at)
    term = policy.term_for(outcome, client_group=referral.client_group, young=referral.young)
    return RetentionDate(months_after(steps.newest_at, term.months), term, outcome, steps.newest_at)


def date_of_all(dates: Mapping[Referral, RetentionDate]) -> RetentionDate:
    """The last of the dates of all that one person asked. What was merged into another goes by the other's."""
    own = [date for referral, date in dates.items() if referral.merged_into is None]
    return max(own or dates.values(), key=lambda date: date.due_at)


def months_after(at: datetime, months: int) -> datetime:
    """The same day and time so many months later, or the last of its month; by London's calendar, in UTC."""
    begun = at.astimezone(LONDON)
    years, month = divmod(begun.month - 1 + months, 12)
    year = begun.year + years
    day = min(begun.day, monthrange(year, month + 1)[1])
    return begun.replace(year=year, month=month + 1, day=day).astimezone(UTC)


def without_a_term(terms: Iterable[Term]) -> list[str]:
    """The kinds of referral that no term fits."""
    known = list(terms)
    return [
        f"{outcome}, {group}, {'young' if young else 'adult'}"
        for outcome in Outcome
        for group in ClientGroup
        for young in (False, True)
        if outcome not in DISCARDED.outcomes
        and not any(term.fits(outcome, client_group=group, young=young) for term in known)
    ]


_OUTCOMES = {
    State.ENDED: Outcome.NOT_ATTENDED,
    State.CLOSED: Outcome.NOT_ATTENDED,
    State.WITHDRAWN: Outcome.WITHDRAWN,
    State.SIGNPOSTED: Outcome.SIGNPOSTED,
    State.RE_REFERRED: Outcome.ASKED_AGAIN,
    State.DISCARDED: Outcome.DISCARDED,
}
