"""Two requests that a person has told apart are never suggested again; those of before the marks are found as well."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text

from chassis.ids import new_id
from chassis.store.engine import open_engine
from contracts.commands.duplicates import (
    ListDuplicates,
    Merge,
    PossibleDuplicate,
    TellApart,
)
from contracts.commands.intake import (
    Done,
    ReRefer,
)
from contracts.commands.privacy import Erase, ErasureReason
from contracts.vocabulary import ApartReason, MergeReason, ReferralId, ReReferralReason, Route
from services.intake import errors
from services.intake.handlers import backfill, duplicates, erasure, lifecycle
from services.intake.store import tables
from tests.conftest import STORES
from tests.unit.intake.conftest import Asked, Intake
from tests.unit.intake.test_migration import upgrade

SAM = "console:somebody"


@pytest.fixture
def intake(intake_on_each_store: Intake) -> Intake:
    return intake_on_each_store


def pairs(intake: Intake) -> list[set[str]]:
    found: list[PossibleDuplicate] = intake.ask(duplicates.list_possible_duplicates, ListDuplicates())
    return [{one.reference, one.other_reference} for one in found]


def tell_apart(intake: Intake, one: Asked, other: Asked) -> bool:
    reason = ApartReason.SHARED_CONTACT
    request = TellApart(referral_id=one.referral_id, other_referral_id=other.referral_id, reason=reason)
    told: Done = intake.ask(duplicates.tell_apart, request)
    return told.changed


def on_record(intake: Intake) -> list[tuple[Any, ...]]:
    table = intake.database.tables.audit_entry
    wanted = select(table.c.what, table.c.who, table.c.subject_id, table.c.reason).order_by(table.c.sequence)
    return intake.read(lambda unit: [tuple(row) for row in unit.session.execute(wanted)])


def forget_marks(intake: Intake) -> None:
    """As the database was before there were marks, but for the timer that the migration sets."""
    with intake.database.unit() as unit:
        unit.session.execute(tables.possible_duplicates.delete())
        unit.session.execute(tables.match_keys.delete())
        unit.set_timer(backfill.BACKFILL_MATCH_KEYS, "once", unit.now)


def mark_older(intake: Intake) -> int:
    """How often the timer fired until all was done."""
    times = 0
    while intake.fire_due({backfill.BACKFILL_MATCH_KEYS: backfill.backfill_match_keys}):
        times += 1
        assert times < 10, "it never ends"
    return times


@pytest.mark.parametrize("newer_first", [True, False])
def test_a_pair_that_was_told_apart_is_never_suggested_again_and_others_are(intake: Intake, newer_first: bool) -> None:
    first, second = intake.ask_for_help(), intake.ask_for_help()
    assert tell_apart(intake, *((second, first) if newer_first else (first, second)))
    assert pairs(intake) == []
    third = intake.ask_for_help()
    assert sorted(map(sorted, pairs(intake))) == sorted(
        sorted({third.reference, one.reference}) for one in (first, second)
    )
    assert set(on_record(intake)) == {("told_apart", SAM, one.referral_id, "shared_contact") for one in (first, second)}


def test_to_tell_them_apart_twice_changes_nothing(intake: Intake) -> None:
    first, second = intake.ask_for_help(), intake.ask_for_help()
    tell_apart(intake, first, second)
    assert not tell_apart(intake, second, first)
    assert len(on_record(intake)) == 2


def test_nothing_is_told_apart_from_itself_or_from_what_is_unknown(intake: Intake) -> None:
    asked = intake.ask_for_help()
    with pytest.raises(errors.SameReferral):
        tell_apart(intake, asked, asked)
    with pytest.raises(errors.UnknownReferral):
        tell_apart(intake, asked, Asked(ReferralId(new_id()), "?"))


def test_what_is_merged_is_unmerged_before_it_is_told_apart(intake: Intake) -> None:
    first, second = intake.ask_for_help(), intake.ask_for_help()
    reason = MergeReason.SENT_TWICE
    request = Merge(referral_id=second.referral_id, into_referral_id=first.referral_id, reason=reason)
    intake.ask(duplicates.merge, request)
    for pair in ((first, second), (second, first)):
        with pytest.raises(errors.MergedIntoEachOther, match=f"{second.reference} was merged into {first.reference}"):
            tell_apart(intake, *pair)
    assert on_record(intake) == []


@pytest.mark.parametrize("erased", [0, 1])
def test_it_goes_with_an_erased_person(intake: Intake, erased: int) -> None:
    both = intake.ask_for_help(), intake.ask_for_help()
    tell_apart(intake, *both)
    request = Erase(reference=both[erased].reference, reason=ErasureReason.CLIENT_ASKED)
    intake.ask(erasure.erase_by_person, request)
    assert intake.stored()["told_apart"] == []


def test_requests_of_before_are_found_to_be_alike_among_themselves_and_with_newer_ones(
    intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backfill, "BATCH_SIZE", 2)
    before = [intake.ask_for_help() for _ in range(3)]
    for _ in range(2):
        intake.ask_for_help(route=Route.PROBATION)  # has nothing to be marked by
    forget_marks(intake)
    newer = intake.ask_for_help()
    assert pairs(intake) == []
    assert mark_older(intake) == 3
    everybody = [*before, newer]
    wanted = {frozenset({a.reference, b.reference}) for a in everybody for b in everybody if a is not b}
    assert {frozenset(pair) for pair in pairs(intake)} == wanted
    later_first = intake.ask(duplicates.list_possible_duplicates, ListDuplicates())
    assert all(one.referral_id > one.other_referral_id for one in later_first)


def test_what_was_told_apart_or_belongs_together_is_not_suggested_by_the_marks_of_before(intake: Intake) -> None:
    first, second = intake.ask_for_help(), intake.ask_for_help()
    tell_apart(intake, first, second)
    intake.withdraw(first.reference)
    forget_marks(intake)
    again = ReRefer(referral_id=first.referral_id, reason=ReReferralReason.CLIENT_ASKED)
    newer = intake.ask(lifecycle.re_refer, again).reference
    mark_older(intake)
    assert pairs(intake) == [{newer, second.reference}]


def test_an_erased_person_is_not_marked(intake: Intake) -> None:
    asked = intake.ask_for_help()
    request = Erase(reference=asked.reference, reason=ErasureReason.CLIENT_ASKED)
    intake.ask(erasure.erase_by_person, request)
    forget_marks(intake)
    mark_older(intake)
    assert intake.stored()["identity_mark"] == []


@pytest.mark.parametrize("kind", STORES)
def test_the_migration_has_the_service_mark_them(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    url = f"sqlite:///{tmp_path}/intake.db"
    if kind == "postgresql":
        url = request.getfixturevalue("postgresql_server").create_database(f"marked_{new_id().hex}")
    engine = open_engine(url)
    with engine.begin() as connection:
        upgrade(connection, "0006")
        assert connection.execute(text("SELECT name, key, attempts FROM timer")).all() == [("mark_older", "once", 0)]
    engine.dispose()
