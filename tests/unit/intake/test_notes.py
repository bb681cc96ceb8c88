"""What colleagues write about a referral is kept with it, goes with it, and changes nothing."""

from __future__ import annotations

from datetime import timedelta

import pytest

from chassis.testing import somebody
from contracts.commands.intake import AddNote, GetHistory, Link, NoteKind, TakeUp, Withdraw
from contracts.commands.privacy import Erase, ErasureReason
from contracts.commands.retention import GetRetention
from contracts.commands.subject import Topic
from contracts.events.intake import ReferralStepTaken
from contracts.sealed import Note
from contracts.vocabulary import LinkKind, LinkReason, ReferralId, WithdrawalReason
from services.intake import errors
from services.intake.domain.referral import StepNotPossible
from services.intake.handlers import erasure, lifecycle, links, notes, queries, retention
from tests.unit.intake.conftest import Intake
from tests.unit.intake.test_subject_access import read, told

EVA = somebody("eva")
WORDS = "She rang, and is well."


@pytest.fixture
def intake(intake_on_each_store: Intake) -> Intake:
    return intake_on_each_store


def write(intake: Intake, referral_id: ReferralId, kind: NoteKind = NoteKind.CALL) -> None:
    intake.ask(notes.add_note, AddNote(referral_id=referral_id, kind=kind, note=intake.seal(Note(text=WORDS))), by=EVA)


def test_a_note_is_a_step_that_changes_nothing_and_says_what_kind_it_is(intake: Intake) -> None:
    referral_id = intake.ask_for_help().referral_id
    for kind in NoteKind:
        write(intake, referral_id, kind)
    assert intake.steps(referral_id)[1:] == [("note", "received", EVA.who, kind.value) for kind in NoteKind]
    assert all(one.noted for one in intake.ask(queries.get_history, GetHistory(referral_id=referral_id)).steps[1:])
    newest = intake.emitted(ReferralStepTaken)[-1]
    assert (newest.step, newest.state, newest.reason) == ("note", "received", "other")


def test_it_is_read_with_the_record_and_told_to_whom_it_is_about(intake: Intake) -> None:
    referral_id = intake.ask_for_help().referral_id
    write(intake, referral_id)
    for shown in (read(intake, referral_id), told(intake, referral_id)):
        note = shown[Topic.STEPS][-1]
        assert (note["What happened"], note["Why"]) == ("Somebody wrote a note", "A telephone call")
        assert note["In words"] == WORDS


def test_what_it_says_is_stored_encrypted_and_is_in_no_event(intake: Intake) -> None:
    referral_id = intake.ask_for_help().referral_id
    write(intake, referral_id)
    assert WORDS not in str(intake.stored())
    assert WORDS.encode() not in repr(intake.stored()).encode()


def test_it_can_be_written_after_the_end_and_never_of_somebody_who_was_erased(intake: Intake) -> None:
    asked = intake.ask_for_help()
    gone = Withdraw(referral_id=asked.referral_id, reason=WithdrawalReason.CLIENT_ASKED)
    intake.ask(lifecycle.withdraw, gone)
    write(intake, asked.referral_id)
    assert intake.state(asked.reference) == "withdrawn"
    intake.ask(erasure.erase_by_person, Erase(reference=asked.reference, reason=ErasureReason.CLIENT_ASKED))
    assert WORDS not in str(told(intake, asked.referral_id))
    with pytest.raises(StepNotPossible):
        write(intake, asked.referral_id)


@pytest.mark.parametrize("ended", [False, True])
def test_nobody_is_kept_longer_for_it(intake: Intake, ended: bool) -> None:
    asked = intake.ask_for_help()
    if ended:
        gone = Withdraw(referral_id=asked.referral_id, reason=WithdrawalReason.CLIENT_ASKED)
        intake.ask(lifecycle.withdraw, gone)

    def due() -> object:
        return intake.ask(retention.get_retention, GetRetention(reference=asked.reference)).due_at

    before = due()
    intake.clock.advance(timedelta(days=40))
    write(intake, asked.referral_id)
    assert due() == before


def test_who_handles_a_linked_referral_writes_nothing_in_this_one(intake: Intake) -> None:
    one, other = intake.ask_for_help().referral_id, intake.ask_for_help().referral_id
    apart = Link(referral_id=one, other_referral_id=other, kind=LinkKind.PARTNER, reason=LinkReason.SAID_BY_CLIENT)
    intake.ask(links.link, apart)
    intake.ask(lifecycle.take_up, TakeUp(referral_id=other), by=EVA)
    with pytest.raises(errors.HandlesLinkedReferral):
        write(intake, one)
