"""What a person's screen may ask of matching, or tell it to do: `matching.<command>` by nameko RPC."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated

from marshmallow import validate

from contracts.command import Command, Query
from contracts.permissions import FrontEnd, Permission
from contracts.shape import SealedTo, Shape
from contracts.vocabulary import (
    AgeBand,
    ChangeReason,
    ClientGroup,
    Competence,
    Count,
    DeclineReason,
    Kilometres,
    Language,
    LinkState,
    MatchEndReason,
    MatchId,
    OfferId,
    OutwardCode,
    Pence,
    ReferralId,
    RiskLevel,
    Sessions,
    Sex,
    Slug,
    StallReason,
    SuspensionReason,
    TherapistId,
    UndoReason,
    Work,
)

Places = Annotated[int, validate.Range(min=0, max=200)]
"""How many more clients a therapist can take."""

YoungAge = Annotated[int, validate.Range(min=0, max=17)]
Contact = Annotated[str, SealedTo("notifications"), validate.Length(min=1, max=16_384)]
Languages = Annotated[tuple[Language, ...], validate.Length(min=1)]


class AdmitTherapist(Command, needs=Permission.MANAGE_THERAPISTS):
    """A therapist's application was accepted. `contact` is a `contracts.sealed.TherapistContact`, sealed to
    notifications: matching passes it on and never sees a name.

    Who takes the group `young_person` is qualified for clients of `young_from_years` to `young_to_years`, both
    included, whichever group they are in. `works_with_interpreters` says that a client's language needn't be theirs.
    """

    therapist_id: TherapistId
    contact: Contact
    competence: Competence
    client_groups: Annotated[tuple[ClientGroup, ...], validate.Length(min=1)]
    couple_work: bool
    outward_code: OutwardCode
    sessions: Sessions
    languages: Languages
    session_fee_pence: Pence
    sex: Sex
    wheelchair_access: bool
    places: Places
    works_with_interpreters: bool = False
    young_from_years: YoungAge = 0
    young_to_years: YoungAge = 17


class ChangeTherapist(Command, needs=Permission.MANAGE_THERAPISTS):
    """Something about a therapist is otherwise from now on; what is left out stays."""

    therapist_id: TherapistId
    reason: ChangeReason
    contact: Contact | None = None
    session_fee_pence: Pence | None = None
    languages: Languages | None = None
    works_with_interpreters: bool | None = None
    young_from_years: YoungAge | None = None
    young_to_years: YoungAge | None = None


class SuspendTherapist(Command, needs=Permission.SUSPEND_THERAPISTS):
    """The therapist is to have no new offers; therapy in progress goes on."""

    therapist_id: TherapistId
    reason: SuspensionReason


class ReinstateTherapist(Command, needs=Permission.SUSPEND_THERAPISTS):
    """What suspended the therapist has been put right."""

    therapist_id: TherapistId
    reason: SuspensionReason


class ChangePlaces(Command, needs=Permission.CHANGE_PLACES, own="therapist_id"):
    """The therapist can take this many more clients from now on, so they are not away either."""

    therapist_id: TherapistId
    places: Places


class AcceptOffer(Command, needs=Permission.ANSWER_OFFERS, own="therapist_id"):
    offer_id: OfferId
    therapist_id: TherapistId


class DeclineOffer(Command, needs=Permission.ANSWER_OFFERS, own="therapist_id"):
    """The therapist can't take the referral. With `no_room` they are asked no more until they have room again.

    With `away` `until` is needed: the day, in London, from which they can be asked again.
    """

    offer_id: OfferId
    therapist_id: TherapistId
    reason: DeclineReason
    until: date | None = None


class GetOfferLink(Query, open_to=[FrontEnd.SITE]):
    """What does this link of an offer's letter open? It holds a `LinkSecret`: who has it may answer."""

    sealed: Annotated[str, SealedTo("matching"), validate.Length(min=1, max=16_384)]


class OfferFacts(Shape):
    """What a therapist needs to judge an offer by, and nothing that identifies anybody.

    `distance_km` is 0 where they would meet online. `most_pence` is what the client can pay a session, missing if they
    haven't said; `subsidy_pence` is what a fund adds to it. `interpreter_language` is there where they would work with
    an interpreter.
    """

    client_group: ClientGroup
    risk_level: RiskLevel | None = None
    age_band: AgeBand | None = None
    work: Work
    language: Language
    sessions: Sessions
    distance_km: Kilometres
    session_fee_pence: Pence
    most_pence: Pence | None = None
    subsidy_pence: Pence = 0
    interpreter_language: Language | None = None
    expires_at: datetime


class OfferPage(Shape):
    """What the page of an offer shows: the facts while it is open, and later whether it was accepted."""

    state: LinkState
    accepted: bool | None = None
    facts: OfferFacts | None = None


class EndMatch(Command, needs=Permission.MANAGE_MATCHES):
    match_id: MatchId
    reason: MatchEndReason


class UndoMatchEnd(Command, needs=Permission.MANAGE_MATCHES):
    """That a match had ended was recorded by mistake."""

    match_id: MatchId
    reason: UndoReason


class ListOffers(Query, needs=Permission.SEE_MATCHING, own="therapist_id"):
    """Which offers wait for an answer, the longest waiting first? Of one therapist, or of all."""

    therapist_id: TherapistId | None = None
    limit: Annotated[int, validate.Range(min=1, max=1_000)] = 100


class OpenOffer(Shape):
    offer_id: OfferId
    referral_id: ReferralId
    therapist_id: TherapistId
    offered_at: datetime
    expires_at: datetime
    distance_km: Kilometres


class ExclusionReason(StrEnum):
    """Why a therapist isn't asked about a referral."""

    SUSPENDED = "suspended"
    AWAY = "away"
    NO_ROOM = "no_room"
    COMPETENCE = "competence"
    CLIENT_GROUP = "client_group"
    COUPLE_WORK = "couple_work"
    AGE = "age"
    SEX = "sex"
    LANGUAGE = "language"
    WAY_OF_MEETING = "way_of_meeting"
    TOO_FAR = "too_far"
    NOT_ACCESSIBLE = "not_accessible"
    FEE_TOO_HIGH = "fee_too_high"
    KEPT_APART = "kept_apart"
    ASKED_BEFORE = "asked_before"


class Relaxation(StrEnum):
    """What a client could agree to, so that more therapists come into question."""

    FURTHER = "20_km_further"
    ONLINE_TOO = "online_too"
    DEARER = "10_pounds_more"


class ChoiceReason(StrEnum):
    """Why a person has a certain therapist asked."""

    CLIENT_ASKED = "client_asked"
    AGREED_WITH_THERAPIST = "agreed_with_therapist"
    GOES_ON_WITH_THEM = "goes_on_with_them"
    NOBODY_ELSE = "nobody_else"


class ExplainCandidates(Query, needs=Permission.SEE_MATCHING):
    """Who comes into question for this referral, in which order, and why does everybody else not?"""

    referral_id: ReferralId
    limit: Annotated[int, validate.Range(min=1, max=500)] = 100


class ExclusionView(Shape):
    """`by` is how much is missing: kilometres where somebody is too far, pence where they are too dear."""

    reason: ExclusionReason
    by: float | None = None


class TherapistView(Shape):
    """What matching knows of a therapist; no name, and no address. `places` is how many more clients they can take."""

    therapist_id: TherapistId
    outward_code: OutwardCode
    competence: Competence
    client_groups: tuple[ClientGroup, ...]
    couple_work: bool
    sessions: Sessions
    languages: tuple[Language, ...]
    works_with_interpreters: bool
    session_fee_pence: Pence
    sex: Sex
    wheelchair_access: bool
    young_from_years: YoungAge = 0
    young_to_years: YoungAge = 17
    places: Count
    places_held: Count
    suspensions: tuple[SuspensionReason, ...] = ()
    away_until: date | None = None
    last_offered_at: datetime | None = None
    asked_last: bool = False
    admitted_at: datetime
    clients: Count | None = None
    """How many clients see them now, in lists of therapists."""


class Position(Shape):
    """The centre of an outward code, in decimal degrees of WGS84."""

    latitude: Annotated[float, validate.Range(min=-90, max=90)]
    longitude: Annotated[float, validate.Range(min=-180, max=180)]


class GetOutline(Query, needs=Permission.SEE_MATCHING):
    """Where in the country are outward codes? For the ground of a map."""


class Outline(Shape):
    """Positions to a tenth of a degree, each once: about 1,500."""

    positions: Annotated[tuple[Position, ...], validate.Length(max=5_000)]


class ConsideredTherapist(Shape):
    """A therapist beside a referral. `rank` counts from 1 and is missing where something excludes them.

    `sessions` is how the two would meet, `unmet` how many of the client's preferences the therapist doesn't meet, and
    `client_pays_pence` what is left of the fee after a subsidy. A person may decide to ask whoever `can_be_chosen`.
    """

    therapist: TherapistView
    rank: Count | None = None
    at: Position | None = None
    sessions: Sessions | None = None
    distance_km: Kilometres | None = None
    unmet: Count = 0
    client_pays_pence: Pence = 0
    exclusions: tuple[ExclusionView, ...] = ()
    can_be_chosen: bool = False


class RelaxationView(Shape):
    """How many more therapists could be asked if the client agreed to this."""

    relaxation: Relaxation
    more: Count


class CandidatesExplained(Shape):
    """The candidates first, the first to be asked first, then those whom the fewest reasons exclude."""

    considered: tuple[ConsideredTherapist, ...]
    candidates: Count
    others: Count
    what_if: tuple[RelaxationView, ...]
    client_at: Position | None = None


class OfferToTherapist(Command, needs=Permission.MANAGE_MATCHES):
    """A person has a certain therapist asked next, whoever else would come before them, or is asked now.

    `instead_of` is whoever they saw being asked: if it is somebody else by now, nothing is done.
    """

    referral_id: ReferralId
    therapist_id: TherapistId
    reason: ChoiceReason
    instead_of: TherapistId | None = None


class Offered(Shape):
    offer_id: OfferId


class ListTherapists(Query, needs=Permission.MANAGE_THERAPISTS):
    """Which therapists are there? By identifier, a page at a time; `after` is the last one of the page before.

    `area` is the letters that a postcode begins with.
    """

    after: TherapistId | None = None
    competence: Competence | None = None
    client_group: ClientGroup | None = None
    suspended: bool | None = None
    area: Annotated[str, validate.Regexp(r"^[A-Z]{1,2}\Z")] | None = None
    limit: Annotated[int, validate.Range(min=1, max=500)] = 100


class GetTherapist(Query, needs=Permission.SEE_MATCHING, own="therapist_id"):
    """What is known of one therapist?"""

    therapist_id: TherapistId


class GetWorkOfTherapist(Query, needs=Permission.SEE_MATCHING, own="therapist_id"):
    """What was a therapist asked, and whom do they see?"""

    therapist_id: TherapistId
    limit: Annotated[int, validate.Range(min=1, max=500)] = 50


class OfferMade(Shape):
    """An offer, and what became of it: `open`, `accepted`, `declined`, `expired` or `withdrawn`."""

    offer_id: OfferId
    referral_id: ReferralId
    offered_at: datetime
    expires_at: datetime
    distance_km: Kilometres
    state: Slug


class ClientSeen(Shape):
    """A match that has not ended."""

    match_id: MatchId
    referral_id: ReferralId
    matched_at: datetime


class WorkOfTherapist(Shape):
    """The newest offers first, and all clients whom they see now, the longest first."""

    offers: tuple[OfferMade, ...]
    clients: tuple[ClientSeen, ...]


class ListWaiting(Query, needs=Permission.SEE_MATCHING):
    """Which referrals wait for a therapist, the longest first, and what is missing?"""

    limit: Annotated[int, validate.Range(min=1, max=1_000)] = 100


class WaitingReferral(Shape):
    referral_id: ReferralId
    waiting_since: datetime
    waiting_for: StallReason
    on_hold: bool
    offers_made: Count


class GetStanding(Query, needs=Permission.SEE_MATCHING):
    """Where does matching stand with this referral?"""

    referral_id: ReferralId


class Standing(Shape):
    """`state` is one of awaiting_assessment, awaiting_subsidy, offered, waiting, matched, ended, stopped.

    While a referral is `on_hold` nobody is sought, wherever it stands. `last_match_id` is that of its newest match,
    also once it has ended.
    """

    referral_id: ReferralId
    state: str
    offers_made: Count
    on_hold: bool = False
    match_id: MatchId | None = None
    therapist_id: TherapistId | None = None
    waiting_since: datetime | None = None
    waiting_for: StallReason | None = None
    last_match_id: MatchId | None = None


class CountStandings(Query, open_to=[FrontEnd.ANYBODY]):
    """How many referrals are in each state?"""


class StandingCount(Shape):
    state: str
    referrals: Count


class Done(Shape):
    """The command was carried out. `changed` is false if that was so already."""

    changed: bool = True


class Matched(Shape):
    """The therapist's acceptance made a match."""

    match_id: MatchId
