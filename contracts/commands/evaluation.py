"""What a person's screen may ask of evaluation: `evaluation.<command>` by nameko RPC."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from marshmallow import validate

from contracts.shape import SealedTo, Shape
from contracts.vocabulary import Count, InvitationId, MatchId, ReferralId, Respondent, Slug, Stage


class SummariseEvaluation(Shape):
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


class ListInvitations(Shape):
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


class AskForm(Shape):
    """Which questions does this link open? Sealed, because who holds the secret may answer."""

    sealed: Annotated[str, SealedTo("evaluation"), validate.Length(min=1, max=16_384)]


class Question(Shape):
    """One question, by its code: the wording comes from the charity's own file."""

    item: Slug
    lowest: Count
    highest: Count


class FormView(Shape):
    """What a respondent is to be asked."""

    instrument: Slug
    version: Count
    respondent: Respondent
    stage: Stage
    items: tuple[Question, ...]
