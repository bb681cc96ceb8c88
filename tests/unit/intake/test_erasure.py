"""Erasing a person at intake, and what stops it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from chassis.ports import NotYet
from chassis.privacy.vault import Erased
from contracts.commands.intake import RaiseConcern
from contracts.commands.privacy import (
    Erase,
    ErasureReason,
    ErasureView,
    GetErasure,
    HoldReason,
    HoldView,
    LiftHold,
    LiftReason,
    ListHolds,
    ListUnconfirmed,
    PlaceHold,
)
from contracts.events import billing, console, evaluation, matching, notifications
from contracts.events.intake import (
    ContactReleased,
    ErasureOverdue,
    ReferralErased,
    ReferralWithdrawn,
    SafeguardingConcernRaised,
)
from contracts.sealed import HelpForm
from contracts.vocabulary import ConcernCategory, MatchEndReason, ReferralId, RefusalReason, Severity
from services.intake import errors
from services.intake.application import referral_erasure, registration
from services.intake.domain.erasure import HOLDERS
from services.intake.handlers import assessment, erasure, legal_holds, safeguarding
from services.intake.store import personal_records, tables
from tests.unit.intake.conftest import Asked, Intake

TIMERS = {
    referral_erasure.ERASURE_UNCONFIRMED: erasure.flag_unconfirmed,
    registration.ASSESSMENT_OVERDUE: assessment.report_overdue,
}
EVERYONE = [one.ErasureConfirmed for one in (matching, billing, notifications, evaluation, console)]


def erase(intake: Intake, reference: str, *, anyway: bool = False) -> ErasureView:
    request = Erase(reference=reference, reason=ErasureReason.CLIENT_ASKED, anyway=anyway)
    view: ErasureView = intake.ask(erasure.erase_by_person, request)
    return view


def hold(intake: Intake, reference: str) -> HoldView:
    request = PlaceHold(reference=reference, reason=HoldReason.POLICE_REQUEST)
    view: HoldView = intake.ask(legal_holds.place_legal_hold, request)
    return view


def lift(intake: Intake, reference: str) -> HoldView:
    request = LiftHold(reference=reference, reason=LiftReason.MATTER_CLOSED)
    view: HoldView = intake.ask(legal_holds.lift_legal_hold, request)
    return view


def status(intake: Intake, reference: str) -> ErasureView:
    view: ErasureView = intake.ask(erasure.get_erasure, GetErasure(reference=reference))
    return view


def erased(intake: Intake) -> list[ReferralId]:
    return [event.referral_id for event in intake.emitted(ReferralErased)]


def record_audit(intake: Intake) -> list[tuple[str, str, str]]:
    table = intake.database.tables.audit_entry
    wanted = select(table.c.what, table.c.who, table.c.reason).order_by(table.c.sequence)
    return intake.read(lambda unit: [(row.what, row.who, row.reason) for row in unit.session.execute(wanted)])


@pytest.fixture
def asked(intake: Intake) -> Asked:
    return intake.ask_for_help()


def test_an_erased_person_is_no_longer_there_to_be_read(intake: Intake, asked: Asked) -> None:
    intake.assess(asked.referral_id)
    content = intake.read(lambda unit: personal_records.get_personal_record(unit.session, asked.referral_id))
    erase(intake, asked.reference)
    with pytest.raises(Erased):
        intake.read(lambda unit: intake.dependencies.vault.decrypt(unit.session, asked.referral_id, HelpForm, content))
    stored = intake.stored()
    assert not stored["personal_record"]
    assert not stored["assessment"]
    assert [row for row in stored["data_key"] if row[1]] == []
    assert intake.state(asked.reference) == "erased"
    assert not intake.status(asked.reference).recognised


def test_every_service_is_told_once_and_it_is_on_record(intake: Intake, asked: Asked) -> None:
    first, again = erase(intake, asked.reference), erase(intake, asked.reference)
    assert erased(intake) == [asked.referral_id]
    assert first == again
    assert record_audit(intake) == [("erased", "console:somebody", "client_asked")]


def test_what_was_under_way_is_ended_before(intake: Intake, asked: Asked) -> None:
    erase(intake, asked.reference)
    kinds = [type(event) for event in intake.all_emitted]
    assert kinds.index(ReferralWithdrawn) < kinds.index(ReferralErased)


def test_what_had_ended_is_not_ended_again(intake: Intake, asked: Asked) -> None:
    intake.withdraw(asked.reference)
    erase(intake, asked.reference)
    assert len(intake.emitted(ReferralWithdrawn)) == 1


def test_another_person_can_still_be_read(intake: Intake, asked: Asked) -> None:
    other = intake.ask_for_help()
    erase(intake, asked.reference)
    content = intake.read(lambda unit: personal_records.get_personal_record(unit.session, other.referral_id))
    assert intake.read(
        lambda unit: intake.dependencies.vault.decrypt(unit.session, other.referral_id, HelpForm, content)
    )


def test_the_same_submission_does_not_bring_an_erased_person_back(intake: Intake) -> None:
    event = intake.requested()
    intake.submit(event)
    reference = intake.read(lambda unit: unit.session.execute(select(tables.referrals.c.reference)).scalar_one())
    erase(intake, reference)
    intake.submit(event)
    assert intake.refusals() == [RefusalReason.REPLAYED]
    assert not intake.stored()["personal_record"]


def test_what_is_heard_later_of_an_erased_referral_does_nothing(intake: Intake, asked: Asked) -> None:
    erase(intake, asked.reference)
    released, raised = len(intake.emitted(ContactReleased)), len(intake.emitted(SafeguardingConcernRaised))
    match = intake.match(asked.referral_id)
    intake.end_match(match, MatchEndReason.COMPLETED)
    intake.flag_risk(asked.referral_id)
    intake.withdraw(asked.reference)
    assert intake.state(asked.reference) == "erased"
    assert len(intake.emitted(ContactReleased)) == released
    assert len(intake.emitted(SafeguardingConcernRaised)) == raised


def test_a_legal_hold_stops_an_erasure_until_it_is_lifted(intake: Intake, asked: Asked) -> None:
    hold(intake, asked.reference)
    with pytest.raises(errors.OnLegalHold, match="police request"):
        erase(intake, asked.reference, anyway=True)
    assert not erased(intake)
    lift(intake, asked.reference)
    erase(intake, asked.reference)
    assert erased(intake)
    assert [what for what, *_ in record_audit(intake)] == ["held", "hold_lifted", "erased"]


def test_there_is_one_hold_at_a_time_and_all_are_remembered(intake: Intake, asked: Asked) -> None:
    with pytest.raises(errors.NoHold):
        lift(intake, asked.reference)
    hold(intake, asked.reference)
    with pytest.raises(errors.AlreadyOnHold):
        hold(intake, asked.reference)
    lift(intake, asked.reference)
    hold(intake, asked.reference)
    holds = intake.ask(legal_holds.list_legal_holds, ListHolds(reference=asked.reference))
    assert [one.lifted_by for one in holds] == ["console:somebody", None]


def test_a_therapy_that_goes_on_is_not_cut_off_by_mistake(intake: Intake, asked: Asked) -> None:
    intake.assess(asked.referral_id)
    intake.match(asked.referral_id)
    with pytest.raises(errors.TherapyInProgress):
        erase(intake, asked.reference)
    erase(intake, asked.reference, anyway=True)
    assert erased(intake)


def test_a_concern_that_waits_for_an_answer_is_not_lost_by_mistake(intake: Intake, asked: Asked) -> None:
    concern = RaiseConcern(
        referral_id=asked.referral_id,
        severity=Severity.URGENT,
        category=ConcernCategory.ADULT_AT_RISK,
    )
    raised = intake.ask(safeguarding.raise_concern, concern)
    with pytest.raises(errors.ConcernOpen):
        erase(intake, asked.reference)
    intake.acknowledge(raised.concern_id, asked.referral_id)
    erase(intake, asked.reference)
    assert intake.concerns(asked.referral_id), "that there was one stays on record"
    with pytest.raises(errors.UnknownReferral):
        intake.ask(safeguarding.raise_concern, concern)


def test_what_each_service_has_confirmed_is_shown(intake: Intake, asked: Asked) -> None:
    with pytest.raises(errors.NeverErased):
        status(intake, asked.reference)
    erase(intake, asked.reference)
    for confirmed in EVERYONE[:3]:
        for _ in range(2):
            intake.hear(erasure.note_confirmation, confirmed(referral_id=asked.referral_id))
    view = status(intake, asked.reference)
    assert {one.service for one in view.confirmed} == {"matching", "billing", "notifications"}
    assert view.waiting_for == ("evaluation", "console")
    assert intake.ask(erasure.list_unconfirmed, ListUnconfirmed()) == [view]
    for confirmed in EVERYONE[3:]:
        intake.hear(erasure.note_confirmation, confirmed(referral_id=asked.referral_id))
    assert not status(intake, asked.reference).waiting_for
    assert intake.ask(erasure.list_unconfirmed, ListUnconfirmed()) == []


def test_a_confirmation_of_an_erasure_that_is_not_known_waits(intake: Intake, asked: Asked) -> None:
    with pytest.raises(NotYet):
        intake.hear(erasure.note_confirmation, billing.ErasureConfirmed(referral_id=asked.referral_id))


def test_an_erasure_that_is_not_confirmed_in_time_is_flagged_and_told_again(intake: Intake, asked: Asked) -> None:
    erase(intake, asked.reference)
    intake.clock.advance(timedelta(hours=23))
    assert intake.fire_due(TIMERS) == 0
    for _ in range(2):
        intake.clock.advance(timedelta(hours=24))
        assert intake.fire_due(TIMERS) == 1
    assert len(erased(intake)) == 3
    (told,) = intake.emitted(ErasureOverdue)
    assert (told.referral_id, told.waiting_for) == (asked.referral_id, HOLDERS)
    assert status(intake, asked.reference).overdue_since == intake.clock.now() - timedelta(hours=24)
    for confirmed in EVERYONE:
        intake.hear(erasure.note_confirmation, confirmed(referral_id=asked.referral_id))
    intake.clock.advance(timedelta(days=3))
    assert intake.fire_due(TIMERS) == 0
