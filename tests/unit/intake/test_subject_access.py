"""What a person is told of what intake holds about them, what is left out, and who may read it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from chassis.access.actor import Actor
from chassis.ids import new_id
from chassis.privacy.ephemeral_key import OneTimeKey
from chassis.subject_access import CannotSeal, telling, written
from chassis.testing import somebody
from contracts.commands.duplicates import Merge
from contracts.commands.intake import (
    Hold,
    Link,
    ReRefer,
    Resume,
    TakeUp,
    Withdraw,
)
from contracts.commands.privacy import Erase, ErasureReason, HoldReason, PlaceHold
from contracts.commands.retention import GetRetention
from contracts.commands.subject import (
    ExportReason,
    GetSubjectData,
    Ground,
    Holding,
    LeaveOut,
    LeftOutEntry,
    ListSamePerson,
    ReadingReason,
    ReadRecord,
    SealedHolding,
    Topic,
)
from contracts.labels import PARTS
from contracts.sealed import Aspects, Equality, FormAnswer, Note, SafeChannel, SafeContact, Writer
from contracts.vocabulary import HoldReason as WaitReason
from contracts.vocabulary import (
    Known,
    LinkKind,
    LinkReason,
    MergeReason,
    Party,
    ReferralId,
    ReReferralReason,
    ResumptionReason,
    Route,
    WithdrawalReason,
)
from services.intake import errors, subject_access
from services.intake.handlers import duplicates, erasure, legal_holds, lifecycle, links, record_access, retention
from tests.unit.intake.conftest import Intake

EVA, SAM = somebody("eva"), somebody("sam")
WRITER = Writer(name="Wanda Writer", organisation="Guild of Writers", client_agrees=Known.UNSURE)


def told(
    intake: Intake, referral_id: ReferralId, *, by: Actor = EVA, whose: Party = Party.CLIENT
) -> dict[Topic, list[dict[str, str]]]:
    """What the person may be told, by topic."""
    key, reason = OneTimeKey(), ExportReason.CLIENT_ASKED
    asked = GetSubjectData(referral_id=referral_id, reason=reason, seal_to=key.public, whose=whose)
    return opened(key, intake.ask(telling(subject_access.tell, subject_access.tell_writer), asked, by=by))


def read(intake: Intake, referral_id: ReferralId, *, by: Actor = EVA) -> dict[Topic, list[dict[str, str]]]:
    key = OneTimeKey()
    asked = ReadRecord(referral_id=referral_id, reason=ReadingReason.ASSESSMENT, seal_to=key.public)
    return opened(key, intake.ask(record_access.read_record, asked, by=by))


def opened(key: OneTimeKey, answer: SealedHolding) -> dict[Topic, list[dict[str, str]]]:
    held = key.open(Holding, answer.sealed)
    return {section.topic: [entry.told() for entry in section.entries] for section in held.sections}


def on_record(intake: Intake) -> list[tuple[str, str, str]]:
    table = intake.database.tables.audit_entry
    wanted = select(table.c.what, table.c.who, table.c.reason).order_by(table.c.sequence)
    return intake.read(lambda unit: [(what, who, why) for what, who, why in unit.session.execute(wanted)])


def values(found: dict[Topic, list[dict[str, str]]]) -> str:
    return repr(found)


@pytest.fixture
def intake(intake_on_each_store: Intake) -> Intake:
    return intake_on_each_store


def test_what_was_typed_is_told_and_that_it_was_told_goes_on_record(intake: Intake) -> None:
    asked = intake.ask_for_help(concern="worried about the weather")
    found = told(intake, asked.referral_id)
    (answers,) = found[Topic.ANSWERS]
    assert answers["Name"] == "Robin Example"
    assert answers["What you would like us to know"] == "worried about the weather"
    assert found[Topic.CONSENTS][0]["Version of the text"] == "1"
    assert [one["Who"] for one in found[Topic.RECORD]] == ["A person of the charity"], (
        "this export is on record in itself"
    )
    assert on_record(intake) == [("exported", EVA.who, "client_asked")]


def test_of_a_question_that_nobody_answered_nothing_is_told(intake: Intake) -> None:
    unanswered = intake.ask_for_help()
    answered = intake.ask_for_help(wheelchair_access=False, max_distance_km=30.0)
    (answers,) = told(intake, unanswered.referral_id)[Topic.ANSWERS]
    asked_for = {"Step-free access needed", "Help with the cost asked for", "How far you can travel, in kilometres",
                 "Kind of work", "We may leave a message", "Somebody may be at risk of harm now"}  # fmt: skip
    assert not asked_for & answers.keys()
    (answers,) = told(intake, answered.referral_id)[Topic.ANSWERS]
    assert answers["Step-free access needed"] == "No"
    assert answers["How far you can travel, in kilometres"] == "30"


def test_until_when_it_is_kept_is_told_whether_or_not_something_stops_it(intake: Intake) -> None:
    asked = intake.ask_for_help()
    kept = intake.ask(retention.get_retention, GetRetention(reference=asked.reference))
    (keeping,) = told(intake, asked.referral_id)[Topic.KEEPING]
    assert keeping["Until, unless you come back to us"] == written(kept.due_at)
    assert keeping["Why so long"] == kept.why
    intake.ask(
        legal_holds.place_legal_hold,
        PlaceHold(reference=asked.reference, reason=HoldReason.POLICE_REQUEST),
    )
    assert told(intake, asked.referral_id)[Topic.KEEPING] == [keeping]


def test_codes_of_the_forms_own_are_told_in_words_and_exactly(intake: Intake) -> None:
    asked = intake.ask_for_help(heard_through="family_or_friend", equality=Equality(gender="prefer_not_to_say"))
    key = OneTimeKey()
    request = GetSubjectData(referral_id=asked.referral_id, reason=ExportReason.CLIENT_ASKED, seal_to=key.public)
    held = key.open(Holding, intake.ask(telling(subject_access.tell), request).sealed)
    facts = {one.asked: one for section in held.sections for entry in section.entries for one in entry.facts}
    assert (facts["heard_through"].value, facts["heard_through"].exactly) == ("Family or friend", ("family_or_friend",))
    assert facts["equality.gender"].value == "Prefer not to say"


def test_a_reading_for_safeguarding_and_a_legal_hold_are_not_told(intake: Intake) -> None:
    asked = intake.ask_for_help()
    key = OneTimeKey()
    request = ReadRecord(referral_id=asked.referral_id, reason=ReadingReason.SAFEGUARDING, seal_to=key.public)
    intake.ask(record_access.read_record, request)
    hold = PlaceHold(reference=asked.reference, reason=HoldReason.POLICE_REQUEST)
    intake.ask(legal_holds.place_legal_hold, hold)
    read(intake, asked.referral_id, by=SAM)
    found = told(intake, asked.referral_id)
    assert [one["Who"] for one in found[Topic.RECORD]] == ["A person of the charity"] * 2
    assert len(on_record(intake)) == 4


def test_who_wrote_for_somebody_else_is_left_out_with_their_words_unless_the_client_agreed(intake: Intake) -> None:
    said: dict[str, Any] = {
        "route": Route.PROBATION,
        "written_by": WRITER,
        "concern": "in confidence",
        "answers": (FormAnswer(question="more", text="more in confidence"),),
    }
    unsure = intake.ask_for_help(**said)
    found = values(told(intake, unsure.referral_id))
    assert "Wanda" not in found
    assert "Guild" not in found
    assert "in confidence" not in found
    agreed = intake.ask_for_help(**said | {"written_by": replace(WRITER, client_agrees=Known.YES)})
    found = values(told(intake, agreed.referral_id))
    assert "Wanda" not in found
    assert "more in confidence" in found
    staff = values(read(intake, unsure.referral_id))
    assert "Wanda" in staff
    assert "more in confidence" in staff


def test_client_and_writer_are_each_told_what_is_theirs(intake: Intake) -> None:
    """And how the writer is reached is nowhere in what the client is told, nor the other way round."""
    by_telephone = SafeContact(channel=SafeChannel.TELEPHONE, telephone="01632 960124")
    said: dict[str, Any] = {
        "written_by": replace(WRITER, contact=by_telephone, client_agrees=Known.YES),
        "concern": "the client's own",
        "answers": (FormAnswer(question="writer_contact_way", text="call"),),
    }
    asked = intake.ask_for_help(**said)
    clients = values(told(intake, asked.referral_id))
    assert "01632 960124" not in clients
    assert "Writer contact way" not in clients
    assert "the client's own" in clients
    writers = told(intake, asked.referral_id, whose=Party.WRITER)
    assert list(writers) == [Topic.CONTACT]
    assert "01632 960124" in values(writers)
    assert "Wanda" in values(writers)
    assert "robin@example.org" not in values(writers)
    own = intake.ask_for_help()
    assert told(intake, own.referral_id, whose=Party.WRITER) == {}


def test_why_it_was_on_hold_is_told_but_for_somebodys_safety(intake: Intake) -> None:
    for reason, back in (
        (WaitReason.SAFEGUARDING, ResumptionReason.SAFEGUARDING_SETTLED),
        (WaitReason.CLIENT_NOT_READY, ResumptionReason.CLIENT_READY),
    ):
        asked = intake.ask_for_help()
        note = intake.seal(Note(text=f"noted for {reason}"))
        hold = Hold(referral_id=asked.referral_id, reason=reason, note=note)
        intake.ask(lifecycle.pause, hold)
        intake.ask(lifecycle.resume, Resume(referral_id=asked.referral_id, reason=back))
        _, held, resumed = told(intake, asked.referral_id)[Topic.STEPS]
        is_told = reason is WaitReason.CLIENT_NOT_READY
        assert ("Why" in held, "In words" in held, "Why" in resumed) == (is_told,) * 3
        _, held, _ = read(intake, asked.referral_id)[Topic.STEPS]
        assert held["In words"] == f"noted for {reason}"


def test_the_assessment_is_told_but_for_what_a_person_looks_through_first(intake: Intake) -> None:
    asked = intake.ask_for_help()
    aspects = intake.seal(Aspects(risk="risk in words", social="social in words"))
    intake.assess(asked.referral_id, aspects=aspects)
    assert "social in words" in values(told(intake, asked.referral_id))
    assert "risk in words" not in values(told(intake, asked.referral_id))
    assert "risk in words" in values(read(intake, asked.referral_id))


def test_who_handles_a_linked_person_is_told_and_reads_nothing(intake: Intake) -> None:
    one, other = intake.ask_for_help().referral_id, intake.ask_for_help().referral_id
    kind, reason = LinkKind.SURVIVOR, LinkReason.FOUND_IN_RECORDS
    request = Link(referral_id=one, other_referral_id=other, kind=kind, reason=reason)
    intake.ask(links.link, request)
    intake.ask(lifecycle.take_up, TakeUp(referral_id=other), by=EVA)
    with pytest.raises(errors.HandlesLinkedReferral):
        intake.ask(record_access.leave_out, left_out(one), by=EVA)
    for ask in (told, read):
        with pytest.raises(errors.HandlesLinkedReferral):
            ask(intake, one, by=EVA)
    assert on_record(intake) == []
    assert str(other) not in values(told(intake, one, by=SAM))


def left_out(referral_id: ReferralId) -> LeaveOut:
    one = LeftOutEntry(
        referral_id=referral_id, service="billing", topic=Topic.MONEY, place=3, ground=Ground.OTHER_PERSON
    )
    return LeaveOut(entries=(one, replace(one, service="intake", topic=Topic.ANSWERS)))


def test_what_a_person_leaves_out_is_on_record_by_where_it_stands_and_is_not_told(intake: Intake) -> None:
    asked = intake.ask_for_help()
    intake.ask(record_access.leave_out, left_out(asked.referral_id), by=EVA)
    assert on_record(intake) == [
        ("left_out", EVA.who, "other_person billing/money/3"),
        ("left_out", EVA.who, "other_person intake/answers/3"),
    ]
    assert len(told(intake, asked.referral_id)[Topic.RECORD]) == 1, "the export itself"
    with pytest.raises(errors.UnknownReferral):
        intake.ask(record_access.leave_out, left_out(ReferralId(new_id())))


def test_the_longest_that_can_be_left_out_has_room_on_record(intake: Intake) -> None:
    asked = intake.ask_for_help()
    longest = LeftOutEntry(
        referral_id=asked.referral_id,
        service=max(PARTS, key=len),
        topic=max(Topic, key=len),
        place=100_000,
        ground=max(Ground, key=len),
    )
    intake.ask(record_access.leave_out, LeaveOut(entries=(longest,)))
    assert len(on_record(intake)[0][2]) <= 64


def test_all_of_ones_requests_are_found_from_any_of_them_and_nobody_elses(intake: Intake) -> None:
    first, twice, stranger = intake.ask_for_help(), intake.ask_for_help(), intake.ask_for_help()
    merge = Merge(
        referral_id=twice.referral_id,
        into_referral_id=first.referral_id,
        reason=MergeReason.SENT_TWICE,
    )
    intake.ask(duplicates.merge, merge)
    intake.ask(lifecycle.withdraw, Withdraw(referral_id=first.referral_id, reason=WithdrawalReason.CLIENT_ASKED))
    again = ReRefer(referral_id=first.referral_id, reason=ReReferralReason.CLIENT_ASKED)
    newer = intake.ask(lifecycle.re_refer, again).reference
    mine = {first.reference, twice.reference, newer}
    for reference in mine:
        found = [one.reference for one in intake.ask(record_access.same_person, ListSamePerson(reference=reference))]
        assert found[0] == reference
        assert set(found) == mine
    (alone,) = intake.ask(record_access.same_person, ListSamePerson(reference=stranger.reference))
    assert alone.reference == stranger.reference


def test_after_an_erasure_what_is_left_is_told_and_nothing_can_be_read(intake: Intake) -> None:
    asked = intake.ask_for_help(concern="worried about the weather")
    hold = Hold(
        referral_id=asked.referral_id,
        reason=WaitReason.CLIENT_NOT_READY,
        note=intake.seal(Note(text="noted")),
    )
    intake.ask(lifecycle.pause, hold)
    erase = Erase(reference=asked.reference, reason=ErasureReason.CLIENT_ASKED)
    intake.ask(erasure.erase_by_person, erase)
    found = told(intake, asked.referral_id)
    assert found[Topic.ERASURE][0]["Why"] == "You asked for it"
    assert set(found) == {Topic.ERASURE, Topic.REQUEST, Topic.STEPS, Topic.RECORD, Topic.NOTICES}
    assert "noted" not in values(found)
    with pytest.raises(errors.NothingLeftToRead):
        read(intake, asked.referral_id)


def test_what_is_no_key_is_refused_by_name_and_nobody_unknown_is_told_of(intake: Intake) -> None:
    asked = intake.ask_for_help()
    request = ReadRecord(referral_id=asked.referral_id, reason=ReadingReason.COMPLAINT, seal_to="not a key")
    with pytest.raises(CannotSeal):
        intake.ask(record_access.read_record, request)
    assert on_record(intake) == [], "what was refused isn't on record"
    with pytest.raises(errors.UnknownReferral):
        told(intake, ReferralId(new_id()))


def test_who_was_stopped_from_reading_is_said_by_account_and_never_by_login(intake: Intake) -> None:
    account = new_id()
    for who in (f"console:{account}", "operator:anna"):
        with intake.database.unit() as unit:
            record_access.report_readings(unit, who)
            (told,) = unit.emitted_events
        assert told.to_json().get("account_id") == (str(account) if who.startswith("console") else None)
        assert "anna" not in str(told.to_json())
