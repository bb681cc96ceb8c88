"""A referral as the console lists it: what services have published about it, each fact kept from its newest event."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from contracts.accounts import AccountId
from contracts.vocabulary import (
    AgeBand,
    AlertStep,
    ClientGroup,
    Competence,
    ConcernCategory,
    ConcernOutcome,
    PlaceKind,
    ReferralId,
    RiskLevel,
    Route,
    Sessions,
    Severity,
    TherapistId,
    Work,
)

BEGUN_WITHIN = timedelta(days=30)
"""How long after a match its first session is asked about; billing's rule (`AttendanceUnrecorded`)."""


@dataclass(eq=False, kw_only=True)
class Referral:
    """Events arrive in any order, and none of them is missing for long: what is not known yet is None.

    Of what is kept from the newest event, the number of that event is kept too, one for each publisher and matter.
    """

    id: ReferralId
    version: int = 0
    """How many events about it have been heard."""
    heard_at: datetime

    step: int = 0
    """The number of intake's newest step."""
    state: str | None = None
    state_since: datetime | None = None
    reason: str | None = None
    """Of its newest step, or what it waits for."""
    assess_by: datetime | None = None
    needs_safeguarding_lead: bool = False
    place: PlaceKind = PlaceKind.FOUND
    assigned_to: AccountId | None = None
    assigned_by_hand: bool = False
    handed_over_at: datetime | None = None
    """When somebody else made it the work of whoever has it; None if they took it themselves."""

    received_number: int = 0
    received_at: datetime | None = None
    route: Route | None = None
    client_group: ClientGroup | None = None
    age_band: AgeBand | None = None
    local_authority: str | None = None
    language: str | None = None
    sessions: Sessions | None = None
    previous_referral_id: ReferralId | None = None

    assessed_number: int = 0
    assessed_at: datetime | None = None
    risk_level: RiskLevel | None = None
    competence: Competence | None = None
    work: Work | None = None

    matching_number: int = 0
    offers_made: int = 0
    offered_to: TherapistId | None = None
    offer_expires_at: datetime | None = None
    offer_distance_km: float | None = None
    stalled_for: str | None = None
    match_id: UUID | None = None
    therapist_id: TherapistId | None = None
    matched_at: datetime | None = None

    unrecorded_match: UUID | None = None
    """The newest match of which nobody has recorded a first session by the day on which billing asks about it."""

    subsidy_number: int = 0
    subsidy: str | None = None


@dataclass(eq=False, kw_only=True)
class Concern:
    """A safeguarding concern, as far as it has been heard of."""

    id: UUID
    referral_id: ReferralId
    severity: Severity | None = None
    category: ConcernCategory | None = None
    raised_at: datetime | None = None
    step: AlertStep | None = None
    climbed_at: datetime | None = None
    """When an alert about it was last sent, or went on to the next step."""
    acknowledged_at: datetime | None = None
    outcome: ConcernOutcome | None = None
    outcome_at: datetime | None = None
