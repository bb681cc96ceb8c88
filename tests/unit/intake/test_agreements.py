"""Nobody is contacted who has not agreed, and nobody is sought before details may be passed on."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from contracts.commands.intake import Hold, RecordConsent, Resume, Undo, Withdraw
from contracts.event import Event
from contracts.events.intake import (
    AgreementAwaited,
    CourseAwaited,
    ReferralAssessed,
    ReferralHeld,
    ReferralReceived,
    ReferralResumed,
)
from contracts.sealed import ClientContact, SafeChannel, SafeContact, Writer
from contracts.vocabulary import (
    ClientGroup,
    ConsentKind,
    ConsentTold,
    ContactPurpose,
    HelpKind,
    HoldReason,
    Known,
    MatchEndReason,
    ReferralId,
    RefusalReason,
    ResumptionReason,
    Route,
    UndoReason,
    WithdrawalReason,
)
from services.intake import errors
from services.intake.application import agreements
from services.intake.application.registration import ASSESSMENT_OVERDUE
from services.intake.domain.referral import StepNotPossible
from services.intake.handlers import lifecycle
from services.intake.handlers.assessment import report_overdue
from services.intake.handlers.consents import record_consent, remind_again, remind_of_course
from tests.support.samples import consents
from tests.unit.intake.conftest import Intake

CLIENTS = SafeContact(channel=SafeChannel.EMAIL, email="robin@example.org")
WRITERS = SafeContact(channel=SafeChannel.TELEPHONE, telephone="01632 960123")
OFFICER = Writer(name="Pat Officer", organisation="Probation", contact=WRITERS, client_agrees=Known.NO)
AGREED = replace(OFFICER, client_agrees=Known.YES)
NO_AGREEMENT, NO_PASSING_ON = HoldReason.CLIENT_HAS_NOT_AGREED, HoldReason.CONSENT_TO_PASS_ON


def record(intake: Intake, referral_id: ReferralId, consent: ConsentKind, given: bool = True) -> None:
    told = ConsentTold.BY_TELEPHONE
    request = RecordConsent(referral_id=referral_id, consent=consent, given=given, told=told)
    intake.ask(record_consent, request)


def address_book(intake: Intake) -> ClientContact:
    return intake.released(ContactPurpose.ADDRESS_BOOK)[-1][1]


def pass_weeks(intake: Intake, weeks: int = 1) -> None:
    intake.clock.advance(timedelta(weeks=weeks))
    timers = {agreements.COURSE_AWAITED: remind_of_course, agreements.AGREEMENT_AWAITED: remind_again}
    intake.fire_due(timers | {ASSESSMENT_OVERDUE: report_overdue})


def test_no_money_is_asked_for_before_the_client_agrees(intake: Intake) -> None:
    asked = intake.ask_for_help(route=Route.PROBATION, written_by=OFFICER, subsidy_requested=True)
    assert [event.subsidy_requested for event in intake.emitted(ReferralReceived)] == [False]
    record(intake, asked.referral_id, ConsentKind.THIS_REQUEST)
    assert [event.subsidy_requested for event in intake.emitted(ReferralReceived)] == [False, True]


@pytest.mark.parametrize("agrees", [Known.NO, Known.UNSURE, None])
def test_while_a_client_has_not_agreed_nobody_else_is_told_how_to_reach_them(
    intake: Intake, agrees: Known | None
) -> None:
    intake.ask_for_help(route=Route.PROBATION, written_by=replace(OFFICER, client_agrees=agrees))
    known = address_book(intake)
    assert (known.contact, known.client_agrees) == (None, False)
    assert known.writer is not None
    assert (known.writer.name, known.writer.contact) == ("Pat Officer", WRITERS)


def test_once_they_agree_both_are_known_each_by_their_own_contact(intake: Intake) -> None:
    referral_id = intake.ask_for_help(route=Route.PROBATION, written_by=OFFICER).referral_id
    record(intake, referral_id, ConsentKind.THIS_REQUEST)
    known = address_book(intake)
    assert (known.contact, known.client_agrees) == (CLIENTS, True)
    assert known.writer is not None
    assert known.writer.contact == WRITERS


def test_a_therapist_is_given_the_clients_contact_and_the_writers_only_in_its_place(intake: Intake) -> None:
    """A parent speaks for a child who has no contact of their own; a probation officer is not passed on."""
    own = intake.ask_and_assess(route=Route.PROBATION, written_by=AGREED).referral_id
    intake.match(own)
    ((_, introduced),) = intake.released(ContactPurpose.INTRODUCTION)
    assert (introduced.contact, introduced.writer) == (CLIENTS, None)
    parent = Writer(name="Lee Parent", relationship="mother", contact=WRITERS, client_agrees=Known.YES)
    child = intake.ask_and_assess(route=Route.GUARDIAN, contact=None, written_by=parent).referral_id
    intake.match(child)
    introduced = intake.released(ContactPurpose.INTRODUCTION)[-1][1]
    assert introduced.contact is None
    assert introduced.writer is not None
    assert (introduced.writer.relationship, introduced.writer.contact) == ("mother", WRITERS)


def test_somebody_must_be_reachable(intake: Intake) -> None:
    intake.submit(intake.requested(contact=None))
    intake.submit(intake.requested(contact=None, written_by=replace(OFFICER, contact=None)))
    assert intake.refusals() == [RefusalReason.MALFORMED] * 2


@pytest.mark.parametrize(
    ("said", "reason", "consent"),
    [
        ({"written_by": OFFICER, "route": Route.PROBATION}, NO_AGREEMENT, ConsentKind.THIS_REQUEST),
        ({"consents": consents(pass_to_therapist=False)}, NO_PASSING_ON, ConsentKind.PASS_TO_THERAPIST),
    ],
)
def test_the_search_waits_until_what_is_missing_is_recorded(
    intake: Intake, said: dict[str, Any], reason: HoldReason, consent: ConsentKind
) -> None:
    referral_id, reference = intake.ask_and_assess(**said)
    assert intake.state(reference) == "on_hold"
    assert [event.reason for event in intake.emitted(AgreementAwaited)] == [reason]
    order = [type(event) for event in intake.all_emitted if isinstance(event, ReferralHeld | ReferralAssessed)]
    assert order == [ReferralHeld, ReferralAssessed], "so that nobody is sought meanwhile"
    record(intake, referral_id, consent)
    assert intake.state(reference) == "assessed"
    assert [event.reason for event in intake.emitted(ReferralResumed)] == [ResumptionReason.CONSENT_GIVEN]


COURSE = {"client_group": ClientGroup.FAMILY, "help_wanted": (HelpKind.FAMILY_COURSE,)}


def test_for_a_family_that_wants_the_course_no_therapist_is_sought_until_a_person_says_so(intake: Intake) -> None:
    referral_id, reference = intake.ask_and_assess(**COURSE)
    assert [event.reason for event in intake.emitted(ReferralHeld)] == [HoldReason.COURSE_WANTED]
    assert intake.emitted(AgreementAwaited) == []
    intake.ask(lifecycle.resume, Resume(referral_id=referral_id, reason=ResumptionReason.CLIENT_READY))
    record(intake, referral_id, ConsentKind.RESEARCH)
    assert intake.state(reference) == "assessed"


def test_help_with_the_cost_is_not_looked_for_where_only_the_course_is_wanted(intake: Intake) -> None:
    """The course is not subsidised; once a person has a therapist sought, the wish counts."""
    referral_id, _ = intake.ask_and_assess(**COURSE, subsidy_requested=True)
    assert [event.subsidy_requested for event in intake.emitted(ReferralReceived)] == [False]
    intake.ask(lifecycle.resume, Resume(referral_id=referral_id, reason=ResumptionReason.CLIENT_READY))
    assert [event.subsidy_requested for event in intake.emitted(ReferralReceived)] == [False, True]


def test_a_family_that_wants_both_is_helped_by_a_therapist_too(intake: Intake) -> None:
    wanted = (HelpKind.FAMILY_COURSE, HelpKind.ONE_TO_ONE)
    assert intake.state(intake.ask_and_assess(**COURSE | {"help_wanted": wanted}).reference) == "assessed"


def test_a_family_that_wants_the_course_is_not_searched_for_when_its_consent_comes(intake: Intake) -> None:
    referral_id, reference = intake.ask_and_assess(**COURSE, consents=consents(pass_to_therapist=False))
    record(intake, referral_id, ConsentKind.PASS_TO_THERAPIST)
    assert intake.state(reference) == "on_hold"
    assert [event.reason for event in intake.emitted(ReferralHeld)] == [NO_PASSING_ON, HoldReason.COURSE_WANTED]
    assert intake.emitted(ReferralResumed) == []


def test_what_waits_for_an_agreement_is_not_resumed_without_it(intake: Intake) -> None:
    referral_id = intake.ask_and_assess(consents=consents(pass_to_therapist=False)).referral_id
    resume = Resume(referral_id=referral_id, reason=ResumptionReason.CLIENT_READY)
    with pytest.raises(StepNotPossible, match="record what they say with `record_consent`"):
        intake.ask(lifecycle.resume, resume)


def test_two_agreements_are_waited_for_one_after_the_other(intake: Intake) -> None:
    said = {"written_by": OFFICER, "route": Route.PROBATION, "consents": consents(pass_to_therapist=False)}
    referral_id, reference = intake.ask_and_assess(**said)
    record(intake, referral_id, ConsentKind.THIS_REQUEST)
    assert intake.state(reference) == "on_hold"
    record(intake, referral_id, ConsentKind.PASS_TO_THERAPIST)
    assert intake.state(reference) == "assessed"


def test_an_agreement_leaves_what_is_on_hold_for_something_else(intake: Intake) -> None:
    referral_id, reference = intake.ask_and_assess()
    hold = Hold(referral_id=referral_id, reason=HoldReason.CLIENT_NOT_READY)
    intake.ask(lifecycle.pause, hold)
    record(intake, referral_id, ConsentKind.PASS_TO_THERAPIST)
    assert intake.state(reference) == "on_hold"


def test_whoever_takes_an_agreement_back_is_not_sought_for_any_more(intake: Intake) -> None:
    referral_id, reference = intake.ask_and_assess()
    record(intake, referral_id, ConsentKind.PASS_TO_THERAPIST, given=False)
    assert intake.state(reference) == "on_hold"
    assert [event.reason for event in intake.emitted(ReferralHeld)] == [NO_PASSING_ON]


def test_what_is_on_hold_for_something_else_is_not_searched_for_once_an_agreement_is_taken_back(
    intake: Intake,
) -> None:
    referral_id, reference = intake.ask_and_assess()
    hold = Hold(referral_id=referral_id, reason=HoldReason.CLIENT_NOT_READY)
    intake.ask(lifecycle.pause, hold)
    record(intake, referral_id, ConsentKind.PASS_TO_THERAPIST, given=False)
    resume = Resume(referral_id=referral_id, reason=ResumptionReason.CLIENT_READY)
    intake.ask(lifecycle.resume, resume)
    assert intake.state(reference) == "on_hold"
    assert intake.emitted(ReferralResumed) == []
    assert intake.emitted(ReferralHeld)[-1].reason is NO_PASSING_ON
    record(intake, referral_id, ConsentKind.PASS_TO_THERAPIST)
    assert intake.state(reference) == "assessed"


def test_nobody_else_is_sought_for_who_took_an_agreement_back_and_left_their_therapist(intake: Intake) -> None:
    referral_id, reference = intake.ask_and_assess()
    match = intake.match(referral_id)
    record(intake, referral_id, ConsentKind.PASS_TO_THERAPIST, given=False)
    assert intake.emitted(ReferralHeld) == [], "therapy goes on"
    intake.end_match(match, MatchEndReason.CLIENT_UNHAPPY)
    assert intake.state(reference) == "on_hold"
    assert [event.reason for event in intake.emitted(ReferralHeld)] == [NO_PASSING_ON]
    assert len(intake.emitted(AgreementAwaited)) == 1


def test_a_match_that_overtook_a_refusal_is_told_and_introduced_once_they_agree(intake: Intake) -> None:
    referral_id = intake.ask_and_assess().referral_id
    record(intake, referral_id, ConsentKind.PASS_TO_THERAPIST, given=False)
    match = intake.match(referral_id)
    assert intake.released(ContactPurpose.INTRODUCTION) == []
    assert len(intake.emitted(AgreementAwaited)) == 2, "the therapist waits for a letter"
    pass_weeks(intake)
    assert len(intake.emitted(AgreementAwaited)) == 3
    for _ in range(2):
        record(intake, referral_id, ConsentKind.PASS_TO_THERAPIST)
    assert [to for to, _ in intake.released(ContactPurpose.INTRODUCTION)] == [match.therapist_id]
    pass_weeks(intake)
    assert len(intake.emitted(AgreementAwaited)) == 3


def test_the_office_is_reminded_until_somebody_has_asked(intake: Intake) -> None:
    referral_id = intake.ask_and_assess(consents=consents(pass_to_therapist=False)).referral_id
    for times in (2, 3):
        pass_weeks(intake)
        assert len(intake.emitted(AgreementAwaited)) == times
    record(intake, referral_id, ConsentKind.PASS_TO_THERAPIST)
    pass_weeks(intake)
    assert len(intake.emitted(AgreementAwaited)) == 3


def test_consent_to_evaluation_is_told_anew(intake: Intake) -> None:
    referral_id = intake.ask_for_help(consents=consents(evaluation=False)).referral_id
    record(intake, referral_id, ConsentKind.EVALUATION)
    assert [event.evaluation_consented for event in intake.emitted(ReferralReceived)] == [False, True]


def test_the_office_is_reminded_of_who_waits_for_a_course_until_somebody_goes_on_with_it(intake: Intake) -> None:
    referral_id = intake.ask_and_assess(**COURSE).referral_id
    for times in (1, 2):
        pass_weeks(intake, 2)
        assert len(intake.emitted(CourseAwaited)) == times
    resume = Resume(referral_id=referral_id, reason=ResumptionReason.CLIENT_READY)
    intake.ask(lifecycle.resume, resume)
    pass_weeks(intake, 2)
    assert len(intake.emitted(CourseAwaited)) == 2


def test_of_what_waits_for_a_course_once_consent_has_come_the_office_is_reminded_too(intake: Intake) -> None:
    referral_id = intake.ask_and_assess(**COURSE, consents=consents(pass_to_therapist=False)).referral_id
    record(intake, referral_id, ConsentKind.PASS_TO_THERAPIST)
    pass_weeks(intake, 2)
    assert len(intake.emitted(CourseAwaited)) == 1


@pytest.mark.parametrize(
    ("said", "kind"),
    [(COURSE, CourseAwaited), ({"consents": consents(pass_to_therapist=False)}, AgreementAwaited)],
)
def test_a_withdrawal_that_is_undone_leaves_nobody_unreminded(
    intake: Intake, said: dict[str, Any], kind: type[Event]
) -> None:
    referral_id = intake.ask_and_assess(**said).referral_id
    intake.clock.advance(timedelta(days=13))
    withdraw = Withdraw(referral_id=referral_id, reason=WithdrawalReason.NO_CONTACT)
    intake.ask(lifecycle.withdraw, withdraw)
    pass_weeks(intake)
    intake.ask(lifecycle.undo, Undo(referral_id=referral_id, reason=UndoReason.RECORDED_BY_MISTAKE))
    before = len(intake.emitted(kind))
    pass_weeks(intake, 3)
    assert len(intake.emitted(kind)) > before


def test_who_wrote_themselves_agrees_by_that(intake: Intake) -> None:
    referral_id = intake.ask_for_help().referral_id
    with pytest.raises(errors.WroteThemselves):
        record(intake, referral_id, ConsentKind.THIS_REQUEST, given=False)


def test_the_list_says_what_is_waited_for(intake: Intake) -> None:
    intake.ask_for_help(route=Route.PROBATION, written_by=OFFICER)
    assert [one.waits_for for one in intake.awaiting()] == [NO_AGREEMENT]
