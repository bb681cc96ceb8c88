"""What matching publishes, on `matching.events`. Nothing in an offer identifies the client."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from marshmallow import validate

from contracts.event import Event
from contracts.shape import SealedTo
from contracts.vocabulary import (
    ClientGroup,
    Competence,
    DeclineReason,
    Kilometres,
    MatchEndReason,
    MatchId,
    OfferId,
    OfferWithdrawalReason,
    OutwardCode,
    Pence,
    ReferralId,
    Sessions,
    StallReason,
    SuspensionReason,
    TherapistId,
    Work,
)


class TherapistAdmitted(Event, publisher="matching", subject="therapist_id"):
    """A therapist's application was accepted and they can be offered referrals."""

    therapist_id: TherapistId
    admitted_at: datetime
    competence: Competence
    outward_code: OutwardCode


class TherapistSuspended(Event, publisher="matching", subject="therapist_id"):
    """The therapist gets no new offers; therapy in progress goes on."""

    therapist_id: TherapistId
    reason: SuspensionReason


class TherapistReinstated(Event, publisher="matching", subject="therapist_id"):
    """What suspended the therapist has been put right."""

    therapist_id: TherapistId
    reason: SuspensionReason


class TherapistContactChanged(Event, publisher="matching", subject="therapist_id"):
    """How the therapist is reached, sealed to notifications (a `contracts.sealed.TherapistContact`)."""

    therapist_id: TherapistId
    sealed: Annotated[str, SealedTo("notifications"), validate.Length(min=1, max=16_384)]


class TherapistOffered(Event, publisher="matching", subject="referral_id"):
    """A referral was offered to a therapist, who has until `expires_at` to answer."""

    offer_id: OfferId
    referral_id: ReferralId
    therapist_id: TherapistId
    expires_at: datetime
    client_group: ClientGroup
    work: Work
    sessions: Sessions
    distance_km: Kilometres


class OfferDeclined(Event, publisher="matching", subject="referral_id"):
    """The therapist can't take the referral; the next best is asked."""

    offer_id: OfferId
    referral_id: ReferralId
    therapist_id: TherapistId
    reason: DeclineReason


class OfferExpired(Event, publisher="matching", subject="referral_id"):
    """The therapist didn't answer in time; the next best is asked."""

    offer_id: OfferId
    referral_id: ReferralId
    therapist_id: TherapistId


class OfferWithdrawn(Event, publisher="matching", subject="referral_id"):
    """An open offer was taken back, through no act of the therapist."""

    offer_id: OfferId
    referral_id: ReferralId
    therapist_id: TherapistId
    reason: OfferWithdrawalReason


class TherapistMatched(Event, publisher="matching", subject="referral_id"):
    """A therapist accepted the referral. `sessions` is how they will meet; `distance_km` is 0 when online."""

    match_id: MatchId
    referral_id: ReferralId
    therapist_id: TherapistId
    matched_at: datetime
    distance_km: Kilometres
    session_fee_pence: Pence
    sessions: Sessions


class MatchingStalled(Event, publisher="matching", subject="referral_id"):
    """The referral has been on the waiting list so long that a person should look; it is still re-tried."""

    referral_id: ReferralId
    reason: StallReason
    waiting_since: datetime


class MatchEnded(Event, publisher="matching", subject="referral_id"):
    """Client and therapist no longer work together."""

    match_id: MatchId
    referral_id: ReferralId
    therapist_id: TherapistId
    reason: MatchEndReason
    ended_at: datetime


class ErasureConfirmed(Event, publisher="matching", subject="referral_id"):
    """Matching has forgotten an erased referral's search, its place and every offer."""

    referral_id: ReferralId
