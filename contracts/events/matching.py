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
    Count,
    DeclineReason,
    Kilometres,
    Language,
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
    UndoReason,
    Work,
)


class TherapistAdmitted(Event, publisher="matching", subject="therapist_id"):
    """A therapist's application was accepted and they can be offered referrals."""

    therapist_id: TherapistId
    admitted_at: datetime
    competence: Competence
    outward_code: OutwardCode
    session_fee_pence: Pence | None = None


class TherapistFeeChanged(Event, publisher="matching", subject="therapist_id"):
    """What the therapist asks for a session from now on. With a match the fee stays that was agreed."""

    therapist_id: TherapistId
    session_fee_pence: Pence


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


class TherapistNotAnswering(Event, publisher="matching", subject="therapist_id"):
    """So many offers in a row were left to expire: the therapist is asked last, and a person should look."""

    therapist_id: TherapistId
    offers_expired: Count


class TherapistOffered(Event, publisher="matching", subject="referral_id"):
    """A referral was offered to a therapist, who has until `expires_at` to answer.

    They answer by a one-time link, whose secret is sealed to notifications (`LinkSecret`). `interpreter_language` is
    there where they would work with an interpreter, not speaking the client's language.
    """

    offer_id: OfferId
    referral_id: ReferralId
    therapist_id: TherapistId
    expires_at: datetime
    client_group: ClientGroup
    work: Work
    sessions: Sessions
    distance_km: Kilometres
    interpreter_language: Language | None = None
    sealed: Annotated[str, SealedTo("notifications"), validate.Length(min=1, max=16_384)] | None = None


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
    """The referral has been on the waiting list so long that a person should look; it is still re-tried.

    `highest_fee_pence` is what a session could cost at most in that search, subsidy included; missing for no limit.
    The time in which somebody was asked, or it was on hold, doesn't count: `waiting_since` is later by so much.
    """

    referral_id: ReferralId
    reason: StallReason
    waiting_since: datetime
    highest_fee_pence: Pence | None = None


class MatchEnded(Event, publisher="matching", subject="referral_id"):
    """Client and therapist no longer work together."""

    match_id: MatchId
    referral_id: ReferralId
    therapist_id: TherapistId
    reason: MatchEndReason
    ended_at: datetime


class MatchEndUndone(Event, publisher="matching", subject="referral_id"):
    """That the match had ended was recorded by mistake: client and therapist go on working together."""

    match_id: MatchId
    referral_id: ReferralId
    therapist_id: TherapistId
    reason: UndoReason
    undone_at: datetime


class ErasureConfirmed(Event, publisher="matching", subject="referral_id"):
    """Matching has forgotten an erased referral's search, its place and every offer."""

    referral_id: ReferralId
