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
    HoldReason,
    Kilometres,
    Known,
    Language,
    LinkId,
    LinkKind,
    LocalAuthority,
    OutwardCode,
    Pence,
    ReferralId,
    RefusalReason,
    ReopeningReason,
    ResumptionReason,
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
    `previous_referral_id` names the finished referral of the same person that this one takes up again.
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
    previous_referral_id: ReferralId | None = None


class HelpRequestRefused(Event, publisher="intake", subject="submission_id"):
    """A submission could not be taken as it is; the front-end that sent it can act on the reason.

    `field` names the field of the form that is at fault, where one is known to be: never what stands in it.
    """

    submission_id: SubmissionId
    reason: RefusalReason
    field: Slug | None = None


class ReferralAssessed(Event, publisher="intake", subject="referral_id"):
    """A person assessed the referral: what a therapist must be able to do, and what the client prefers."""

    referral_id: ReferralId
    assessed_at: datetime
    risk_level: RiskLevel
    competence: Competence
    work: Work
    therapist_sex: Sex | None = None
    wheelchair_access: bool = False


class AssessmentOverdue(Event, publisher="intake", subject="referral_id"):
    """Nobody has assessed the referral in the time that policy gives: a person should look. It is said once."""

    referral_id: ReferralId
    due_at: datetime
    taken_up: bool
    needs_safeguarding_lead: bool


class ReferralSignposted(Event, publisher="intake", subject="referral_id"):
    """The referral fits another service better and the client was told which."""

    referral_id: ReferralId
    reason: SignpostReason


class ReferralWithdrawn(Event, publisher="intake", subject="referral_id"):
    """The request was taken back: all that is under way for it stops, all that is held for it is freed.

    As `duplicate` a person found it to be the same request as another: the client has asked for nothing, and is told
    nothing.
    """

    referral_id: ReferralId
    reason: WithdrawalReason


class ReferralHeld(Event, publisher="intake", subject="referral_id"):
    """The referral waits for something: nobody is sought until it is resumed. Therapy that has begun goes on."""

    referral_id: ReferralId
    reason: HoldReason


class ReferralResumed(Event, publisher="intake", subject="referral_id"):
    """What the referral was on hold for has come, and it goes on where it was."""

    referral_id: ReferralId
    reason: ResumptionReason


class ReferralReopened(Event, publisher="intake", subject="referral_id"):
    """A referral that was withdrawn as a duplicate is none after all, and goes on from before its assessment."""

    referral_id: ReferralId
    reason: ReopeningReason


class ReferralsLinked(Event, publisher="intake", subject="link_id"):
    """A person linked two referrals whose people are kept apart: they are given no therapist in common.

    Couple work of partners, by agreement, is the exception.
    """

    link_id: LinkId
    referral_id: ReferralId
    other_referral_id: ReferralId
    kind: LinkKind


class ReferralsUnlinked(Event, publisher="intake", subject="link_id"):
    """A person undid a link: the two referrals need no longer be kept apart."""

    link_id: LinkId
    referral_id: ReferralId
    other_referral_id: ReferralId
    kind: LinkKind


class ReferralClosed(Event, publisher="intake", subject="referral_id"):
    """Nothing more will happen for the referral."""

    referral_id: ReferralId
    reason: ClosureReason


class ReferralErased(Event, publisher="intake", subject="referral_id"):
    """What is held about the client was erased: whoever holds anything for the referral forgets and confirms it."""

    referral_id: ReferralId


class ErasureOverdue(Event, publisher="intake", subject="referral_id"):
    """Not every service has confirmed an erasure in the time that policy gives: a person should look. It is said once.

    `waiting_for` are the services that have not; they are told of the erasure again until they do.
    """

    referral_id: ReferralId
    erased_at: datetime
    waiting_for: Annotated[tuple[Slug, ...], validate.Length(min=1, max=20)]


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
