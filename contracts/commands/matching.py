"""What a person's screen may ask of matching, or tell it to do: `matching.<command>` by nameko RPC."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from marshmallow import validate

from contracts.shape import SealedTo, Shape
from contracts.vocabulary import (
    ClientGroup,
    Competence,
    Count,
    DeclineReason,
    Kilometres,
    Language,
    MatchEndReason,
    MatchId,
    OfferId,
    OutwardCode,
    Pence,
    ReferralId,
    Sessions,
    Sex,
    StallReason,
    SuspensionReason,
    TherapistId,
)

Places = Annotated[int, validate.Range(min=0, max=200)]
"""How many more clients a therapist can take."""


class AdmitTherapist(Shape):
    """A therapist's application was accepted. `contact` is a `contracts.sealed.TherapistContact`, sealed to
    notifications: matching passes it on and never sees a name."""

    therapist_id: TherapistId
    contact: Annotated[str, SealedTo("notifications"), validate.Length(min=1, max=16_384)]
    competence: Competence
    client_groups: Annotated[tuple[ClientGroup, ...], validate.Length(min=1)]
    couple_work: bool
    outward_code: OutwardCode
    sessions: Sessions
    languages: Annotated[tuple[Language, ...], validate.Length(min=1)]
    session_fee_pence: Pence
    sex: Sex
    wheelchair_access: bool
    places: Places


class SuspendTherapist(Shape):
    """The therapist is to have no new offers; therapy in progress goes on."""

    therapist_id: TherapistId
    reason: SuspensionReason


class ReinstateTherapist(Shape):
    """What suspended the therapist has been put right."""

    therapist_id: TherapistId
    reason: SuspensionReason


class ChangePlaces(Shape):
    """The therapist can take this many more clients from now on."""

    therapist_id: TherapistId
    places: Places


class AcceptOffer(Shape):
    offer_id: OfferId
    therapist_id: TherapistId


class DeclineOffer(Shape):
    offer_id: OfferId
    therapist_id: TherapistId
    reason: DeclineReason


class EndMatch(Shape):
    match_id: MatchId
    reason: MatchEndReason


class ListOffers(Shape):
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


class AskStanding(Shape):
    """Where does matching stand with this referral?"""

    referral_id: ReferralId


class Standing(Shape):
    """`state` is one of awaiting_assessment, awaiting_subsidy, offered, waiting, matched, ended, stopped.

    While a referral is `on_hold` nobody is sought, wherever it stands.
    """

    referral_id: ReferralId
    state: str
    offers_made: Count
    on_hold: bool = False
    match_id: MatchId | None = None
    therapist_id: TherapistId | None = None
    waiting_since: datetime | None = None
    waiting_for: StallReason | None = None


class CountStandings(Shape):
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
