"""Every route of the public site, as intake keeps and passes on what was written: writer and client are never mixed."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from contracts.reference import reference_for
from contracts.sealed import HelpForm
from contracts.vocabulary import ClientGroup, ConsentTold, ContactPurpose, Known, Route
from services.intake.application.records import decrypt_record
from services.intake.store import referrals
from tests.unit.intake.conftest import MONDAY_10, Intake
from web.shared.forms.definition import Answer
from web.shared.forms.engine import answer_page, first_unanswered, shown_pages
from web.shared.forms.loader import read_definitions
from web.shared.forms.submission import build

DEFINITIONS = read_definitions()
TODAY = date(2026, 11, 23)
CLIENTS, WRITERS = "+441632960123", "+441632960124"
NEEDED: dict[str, str] = {
    "confidentiality_understood": "yes", "consent_processing": "yes", "consent_therapist": "yes",
    "postcode": "NP20 4UR", "contact_way": "call", "telephone": CLIENTS, "name": "Robin", "hours": "any",
    "may_leave_message": "no", "say_who": "no", "passphrase": "harbour lantern quiet",
    "relationship": "partner", "adult": "yes", "who_writes": "self", "profession": "gp", "client_group": "survivor",
    "writer_name": "Sam Example", "writer_contact_way": "call", "writer_telephone": WRITERS, "writer_hours": "any",
    "writer_may_leave_message": "no", "writer_say_who": "no", "their_name": "Robin", "their_age": "12",
    "client_agrees": "yes", "agreed_how": "by_telephone", "agreed_therapist": "yes",
    "prison_name": "HMP Example", "prison_address": "HMP Example, Newport",
}  # fmt: skip
TOLD: dict[str, str] = {
    "concern": "Planted words", "sessions": "in_person", "distance_miles": "10 miles", "age": "12",
    "wheelchair_access": "yes", "can_pay": "up_to", "fee_ceiling": "20", "subsidy_requested": "no",
}  # fmt: skip


def kept_of(intake: Intake, route: str, *, more: bool, **given: str) -> HelpForm:
    """What intake keeps of a form that was filled in page by page as it is shown, and sent."""
    definition, raw = DEFINITIONS[route], {name: [value] for name, value in (NEEDED | TOLD | given).items()}
    answers: dict[str, Answer] = {}
    while shown := first_unanswered(definition, answers):
        outcome = answer_page(definition, answers, shown, raw, today=TODAY)
        assert not outcome.problems, (shown.page.id, outcome.problems)
        answers = outcome.answers
    for number in range(1, len(definition.pages) + 1) if more else ():
        for shown in shown_pages(definition, answers):
            if shown.number == number:
                answers = answer_page(definition, answers, shown, raw, today=TODAY).answers
    event = intake.sealed_request(build(definition, answers, at=MONDAY_10, agreed_at={}, language="en"))
    intake.submit(event)
    reference = reference_for(event.submission_id)

    def read(unit: Any) -> HelpForm:
        unit.dependencies = intake.dependencies
        found = referrals.find_by_reference(unit.session, reference)
        assert found is not None
        return decrypt_record(unit, found)

    return intake.read(read)


shortly_and_at_length = pytest.mark.parametrize("more", [False, True], ids=["short", "all told"])


@shortly_and_at_length
@pytest.mark.parametrize(
    ("route", "group"),
    [
        ("self", ClientGroup.AT_RISK),
        ("family", ClientGroup.FAMILY),
        ("survivor", ClientGroup.SURVIVOR),
        ("young_person", ClientGroup.YOUNG_PERSON),
    ],
)
def test_who_writes_for_themselves_is_the_client(intake: Intake, route: str, group: ClientGroup, more: bool) -> None:
    form = kept_of(intake, route, more=more)
    assert (form.route, form.client_group, form.written_by, form.name) == (Route.SELF, group, None, "Robin")
    assert form.contact is not None
    assert form.contact.telephone == CLIENTS
    assert form.consents.pass_to_therapist
    known = intake.released(ContactPurpose.ADDRESS_BOOK)[-1][1]
    assert (known.contact, known.writer) == (form.contact, None)
    assert (form.concern, form.wheelchair_access, form.subsidy_requested, form.max_distance_km) == (
        ("Planted words", True, False, 16.09) if more else (None, None, None, None)
    )


@shortly_and_at_length
def test_a_child_of_12_who_does_not_know_yet_is_spoken_of_with_a_parent_on_this_number(
    intake: Intake, more: bool
) -> None:
    form = kept_of(intake, "young_person", more=more, who_writes="guardian", client_agrees="no",
                   writer_relationship="mother")  # fmt: skip
    assert (form.age, form.name, form.route, form.contact) == (12, "Robin", Route.GUARDIAN, None)
    assert form.written_by is not None
    assert (form.written_by.name, form.written_by.relationship) == ("Sam Example", "mother")
    assert form.written_by.client_agrees is Known.NO
    assert not form.consents.pass_to_therapist
    known = intake.released(ContactPurpose.ADDRESS_BOOK)[-1][1]
    assert (known.contact, known.client_agrees) == (None, False)
    assert known.writer is not None
    assert known.writer.contact.telephone == WRITERS


@shortly_and_at_length
def test_a_professional_and_who_they_write_for_are_each_reached_in_their_own_way(intake: Intake, more: bool) -> None:
    form = kept_of(intake, "professional", more=more, agreed_therapist="unsure")
    assert (form.route, form.client_group, form.name) == (Route.GP, ClientGroup.SURVIVOR, "Robin")
    assert form.contact is not None
    assert form.writer_contact is not None
    assert (form.contact.telephone, form.writer_contact.telephone) == (CLIENTS, WRITERS)
    assert not form.consents.pass_to_therapist
    told = {one.text: (one.agreed, one.told) for one in form.consent_texts}
    assert told["agreed_therapist"] == (False, ConsentTold.BY_TELEPHONE)
    assert told["consent_processing"] == (True, None)


@shortly_and_at_length
@pytest.mark.parametrize("who", ["self", "family_or_friend"])
def test_somebody_in_prison_is_written_to_there_and_who_writes_for_them_where_they_are(
    intake: Intake, who: str, more: bool
) -> None:
    form = kept_of(intake, "in_prison", more=more, who_writes=who)
    assert form.contact is not None
    assert (form.contact.channel, form.contact.address, form.contact.telephone) == (
        "post",
        "HMP Example, Newport\nNP20 4UR",
        None,
    )
    assert form.contact.discreet
    assert (form.writer_contact.telephone if form.writer_contact else None) == (None if who == "self" else WRITERS)
    assert form.consents.pass_to_therapist


def test_who_has_no_address_is_taken_in_as_nowhere_found(intake: Intake) -> None:
    form = kept_of(intake, "self", more=False, **{"postcode": "", "postcode-otherwise": "yes"})
    assert form.postcode == "ZZ99 3VZ"
    assert [one.place.value for one in intake.awaiting()] == ["not_found"]
