"""Looking for somebody: by the whole of a contact, or by name and date of birth; on record without what was typed."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from sqlalchemy import select

from contracts.command import Query
from contracts.commands.intake import FindPeople, PeopleFound
from contracts.commands.privacy import Erase, ErasureReason
from contracts.permissions import GRANTS
from contracts.sealed import PersonSought, SafeChannel, SafeContact
from contracts.vocabulary import MarkKind, Route
from services.intake import errors
from services.intake.handlers import erasure, people
from tests.unit.intake.conftest import Intake

BORN = date(1985, 4, 1)
ROBIN: dict[str, Any] = {
    "name": "Robin Łukasz-Planted",
    "date_of_birth": BORN,
    "contact": SafeContact(channel=SafeChannel.EMAIL, email="planted@example.org", telephone="+441632960001"),
}


@pytest.fixture
def intake(intake_on_each_store: Intake) -> Intake:
    return intake_on_each_store


def find(intake: Intake, kind: MarkKind, **sought: Any) -> PeopleFound:
    request = FindPeople(kind=kind, sealed=intake.seal(PersonSought(**sought)))
    found: PeopleFound = intake.ask(people.find_people, request)
    return found


@pytest.mark.parametrize(
    ("kind", "sought"),
    [
        (MarkKind.EMAIL, {"email": "PLANTED@example.org"}),
        (MarkKind.TELEPHONE, {"telephone": "01632 960 001"}),
        (MarkKind.NAME_AND_BIRTH, {"name": "lukasz planted, ROBIN", "date_of_birth": BORN}),
    ],
)
def test_somebody_is_found_by_the_whole_of_it_however_it_is_written(
    intake: Intake, kind: MarkKind, sought: dict[str, Any]
) -> None:
    asked = intake.ask_for_help(**ROBIN)
    intake.ask_for_help(name="Sam Example", date_of_birth=BORN)
    found = find(intake, kind, **sought)
    assert found.found == 1
    assert [(one.referral_id, one.reference) for one in found.referrals] == [asked]


@pytest.mark.parametrize(
    ("kind", "sought"),
    [
        (MarkKind.EMAIL, {"email": "planted@example.com"}),
        (MarkKind.TELEPHONE, {"telephone": "01632 960002"}),
        (MarkKind.NAME_AND_BIRTH, {"name": "Robin Planted", "date_of_birth": BORN}),
        (MarkKind.NAME_AND_BIRTH, {"name": "Robin Łukasz-Planted", "date_of_birth": date(1985, 1, 4)}),
    ],
)
def test_nobody_is_found_by_a_part_of_it_or_by_something_similar(
    intake: Intake, kind: MarkKind, sought: dict[str, Any]
) -> None:
    intake.ask_for_help(**ROBIN)
    assert find(intake, kind, **sought) == PeopleFound(found=0, referrals=())


def test_only_what_the_search_is_said_to_be_by_is_looked_for(intake: Intake) -> None:
    intake.ask_for_help(**ROBIN)
    assert find(intake, MarkKind.EMAIL, email="other@example.org", telephone="+441632960001").found == 0
    with pytest.raises(errors.NothingToLookFor, match="Say whom to look for"):
        find(intake, MarkKind.NAME_AND_BIRTH, name="Robin Łukasz-Planted")


def test_a_writers_contact_finds_none_of_those_they_wrote_for(intake: Intake) -> None:
    intake.ask_for_help(**ROBIN, route=Route.PROBATION)
    assert find(intake, MarkKind.EMAIL, email="planted@example.org").found == 0
    assert find(intake, MarkKind.NAME_AND_BIRTH, name=ROBIN["name"], date_of_birth=BORN).found == 1


def test_of_very_many_the_newest_twenty_are_shown_and_all_are_counted(intake: Intake) -> None:
    asked = [intake.ask_for_help(**ROBIN) for _ in range(22)]
    found = find(intake, MarkKind.EMAIL, email="planted@example.org")
    assert (found.found, len(found.referrals)) == (22, 20)
    assert {one.reference for one in found.referrals} <= {one.reference for one in asked}


def test_whoever_was_erased_is_found_by_nothing(intake: Intake) -> None:
    asked = intake.ask_for_help(**ROBIN)
    intake.ask(erasure.erase_by_person, Erase(reference=asked.reference, reason=ErasureReason.CLIENT_ASKED))
    assert find(intake, MarkKind.EMAIL, email="planted@example.org").found == 0


def test_a_search_counts_as_a_reading_so_that_whoever_looks_for_many_is_stopped() -> None:
    assert FindPeople.needs is not None
    assert issubclass(FindPeople, Query)
    assert GRANTS[FindPeople.needs].reveals


def test_a_search_is_on_record_without_what_was_typed(intake: Intake) -> None:
    intake.ask_for_help(**ROBIN)
    find(intake, MarkKind.EMAIL, email="planted@example.org")
    find(intake, MarkKind.NAME_AND_BIRTH, name="Nobody Planted", date_of_birth=BORN)
    audit = intake.read(lambda unit: unit.session.execute(select(unit.tables.audit_entry)).all())
    assert [(entry.who, entry.what, entry.subject_id, entry.reason) for entry in audit] == [
        ("console:somebody", "searched", None, "email, found: 1"),
        ("console:somebody", "searched", None, "name_and_birth, found: 0"),
    ]
