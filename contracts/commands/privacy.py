"""Commands of staff on all the data held about a person: erasure and legal holds. `intake.<command>` by nameko RPC."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from marshmallow import validate

from contracts.command import Command, Query
from contracts.permissions import Permission
from contracts.shape import Shape
from contracts.vocabulary import ReferralId, Slug, SubmissionId

Reference = Annotated[str, validate.Length(max=40)]


class ErasureReason(StrEnum):
    """Why what is held about somebody is erased. Codes, because the record of it stays."""

    CLIENT_ASKED = "client_asked"
    GUARDIAN_ASKED = "guardian_asked"
    CONSENT_WITHDRAWN = "consent_withdrawn"
    HELD_BY_MISTAKE = "held_by_mistake"
    RETENTION = "retention"
    ERASED_BEFORE = "erased_before"
    """It had been erased, and a backup from before that was restored."""


class HoldReason(StrEnum):
    """Why what is held about somebody must not be erased for now."""

    COURT_ORDER = "court_order"
    POLICE_REQUEST = "police_request"
    LEGAL_CLAIM = "legal_claim"
    COMPLAINT = "complaint"
    SAFEGUARDING = "safeguarding"
    REGULATOR = "regulator"


class LiftReason(StrEnum):
    """Why a legal hold ended."""

    MATTER_CLOSED = "matter_closed"
    PLACED_BY_MISTAKE = "placed_by_mistake"


class Erase(Command, needs=Permission.ERASE_PEOPLE):
    """Erase the data of the person who asked for help under this reference, for good, in every service.

    `anyway` overrides a therapy in progress or a concern that nobody has acknowledged; never a legal hold.
    """

    reference: Reference
    reason: ErasureReason
    anyway: bool = False


class GetErasure(Query, needs=Permission.SEE_RETENTION):
    """How far is an erasure?"""

    reference: Reference


class ListUnconfirmed(Query, needs=Permission.SEE_RETENTION):
    """Which erasures has not every service confirmed yet, the oldest first?"""

    limit: Annotated[int, validate.Range(min=1, max=1_000)] = 100


class Confirmation(Shape):
    service: Slug
    confirmed_at: datetime


class ErasedWith(Shape):
    """Another request of the same person, which had been merged and was erased with it."""

    referral_id: ReferralId
    submission_id: SubmissionId
    reference: str


class ErasureView(Shape):
    """An erasure, and which services have confirmed it. `overdue_since`: since when it takes longer than policy
    allows."""

    referral_id: ReferralId
    submission_id: SubmissionId
    reference: str
    reason: ErasureReason
    erased_by: str
    erased_at: datetime
    confirmed: tuple[Confirmation, ...] = ()
    waiting_for: tuple[Slug, ...] = ()
    overdue_since: datetime | None = None
    with_it: tuple[ErasedWith, ...] = ()


class PlaceHold(Command, needs=Permission.PLACE_LEGAL_HOLDS):
    """Place a legal hold: nothing about this person is erased, whoever or whatever asks for it, until it is lifted."""

    reference: Reference
    reason: HoldReason


class LiftHold(Command, needs=Permission.PLACE_LEGAL_HOLDS):
    """Lift the legal hold: it is needed no longer."""

    reference: Reference
    reason: LiftReason


class ListHolds(Query, needs=Permission.SEE_RETENTION):
    """Which legal holds are and were there, the oldest first?"""

    reference: Reference


class HoldView(Shape):
    reference: str
    reason: HoldReason
    placed_by: str
    placed_at: datetime
    lift_reason: LiftReason | None = None
    lifted_by: str | None = None
    lifted_at: datetime | None = None
