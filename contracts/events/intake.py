"""What intake publishes, on `intake.events`."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from marshmallow import validate

from contracts.event import Event
from contracts.shape import SealedTo
from contracts.vocabulary import (
    AgeBand,
    ClientGroup,
    ClosureReason,
    Competence,
    ConcernCategory,
    ConcernId,
    ContactPurpose,
    Kilometres,
    Known,
    Language,
    LocalAuthority,
    OutwardCode,
    Pence,
    ReferralId,
    RefusalReason,
    RiskLevel,
    Route,
    Sessions,
    Severity,
    Sex,
    SignpostReason,
    Slug,
    SubmissionId,
    TherapistId,
    WithdrawalReason,
    Work,
)


class ReferralReceived(Event, publisher="intake", subject="referral_id"):
    """A request for help was taken in. Holds no personal data: who the client is stays in intake.

    The areas come from the full postcode and are missing when only an outward code was given: an outward code does
    not decide an area. `fee_ceiling_pence` is what the client can pay a session, missing when they didn't say.
    """

    referral_id: ReferralId
    received_at: datetime
    route: Route
    client_group: ClientGroup
    age_band: AgeBand
    outward_code: OutwardCode
    local_authority: LocalAuthority | None = None
    police_force_area: Slug | None = None
    language: Language
    sessions: Sessions
    max_distance_km: Kilometres
    subsidy_requested: bool
    fee_ceiling_pence: Pence | None = None
    known_to_authorities: Known
    evaluation_consented: bool = False


class HelpRequestRefused(Event, publisher="intake", subject="submission_id"):
    """A submission could not be taken as it is; the front-end that sent it can act on the reason."""

    submission_id: SubmissionId
    reason: RefusalReason


class ReferralAssessed(Event, publisher="intake", subject="referral_id"):
    """A person assessed the referral: what a therapist must be able to do, and what the client prefers."""

    referral_id: ReferralId
    assessed_at: datetime
    risk_level: RiskLevel
    competence: Competence
    work: Work
    therapist_sex: Sex | None = None
    wheelchair_access: bool = False


class ReferralSignposted(Event, publisher="intake", subject="referral_id"):
    """The referral fits another service better and the client was told which."""

    referral_id: ReferralId
    reason: SignpostReason


class ReferralWithdrawn(Event, publisher="intake", subject="referral_id"):
    """The client took the request back: all that is under way for it stops, all that is held for it is freed."""

    referral_id: ReferralId
    reason: WithdrawalReason


class ReferralClosed(Event, publisher="intake", subject="referral_id"):
    """Nothing more will happen for the referral."""

    referral_id: ReferralId
    reason: ClosureReason


class ReferralErased(Event, publisher="intake", subject="referral_id"):
    """What is held about the client was erased: whoever holds anything for the referral forgets and confirms it."""

    referral_id: ReferralId


class ContactReleased(Event, publisher="intake", subject="referral_id"):
    """How a client can safely be reached, sealed to notifications (a `contracts.sealed.ClientContact`).

    As `address_book` it lets notifications write to the client; as `introduction` it is passed on to the one therapist
    who accepted, with the client's consent.
    """

    referral_id: ReferralId
    purpose: ContactPurpose
    therapist_id: TherapistId | None = None
    sealed: Annotated[str, SealedTo("notifications"), validate.Length(min=1, max=16_384)]


class SafeguardingConcernRaised(Event, publisher="intake", subject="concern_id"):
    """Somebody identifiable may be at risk of harm. Heard in notifications' urgent lane; details stay in intake."""

    concern_id: ConcernId
    referral_id: ReferralId
    severity: Severity
    category: ConcernCategory
    raised_at: datetime
