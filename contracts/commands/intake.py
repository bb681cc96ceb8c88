"""What a person's screen may ask of intake, or tell it to do: `intake.<command>` by nameko RPC."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from marshmallow import validate

from contracts.command import Command, Query
from contracts.permissions import FrontEnd, Permission
from contracts.shape import SealedTo, Shape
from contracts.vocabulary import (
    ClientGroup,
    ClientStep,
    ClosureReason,
    Competence,
    ConcernCategory,
    ConcernId,
    ConsentKind,
    ConsentTold,
    ContactChangeReason,
    ContactChangeState,
    Count,
    HoldReason,
    Kilometres,
    Language,
    LinkId,
    LinkKind,
    LinkReason,
    MarkKind,
    NeedsChangeReason,
    OverrideReason,
    Party,
    Pence,
    PlaceKind,
    ReferralId,
    RefusalReason,
    ReReferralReason,
    ResumptionReason,
    RiskLevel,
    Sessions,
    Severity,
    Sex,
    SignpostReason,
    Slug,
    SubmissionId,
    SuggestionUse,
    UndoReason,
    UnlinkReason,
    Wish,
    WithdrawalReason,
    Work,
)

Sealed = Annotated[str, SealedTo("intake"), validate.Length(min=1, max=65_536)]


class ReferralCommand(Command):
    """Changes a referral. `seen` is the number of the last step that whoever gives it has seen.

    Where it is given and another step was taken since, the command is refused as ChangedMeanwhile: its details hold,
    under `changes`, each step since with `who`, `what`, `when` and the `fields` that it changed.
    """

    referral_id: ReferralId
    seen: Count | None = None


class GetStatus(Query, open_to=[FrontEnd.SITE]):
    """Where does my request stand? Holds `contracts.sealed.Credentials`."""

    sealed: Sealed


class ChangeByClient(Command, open_to=[FrontEnd.SITE]):
    """Whoever knows a request does something about it themselves. Holds `contracts.sealed.ClientChange`."""

    sealed: Sealed


class StatusAnswer(Shape):
    """All but `recognised` is missing when reference and passphrase don't belong together.

    `words` say where it stands, `next_words` what comes next, and `also` what holds beside it; `since` is when it came
    to stand there, `by` when the next is due. `may` is what whoever asks can do themselves. `contact_change` is how far
    a new contact has come.
    """

    recognised: bool
    standing: str | None = None
    words: str | None = None
    next_words: str | None = None
    also: str | None = None
    since: datetime | None = None
    by: datetime | None = None
    may: Annotated[tuple[ClientStep, ...], validate.Length(max=10)] = ()
    contact_change: ContactChangeState | None = None


class SettleContactChange(ReferralCommand, needs=Permission.CHANGE_CONTACTS):
    """A person has made sure, or not, that a new contact which a client named is theirs and safe."""

    accept: bool


class ListContactChanges(Query, needs=Permission.CHANGE_CONTACTS):
    """Which new contacts wait for a person to make sure of them, the longest waiting first?"""

    limit: Annotated[int, validate.Range(min=1, max=1_000)] = 100


class WaitingContactChange(Shape):
    """A new contact that a client, or whoever wrote for them, has named. What it is stands in their record."""

    referral_id: ReferralId
    reference: str
    client_group: ClientGroup
    whose: Party
    asked_at: datetime


class ListAwaiting(Query, needs=Permission.SEE_REFERRALS):
    """Which requests wait for their assessment, the longest waiting first?"""

    limit: Annotated[int, validate.Range(min=1, max=1_000)] = 100


class AwaitingAssessment(Shape):
    referral_id: ReferralId
    reference: str
    client_group: ClientGroup
    received_at: datetime
    assess_by: datetime
    overdue: bool
    taken_up_by: str | None = None
    place: PlaceKind = PlaceKind.FOUND
    needs_safeguarding_lead: bool = False
    """A young person's, which the safeguarding lead hasn't signed off yet."""
    waits_for: HoldReason | None = None
    """What the client has still to agree to; until they agree to the request, only its writer is got in touch with."""


class TakeUp(ReferralCommand, needs=Permission.ASSESS):
    """A person begins to assess a referral, so that no two do."""


class CameBy(StrEnum):
    """How a request came that somebody of the charity types in."""

    TELEPHONE = "telephone"
    LETTER = "letter"


class TypeRequest(Command, needs=Permission.TYPE_REQUESTS):
    """Takes in what somebody asked by telephone or letter, by the site's own form. `sealed` holds a `HelpSubmission`.

    Sent again under the same `submission_id` it answers again, and takes in nothing a second time.
    """

    submission_id: SubmissionId
    came_by: CameBy
    form: Slug
    form_version: Annotated[int, validate.Range(min=1, max=10_000)]
    sealed: Sealed


class RequestTyped(Shape):
    referral_id: ReferralId
    reference: str


class DiscardReason(StrEnum):
    """Why something that came in by the form is no request for help."""

    ADVERTISING = "advertising"
    WRITTEN_BY_A_MACHINE = "written_by_a_machine"
    TRIED_OUT = "tried_out"
    """Somebody tried whether the form works."""
    MAKES_NO_SENSE = "makes_no_sense"


class Release(ReferralCommand, needs=Permission.REVIEW_SPAM):
    """A person has written it after all: it goes on as any request, as if it had never been held back.

    What was discarded is released in the same way, until it is erased.
    """

    note: Sealed | None = None


class Discard(ReferralCommand, needs=Permission.REVIEW_SPAM):
    """Nobody asks for help in it: it is erased after a week, in which it can be released."""

    reason: DiscardReason
    note: Sealed | None = None


class SignOff(ReferralCommand, needs=Permission.SIGN_OFF_YOUNG_PEOPLE):
    """The safeguarding lead has seen a young person's referral, and its assessment may be completed."""

    note: Sealed | None = None


class FindPlace(ReferralCommand, needs=Permission.MANAGE_REFERRALS):
    """A person has found out where a client is. `whereabouts` holds `contracts.sealed.Whereabouts`."""

    whereabouts: Sealed


class Hold(ReferralCommand, needs=Permission.MANAGE_REFERRALS):
    """The referral waits for something. `note` holds `contracts.sealed.Note`, here and below: why, in words."""

    reason: HoldReason
    note: Sealed | None = None


class Resume(ReferralCommand, needs=Permission.MANAGE_REFERRALS):
    """What a referral was on hold for has come."""

    reason: ResumptionReason
    note: Sealed | None = None


class RecordConsent(ReferralCommand, needs=Permission.RECORD_CONSENT):
    """What a client agrees to, or not, as they said to a person of the charity, or to whoever wrote for them."""

    consent: ConsentKind
    given: bool
    told: ConsentTold
    note: Sealed | None = None


class ChangeContact(ReferralCommand, needs=Permission.CHANGE_CONTACTS):
    """A client, or whoever wrote for them, is reached in another way from now on.

    `contact` holds `contracts.sealed.SafeContact`.
    """

    whose: Party
    contact: Sealed
    reason: ContactChangeReason
    note: Sealed | None = None


class ChangeNeeds(ReferralCommand, needs=Permission.MANAGE_REFERRALS):
    """What a client needs of a therapist, or prefers, is otherwise than they wrote; what is left out stays.

    `no_longer` names wishes that they don't have any more. `told` says how they said so, or whoever answers for them.
    Amounts are pence, distances kilometres.
    """

    reason: NeedsChangeReason
    told: ConsentTold
    sessions: Sessions | None = None
    online_allowed: bool | None = None
    """Of somebody in prison: whether the prison allows sessions online."""
    max_distance_km: Kilometres | None = None
    therapist_sex: Sex | None = None
    therapist_sex_only: bool | None = None
    therapy_language: Language | None = None
    therapy_language_must: bool | None = None
    interpreter_language: Language | None = None
    most_per_session: Pence | None = None
    no_longer: Annotated[tuple[Wish, ...], validate.Length(max=4)] = ()
    note: Sealed | None = None


class Undo(ReferralCommand, needs=Permission.UNDO_ENDINGS):
    """A referral was withdrawn or signposted by mistake: it goes on where it was."""

    reason: UndoReason
    note: Sealed | None = None


class Close(ReferralCommand, needs=Permission.MANAGE_REFERRALS):
    """A referral that has ended is closed, although a safeguarding concern of it is open."""

    reason: ClosureReason
    note: Sealed | None = None


class ReRefer(ReferralCommand, needs=Permission.MANAGE_REFERRALS):
    """A person asks again after their referral was finished: a new one takes it up, with what they said before."""

    reason: ReReferralReason
    note: Sealed | None = None


class ReReferred(Shape):
    """The new referral. Its client is recognised by the new reference and the passphrase of before."""

    referral_id: ReferralId
    reference: str


class Link(Command, needs=Permission.LINK_PEOPLE):
    """The people of two referrals belong together, or one harmed the other: they are kept apart."""

    referral_id: ReferralId
    other_referral_id: ReferralId
    kind: LinkKind
    reason: LinkReason


class Linked(Shape):
    """`share_a_therapist`: the two had the same therapist before; therapy goes on, and a person should look."""

    link_id: LinkId
    share_a_therapist: bool


class Unlink(Command, needs=Permission.UNLINK_PEOPLE):
    """Two referrals need not be kept apart. With `referral_id` it has to be one of the two."""

    link_id: LinkId
    reason: UnlinkReason
    referral_id: ReferralId | None = None


class ListLinks(Query, needs=Permission.SEE_REFERRALS):
    """To which referrals is this one linked?"""

    referral_id: ReferralId


class LinkView(Shape):
    link_id: LinkId
    other_referral_id: ReferralId
    kind: LinkKind
    linked_at: datetime
    linked_by: str


class GetHistory(Query, needs=Permission.SEE_REFERRALS):
    """Which steps has this referral taken?"""

    referral_id: ReferralId


class StepTaken(Shape):
    """One step. `taken_by` is a person at a front-end (`console:…`), `client`, `rule`, or the service that was heard.

    Before there were accounts it was a name that somebody had typed.
    """

    number: Count
    step: str
    state: str
    taken_at: datetime
    taken_by: str
    reason: str | None = None
    fields: tuple[str, ...] = ()
    """The names of what it changed, where that is more than the step says."""
    noted: bool = False
    """Whether a reason in words is kept, encrypted, with the client's record."""


class History(Shape):
    """All steps, the first first, and what a person can do next. `merged_into_id` is what goes on in its place.

    `contact_waits`: a new contact that they named waits for a person to make sure of it. `handles_linked`: whoever asks
    handles a referral that is linked to this one, and leaves it to a colleague.
    """

    steps: tuple[StepTaken, ...]
    possible: tuple[str, ...]
    merged_into_id: ReferralId | None = None
    contact_waits: bool = False
    handles_linked: bool = False


class SuggestAssessment(Query, needs=Permission.ASSESS):
    """What do the rules suggest for this referral, and why? Nothing is decided by asking."""

    referral_id: ReferralId


class ReasonGiven(Shape):
    """Why a part of the assessment (`risk_level`, `competence`, `work`) is suggested, and the rule that says so."""

    concerns: str
    rule: str
    why: str


class SuggestedAssessment(Shape):
    referral_id: ReferralId
    policy_version: Count
    source: str
    risk_level: RiskLevel
    competence: Competence
    work: Work
    reasons: tuple[ReasonGiven, ...]


class Assess(ReferralCommand, needs=Permission.ASSESS):
    """A person's assessment of a referral. `aspects` holds `contracts.sealed.Aspects`.

    `suggestion` says what they made of what was suggested; overriding it needs a reason. `note` holds a `Note`.
    """

    risk_level: RiskLevel
    competence: Competence
    work: Work
    aspects: Sealed
    person_at_risk: ConcernCategory | None = None
    suggestion: SuggestionUse = SuggestionUse.NOT_ASKED
    override_reason: OverrideReason | None = None
    note: Sealed | None = None


class Signpost(ReferralCommand, needs=Permission.ASSESS):
    """The referral fits another service better."""

    reason: SignpostReason


class Withdraw(ReferralCommand, needs=Permission.MANAGE_REFERRALS):
    """A client told a person of the charity that they take the request back."""

    reason: WithdrawalReason
    note: Sealed | None = None


class NoteKind(StrEnum):
    """What somebody of the charity writes a note about."""

    CALL = "call"
    EMAIL = "email"
    DECISION = "decision"
    WRITTEN = "written"
    """What was written to the client themselves, or to whoever wrote for them."""
    OTHER = "other"


class AddNote(Command, needs=Permission.WRITE_NOTES):
    """Something that colleagues should know of a referral. `note` holds a `Note`.

    It decides nothing, so that whatever was done meanwhile doesn't stop it.
    """

    referral_id: ReferralId
    kind: NoteKind
    note: Sealed


class RaiseConcern(Command, needs=Permission.RAISE_CONCERNS):
    """A person of the charity raises a safeguarding concern."""

    referral_id: ReferralId
    severity: Severity
    category: ConcernCategory


class ConcernRaised(Shape):
    concern_id: ConcernId


class FindReferral(Query, needs=Permission.SEE_REFERRALS):
    """Which referral has this reference, and how does it stand? Nothing personal is answered."""

    reference: Annotated[str, validate.Length(max=40)]


class GetReferences(Query, needs=Permission.SEE_REFERRALS):
    """By which references do people know these referrals? For lists, which hold none."""

    referral_ids: Annotated[tuple[ReferralId, ...], validate.Length(min=1, max=200)]


class ReferenceOf(Shape):
    referral_id: ReferralId
    reference: str


class ConcernSummary(Shape):
    concern_id: ConcernId
    severity: Severity
    category: ConcernCategory
    raised_at: datetime
    acknowledged_at: datetime | None = None


class ReferralSummary(Shape):
    referral_id: ReferralId
    reference: str
    state: str
    client_group: ClientGroup
    received_at: datetime
    previous_referral_id: ReferralId | None = None
    concerns: tuple[ConcernSummary, ...] = ()


class FindPeople(Query, needs=Permission.SEARCH_PEOPLE):
    """Whose referrals have this contact, or this name and date of birth? `sealed` holds a `PersonSought`.

    Only `kind` of what is in it is looked for. That it was, and how many were found, is on record.
    """

    kind: MarkKind
    sealed: Sealed


class PeopleFound(Shape):
    """How many referrals were found, and the newest of them. Nothing personal is answered."""

    found: Count
    referrals: Annotated[tuple[ReferralSummary, ...], validate.Length(max=20)]


class CountReferrals(Query, open_to=[FrontEnd.ANYBODY]):
    """How many referrals are in each state?"""


class StateCount(Shape):
    state: str
    referrals: Count


class ListUnreadable(Query, needs=Permission.RETRY_UNREADABLE):
    """Which submissions could not be taken in, and wait for a key or for a person, the oldest first?"""

    limit: Annotated[int, validate.Range(min=1, max=1_000)] = 100


class UnreadableView(Shape):
    """`event` is what it was sent as, `sealed_to` the id of the key that it says it is sealed to."""

    submission_id: SubmissionId
    event: str
    received_at: datetime
    reason: RefusalReason
    field: str | None = None
    sealed_to: str | None = None


class RetryUnreadable(Command, needs=Permission.RETRY_UNREADABLE):
    """Read it again: the key was found, or what was wrong was put right."""

    submission_id: SubmissionId


class RetriedUnreadable(Shape):
    """It was taken in. `reference` is that of the request that was in it, if one was."""

    reference: str | None = None


class Done(Shape):
    """The command was carried out. `changed` is false if that was so already."""

    changed: bool = True
