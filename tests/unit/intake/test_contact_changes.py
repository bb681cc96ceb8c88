"""What whoever knows a request's reference and words changes about it themselves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from chassis.ids import new_id
from chassis.privacy.ephemeral_key import OneTimeKey
from contracts.commands.duplicates import Merge
from contracts.commands.intake import (
    ChangeByClient,
    ChangeContact,
    GetHistory,
    GetStatus,
    ListContactChanges,
    RecordConsent,
    SettleContactChange,
    StatusAnswer,
)
from contracts.commands.privacy import Erase, ErasureReason
from contracts.commands.subject import ExportReason, GetSubjectData
from contracts.events.billing import SubsidyApproved, SubsidyResumed, SubsidyWaitlisted
from contracts.events.intake import AnotherTherapistWanted, ContactChangeNoted
from contracts.sealed import ClientChange, ContactLetter, Credentials, SafeChannel, SafeContact, Writer
from contracts.vocabulary import (
    AwardId,
    ClientGroup,
    ClientStep,
    ConsentKind,
    ConsentTold,
    ContactChangeReason,
    ContactChangeStage,
    ContactChangeState,
    ContactPurpose,
    FundId,
    HoldReason,
    Known,
    MergeReason,
    Party,
    Route,
    SubsidyWaitReason,
)
from services.intake import errors, subject_access
from services.intake.application import status
from services.intake.application.history import CONTACT_CODE_OVER
from services.intake.domain.contact_change import VALID_FOR
from services.intake.domain.states import State
from services.intake.handlers import contact_changes, duplicates, erasure, events, queries
from services.intake.handlers.consents import record_consent
from services.intake.store import tables
from tests.support.samples import PASSPHRASE, consents
from tests.unit.intake.conftest import MONDAY_10, Asked, Intake

NEW = SafeContact(channel=SafeChannel.TEXT, telephone="07700 900456")
CALL = SafeContact(channel=SafeChannel.TELEPHONE, telephone="01632 960456")
STATES = ContactChangeState


@pytest.fixture
def intake(intake_on_each_store: Intake) -> Intake:
    return intake_on_each_store


def asks(intake: Intake, asked: Asked, passphrase: str = PASSPHRASE) -> StatusAnswer:
    typed = Credentials(reference=asked.reference, passphrase=passphrase)
    answer: StatusAnswer = intake.ask(queries.get_status, GetStatus(sealed=intake.web.seal("intake", typed)))
    return answer


def does(intake: Intake, asked: Asked, step: ClientStep, *, passphrase: str = PASSPHRASE, **said: Any) -> StatusAnswer:
    change = ClientChange(reference=asked.reference, passphrase=passphrase, step=step, **said)
    sealed = intake.web.seal("intake", change)
    answer: StatusAnswer = intake.ask(contact_changes.change_by_client, ChangeByClient(sealed=sealed))
    return answer


def names(intake: Intake, asked: Asked, contact: SafeContact = NEW, **said: Any) -> ContactChangeState | None:
    return does(intake, asked, ClientStep.CHANGE_CONTACT, contact=contact, **said).contact_change


def enters(intake: Intake, asked: Asked, code: str) -> ContactChangeState | None:
    return does(intake, asked, ClientStep.ENTER_CODE, code=code).contact_change


def letters(intake: Intake, stage: ContactChangeStage) -> list[ContactLetter | None]:
    return [
        intake.notifications.open(ContactLetter, one.sealed) if one.sealed else None
        for one in intake.emitted(ContactChangeNoted)
        if one.stage is stage
    ]


def code_of(intake: Intake) -> str:
    letter = letters(intake, ContactChangeStage.CODE_WANTED)[-1]
    assert letter is not None
    assert letter.code is not None
    return letter.code


def newest_contact(intake: Intake) -> SafeContact | None:
    return intake.released(ContactPurpose.ADDRESS_BOOK)[-1][1].contact


def test_a_new_contact_counts_once_its_code_was_typed(intake: Intake) -> None:
    asked = intake.ask_for_help()
    before = newest_contact(intake)
    assert names(intake, asked) is STATES.CODE_SENT
    (letter,) = letters(intake, ContactChangeStage.CODE_WANTED)
    assert letter is not None
    assert letter.contact == NEW
    assert newest_contact(intake) == before
    assert enters(intake, asked, f" {code_of(intake)[:3]} {code_of(intake)[3:]} ") is STATES.DONE
    assert newest_contact(intake) == NEW
    assert letters(intake, ContactChangeStage.CHANGED) == [None], "the old one is told nothing"
    assert enters(intake, asked, code_of(intake)) is STATES.DONE
    assert len(intake.released(ContactPurpose.ADDRESS_BOOK)) == 2, "once"


def test_the_old_one_is_told_if_it_is_safe(intake: Intake) -> None:
    asked = intake.ask_for_help()
    old = newest_contact(intake)
    names(intake, asked, old_is_safe=True)
    enters(intake, asked, code_of(intake))
    (letter,) = letters(intake, ContactChangeStage.CHANGED)
    assert letter is not None
    assert (letter.contact, letter.code) == (old, None)


def test_after_five_wrong_codes_none_opens_it(intake: Intake) -> None:
    asked = intake.ask_for_help()
    names(intake, asked)
    right = code_of(intake)
    wrong = f"{(int(right) + 1) % 1_000_000:06}"
    assert [enters(intake, asked, wrong) for _ in range(5)] == [STATES.WRONG_CODE] * 4 + [STATES.TOO_OFTEN]
    assert enters(intake, asked, right) is STATES.TOO_OFTEN
    assert len(intake.released(ContactPurpose.ADDRESS_BOOK)) == 1


def test_a_code_is_over_after_half_an_hour_and_forgotten(intake: Intake) -> None:
    asked = intake.ask_for_help()
    names(intake, asked)
    intake.clock.advance(VALID_FOR)
    assert enters(intake, asked, code_of(intake)) is STATES.EXPIRED


def test_what_nobody_typed_a_code_for_is_forgotten(intake: Intake) -> None:
    asked = intake.ask_for_help()
    names(intake, asked)
    forget = {CONTACT_CODE_OVER: contact_changes.forget_unconfirmed}
    assert intake.fire_due(forget) == 0
    intake.clock.advance(VALID_FOR)
    assert intake.fire_due(forget) == 1
    assert asks(intake, asked).contact_change is STATES.EXPIRED
    kept = intake.read(lambda unit: unit.session.execute(select(tables.contact_changes.c.content)).scalars().all())
    assert kept == [None]


def test_a_second_code_makes_the_first_void(intake: Intake) -> None:
    asked = intake.ask_for_help()
    names(intake, asked)
    first = code_of(intake)
    names(intake, asked, replace(NEW, telephone="07700 900789"))
    if first != code_of(intake):
        assert enters(intake, asked, first) is STATES.WRONG_CODE
    assert enters(intake, asked, code_of(intake)) is STATES.DONE


def test_no_more_than_five_codes_a_day_are_sent(intake: Intake) -> None:
    asked = intake.ask_for_help()
    assert [names(intake, asked) for _ in range(6)] == [STATES.CODE_SENT] * 5 + [STATES.TOO_OFTEN]
    assert len(letters(intake, ContactChangeStage.CODE_WANTED)) == 5
    intake.clock.advance(timedelta(days=1))
    assert names(intake, asked) is STATES.CODE_SENT


@pytest.mark.parametrize(
    ("changes", "contact"),
    [
        ({"client_group": ClientGroup.SURVIVOR}, NEW),
        ({"client_group": ClientGroup.YOUNG_PERSON}, NEW),
        ({"age": 16}, NEW),
        ({"client_group": ClientGroup.IN_PRISON}, NEW),
        ({}, CALL),
    ],
)
def test_a_person_confirms_where_a_code_cant_or_isnt_enough(
    intake: Intake, changes: dict[str, Any], contact: SafeContact
) -> None:
    asked = intake.ask_for_help(**changes)
    if names(intake, asked, contact) is STATES.CODE_SENT:
        enters(intake, asked, code_of(intake))
    assert asks(intake, asked).contact_change is STATES.WITH_A_PERSON
    assert newest_contact(intake) != contact
    assert letters(intake, ContactChangeStage.PERSON_WANTED) == [None]
    intake.clock.advance(VALID_FOR)
    intake.fire_due({CONTACT_CODE_OVER: contact_changes.forget_unconfirmed})
    assert asks(intake, asked).contact_change is STATES.WITH_A_PERSON, "a person has longer than a code lasts"
    settle = SettleContactChange(referral_id=asked.referral_id, accept=True)
    intake.ask(contact_changes.settle_contact_change, settle)
    assert newest_contact(intake) == contact
    with pytest.raises(errors.NothingToSettle):
        intake.ask(contact_changes.settle_contact_change, settle)


def test_a_person_may_find_that_it_isnt_theirs(intake: Intake) -> None:
    asked = intake.ask_for_help()
    names(intake, asked, CALL)
    refuse = SettleContactChange(referral_id=asked.referral_id, accept=False)
    intake.ask(contact_changes.settle_contact_change, refuse)
    assert asks(intake, asked).contact_change is STATES.EXPIRED
    assert len(intake.released(ContactPurpose.ADDRESS_BOOK)) == 1


def test_who_wrote_for_somebody_changes_how_they_themselves_are_reached(intake: Intake) -> None:
    writer = Writer(name="Pat Officer", contact=CALL, client_agrees=Known.YES)
    asked = intake.ask_for_help(route=Route.PROBATION, written_by=writer, consents=consents(pass_to_therapist=False))
    client = newest_contact(intake)
    assert ClientStep.AGREE_TO_PASS_ON not in asks(intake, asked).may, "nobody agrees for somebody else"
    names(intake, asked)
    enters(intake, asked, code_of(intake))
    _, known = intake.released(ContactPurpose.ADDRESS_BOOK)[-1]
    assert known.contact == client
    assert known.writer is not None
    assert known.writer.contact == NEW
    does(intake, asked, ClientStep.AGREE_TO_PASS_ON)
    assert asks(intake, asked).standing == "received"


def test_wrong_words_change_nothing_and_tell_nothing(intake: Intake) -> None:
    asked = intake.ask_for_help()
    for step in ClientStep:
        answer = does(intake, asked, step, passphrase="not their words", contact=NEW, code="123456")
        assert answer == StatusAnswer(recognised=False)
        intake.clock.advance(timedelta(hours=1))
    assert intake.emitted(ContactChangeNoted) == []


def test_a_client_agrees_that_details_are_passed_on_and_the_search_begins(intake: Intake) -> None:
    asked = intake.ask_and_assess(consents=consents(pass_to_therapist=False))
    waiting = asks(intake, asked)
    assert (waiting.standing, waiting.next_words) == ("on_hold", status.WAITING_FOR[HoldReason.CONSENT_TO_PASS_ON])
    assert ClientStep.AGREE_TO_PASS_ON in waiting.may
    after = does(intake, asked, ClientStep.AGREE_TO_PASS_ON)
    assert after.standing == "assessed"
    assert ClientStep.AGREE_TO_PASS_ON not in after.may


def test_somebody_else_is_asked_for_once_for_each_therapist(intake: Intake) -> None:
    asked = intake.ask_and_assess()
    assert ClientStep.ASK_FOR_ANOTHER not in asks(intake, asked).may
    match = intake.match(asked.referral_id)
    for _ in range(2):
        does(intake, asked, ClientStep.ASK_FOR_ANOTHER)
    (wish,) = intake.emitted(AnotherTherapistWanted)
    assert wish.match_id == match.match_id
    assert asks(intake, asked).standing == "matched", "a person talks to them first"


def test_it_is_said_since_when_it_stands_there_and_by_when_it_is_read(intake: Intake) -> None:
    asked = intake.ask_for_help()
    found = asks(intake, asked)
    assert found.since == MONDAY_10
    assert found.by is not None
    assert found.next_words
    intake.clock.advance(timedelta(hours=3))
    names(intake, asked)
    assert asks(intake, asked).since == MONDAY_10, "a step that leads nowhere else is no news"
    intake.assess(asked.referral_id)
    assert asks(intake, asked).since == MONDAY_10 + timedelta(hours=3)
    assert asks(intake, asked).by is None


def test_who_waits_for_money_is_told_so(intake: Intake) -> None:
    asked = intake.ask_and_assess()
    waits = SubsidyWaitlisted(referral_id=asked.referral_id, reason=SubsidyWaitReason.NO_MONEY)
    intake.hear(events.note_subsidy_waitlisted, waits, sequence=2)
    assert asks(intake, asked).also == status.MONEY
    helped = SubsidyApproved(
        award_id=AwardId(new_id()),
        referral_id=asked.referral_id,
        fund_id=FundId(new_id()),
        pence_per_session=20_00,
        sessions=6,
        committed_pence=120_00,
        approved_at=MONDAY_10,
    )
    intake.hear(events.note_subsidy_decided, helped, sequence=3)
    intake.hear(events.note_subsidy_waitlisted, waits, sequence=2)
    assert asks(intake, asked).also is None
    intake.hear(events.note_subsidy_waitlisted, waits, sequence=4)
    assert asks(intake, asked).also == status.MONEY
    again = SubsidyResumed(award_id=helped.award_id, referral_id=asked.referral_id, pence_per_session=20_00, sessions=4)
    intake.hear(events.note_subsidy_decided, again, sequence=5)
    assert asks(intake, asked).also is None


def test_what_is_over_is_not_changed_any_more(intake: Intake) -> None:
    asked = intake.ask_for_help()
    intake.withdraw(asked.reference)
    assert asks(intake, asked).may == ()
    for step in ClientStep:
        does(intake, asked, step, contact=NEW, code="123456")
    assert intake.emitted(ContactChangeNoted) == []


def test_consent_by_a_person_is_known_here_too(intake: Intake) -> None:
    asked = intake.ask_for_help(consents=consents(pass_to_therapist=False))
    said = RecordConsent(
        referral_id=asked.referral_id,
        consent=ConsentKind.PASS_TO_THERAPIST,
        given=True,
        told=ConsentTold.BY_TELEPHONE,
    )
    intake.ask(record_consent, said)
    assert ClientStep.AGREE_TO_PASS_ON not in asks(intake, asked).may


def merge(intake: Intake, one: Asked, into: Asked) -> None:
    same = Merge(
        referral_id=one.referral_id,
        into_referral_id=into.referral_id,
        reason=MergeReason.SENT_TWICE,
    )
    intake.ask(duplicates.merge, same)


def test_the_words_of_a_merged_request_change_nothing_of_the_one_that_goes_on(intake: Intake) -> None:
    client = intake.ask_for_help(consents=consents(pass_to_therapist=False))
    writer = Writer(name="Pat Officer", contact=CALL, client_agrees=Known.YES)
    officers = intake.ask_for_help(route=Route.PROBATION, written_by=writer, passphrase="the words of an officer")
    merge(intake, officers, client)
    for step in set(ClientStep) - {ClientStep.WITHDRAW}:
        answer = does(intake, officers, step, passphrase="the words of an officer", contact=NEW, code="123456")
        assert (answer.standing, answer.may, answer.contact_change) == ("received", (ClientStep.WITHDRAW,), None)
    assert intake.emitted(ContactChangeNoted) == []
    assert ClientStep.AGREE_TO_PASS_ON in asks(intake, client).may


def test_a_person_confirms_what_they_have_seen(intake: Intake) -> None:
    asked = intake.ask_for_help(client_group=ClientGroup.SURVIVOR)
    names(intake, asked, CALL)
    assert names(intake, asked, replace(CALL, telephone="01632 960999")) is STATES.WITH_A_PERSON
    settle = SettleContactChange(referral_id=asked.referral_id, accept=True)
    intake.ask(contact_changes.settle_contact_change, settle)
    assert newest_contact(intake) == CALL


def by_staff(intake: Intake, asked: Asked) -> None:
    change = ChangeContact(
        referral_id=asked.referral_id,
        whose=Party.CLIENT,
        contact=intake.seal(CALL),
        reason=ContactChangeReason.CLIENT_ASKED,
    )
    intake.ask(contact_changes.change_contact, change)


def erased(intake: Intake, asked: Asked) -> None:
    erase = Erase(reference=asked.reference, reason=ErasureReason.CLIENT_ASKED, anyway=True)
    intake.ask(erasure.erase_by_person, erase)


@pytest.mark.parametrize("waits_for", ["code", "person"])
@pytest.mark.parametrize(
    "between",
    [by_staff, erased, lambda intake, asked: intake.withdraw(asked.reference)],
    ids=["changed by staff", "erased", "withdrawn"],
)
def test_what_comes_between_ends_it(intake: Intake, between: Callable[[Intake, Asked], None], waits_for: str) -> None:
    asked = intake.ask_for_help()
    names(intake, asked, NEW if waits_for == "code" else replace(CALL, telephone="01632 960999"))
    between(intake, asked)
    before = len(intake.released(ContactPurpose.ADDRESS_BOOK))
    if waits_for == "code":
        enters(intake, asked, code_of(intake))
    with pytest.raises(errors.NothingToSettle):
        settle = SettleContactChange(referral_id=asked.referral_id, accept=True)
        intake.ask(contact_changes.settle_contact_change, settle)
    assert len(intake.released(ContactPurpose.ADDRESS_BOOK)) == before
    kept = intake.read(lambda unit: unit.session.execute(select(tables.contact_changes)).all())
    assert [row.content for row in kept] == ([] if between is erased else [None])
    forget = {CONTACT_CODE_OVER: contact_changes.forget_unconfirmed}
    intake.clock.advance(VALID_FOR)
    assert intake.fire_due(forget) == 0


def test_who_still_asks_for_somebody_else_after_a_week_is_heard_again(intake: Intake) -> None:
    asked = intake.ask_and_assess()
    intake.match(asked.referral_id)
    for days in (0, 6, 1):
        intake.clock.advance(timedelta(days=days))
        does(intake, asked, ClientStep.ASK_FOR_ANOTHER)
    assert len(intake.emitted(AnotherTherapistWanted)) == 2


def test_what_the_writer_named_is_told_to_the_writer_alone(intake: Intake) -> None:
    writer = Writer(name="Pat Officer", contact=CALL, client_agrees=Known.YES)
    asked = intake.ask_for_help(route=Route.PROBATION, written_by=writer)
    names(intake, asked, replace(CALL, telephone="01632 960999"))
    theirs, writers = (
        GetSubjectData(
            referral_id=asked.referral_id,
            reason=ExportReason.CLIENT_ASKED,
            seal_to=OneTimeKey().public,
            whose=whose,
        )
        for whose in (Party.CLIENT, Party.WRITER)
    )
    assert "960999" not in repr(intake.ask(subject_access.tell, theirs))
    assert "960999" in repr(intake.ask(subject_access.tell_writer, writers))


def test_a_therapist_is_told_nothing_of_a_writers_new_contact(intake: Intake) -> None:
    writer = Writer(name="Pat Officer", contact=CALL, client_agrees=Known.YES)
    asked = intake.ask_and_assess(route=Route.PROBATION, written_by=writer)
    intake.match(asked.referral_id)
    names(intake, asked)
    enters(intake, asked, code_of(intake))
    assert intake.released(ContactPurpose.CORRECTION) == []


def test_a_day_that_is_past_is_promised_to_nobody(intake: Intake) -> None:
    asked = intake.ask_for_help()
    intake.clock.advance(timedelta(days=20))
    assert asks(intake, asked).by is None


def test_whoever_wrote_for_somebody_else_is_not_told_that_they_are_seen_themselves(intake: Intake) -> None:
    """Someone would have got in touch with the probation officer who looked the request up."""
    writer = Writer(name="Pat Example", email="pat@example.org", client_agrees=Known.YES)
    asked = intake.ask_and_assess(written_by=writer, route=Route.PROBATION)
    assert asks(intake, asked).words == status.WRITERS_WORDS[State.ASSESSED]
    own = intake.ask_and_assess()
    assert asks(intake, own).words == status.WORDS[State.ASSESSED]


def test_what_waits_for_a_person_is_listed_until_it_is_settled(intake: Intake) -> None:
    asked = intake.ask_for_help(client_group=ClientGroup.SURVIVOR)
    assert not intake.ask(queries.get_history, GetHistory(referral_id=asked.referral_id)).contact_waits
    does(intake, asked, ClientStep.CHANGE_CONTACT, contact=CALL, old_is_safe=False)
    (waiting,) = intake.ask(queries.list_contact_changes, ListContactChanges())
    assert (waiting.referral_id, waiting.reference, waiting.whose) == (asked.referral_id, asked.reference, Party.CLIENT)
    assert intake.ask(queries.get_history, GetHistory(referral_id=asked.referral_id)).contact_waits
    intake.ask(contact_changes.settle_contact_change, SettleContactChange(referral_id=asked.referral_id, accept=False))
    assert intake.ask(queries.list_contact_changes, ListContactChanges()) == []


@pytest.mark.parametrize("channel", [SafeChannel.EMAIL, SafeChannel.TEXT, SafeChannel.TELEPHONE, SafeChannel.POST])
def test_a_contact_without_an_address_is_refused(intake: Intake, channel: SafeChannel) -> None:
    asked = intake.ask_for_help()
    sealed = intake.web.seal("intake", SafeContact(channel=channel))
    change = ChangeContact(
        referral_id=asked.referral_id, whose=Party.CLIENT, contact=sealed, reason=ContactChangeReason.MISTYPED
    )
    with pytest.raises(errors.NotReachable, match="missing"):
        intake.ask(contact_changes.change_contact, change)
