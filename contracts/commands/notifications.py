"""What a person's screen may ask of notifications, or tell it to do: `notifications.<command>` by nameko RPC."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

from marshmallow import validate

from contracts.command import Command, Query
from contracts.commands.subject import PublicKey
from contracts.permissions import FrontEnd, Permission
from contracts.shape import SealedTo, Shape
from contracts.vocabulary import (
    AlertStep,
    CallerCheck,
    Channel,
    ConcernCategory,
    ConcernId,
    ConcernOutcome,
    Count,
    DutyId,
    FailureReason,
    LinkState,
    MatchId,
    MessageId,
    OutcomeId,
    ReferralId,
    Severity,
    Slug,
    StaffId,
    TherapistId,
)

Sealed = Annotated[str, SealedTo("notifications"), validate.Length(min=1, max=65_536)]

Limit = Annotated[int, validate.Range(min=1, max=1_000)]


class AcknowledgeAlert(Command, needs=Permission.HANDLE_CONCERNS):
    """A named person takes responsibility for a safeguarding concern, which ends the escalation."""

    concern_id: ConcernId


class GetAlertLink(Query, open_to=[FrontEnd.SITE]):
    """What does this link of an alert open? It holds a `contracts.sealed.LinkSecret`: who has it may answer."""

    sealed: Sealed


class AlertPage(Shape):
    """What the page of an alert shows: what it is about, whom it asks, and who has taken responsibility, if anybody."""

    state: LinkState
    severity: Severity | None = None
    category: ConcernCategory | None = None
    raised_at: datetime | None = None
    reference: str | None = None
    asked: str | None = None
    acknowledged_by: str | None = None
    is_test: bool = False


class GetClientLink(Query, open_to=[FrontEnd.SITE]):
    """What does this link of an introduction open? It holds a `contracts.sealed.ClientLink`.

    With `seal_to`, a public key for one answer, it is a reading: how the client is reached comes sealed to it, if a
    code was typed in this browser lately, and that goes on record.
    """

    sealed: Sealed
    seal_to: PublicKey | None = None


class SendClientCode(Command, open_to=[FrontEnd.SITE]):
    """Sends the therapist a code by text message, if there is to be one now. It holds a `ClientLink`."""

    sealed: Sealed


class EnterClientCode(Command, open_to=[FrontEnd.SITE]):
    """A code was typed. It holds a `contracts.sealed.TypedCode`."""

    sealed: Sealed


class ClientPage(Shape):
    """What the page of an introduction shows. Of one that is not open only its state.

    `is_known`: a code was typed in this browser lately. What follows `wait_until` is told only then. A code may be
    typed until `code_until`, and a new one asked for from `wait_until` on; missing is none, and at once. Without
    `number_ends` there is no number that takes text messages. `client` holds a `contracts.sealed.ClientContact`, sealed
    to whoever reads.
    """

    state: LinkState
    is_known: bool = False
    number_ends: str | None = None
    code_until: datetime | None = None
    wait_until: datetime | None = None
    matched_on: date | None = None
    contact_made_on: date | None = None
    first_session_on: date | None = None
    not_attended: bool = False
    client: str | None = None


class GiveClientCode(Command, needs=Permission.GIVE_CODES):
    """A therapist who gets no text messages rings for a code, and it is sure who is calling.

    The match or the referral names the introduction. `check` is on record with it, and who asked.
    """

    check: CallerCheck
    seal_to: PublicKey
    match_id: MatchId | None = None
    referral_id: ReferralId | None = None


class GivenCode(Shape):
    """The code is sealed to whoever asked (`contracts.sealed.OneTimeCode`), to be read out to the therapist."""

    therapist_id: TherapistId
    sealed: str
    valid_until: datetime


class RenewIntroduction(Command, needs=Permission.GIVE_CODES):
    """A therapist asks for another link: the one in their letter is too old, or lost.

    The match or the referral names the introduction.
    """

    match_id: MatchId | None = None
    referral_id: ReferralId | None = None


class RenewedIntroduction(Shape):
    """A letter with the new link is on its way to this therapist."""

    therapist_id: TherapistId


class ListAlerts(Query, needs=Permission.SEE_ALERTS):
    """Which alerts wait for a person, the oldest first? With `all`, the acknowledged ones too."""

    all: bool = False
    limit: Limit = 100


class AlertView(Shape):
    """An alert and its escalation clock. `rounds` counts how often everybody has been alerted again."""

    concern_id: ConcernId
    referral_id: ReferralId
    severity: Severity
    category: ConcernCategory
    raised_at: datetime
    step: AlertStep
    rounds: Count
    escalates_at: datetime | None = None
    acknowledged_by: str | None = None
    acknowledged_at: datetime | None = None
    reached_at: datetime | None = None


class RecordOutcome(Command, needs=Permission.HANDLE_CONCERNS):
    """What was decided about a concern that somebody has acknowledged. A later decision stands beside earlier ones.

    `reason` holds a `contracts.sealed.OutcomeReason`.
    """

    concern_id: ConcernId
    outcome: ConcernOutcome
    reason: Sealed


class ListOutcomes(Query, needs=Permission.SEE_ALERTS):
    """What was decided about a concern, the earliest first? Never why."""

    concern_id: ConcernId


class OutcomeView(Shape):
    outcome_id: OutcomeId
    outcome: ConcernOutcome
    decided_by: str
    decided_at: datetime


class KeepStaff(Command, needs=Permission.MANAGE_ROTA):
    """Somebody can be put on the safeguarding rota, or is reached in another way from now on.

    `contact` holds a `contracts.sealed.DutyContact`.
    """

    staff_id: StaffId
    contact: Sealed


class PlanDuty(Command, needs=Permission.MANAGE_ROTA):
    """Somebody takes a step of the ladder from one day to another, both included."""

    staff_id: StaffId
    step: AlertStep
    starts_on: date
    ends_on: date
    bank_holidays: bool = False


class CancelDuty(Command, needs=Permission.MANAGE_ROTA):
    duty_id: DutyId


class PlanLeave(Command, needs=Permission.MANAGE_ROTA):
    """Somebody is not there from one day to another, both included."""

    staff_id: StaffId
    starts_on: date
    ends_on: date


class StaffKept(Shape):
    staff_id: StaffId


class DutyPlanned(Shape):
    duty_id: DutyId


class GetRota(Query, needs=Permission.SEE_ROTA):
    """Who is on duty on the coming days?"""

    days: Annotated[int, validate.Range(min=1, max=366)] = 14


class RotaDay(Shape):
    """One step on one day. Without `staff_id` alerts go to the mailbox in the settings."""

    day: date
    step: AlertStep
    staff_id: StaffId | None = None


class GetRotaPlan(Query, needs=Permission.SEE_ROTA):
    """Which turns and which leave are planned and not over, and who can be put on the rota?"""


class DutyView(Shape):
    """Somebody's turn, both days included."""

    duty_id: DutyId
    staff_id: StaffId
    step: AlertStep
    starts_on: date
    ends_on: date
    bank_holidays: bool


class LeaveView(Shape):
    staff_id: StaffId
    starts_on: date
    ends_on: date


class RotaPlan(Shape):
    """Turns and leave by their first day. `staff` are known with a way to reach them."""

    duties: tuple[DutyView, ...] = ()
    leave: tuple[LeaveView, ...] = ()
    staff: tuple[StaffId, ...] = ()


class ShowWording(Query, needs=Permission.SEE_MESSAGES):
    """What does a message say? Never to whom, and in place of links, codes and names only what stands there.

    With `referral_id` it has to be about that referral.
    """

    message_id: MessageId
    referral_id: ReferralId | None = None


class Wording(Shape):
    """In the wording of today. A text message has no subject."""

    subject: str
    body: str


class WriteToClient(Command, needs=Permission.WRITE_TO_CLIENTS):
    """A person writes to a client in the way that is safe for them. `words` holds `contracts.sealed.WordsToClient`."""

    referral_id: ReferralId
    words: Sealed


class WrittenToClient(Shape):
    """Who gets it, and by which channel. Without `in_full` they are asked to call, and are told nothing else."""

    recipient: Slug
    channel: Channel
    in_full: bool


class ListMessages(Query, needs=Permission.SEE_MESSAGES):
    """Which messages are there about a referral or a concern, the oldest first? Never what they say."""

    referral_id: ReferralId | None = None
    concern_id: ConcernId | None = None
    limit: Limit = 100


class MessageView(Shape):
    """A message, its state (`queued`, `sent`, `kept`, `failed` or `cancelled`) and since when it is in it."""

    message_id: MessageId
    template: Slug
    recipient: Slug
    channel: Channel
    state: Slug
    queued_at: datetime
    settled_at: datetime | None = None
    failure: FailureReason | None = None


class SendTestAlert(Command, needs=Permission.CHECK_SETUP):
    """Sends a test alert to whoever is on duty, and on up the ladder once, until somebody takes it in hand.

    It goes the way of every alert, says that it is a test, is about no referral, and is in no list of concerns.
    """


class ListTestAlerts(Query, needs=Permission.CHECK_SETUP):
    """Which test alerts were there, the newest first?"""

    limit: Annotated[int, validate.Range(min=1, max=50)] = 5


class AlertTestView(Shape):
    """A test alert: how far it has climbed, when it first went out, and who took it in hand. It is over when somebody
    has, or when `escalates_at` is missing."""

    concern_id: ConcernId
    raised_at: datetime
    step: AlertStep
    escalates_at: datetime | None = None
    reached_at: datetime | None = None
    acknowledged_by: str | None = None
    acknowledged_at: datetime | None = None
