"""What a person's screen may ask of evaluation: `evaluation.<command>` by nameko RPC."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from marshmallow import validate

from contracts.command import Command, Query
from contracts.permissions import FrontEnd, Permission
from contracts.shape import SealedTo, Shape
from contracts.vocabulary import (
    AnswerMode,
    Count,
    InvitationId,
    Language,
    LinkState,
    MatchId,
    ReferralId,
    Respondent,
    Slug,
    Stage,
    SubmissionId,
)


class SummariseEvaluation(Query, needs=Permission.SEE_REPORTS):
    """What do the forms show, from the start to `until`? One answer for each instrument and respondent asked for."""

    instrument: Slug | None = None
    respondent: Respondent | None = None
    until: Stage = Stage.END


class Interval(Shape):
    """An estimate with its uncertainty: `low` to `high` is the 95 % confidence interval."""

    estimate: float
    low: float
    high: float


class EvaluationSummary(Shape):
    """What came back on one instrument from one kind of respondent.

    A pair is one match's form of the start and its form of the stage asked for. `mean_change` is later minus earlier,
    so that its sign is the instrument's own. Where the pairs are of fewer people than policy allows, `suppressed` is
    true and nothing that is computed from answers is given, not even how many pairs there are.
    """

    instrument: Slug
    respondent: Respondent
    until: Stage
    invited: Count
    returned: Count
    response_rate: float | None = None
    suppressed: bool
    pairs: Count | None = None
    mean_change: Interval | None = None
    standard_error: float | None = None
    reliably_improved: Interval | None = None
    reliably_worse: Interval | None = None


class ListInvitations(Query, needs=Permission.SEE_FORMS):
    """Who was asked for which form about a referral? Never what was answered."""

    referral_id: ReferralId


class InvitationView(Shape):
    """An invitation, its state (`open`, `returned`, `cancelled` or `too_late`) and since when it is in it."""

    invitation_id: InvitationId
    match_id: MatchId
    stage: Stage
    respondent: Respondent
    instrument: Slug
    state: Slug
    invited_at: datetime
    settled_at: datetime | None = None


class GetFormLink(Query, open_to=[FrontEnd.SITE]):
    """What does this link of a letter open, in this language? It holds a `contracts.sealed.LinkSecret`."""

    sealed: Annotated[str, SealedTo("evaluation"), validate.Length(min=1, max=16_384)]
    language: Language = "en"


class Choice(Shape):
    """An answer that can be chosen, and what it is called."""

    value: Count
    label: str


class Item(Shape):
    """One question in words."""

    code: Slug
    text: str
    choices: Annotated[tuple[Choice, ...], validate.Length(min=2, max=101)]


class FormPage(Shape):
    """What the page of a form shows. Without `items` there is no wording, and it is filled in by telephone.

    `language` is that of the wording, which is English where there is none in the language asked for.
    """

    state: LinkState
    respondent: Respondent | None = None
    language: Language | None = None
    title: str | None = None
    introduction: str | None = None
    licence: str | None = None
    items: Annotated[tuple[Item, ...], validate.Length(max=200)] = ()


class GetForm(Query, needs=Permission.ENTER_FORMS):
    """What does an open invitation ask? For a person who fills it in with somebody, by telephone or from paper."""

    invitation_id: InvitationId
    language: Language = "en"


class EnterAnswers(Command, needs=Permission.ENTER_FORMS):
    """What somebody answered by telephone or on paper. `sealed` holds a `contracts.sealed.EnteredAnswers`."""

    invitation_id: InvitationId
    mode: AnswerMode
    sealed: Annotated[str, SealedTo("evaluation"), validate.Length(min=1, max=65_536)]


class Entered(Shape):
    """The answers were taken, as the page of the form would have."""

    invitation_id: InvitationId


class ListUnreadableForms(Query, needs=Permission.RETRY_UNREADABLE):
    """Which forms came that are sealed to a key that evaluation doesn't have, the oldest first?"""

    limit: Annotated[int, validate.Range(min=1, max=1_000)] = 100


class UnreadableFormView(Shape):
    submission_id: SubmissionId
    received_at: datetime
    sealed_to: str | None = None


class RetryUnreadableForm(Command, needs=Permission.RETRY_UNREADABLE):
    """Reads one again, as if it came now."""

    submission_id: SubmissionId


class RetriedForm(Shape):
    submission_id: SubmissionId
