"""What intake publishes, on `intake.events`."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from marshmallow import validate

from contracts.accounts import AccountId
from contracts.event import Event
from contracts.permissions import FrontEnd
from contracts.shape import SealedTo, Shape
from contracts.vocabulary import (
    AgeBand,
    ClientGroup,
    ClosureReason,
    Competence,
    ConcernCategory,
    ConcernId,
    ContactChangeStage,
    ContactPurpose,
    Count,
    HoldReason,
    Kilometres,
    Known,
    Language,
    LinkId,
    LinkKind,
    LocalAuthority,
    MatchId,
    OutwardCode,
    Party,
    Pence,
    PersonId,
    PlaceKind,
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
    `previous_referral_id` names the finished referral of the same person that this one takes up again; `person_id` is
    that of the first referral of all that are this person's.
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
    person_id: PersonId | None = None


class ReferralStepTaken(Event, publisher="intake", subject="referral_id"):
    """A referral took a step: its history, for whoever lists referrals. Others hear of what concerns them.

    `number` counts its steps from 1, and is what a command names as `seen`. `state` is where it is now. `taken_by` is
    `client`, `rule`, a service, or the front-end of a person, who is named by their account. `due_at` is by when it is
    to be assessed, until it is.
    """

    referral_id: ReferralId
    number: Count
    step: Slug
    state: Slug
    taken_at: datetime
    taken_by: Slug
    account_id: AccountId | None = None
    reason: Slug | None = None
    due_at: datetime | None = None
    needs_safeguarding_lead: bool = False
    place: PlaceKind = PlaceKind.FOUND
    waits_for: HoldReason | None = None


class HelpRequestRefused(Event, publisher="intake", subject="submission_id"):
    """A submission could not be taken as it is; the front-end that sent it can act on the reason.

    `field` names the field of the form that is at fault, where one is known to be: never what stands in it.
    """

    submission_id: SubmissionId
    reason: RefusalReason
    field: Slug | None = None


class TherapyLanguage(Shape):
    """A language that therapy can be in. Where it `must` be, nobody is asked who doesn't speak it."""

    language: Language
    must: bool = False


class ReferralAssessed(Event, publisher="intake", subject="referral_id"):
    """A person assessed the referral: what a therapist must be able to do, and what the client prefers.

    Said again, with a newer number, when a person has found that something of it is otherwise; the newest counts.

    `therapist_sex` is a wish, unless it is `therapist_sex_only`. `age_years` is given for those under 18 alone.
    `interpreter_language` is `und` where nobody has found out which yet. `most_per_session` is what the client can pay
    in pence, missing if they don't mind. For somebody in prison `release_area` is where they will live; no session is
    held online inside unless `online_allowed` says that the prison allows it.
    """

    referral_id: ReferralId
    assessed_at: datetime
    risk_level: RiskLevel
    competence: Competence
    work: Work
    therapist_sex: Sex | None = None
    therapist_sex_only: bool = False
    wheelchair_access: bool = False
    person_id: PersonId | None = None
    age_years: Annotated[int, validate.Range(min=0, max=17)] | None = None
    therapy_languages: Annotated[tuple[TherapyLanguage, ...], validate.Length(max=10)] = ()
    interpreter_language: Language | None = None
    most_per_session: Pence | None = None
    online_allowed: bool | None = None
    release_area: OutwardCode | None = None
    release_on: date | None = None


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

    As `duplicate` a person found it to be the same request as another, `merged_into_id`: the client has asked for
    nothing, and is told nothing. What a person of the charity withdrew may be reopened before `final_at`.
    """

    referral_id: ReferralId
    reason: WithdrawalReason
    final_at: datetime | None = None
    merged_into_id: ReferralId | None = None


class ReferralHeld(Event, publisher="intake", subject="referral_id"):
    """The referral waits for something: nobody is sought until it is resumed. Therapy that has begun goes on."""

    referral_id: ReferralId
    reason: HoldReason


class AgreementAwaited(Event, publisher="intake", subject="referral_id"):
    """The search waits for what a client has still to be asked: a person should. It is said again after a while."""

    referral_id: ReferralId
    reason: HoldReason


class CourseAwaited(Event, publisher="intake", subject="referral_id"):
    """Somebody has been waiting for a course, and a person should see to it. It is said again after a while."""

    referral_id: ReferralId


class ReferralResumed(Event, publisher="intake", subject="referral_id"):
    """What the referral was on hold for has come, and it goes on where it was."""

    referral_id: ReferralId
    reason: ResumptionReason


class ReferralReopened(Event, publisher="intake", subject="referral_id"):
    """A referral that had ended goes on where it was: it is no duplicate after all, or had been ended by mistake.

    Also if what had been ended by mistake was its match, with which it had been closed.
    """

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

    As `address_book` it lets notifications write to the client, or to whoever wrote for them; as `introduction` it is
    passed on to the one therapist who accepted, with the client's consent; as `correction` that therapist is told that
    it has changed.
    """

    referral_id: ReferralId
    purpose: ContactPurpose
    therapist_id: TherapistId | None = None
    sealed: Annotated[str, SealedTo("notifications"), validate.Length(min=1, max=16_384)]


class ContactChangeNoted(Event, publisher="intake", subject="referral_id"):
    """Whoever asked for help changes themselves how they are reached: what notifications has to tell, and to whom.

    A code goes to the new contact; a person is wanted where a code can't, or isn't enough; once it is changed the
    office hears of it, and the old contact if it was said to be safe. `sealed` holds `contracts.sealed.ContactLetter`.
    """

    referral_id: ReferralId
    whose: Party
    stage: ContactChangeStage
    expires_at: datetime | None = None
    sealed: Annotated[str, SealedTo("notifications"), validate.Length(min=1, max=16_384)] | None = None


class AnotherTherapistWanted(Event, publisher="intake", subject="referral_id"):
    """The client asks for somebody else than the therapist of this match. A person talks to them before it ends."""

    referral_id: ReferralId
    match_id: MatchId


class SafeguardingConcernRaised(Event, publisher="intake", subject="concern_id"):
    """Somebody identifiable may be at risk of harm. Heard in notifications' urgent lane; details stay in intake.

    `sealed` holds `contracts.sealed.ConcernReference`: an alert overtakes the request's contact, which has it too.
    """

    concern_id: ConcernId
    referral_id: ReferralId
    severity: Severity
    category: ConcernCategory
    raised_at: datetime
    sealed: Annotated[str, SealedTo("notifications"), validate.Length(min=1, max=16_384)] | None = None


class ReadingsStopped(Event, publisher="intake", subject="stop_id"):
    """Somebody has read about more people within an hour than policy allows, and was stopped: a lead should ask why.

    `account_id` is missing where it was no account of the console's, but the command line.
    """

    stop_id: UUID
    front_end: FrontEnd
    account_id: AccountId | None = None
    stopped_at: datetime
