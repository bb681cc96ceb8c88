"""The commands that every service has for its operators: `<service>.<command>` by nameko RPC."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, NamedTuple
from uuid import UUID

from marshmallow import validate

from contracts.command import Command, Query
from contracts.permissions import FrontEnd, Permission
from contracts.shape import Shape

MAX_ANCHORS = 5_000
"""The most anchors in one command; send the command again with the rest."""

PAGE_BYTES = 1_048_576

Ids = Annotated[tuple[UUID, ...], validate.Length(max=2_000)]
LetterId = Annotated[str, validate.Length(min=1, max=255)]
EntryNumber = Annotated[int, validate.Range(min=1, max=2**31 - 1)]
SequenceNumber = Annotated[int, validate.Range(min=1, max=2**53 - 1)]


class GetHealth(Query, open_to=[FrontEnd.ANYBODY]):
    """How is the service, and how much waits for it?"""


class GetStory(Query, needs=Permission.SEE_EVENTS):
    """What does the event log hold about these referrals, correlation ids and messages?"""

    referral_ids: Ids = ()
    correlation_ids: Ids = ()
    message_ids: Ids = ()


class AnchorGiven(Shape):
    """States that an entry of this number with this hash existed."""

    sequence: SequenceNumber
    hash: Annotated[str, validate.Length(max=64)]


class CheckAudit(Query, needs=Permission.CHECK_AUDIT_LOGS):
    """Is the audit log intact, and does it have every anchored entry? Or which entries are about this subject?"""

    subject_id: UUID | None = None
    anchors: Annotated[tuple[AnchorGiven, ...], validate.Length(max=MAX_ANCHORS)] = ()


class AuditPage(Shape):
    """A page of the audit log, the newest entry first: all of it, or what these narrow it down to.

    `before` is the number of the page before's last entry; missing for the first page.
    """

    subject_id: UUID | None = None
    since: datetime | None = None
    until: datetime | None = None
    before: EntryNumber | None = None
    what: Annotated[str, validate.Length(max=40)] | None = None
    limit: Annotated[int, validate.Range(min=1, max=200)] = 50


class ListAudit(AuditPage, Query, needs=Permission.CHECK_AUDIT_LOGS):
    """What is on record in the audit log? With `by`, what one person or program did, by how they are on record."""

    by: Annotated[str, validate.Length(min=1, max=120)] | None = None


class ListOwnAudit(AuditPage, Query, needs=Permission.SEE_OWN_RECORD):
    """What is on record of whoever asks?"""


class RecordedEntry(Shape):
    """An entry of an audit log. `who` is `<front-end>:<person>`, `what` and `reason` are codes."""

    sequence: SequenceNumber
    at: datetime
    who: str
    what: str
    subject_id: UUID | None = None
    reason: str | None = None


class ListSecretKeys(Query, needs=Permission.CHECK_SETUP):
    """Which secret keys can this service read? Its own alone, where keys are kept apart."""


class SecretKeys(Shape):
    """Whose they are: the readers of sealed data, and the front-ends that sign."""

    readers: tuple[str, ...] = ()
    signers: tuple[str, ...] = ()


class ChosenDeadLetters(Shape):
    """A filter: dead letters with one of these ids (empty: any), of this cause, that first failed between these
    times."""

    ids: Annotated[tuple[LetterId, ...], validate.Length(max=10_000)] = ()
    cause: Annotated[str, validate.Length(max=20)] | None = None
    failed_before: datetime | None = None
    failed_after: datetime | None = None


class LookAtDeadLetters(ChosenDeadLetters):
    """Reads dead letters without removing them: oldest first, in pages."""

    after: Annotated[str, validate.Length(max=64)] | None = None
    """The `next` of the page before; missing for the first page."""


class ListDeadLetters(LookAtDeadLetters, Query, needs=Permission.SEE_DEAD_LETTERS):
    """Which dead letters are there? Without headers and bodies."""


class ShowDeadLetters(LookAtDeadLetters, Query, needs=Permission.SEE_DEAD_LETTERS):
    """What is in these dead letters? With headers and bodies, but for sealed fields."""


class ExportDeadLetters(LookAtDeadLetters, Query, needs=Permission.EXPORT_DEAD_LETTERS):
    """Copies dead letters: bodies are byte for byte, sealed fields included."""


class ReplayDeadLetters(ChosenDeadLetters, Command, needs=Permission.SETTLE_DEAD_LETTERS):
    """Put dead letters back into the lanes they came from.

    Each goes back under its own id, so that the inbox drops one that was handled already.
    """


class DiscardDeadLetters(Command, needs=Permission.SETTLE_DEAD_LETTERS):
    """Drop the dead letters of these ids for good; each is recorded in the audit log."""

    ids: Annotated[tuple[LetterId, ...], validate.Length(min=1, max=10_000)]


class DeadLettersPage(NamedTuple):
    """A page of dead letters, as JSON.

    `next` is what the next page is asked for with, None on the last one. `are_all` is False if the queue holds so many
    letters that only the oldest were read; the others can be read when these are settled. A page has about PAGE_BYTES
    of JSON at most, or one letter.
    """

    letters: list[dict[str, Any]]
    next: str | None
    are_all: bool


class RefusedLetter(Shape):
    """A dead letter that was left in the queue, and why."""

    id: str
    why: str


class DeadLettersMoved(Shape):
    """The ids of the dead letters that were moved, and those that were refused."""

    done: tuple[str, ...]
    refused: tuple[RefusedLetter, ...] = ()
