"""The shapes that are sealed inside a JWE. Only the named reader ever sees them in the clear."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated

from marshmallow import validate

from contracts.shape import Shape
from contracts.vocabulary import (
    Allegation,
    ClientGroup,
    ClientStep,
    ConsentTold,
    DeclineReason,
    HelpKind,
    Kilometres,
    Known,
    Language,
    MatchEndReason,
    NeedsChangeReason,
    Pence,
    PersonAtRisk,
    ReferralId,
    Route,
    Sessions,
    Sex,
    Slug,
    TherapyReport,
    Work,
)

Name = Annotated[str, validate.Length(min=1, max=120)]
Email = Annotated[str, validate.Email(), validate.Length(max=254)]
Telephone = Annotated[str, validate.Regexp(r"^\+?[0-9 ()-]{7,20}(;ext=[0-9]{1,7})?\Z")]
"""As `contracts.typed.telephones` keeps it, or as somebody typed it before there was that."""
FreeText = Annotated[str, validate.Length(max=5_000)]
ShortText = Annotated[str, validate.Length(max=200)]
Passphrase = Annotated[str, validate.Length(max=200), validate.Regexp(r"(\s*\S){8}")]
"""At least eight characters besides spaces."""

TextVersion = Annotated[int, validate.Range(min=1, max=2**31 - 1)]


class SafeChannel(StrEnum):
    EMAIL = "email"
    TELEPHONE = "telephone"
    TEXT = "text"
    POST = "post"
    CLIENT_CALLS = "client_calls"


class SafeHours(StrEnum):
    ANY = "any"
    MORNING = "morning"
    AFTERNOON = "afternoon"
    EVENING = "evening"


class SafeContact(Shape):
    """How and when a person can be reached without coming to harm by it.

    `call_as` is who a caller or a letter says it is from, should somebody else answer. What nobody asked or answered is
    None: at any time then, and no message is left.
    """

    channel: SafeChannel
    hours: SafeHours | None = None
    email: Email | None = None
    telephone: Telephone | None = None
    address: Annotated[str, validate.Length(max=400)] | None = None
    may_leave_message: bool | None = None
    discreet: bool = True
    call_as: Name | None = None

    @property
    def lacks_address(self) -> bool:
        """Whether it isn't said where somebody is reached in the way that they have chosen."""
        where = {
            SafeChannel.EMAIL: self.email,
            SafeChannel.TEXT: self.telephone,
            SafeChannel.TELEPHONE: self.telephone,
            SafeChannel.POST: self.address,
        }
        return self.channel in where and not where[self.channel]

    def addressed_to(self, addressee: str | None) -> str | None:
        """What stands on an envelope: who and where, and never from whom. None without an address."""
        if not (self.address and addressee) or addressee.casefold() in self.address.casefold():
            return self.address
        return f"{addressee}\n{self.address}"


class LegalSituation(StrEnum):
    NONE = "none"
    UNDER_INVESTIGATION = "under_investigation"
    ON_BAIL = "on_bail"
    CHARGED = "charged"
    CONVICTED = "convicted"
    IN_CUSTODY = "in_custody"
    ON_LICENCE = "on_licence"
    NOT_SAID = "not_said"


class Consents(Shape):
    """What the person agreed to, and to which version of the texts, at what time."""

    text_version: TextVersion
    given_at: datetime
    processing: bool
    confidentiality_understood: bool
    pass_to_therapist: bool
    evaluation: bool | None = None
    research: bool | None = None
    """None of these two if they were not asked; it counts as no."""


class Consent(Shape):
    """One text that was shown or read out and what was answered to it; `text` is its id, `version` says which wording.

    `told` says how the charity came to know of it, where a person recorded it later.
    """

    text: Slug
    version: TextVersion
    given_at: datetime
    agreed: bool
    told: ConsentTold | None = None


class FormAnswer(Shape):
    """What was answered to a question that no known field holds. `question` is its id in the form's definition."""

    question: Slug
    text: FreeText | None = None
    several: Annotated[tuple[ShortText, ...], validate.Length(max=50)] = ()


class Writer(Shape):
    """Who fills the form in for somebody else: a parent or guardian, a professional, a relative of a prisoner.

    They are a person of their own: what is theirs is never passed on as the client's.
    """

    name: Name | None = None
    organisation: ShortText | None = None
    role: ShortText | None = None
    relationship: ShortText | None = None
    contact: SafeContact | None = None
    email: Email | None = None
    telephone: Telephone | None = None
    """This and `email` are how forms before version 2 of their routes asked for the writer's contact."""
    client_agrees: Known | None = None
    """Whether the person it is about knows of this request and agrees to it."""
    agreed_how: ConsentTold | None = None
    """How the writer knows that they agree."""

    @property
    def safe_contact(self) -> SafeContact | None:
        """How the writer can safely be reached, whichever form asked; None if they left no way."""
        if self.contact:
            return self.contact
        if self.email:
            return SafeContact(channel=SafeChannel.EMAIL, email=self.email)
        return SafeContact(channel=SafeChannel.TELEPHONE, telephone=self.telephone) if self.telephone else None


class Custody(Shape):
    """Where somebody in custody can be written to, and when they expect to leave."""

    prison: ShortText | None = None
    prison_number: ShortText | None = None
    release_on: date | None = None
    release_area: ShortText | None = None
    release_postcode: Annotated[str, validate.Length(min=2, max=12)] | None = None
    """Of where they will live then, or its first half: there a therapist is sought."""


class Equality(Shape):
    """Optional answers for equality monitoring, as the form's codes; `prefer_not_to_say` is one of each."""

    gender: Slug | None = None
    ethnic_group: Slug | None = None
    religion: Slug | None = None
    sexual_orientation: Slug | None = None
    disability: Slug | None = None


class NeedsChanged(Shape):
    """What a client needs, or prefers, was changed by their word: when, why, and how it was told."""

    changed_at: datetime
    reason: NeedsChangeReason
    told: ConsentTold


class HelpForm(Shape):
    """What a request for help says, version 1.

    `name`, `contact` and `consents` are the client's, `written_by` is whoever writes for them, if somebody does.
    `contact` is missing where only the writer can be reached. Nobody is made to give more than a safe way to reach
    somebody and where the client is. `definition` and its version name the questions as they were asked; `answers`
    holds what no other field does. `suspected` are codes of what made the submission look like spam: it is for a person
    to look at first, and never thrown away.

    A question that was not asked, or not answered, leaves its field None, so that nobody is told to have said what they
    did not; what is then taken for granted is intake's to know. Forms of before December 2026 hold that instead.
    """

    name: Name | None = None
    age: Annotated[int, validate.Range(min=0, max=120)] | None = None
    date_of_birth: date | None = None
    sex: Sex | None = None
    route: Route
    client_group: ClientGroup
    postcode: Annotated[str, validate.Length(min=2, max=12)]
    contact: SafeContact | None = None
    concern: FreeText | None = None
    hopes: FreeText | None = None
    legal_situation: LegalSituation | None = None
    known_to_authorities: Known | None = None
    identifiable_person_at_risk: bool | None = None
    person_at_risk: PersonAtRisk | None = None
    language: Language = "en"
    sessions: Sessions | None = None
    work: Work | None = None
    max_distance_km: Kilometres | None = None
    therapist_sex: Sex | None = None
    therapist_sex_only: bool | None = None
    """Whether nobody of the other sex is to be asked; otherwise it is a wish."""
    therapy_language: Language | None = None
    """In which they would like to talk; `language` is that of the page and of letters."""
    therapy_language_must: bool | None = None
    wheelchair_access: bool | None = None
    subsidy_requested: bool | None = None
    fee_ceiling_pence: Pence | None = None
    consents: Consents
    definition: Slug | None = None
    definition_version: Annotated[int, validate.Range(min=1, max=10_000)] | None = None
    written_by: Writer | None = None
    relationship: Slug | None = None
    alleged: Annotated[tuple[Allegation, ...], validate.Length(max=20)] = ()
    help_wanted: Annotated[tuple[HelpKind, ...], validate.Length(max=20)] = ()
    custody: Custody | None = None
    interpreter: ShortText | None = None
    """The language or the kind of interpreter that is wanted."""
    interpreter_language: Language | None = None
    """Which language that is, as a person found out; before, it is read out of `interpreter`."""
    online_allowed: bool | None = None
    """Whether a person said that the prison allows sessions online, or that it doesn't."""
    needs_changed: Annotated[tuple[NeedsChanged, ...], validate.Length(max=20)] = ()
    """The last times that somebody of the charity changed what is needed, as they were told."""
    access_needs: FreeText | None = None
    heard_through: Slug | None = None
    equality: Equality | None = None
    consent_texts: Annotated[tuple[Consent, ...], validate.Length(max=20)] = ()
    answers: Annotated[tuple[FormAnswer, ...], validate.Length(max=100)] = ()
    suspected: Annotated[tuple[Slug, ...], validate.Length(max=10)] = ()

    @property
    def client_agrees(self) -> bool:
        """Whether the client has agreed to this request: they wrote it themselves, or are known to have agreed."""
        return self.written_by is None or self.written_by.client_agrees is Known.YES

    @property
    def seeks_therapist(self) -> bool:
        """Whether a therapist is wanted: by everybody who does not ask for a course or a group alone."""
        wanted = set(self.help_wanted)
        return not wanted or bool(wanted & {HelpKind.ONE_TO_ONE, HelpKind.COUPLE})

    @property
    def writer_contact(self) -> SafeContact | None:
        return self.written_by.safe_contact if self.written_by else None


class HelpSubmission(HelpForm):
    """Sealed to intake inside `HelpRequested`: the form, and the passphrase its sender will ask after it with."""

    passphrase: Passphrase


class Credentials(Shape):
    """What a client knows of their request, as they typed it.

    Sealed to intake inside `WithdrawalRequested`, and in the question where a request stands.
    """

    reference: Annotated[str, validate.Length(max=40)]
    passphrase: Annotated[str, validate.Length(max=200)]


class PersonSought(Shape):
    """Whom somebody of the charity looks for: an e-mail address, a telephone number, or a name with a date of birth."""

    email: Email | None = None
    telephone: Telephone | None = None
    name: Name | None = None
    date_of_birth: date | None = None


class ClientChange(Credentials):
    """What whoever knows a request does about it on the status page, sealed to intake inside `change_by_client`.

    With `change_contact` `contact` is the new one, and `old_is_safe` says whether the old one may be told; with
    `enter_code` `code` is what was typed.
    """

    step: ClientStep
    contact: SafeContact | None = None
    old_is_safe: bool = False
    code: Annotated[str, validate.Length(max=40)] | None = None


class ContactLetter(Shape):
    """One letter to one contact, sealed to notifications inside `ContactChangeNoted`.

    With `code` it goes to the new contact, whose code it is; without it to the old one, which may be told.
    """

    reference: str
    language: Language = "en"
    name: Name | None = None
    contact: SafeContact
    code: Annotated[str, validate.Regexp("[0-9]{6}")] | None = None


class WriterContact(Shape):
    """Who wrote for a client, and how they can safely be reached."""

    name: Name | None = None
    relationship: ShortText | None = None
    contact: SafeContact


class ClientContact(Shape):
    """Sealed to notifications inside `ContactReleased`: the ways that may be used, and no others.

    `contact` is the client's own; it is missing until they have agreed to be written to, and where they have none.
    `client_agrees` says which. `addressee` is what stands above the address of what goes to them by post, where that is
    more than their name.
    """

    referral_id: ReferralId
    reference: str
    name: Name | None = None
    language: Language = "en"
    contact: SafeContact | None = None
    client_agrees: bool = True
    writer: WriterContact | None = None
    addressee: Annotated[str, validate.Length(max=400)] | None = None


class Aspects(Shape):
    """The six aspects of an assessment in the assessor's words, sealed to intake inside the command `assess`."""

    risk: FreeText | None = None
    physical: FreeText | None = None
    relational: FreeText | None = None
    psychological: FreeText | None = None
    spiritual: FreeText | None = None
    social: FreeText | None = None


class Whereabouts(Shape):
    """Where a client is, as a person of the charity found out, sealed to intake inside the command `find_place`."""

    postcode: Annotated[str, validate.Length(min=2, max=12)]


class Note(Shape):
    """Why a person took a step with a referral, in their words, sealed to intake inside the command."""

    text: Annotated[str, validate.Length(min=1, max=5_000)]


class WordsToClient(Shape):
    """What a person of the charity writes to a client, sealed to notifications inside `write_to_client`."""

    words: Annotated[str, validate.Length(min=1, max=5_000)]


class TherapistContact(Shape):
    """Sealed to notifications inside `TherapistContactChanged`."""

    name: Name
    email: Email
    telephone: Telephone | None = None


class DutyContact(Shape):
    """Sealed to notifications inside the command `keep_staff`: somebody on the safeguarding rota."""

    name: Name
    email: Email
    telephone: Telephone | None = None


class OutcomeReason(Shape):
    """Sealed to notifications inside the command `record_outcome`: why it was decided so."""

    words: Annotated[str, validate.Regexp(r"\s*\S"), validate.Length(max=5_000)]


Secret = Annotated[str, validate.Length(min=20, max=100)]
"""Of a one-time link: 128 random bits or more, as `secrets.token_urlsafe` writes them."""


class StaffLetter(Shape):
    """What a letter to somebody with an account needs: their name and address, the one-time link or code in it if there
    is one, and the name of whoever it is about. Sealed to notifications."""

    name: Name
    email: Email
    link: Annotated[str, validate.Length(min=1, max=500)] | None = None
    about: Name | None = None
    code: Annotated[str, validate.Length(min=1, max=20)] | None = None


class ConcernReference(Shape):
    """The reference of the request that a safeguarding concern is about, as the office knows it."""

    reference: Annotated[str, validate.Length(min=1, max=40)]


class LinkSecret(Shape):
    """The secret of a one-time link.

    Sealed to notifications inside the event that has the letter written, and, as the reader's browser holds it, to the
    service that made the link inside the question what it opens.
    """

    token: Secret


class AlertSecret(LinkSecret):
    """The secret of an alert's link, and the request's reference for as long as the alert waits to be sent."""

    reference: Annotated[str, validate.Length(min=1, max=40)] | None = None


class Answer(Shape):
    item: Annotated[str, validate.Length(max=64)]
    value: Annotated[int, validate.Range(min=0, max=100)]


class EvaluationForm(Shape):
    """Sealed to evaluation inside `EvaluationReturned`. An item left out was left blank."""

    token: Annotated[str, validate.Length(max=100)]
    answers: Annotated[tuple[Answer, ...], validate.Length(max=200)]


class EnteredAnswers(Shape):
    """Sealed to evaluation inside the command `enter_answers`. An item left out was left blank."""

    answers: Annotated[tuple[Answer, ...], validate.Length(max=200)]


class OfferAnswer(Shape):
    """Sealed to matching inside `OfferAnswered`: what a therapist says to an offer.

    `reason` is there if it is declined; with `away` also `until`, the day, in London, from which they can be asked.
    """

    token: Secret
    accepted: bool
    reason: DeclineReason | None = None
    until: date | None = None


class AlertAnswer(Shape):
    """Sealed to notifications inside `AlertAnswered`: whoever the link was sent to takes the concern in hand."""

    token: Secret


class ClientLink(Shape):
    """Sealed to notifications inside the question what an introduction's link opens.

    `right` is what the browser in which the code was typed shows of itself, a secret as long as the link's own.
    """

    token: Secret
    right: Secret | None = None


class OneTimeCode(Shape):
    """Six digits. Sealed to notifications in the message that carries them, and to whoever of the office asked."""

    code: Annotated[str, validate.Regexp(r"^[0-9]{6}\Z")]


class TypedCode(Shape):
    """Sealed to notifications inside the command `enter_client_code`: what a therapist typed.

    If it is right, the browser is known by `right` from then on.
    """

    token: Secret
    code: Annotated[str, validate.Length(max=40)]
    right: Secret


class TherapyAnswer(Shape):
    """Sealed to notifications inside `TherapyReported`.

    `on` is the day, in London, on which contact was made or the first session was; `reason` says why it has ended.
    """

    token: Secret
    right: Secret
    what: TherapyReport
    on: date | None = None
    reason: MatchEndReason | None = None


FORMS: dict[tuple[str, int], type[HelpSubmission]] = {("help", 1): HelpSubmission}
"""The forms that intake can read, by name and version."""
