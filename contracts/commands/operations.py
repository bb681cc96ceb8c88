"""What every service can be asked by whoever looks after it: `<service>.<command>` by nameko RPC."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, NamedTuple
from uuid import UUID

from marshmallow import validate

from contracts.commands.intake import StaffName
from contracts.shape import Shape

MAX_ANCHORS = 5_000
"""Of one question; whoever has more asks again with the others."""

PAGE_BYTES = 1_048_576

Ids = Annotated[tuple[UUID, ...], validate.Length(max=2_000)]
LetterId = Annotated[str, validate.Length(min=1, max=255)]
SequenceNumber = Annotated[int, validate.Range(min=1, max=2**53 - 1)]


class GetHealth(Shape):
    """How is the service, and how much waits for it?"""


class GetStory(Shape):
    """What does the service remember of these referrals, of what belongs to these stories, and of these messages?"""

    referral_ids: Ids = ()
    correlation_ids: Ids = ()
    message_ids: Ids = ()


class AnchorGiven(Shape):
    """That there was an entry of this number with this hash."""

    sequence: SequenceNumber
    hash: Annotated[str, validate.Length(max=64)]


class CheckAudit(Shape):
    """Does the audit log hold, and has it still every entry that was anchored? Or what does it say of this subject?"""

    subject_id: UUID | None = None
    anchors: Annotated[tuple[AnchorGiven, ...], validate.Length(max=MAX_ANCHORS)] = ()


class ChosenDeadLetters(Shape):
    """Which dead letters are meant: those of these ids or all, of this cause, that first failed between these times."""

    ids: Annotated[tuple[LetterId, ...], validate.Length(max=10_000)] = ()
    cause: Annotated[str, validate.Length(max=20)] | None = None
    failed_before: datetime | None = None
    failed_after: datetime | None = None


class LookAtDeadLetters(ChosenDeadLetters):
    """Tell of dead letters and leave them where they are: oldest first, in pages.

    `list_dead_letters` tells of each but its headers and body, `show_dead_letters` those too, with what is sealed left
    out of the body, and `export_dead_letters` the body byte for byte, where what is sealed is as it came.
    """

    after: Annotated[str, validate.Length(max=64)] | None = None
    """Go on behind the page that ended with this; see `next` in the answer."""


class ReplayDeadLetters(ChosenDeadLetters):
    """Put dead letters back into the lanes they came from.

    Each goes back under its own id, so that what took effect does nothing.
    """


class DiscardDeadLetters(Shape):
    """Drop the dead letters of these ids for good; each goes on record."""

    ids: Annotated[tuple[LetterId, ...], validate.Length(min=1, max=10_000)]
    discarded_by: StaffName


class DeadLettersPage(NamedTuple):
    """What a service answers who looks: its letters as JSON, where the next page begins, and whether more lie behind.

    `next` is None on the last page. `are_all` is False if it holds so many letters that it looks only at the oldest;
    the others come when these are settled. A page has about PAGE_BYTES of JSON at most, or one letter.
    """

    letters: list[dict[str, Any]]
    next: str | None
    are_all: bool


class RefusedLetter(Shape):
    """A dead letter that was left where it is, and why."""

    id: str
    why: str


class DeadLettersMoved(Shape):
    """What became of the dead letters that were meant."""

    done: tuple[str, ...]
    refused: tuple[RefusedLetter, ...] = ()
