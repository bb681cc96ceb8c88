"""Subject access: the data held about one person, for them to see, or for staff who may read it.

Every service answers `<service>.about_subject` in the same shape, sealed to a key that the caller made for this one
command: nothing of it crosses the broker in the clear, and a recorded answer can't be opened later.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from marshmallow import validate

from contracts.command import Command, Query
from contracts.permissions import Permission
from contracts.shape import Shape
from contracts.vocabulary import ConcernId, Count, Party, ReferralId, Slug

Reference = Annotated[str, validate.Length(max=40)]
PublicKey = Annotated[str, validate.Length(max=1_000)]
"""A P-256 public key as a JWK, in JSON."""

MOST_SEALED_CHARACTERS = 50_000_000
MOST_HELD = 100_000
"""Facts in an entry, or entries on a topic: nobody's export may ever be too long to be given."""

Words = Annotated[str, validate.Length(max=12_000)]


class ExportReason(StrEnum):
    """Why everything about a person is gathered. Codes, because the record of it stays."""

    CLIENT_ASKED = "client_asked"
    GUARDIAN_ASKED = "guardian_asked"
    REPRESENTATIVE_ASKED = "representative_asked"
    COURT_ORDER = "court_order"
    REGULATOR = "regulator"


class Ground(StrEnum):
    """On which ground a person leaves an entry out of an export, before it is handed over."""

    OTHER_PERSON = "other_person"
    """It is about somebody else, or tells who they are (Data Protection Act 2018, schedule 2, paragraph 16)."""
    SOMEBODY_AT_RISK = "somebody_at_risk"
    """It could do serious harm, or get in the way of keeping somebody safe (schedule 2, paragraph 2; schedule 3)."""
    LEGAL_ADVICE = "legal_advice"
    """It is between the charity and its lawyers (schedule 2, paragraph 19)."""


class ReadingReason(StrEnum):
    """Why a person of the charity reads what somebody wrote."""

    ASSESSMENT = "assessment"
    CLIENT_ASKED = "client_asked"
    COMPLAINT = "complaint"
    DUPLICATE_CHECK = "duplicate_check"
    SAFEGUARDING = "safeguarding"
    SUPERVISION = "supervision"


class Topic(StrEnum):
    """What a part of an answer is about; the order in which the parts are shown."""

    ERASURE = "erasure"
    REQUEST = "request"
    ANSWERS = "answers"
    CONSENTS = "consents"
    CONTACT = "contact"
    STEPS = "steps"
    KEEPING = "keeping"
    ASSESSMENT = "assessment"
    CONCERNS = "concerns"
    SEARCH = "search"
    OFFERS = "offers"
    MATCHES = "matches"
    MESSAGES = "messages"
    MONEY = "money"
    EVALUATION = "evaluation"
    RECORD = "record"
    NOTICES = "notices"


class Fact(Shape):
    """One thing that is held, in words. `exactly` is how it is stored, where `value` says what a code means.

    `asked` is the field of the form that it fills, or `answers.<question>`: by it the question's own words are found.
    """

    what: Words
    value: Words
    exactly: Annotated[tuple[str, ...], validate.Length(max=50)] = ()
    asked: str | None = None


class Entry(Shape):
    """Facts that belong together: one step, one message, one award."""

    facts: Annotated[tuple[Fact, ...], validate.Length(max=MOST_HELD)]

    def told(self) -> dict[str, str]:
        """Each value by what it is."""
        return {fact.what: fact.value for fact in self.facts}


class Section(Shape):
    """All entries on one topic, the oldest first. `definition` is the form that was answered, where it was a form."""

    topic: Topic
    entries: Annotated[tuple[Entry, ...], validate.Length(max=MOST_HELD)]
    definition: Slug | None = None
    definition_version: int | None = None


class Holding(Shape):
    """What one service holds, sealed inside a `SealedHolding`. Without sections: nothing."""

    service: Slug
    sections: tuple[Section, ...]


class SealedHolding(Shape):
    """A `Holding`, sealed to the key that came with the question."""

    sealed: Annotated[str, validate.Length(max=MOST_SEALED_CHARACTERS)]


class ListSamePerson(Query, needs=Permission.SEE_REFERRALS):
    """Under which references is something held about the person of this one?"""

    reference: Reference


class SamePerson(Shape):
    """One referral of the person's: the one asked after, or one before or after it, or merged with it."""

    referral_id: ReferralId
    reference: str


class GetSubjectData(Query, needs=Permission.EXPORT_PEOPLE):
    """What is held about a person of this referral, as they may see it? Recorded in the audit log as an export.

    `whose` is the client or the person who wrote for them: each may see only what is about themselves.
    """

    referral_id: ReferralId
    reason: ExportReason
    seal_to: PublicKey
    whose: Party = Party.CLIENT


class LeftOutEntry(Shape):
    """An entry that a person leaves out, by its position among the service's entries on a topic in the export, from 1.

    Not the number that it is shown with: that is derived from its content, and the audit log stays after an erasure.
    """

    referral_id: ReferralId
    service: Annotated[Slug, validate.Length(max=20)]
    topic: Topic
    place: Count
    ground: Ground


class LeaveOut(Command, needs=Permission.EXPORT_PEOPLE):
    """A person leaves entries out of an export that they will hand over. Recorded in the audit log."""

    entries: Annotated[tuple[LeftOutEntry, ...], validate.Length(min=1, max=1_000)]


class ReadRecord(Query, needs=Permission.READ_RECORDS):
    """What did this person write, how were they assessed, and what was noted? Recorded in the audit log as a
    reading."""

    referral_id: ReferralId
    reason: ReadingReason
    seal_to: PublicKey


class ReadOutcomes(Query, needs=Permission.READ_CONCERNS):
    """What was decided about a concern, and why? Recorded in the audit log as a reading."""

    concern_id: ConcernId
    seal_to: PublicKey
