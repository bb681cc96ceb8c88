"""The columns of a charity's spreadsheet of requests for help."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from contracts.sealed import LegalSituation, SafeChannel, SafeHours
from contracts.vocabulary import ClientGroup, Known, Route, Sessions, Sex, Work
from leeward.importing import cells
from leeward.importing.cells import Kind


@dataclass(frozen=True)
class Column:
    """A column, the field of `HelpSubmission` that it fills, and what a person may write in it.

    `allowed` completes the sentence "expected …". A column that is not required may be empty, or missing altogether.
    """

    name: str
    field: tuple[str, ...]
    kind: Kind
    allowed: str
    example: str
    required: bool = False
    needed: str = "no"
    """When it is needed, in words."""

    def problem(self, what: str | None = None) -> str:
        """What is wrong and what is expected, without the cell's content."""
        return f"{what or self.kind.wrong}; expected {self.allowed}"


def _required(name: str, field: str, kind: Kind, allowed: str, example: str) -> Column:
    return Column(name, tuple(field.split(".")), kind, allowed, example, required=True, needed="yes")


def _optional(name: str, field: str, kind: Kind, allowed: str, example: str, needed: str = "no") -> Column:
    return Column(name, tuple(field.split(".")), kind, allowed, example, needed=needed)


def _one_of(values: type[StrEnum]) -> str:
    return "one of " + ", ".join(value.value for value in values)


_YES_OR_NO = "yes or no"
_UP_TO_5000 = "up to 5,000 characters"

COLUMNS = (
    _optional("name", "name", cells.TEXT, "a name or an alias of up to 120 characters", "Robin"),
    _optional("age", "age", cells.AGE, "a whole number of years from 0 to 120", "34"),
    _optional(
        "date_of_birth", "date_of_birth", cells.DAY, "a date; it tells two people of one name apart", "1992-02-02"
    ),
    _optional("sex", "sex", cells.CHOICE, _one_of(Sex), "male"),
    _required("route", "route", cells.CHOICE, "who got in touch: " + _one_of(Route), "self"),
    _required("client_group", "client_group", cells.CHOICE, _one_of(ClientGroup), "at_risk"),
    _required(
        "postcode",
        "postcode",
        cells.POSTCODE,
        "a UK postcode, its first part alone, a BFPO number, or no fixed abode",
        "NP20 4UR",
    ),
    _required("contact_channel", "contact.channel", cells.CHOICE, "the safe way: " + _one_of(SafeChannel), "email"),
    _optional("contact_hours", "contact.hours", cells.CHOICE, "the safe time: " + _one_of(SafeHours), "evening"),
    _optional(
        "email", "contact.email", cells.EMAIL, "an e-mail address", "robin@example.org", "if contact_channel is email"
    ),
    _optional(
        "telephone",
        "contact.telephone",
        cells.TELEPHONE,
        "a number with its area code, or from abroad with + and the country's code; a mobile one for text messages",
        "07700 900123",
        "if contact_channel is telephone or text",
    ),
    _optional(
        "address",
        "contact.address",
        cells.TEXT,
        "an address of up to 400 characters",
        "1 Example Street",
        "if contact_channel is post",
    ),
    _optional("may_leave_message", "contact.may_leave_message", cells.YES_OR_NO, _YES_OR_NO, "no"),
    _optional("discreet", "contact.discreet", cells.YES_OR_NO, _YES_OR_NO, "yes"),
    _optional("call_as", "contact.call_as", cells.TEXT, "who a caller says they are, up to 120 characters", "Sam"),
    _optional("concern", "concern", cells.TEXT, _UP_TO_5000, "I want to talk to someone."),
    _optional("hopes", "hopes", cells.TEXT, _UP_TO_5000, "To understand myself better."),
    _optional("legal_situation", "legal_situation", cells.CHOICE, _one_of(LegalSituation), "none"),
    _optional("known_to_authorities", "known_to_authorities", cells.CHOICE, _one_of(Known), "no"),
    _optional("identifiable_person_at_risk", "identifiable_person_at_risk", cells.YES_OR_NO, _YES_OR_NO, "no"),
    _optional("language", "language", cells.LANGUAGE, "an ISO 639 code of two or three letters", "en"),
    _optional("sessions", "sessions", cells.CHOICE, _one_of(Sessions), "either"),
    _optional("work", "work", cells.CHOICE, _one_of(Work), "individual"),
    _optional(
        "max_distance_km",
        "max_distance_km",
        cells.KILOMETRES,
        "kilometres from 0 to 2,000, or a number of miles with the word",
        "30",
    ),
    _optional("therapist_sex", "therapist_sex", cells.CHOICE, _one_of(Sex) + ", or nothing", ""),
    _optional("wheelchair_access", "wheelchair_access", cells.YES_OR_NO, _YES_OR_NO, "no"),
    _optional("subsidy_requested", "subsidy_requested", cells.YES_OR_NO, _YES_OR_NO, "no"),
    _optional("fee_ceiling", "fee_ceiling_pence", cells.POUNDS, "pounds for a session, like 40, £40 or 40.00", "40"),
    _required(
        "consent_text_version", "consents.text_version", cells.WHOLE, "the version of the texts, 1 or higher", "1"
    ),
    _required(
        "consent_given_at",
        "consents.given_at",
        cells.MOMENT,
        "a date like 02/02/2026 or 2026-02-02, with or without a time",
        "02/02/2026 09:30",
    ),
    _required("consent_processing", "consents.processing", cells.ONLY_YES, "yes", "yes"),
    _required("consent_confidentiality", "consents.confidentiality_understood", cells.ONLY_YES, "yes", "yes"),
    _required("consent_pass_to_therapist", "consents.pass_to_therapist", cells.YES_OR_NO, _YES_OR_NO, "yes"),
    _optional("consent_evaluation", "consents.evaluation", cells.YES_OR_NO, _YES_OR_NO, "yes"),
    _optional("consent_research", "consents.research", cells.YES_OR_NO, _YES_OR_NO, "no"),
    _optional(
        "passphrase",
        "passphrase",
        cells.TEXT,
        "8 to 200 characters, or nothing to have one made",
        "zebra quilt fox oak",
    ),
)

BY_NAME = {column.name: column for column in COLUMNS}
BY_FIELD = {column.field: column for column in COLUMNS}

NEEDED_BY_CHANNEL = {
    SafeChannel.EMAIL: "email",
    SafeChannel.TELEPHONE: "telephone",
    SafeChannel.TEXT: "telephone",
    SafeChannel.POST: "address",
}
"""Which column must not be empty, by contact channel."""


def markdown_table(columns: Iterable[Column] = COLUMNS) -> str:
    """The table of `samples/README.md`."""
    lines = ["| column | needed | what is allowed | example |", "|---|---|---|---|"]
    for column in columns:
        example = f"`{column.example}`" if column.example else ""
        lines.append(f"| `{column.name}` | {column.needed} | {column.allowed} | {example} |")
    return "\n".join(lines) + "\n"
