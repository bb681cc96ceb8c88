"""The same person asking twice: found without anything readable, merged and un-merged by people alone."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from sqlalchemy import select

from contracts.commands.duplicates import (
    CountDuplicates,
    ListDuplicates,
    Merge,
    PossibleDuplicate,
    Unmerge,
)
from contracts.commands.intake import (
    GetHistory,
    History,
    ReRefer,
)
from contracts.commands.privacy import Erase, ErasureReason
from contracts.events.intake import ReferralReopened, ReferralWithdrawn
from contracts.sealed import SafeChannel, SafeContact
from contracts.typed.names import fold_name
from contracts.vocabulary import (
    MarkKind,
    MergeReason,
    ReferralId,
    ReopeningReason,
    ReReferralReason,
    Route,
    UnmergeReason,
    WithdrawalReason,
)
from services.intake import errors
from services.intake.domain.match_keys import hmac_keys_of, match_keys_of, normal_email, normal_telephone
from services.intake.domain.referral import StepNotPossible
from services.intake.handlers import duplicates, erasure, lifecycle, queries
from services.intake.store import tables
from tests.unit.intake.conftest import Asked, Intake

SAM = "console:somebody"
KEYS = hmac_keys_of(b"k" * 32)


@pytest.fixture
def intake(intake_on_each_store: Intake) -> Intake:
    return intake_on_each_store


def pairs(intake: Intake, referral_id: ReferralId | None = None) -> list[PossibleDuplicate]:
    found: list[PossibleDuplicate] = intake.ask(
        duplicates.list_possible_duplicates, ListDuplicates(referral_id=referral_id)
    )
    return found


def count(intake: Intake) -> int:
    found: int = intake.ask(duplicates.count_duplicates, CountDuplicates()).pairs
    return found


def history(intake: Intake, one: Asked) -> History:
    told: History = intake.ask(queries.get_history, GetHistory(referral_id=one.referral_id))
    return told


def merge(intake: Intake, one: Asked, into: Asked) -> None:
    request = Merge(referral_id=one.referral_id, into_referral_id=into.referral_id, reason=MergeReason.SENT_TWICE)
    intake.ask(duplicates.merge, request)


def unmerge(intake: Intake, one: Asked) -> None:
    request = Unmerge(referral_id=one.referral_id, reason=UnmergeReason.DIFFERENT_PEOPLE)
    intake.ask(duplicates.unmerge, request)


def reached_at(**changes: Any) -> SafeContact:
    return SafeContact(channel=SafeChannel.TELEPHONE, **changes)


# What counts as the same


@pytest.mark.parametrize(
    "typed", ["+44 1632 960001", "+44 (0)1632 960 001", "0044 1632 960001", "01632-960-001", "441632960001"]
)
def test_a_telephone_number_is_the_same_however_it_is_written(typed: str) -> None:
    assert normal_telephone(typed) == "01632960001"


def test_another_telephone_number_is_another() -> None:
    assert normal_telephone("07700 900440") != normal_telephone("07700 900441")


@pytest.mark.parametrize("typed", ["Zoë O'Made-Up", "zoe omadeup", "OMADEUP, Zoe", " ZOË  O’MADE‐UP "])
def test_a_name_is_the_same_whatever_its_case_accents_and_punctuation(typed: str) -> None:
    assert fold_name(typed) == "omadeup zoe"


def test_an_address_is_the_same_whatever_its_case() -> None:
    assert normal_email(" Robin@Example.ORG") == "robin@example.org"


def test_an_extension_belongs_to_no_telephone_number() -> None:
    assert normal_telephone("+441632960001;ext=23") == "01632960001"


def test_a_name_alone_is_no_mark_and_marks_of_another_kind_or_key_differ() -> None:
    known: dict[str, Any] = {"email": "robin@example.org", "telephone": None, "date_of_birth": date(1985, 4, 1)}
    marks = match_keys_of(**known, name="Robin Example", keys=KEYS)
    assert set(marks) == {MarkKind.EMAIL, MarkKind.NAME_AND_BIRTH}
    assert set(match_keys_of(**(known | {"date_of_birth": None}), name="Robin Example", keys=KEYS)) == {MarkKind.EMAIL}
    assert (
        match_keys_of(**known, name="Robin Example", keys=hmac_keys_of(b"x" * 32))[MarkKind.EMAIL]
        != marks[MarkKind.EMAIL]
    )
    assert len(set(KEYS.values())) == len(MarkKind)


# Finding


def test_a_second_request_of_the_same_person_is_shown_with_what_is_alike(intake: Intake) -> None:
    born = date(1985, 4, 1)
    first = intake.ask_for_help(
        name="Zoë Example", date_of_birth=born, contact=reached_at(email="zoe@example.org", telephone="01632 960001")
    )
    second = intake.ask_for_help(
        name="EXAMPLE, Zoe",
        date_of_birth=born,
        contact=reached_at(email="other@example.org", telephone="+44 1632 960001"),
    )
    (found,) = pairs(intake)
    assert (found.referral_id, found.other_referral_id) == (second.referral_id, first.referral_id)
    assert (found.reference, found.other_reference) == (second.reference, first.reference)
    assert set(found.alike) == {MarkKind.TELEPHONE, MarkKind.NAME_AND_BIRTH}
    assert pairs(intake, first.referral_id) == pairs(intake, second.referral_id) == [found]
    assert [intake.state(one.reference) for one in (first, second)] == ["received", "received"]


def test_people_with_nothing_in_common_are_no_duplicates(intake: Intake) -> None:
    intake.ask_for_help(contact=reached_at(telephone="01632 960001"))
    intake.ask_for_help(contact=reached_at(telephone="01632 960002"))
    assert pairs(intake) == []


def test_two_clients_of_one_professional_are_no_duplicates(intake: Intake) -> None:
    for _ in range(2):
        intake.ask_for_help(route=Route.PROBATION)
    assert pairs(intake) == []


def test_who_is_re_referred_is_no_duplicate_of_their_own_referral(intake: Intake) -> None:
    asked = intake.ask_for_help()
    intake.withdraw(asked.reference)
    request = ReRefer(referral_id=asked.referral_id, reason=ReReferralReason.CLIENT_ASKED)
    intake.ask(lifecycle.re_refer, request)
    assert pairs(intake) == []
    intake.ask_for_help()
    assert len(pairs(intake)) == 2


def test_what_is_stored_for_it_can_be_read_by_nobody(intake: Intake) -> None:
    intake.ask_for_help(contact=reached_at(telephone="01632 960001", email="planted@example.org"))
    rows = intake.read(lambda unit: unit.session.execute(select(tables.match_keys)).all())
    assert len(rows) == 2
    assert all(len(row.mark) == 32 and b"960001" not in row.mark and b"planted" not in row.mark for row in rows)


def test_the_marks_of_an_erased_person_go_with_them(intake: Intake) -> None:
    first, second = intake.ask_for_help(), intake.ask_for_help()
    assert len(pairs(intake)) == 1
    request = Erase(reference=first.reference, reason=ErasureReason.CLIENT_ASKED)
    intake.ask(erasure.erase_by_person, request)
    rows = intake.read(lambda unit: unit.session.execute(select(tables.match_keys.c.referral_id)).scalars().all())
    assert set(rows) == {second.referral_id}
    assert pairs(intake) == []


def test_the_count_is_that_of_the_pairs_which_nobody_has_decided_on(intake: Intake) -> None:
    born = date(1985, 4, 1)
    first, second, _ = (intake.ask_for_help(name="Robin Example", date_of_birth=born) for _ in range(3))
    assert count(intake) == len(pairs(intake)) == 3
    merge(intake, second, first)
    assert count(intake) == len(pairs(intake)) == 1


# Merging and un-merging


def test_what_was_merged_can_be_unmerged_and_what_was_withdrawn_undone_and_not_the_other_way_round(
    intake: Intake,
) -> None:
    first, second = intake.ask_for_help(), intake.ask_for_help()
    merge(intake, second, first)
    merged = history(intake, second)
    assert merged.merged_into_id == first.referral_id
    assert {"unmerge", "undo", "re_refer"} & set(merged.possible) == {"unmerge"}
    intake.withdraw(first.reference)
    withdrawn = history(intake, first)
    assert withdrawn.merged_into_id is None
    assert {"unmerge", "undo", "re_refer"} & set(withdrawn.possible) == {"undo", "re_refer"}


def test_a_merged_request_stops_and_the_other_goes_on(intake: Intake) -> None:
    first, second = intake.ask_for_help(), intake.ask_for_help()
    merge(intake, second, first)
    withdrawn = ReferralWithdrawn(
        referral_id=second.referral_id, reason=WithdrawalReason.DUPLICATE, merged_into_id=first.referral_id
    )
    assert intake.emitted(ReferralWithdrawn) == [withdrawn]
    assert [one.reference for one in intake.awaiting()] == [first.reference]
    assert intake.steps(second.referral_id)[-1] == ("merge", "withdrawn", SAM, "sent_twice")
    assert pairs(intake) == []


def test_the_reference_of_a_merged_request_tells_of_the_one_that_goes_on_and_takes_it_back(intake: Intake) -> None:
    first, second = intake.ask_for_help(), intake.ask_for_help()
    merge(intake, second, first)
    intake.assess(first.referral_id)
    assert intake.status(second.reference).standing == "assessed"
    intake.withdraw(second.reference)
    assert intake.state(first.reference) == "withdrawn"


def test_an_unmerged_request_goes_on_where_it_was(intake: Intake) -> None:
    first, second = intake.ask_for_help(), intake.ask_for_help()
    merge(intake, second, first)
    unmerge(intake, second)
    reopened = ReferralReopened(referral_id=second.referral_id, reason=ReopeningReason.UNMERGED)
    assert intake.emitted(ReferralReopened) == [reopened]
    assert len(intake.awaiting()) == len(pairs(intake)) + 1 == 2
    intake.assess(second.referral_id)


def test_nothing_is_merged_into_itself_or_into_what_is_finished(intake: Intake) -> None:
    first, second, third = (intake.ask_for_help() for _ in range(3))
    with pytest.raises(errors.CannotMergeInto, match="one and the same"):
        merge(intake, first, first)
    merge(intake, first, third)
    with pytest.raises(errors.CannotMergeInto, match="merge into that one"):
        merge(intake, second, first)
    intake.withdraw(third.reference)
    with pytest.raises(errors.CannotMergeInto, match=r"is withdrawn.*Tell the two apart"):
        merge(intake, second, third)


def test_an_assessed_request_is_not_merged_away(intake: Intake) -> None:
    first, second, third = intake.ask_for_help(), intake.ask_and_assess(), intake.ask_and_assess()
    with pytest.raises(StepNotPossible, match=f"is assessed and has to go on. Merge {first.reference} into"):
        merge(intake, second, first)
    with pytest.raises(StepNotPossible, match="doesn't allow the step “merge”"):
        merge(intake, second, third)


@pytest.mark.parametrize("taken_back", [True, False])
def test_a_request_that_was_not_merged_is_not_unmerged(intake: Intake, taken_back: bool) -> None:
    asked = intake.ask_for_help()
    if taken_back:
        intake.withdraw(asked.reference)
    with pytest.raises(StepNotPossible, match=r"was not merged into another\. Name the one"):
        unmerge(intake, asked)
