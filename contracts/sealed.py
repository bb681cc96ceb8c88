"""What travels sealed: the shapes inside a JWE. Only the named reader ever sees them in the clear."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated

from marshmallow import validate

from contracts.shape import Shape
from contracts.vocabulary import (
    Allegation,
    ClientGroup,
    HelpKind,
    Kilometres,
    Known,
    Language,
    Pence,
    ReferralId,
    Route,
    Sessions,
    Sex,
    Slug,
    Work,
)

Name = Annotated[str, validate.Length(min=1, max=120)]
Email = Annotated[str, validate.Email(), validate.Length(max=254)]
Telephone = Annotated[str, validate.Regexp(r"^\+?[0-9 ()-]{7,20}$")]
FreeText = Annotated[str, validate.Length(max=5_000)]
ShortText = Annotated[str, validate.Length(max=200)]
Passphrase = Annotated[str, validate.Length(max=200), validate.Regexp(r"(\s*\S){8}")]
"""At least eight characters besides spaces."""


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

    `call_as` is who a caller or a letter says it is from, should somebody else answer.
    """

    channel: SafeChannel
    hours: SafeHours = SafeHours.ANY
    email: Email | None = None
    telephone: Telephone | None = None
    address: Annotated[str, validate.Length(max=400)] | None = None
    may_leave_message: bool = False
    discreet: bool = True
    call_as: Name | None = None


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

    text_version: Annotated[int, validate.Range(min=1)]
    given_at: datetime
    processing: bool
    confidentiality_understood: bool
    pass_to_therapist: bool
    evaluation: bool = False
    research: bool = False


class Consent(Shape):
    """One text that was shown and what was answered to it; `text` is its id, `version` says which wording."""

    text: Slug
    version: Annotated[int, validate.Range(min=1)]
    given_at: datetime
    agreed: bool


class FormAnswer(Shape):
    """What was answered to a question that no known field holds. `question` is its id in the form's definition."""

    question: Slug
    text: FreeText | None = None
    several: Annotated[tuple[ShortText, ...], validate.Length(max=50)] = ()


class Writer(Shape):
    """Who fills the form in for somebody else: a parent or guardian, a professional, a relative of a prisoner."""

    name: Name | None = None
    organisation: ShortText | None = None
    role: ShortText | None = None
    relationship: ShortText | None = None
    email: Email | None = None
    telephone: Telephone | None = None
    client_agrees: Known | None = None
    """Whether the person it is about knows of this request and agrees to it."""


class Custody(Shape):
    """Where somebody in custody can be written to, and when they expect to leave."""

    prison: ShortText | None = None
    prison_number: ShortText | None = None
    release_on: date | None = None
    release_area: ShortText | None = None


class Equality(Shape):
    """Optional answers for equality monitoring, as the form's codes; `prefer_not_to_say` is one of each."""

    gender: Slug | None = None
    ethnic_group: Slug | None = None
    religion: Slug | None = None
    sexual_orientation: Slug | None = None
    disability: Slug | None = None


class HelpForm(Shape):
    """What a request for help says, version 1.

    Nobody is made to give more than a safe way to reach them and where they are. `definition` and its version name the
    questions as they were asked; `answers` holds what no other field does. `suspected` are codes of what made the
    submission look like spam: it is for a person to look at first, and never thrown away.
    """

    name: Name | None = None
    age: Annotated[int, validate.Range(min=0, max=120)] | None = None
    date_of_birth: date | None = None
    sex: Sex | None = None
    route: Route
    client_group: ClientGroup
    postcode: Annotated[str, validate.Length(min=2, max=12)]
    contact: SafeContact
    concern: FreeText | None = None
    hopes: FreeText | None = None
    legal_situation: LegalSituation = LegalSituation.NOT_SAID
    known_to_authorities: Known = Known.UNSURE
    identifiable_person_at_risk: bool = False
    language: Language = "en"
    sessions: Sessions = Sessions.EITHER
    work: Work = Work.INDIVIDUAL
    max_distance_km: Kilometres = 30.0
    therapist_sex: Sex | None = None
    wheelchair_access: bool = False
    subsidy_requested: bool = False
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
    access_needs: FreeText | None = None
    heard_through: Slug | None = None
    equality: Equality | None = None
    consent_texts: Annotated[tuple[Consent, ...], validate.Length(max=20)] = ()
    answers: Annotated[tuple[FormAnswer, ...], validate.Length(max=100)] = ()
    suspected: Annotated[tuple[Slug, ...], validate.Length(max=10)] = ()


class HelpSubmission(HelpForm):
    """Sealed to intake inside `HelpRequested`: the form, and the passphrase its sender will ask after it with."""

    passphrase: Passphrase


class Credentials(Shape):
    """What a client knows of their request, as they typed it.

    Sealed to intake inside `WithdrawalRequested`, and in the question where a request stands.
    """

    reference: Annotated[str, validate.Length(max=40)]
    passphrase: Annotated[str, validate.Length(max=200)]


class ClientContact(Shape):
    """Sealed to notifications inside `ContactReleased`."""

    referral_id: ReferralId
    reference: str
    name: Name | None = None
    language: Language = "en"
    contact: SafeContact


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

    words: Annotated[str, validate.Regexp(r"\S"), validate.Length(max=5_000)]


class EvaluationLink(Shape):
    """Sealed to notifications inside `EvaluationInvited`: the secret that opens one form once."""

    token: Annotated[str, validate.Length(min=20, max=100)]


class Answer(Shape):
    item: Annotated[str, validate.Length(max=64)]
    value: Annotated[int, validate.Range(min=0, max=100)]


class EvaluationForm(Shape):
    """Sealed to evaluation inside `EvaluationReturned`. An item left out was left blank."""

    token: Annotated[str, validate.Length(max=100)]
    answers: Annotated[tuple[Answer, ...], validate.Length(max=200)]


FORMS: dict[tuple[str, int], type[HelpSubmission]] = {("help", 1): HelpSubmission}
"""The forms that intake can read, by name and version."""
