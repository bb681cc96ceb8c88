"""What a person's screen may ask of intake, or tell it to do: `intake.<command>` by nameko RPC."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from marshmallow import validate

from contracts.shape import SealedTo, Shape
from contracts.vocabulary import (
    ClientGroup,
    Competence,
    ConcernCategory,
    ConcernId,
    Count,
    ReferralId,
    RiskLevel,
    Severity,
    SignpostReason,
    WithdrawalReason,
    Work,
)

StaffName = Annotated[str, validate.Length(min=1, max=120)]
Sealed = Annotated[str, SealedTo("intake"), validate.Length(min=1, max=65_536)]


class AskStatus(Shape):
    """Where does my request stand? Holds `contracts.sealed.Credentials`."""

    sealed: Sealed


class StatusAnswer(Shape):
    """`standing` and `words` are missing when reference and passphrase don't belong together."""

    recognised: bool
    standing: str | None = None
    words: str | None = None


class ListAwaiting(Shape):
    """Which requests wait for their assessment, the longest waiting first?"""

    limit: Annotated[int, validate.Range(min=1, max=1_000)] = 100


class AwaitingAssessment(Shape):
    referral_id: ReferralId
    reference: str
    client_group: ClientGroup
    received_at: datetime
    assess_by: datetime
    overdue: bool


class Assess(Shape):
    """A person's assessment of a referral. `aspects` holds `contracts.sealed.Aspects`."""

    referral_id: ReferralId
    assessor: StaffName
    risk_level: RiskLevel
    competence: Competence
    work: Work
    aspects: Sealed
    person_at_risk: ConcernCategory | None = None


class Signpost(Shape):
    """The referral fits another service better."""

    referral_id: ReferralId
    assessor: StaffName
    reason: SignpostReason


class Withdraw(Shape):
    """A client told a person of the charity that they take the request back."""

    referral_id: ReferralId
    reason: WithdrawalReason


class RaiseConcern(Shape):
    """A person of the charity raises a safeguarding concern."""

    referral_id: ReferralId
    severity: Severity
    category: ConcernCategory
    raised_by: StaffName


class ConcernRaised(Shape):
    concern_id: ConcernId


class FindReferral(Shape):
    """Which referral has this reference, and how does it stand? Nothing personal is answered."""

    reference: Annotated[str, validate.Length(max=40)]


class ConcernSummary(Shape):
    concern_id: ConcernId
    severity: Severity
    category: ConcernCategory
    raised_at: datetime
    acknowledged_at: datetime | None = None


class ReferralSummary(Shape):
    referral_id: ReferralId
    reference: str
    state: str
    client_group: ClientGroup
    received_at: datetime
    concerns: tuple[ConcernSummary, ...] = ()


class CountReferrals(Shape):
    """How many referrals are in each state?"""


class StateCount(Shape):
    state: str
    referrals: Count


class Done(Shape):
    """The command was carried out. `changed` is false if that was so already."""

    changed: bool = True
