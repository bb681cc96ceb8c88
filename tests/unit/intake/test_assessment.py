"""The system suggests and explains; a person decides, and both are kept. What is late is told once."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from chassis.ids import new_id
from contracts.commands.intake import Hold, Resume, SuggestAssessment, SuggestedAssessment
from contracts.events.intake import AssessmentOverdue, ReferralAssessed
from contracts.sealed import LegalSituation
from contracts.vocabulary import (
    ClientGroup,
    Competence,
    HoldReason,
    OverrideReason,
    ReferralId,
    ResumptionReason,
    RiskLevel,
    SuggestionUse,
    Work,
)
from services.intake import errors
from services.intake.application import registration
from services.intake.domain.referral import StepNotPossible
from services.intake.domain.suggestion import NotTheSuggestion, OverrideNeedsReason
from services.intake.gateways.assessment_policy import ASSESSMENT, InvalidPolicy, read_policy
from services.intake.handlers import assessment, lifecycle
from services.intake.store import tables
from tests.unit.intake.conftest import MONDAY_10, Intake

SAM = "console:somebody"
TIMERS = {registration.ASSESSMENT_OVERDUE: assessment.report_overdue}
LOWER, HIGHER = (RiskLevel.LOWER, Competence.LOWER), (RiskLevel.HIGHER, Competence.HIGHER)


@pytest.fixture
def intake(intake_on_each_store: Intake) -> Intake:
    return intake_on_each_store


def suggested(intake: Intake, referral_id: ReferralId) -> SuggestedAssessment:
    request = SuggestAssessment(referral_id=referral_id)
    found: SuggestedAssessment = intake.ask(assessment.suggest_assessment, request)
    return found


# Suggesting

SUGGESTED: dict[str, tuple[dict[str, Any], tuple[Any, ...], set[str]]] = {
    "nothing that calls for more": ({}, (*LOWER, Work.INDIVIDUAL), {"default"}),
    "somebody at risk": (
        {"identifiable_person_at_risk": True},
        (*HIGHER, Work.INDIVIDUAL),
        {"somebody_at_risk", "default"},
    ),
    "convicted": (
        {"client_group": ClientGroup.OFFENDED, "legal_situation": LegalSituation.CONVICTED},
        (*HIGHER, Work.INDIVIDUAL),
        {"convicted", "default"},
    ),
    "a survivor whose own situation is another": (
        {"client_group": ClientGroup.SURVIVOR, "legal_situation": LegalSituation.CONVICTED},
        (*LOWER, Work.INDIVIDUAL),
        {"default"},
    ),
    "in prison": (
        {"client_group": ClientGroup.IN_PRISON},
        (RiskLevel.LOWER, Competence.HIGHER, Work.INDIVIDUAL),
        {"in_prison", "default"},
    ),
    "family": ({"client_group": ClientGroup.FAMILY}, (*LOWER, Work.PARTNER), {"family", "default"}),
    "a couple": (
        {"client_group": ClientGroup.FAMILY, "work": Work.COUPLE},
        (*LOWER, Work.COUPLE),
        {"couple_wished", "default"},
    ),
}


@pytest.mark.parametrize("why", SUGGESTED)
def test_what_is_suggested_comes_with_its_reasons_and_decides_nothing(intake: Intake, why: str) -> None:
    said, expected, rules = SUGGESTED[why]
    referral_id, reference = intake.ask_for_help(**said)
    found = suggested(intake, referral_id)
    assert (found.risk_level, found.competence, found.work, found.policy_version) == (*expected, 1)
    assert {one.rule for one in found.reasons} == rules
    assert {one.concerns for one in found.reasons} == {"risk_level", "competence", "work"}
    assert (intake.state(reference), intake.emitted(ReferralAssessed)) == ("received", [])


def test_nothing_is_suggested_for_what_cannot_be_assessed(intake: Intake) -> None:
    with pytest.raises(StepNotPossible, match="is assessed"):
        suggested(intake, intake.ask_and_assess().referral_id)
    with pytest.raises(errors.UnknownReferral):
        suggested(intake, ReferralId(new_id()))


# Deciding


def kept(intake: Intake) -> Any:
    (row,) = intake.read(lambda unit: unit.session.execute(select(tables.assessments)).all())
    return row


def test_an_accepted_suggestion_is_kept_with_the_decision(intake: Intake) -> None:
    referral_id, _ = intake.ask_for_help()
    intake.assess(referral_id, suggestion=SuggestionUse.ACCEPTED)
    row = kept(intake)
    assert (row.suggestion, row.override_reason, row.policy_version) == (SuggestionUse.ACCEPTED, None, 1)
    assert (row.risk_level, row.suggested_risk_level) == (RiskLevel.LOWER, RiskLevel.LOWER)


def test_what_is_said_to_be_accepted_must_be_what_was_suggested(intake: Intake) -> None:
    referral_id, reference = intake.ask_for_help()
    with pytest.raises(NotTheSuggestion, match="Suggested was lower, lower, individual"):
        intake.assess(referral_id, risk_level=RiskLevel.HIGHER, suggestion=SuggestionUse.ACCEPTED)
    assert (intake.state(reference), intake.emitted(ReferralAssessed)) == ("received", [])


def test_an_overridden_suggestion_needs_a_reason_and_both_are_kept(intake: Intake) -> None:
    referral_id, _ = intake.ask_for_help()
    decided: dict[str, Any] = {"risk_level": RiskLevel.HIGHER, "competence": Competence.HIGHER}
    with pytest.raises(OverrideNeedsReason):
        intake.assess(referral_id, **decided, suggestion=SuggestionUse.OVERRIDDEN)
    intake.assess(
        referral_id,
        **decided,
        suggestion=SuggestionUse.OVERRIDDEN,
        override_reason=OverrideReason.CLINICAL_JUDGEMENT,
    )
    row = kept(intake)
    assert (row.risk_level, row.competence, row.work) == (*HIGHER, Work.INDIVIDUAL)
    assert (row.suggested_risk_level, row.suggested_competence, row.suggested_work) == (*LOWER, Work.INDIVIDUAL)
    assert row.override_reason is OverrideReason.CLINICAL_JUDGEMENT
    assert intake.steps(referral_id)[-1] == ("assess", "assessed", SAM, "clinical_judgement")


# The rules' file


@pytest.mark.parametrize(
    ("before", "after", "complaint"),
    [
        ("version = 1", "", "'version' is missing"),
        ('work = "individual"', "", "the default must name"),
        ('legal_situation = ["convicted"', 'legal_situation = ["guilty"', "'guilty' is not a valid"),
        ("when = { young = true }", "when = { shoe_size = 7 }", "'young' asks for 'shoe_size'"),
        ("when = { young = true }", 'when = { young = "yes" }', "'young' asks for 'young'"),
        ('name = "young"', 'name = "family"', "two rules have the same name"),
        ('work = "partner"', 'job = "partner"', "'family' says"),
        ("[default]", "[default", "Expected"),
    ],
)
def test_rules_that_are_wrong_stop_the_start_and_are_named(
    tmp_path: Path, before: str, after: str, complaint: str
) -> None:
    text = ASSESSMENT.read_text()
    assert before in text
    broken = tmp_path / "assessment-v2.toml"
    broken.write_text(text.replace(before, after, 1))
    with pytest.raises(InvalidPolicy, match=r"^assessment-v2") as caught:
        read_policy(broken)
    assert complaint in str(caught.value)


# What is late


def late(intake: Intake) -> list[AssessmentOverdue]:
    intake.clock.advance(timedelta(days=2, seconds=1))
    intake.fire_due(TIMERS)
    return intake.emitted(AssessmentOverdue)


def test_a_request_that_nobody_has_assessed_in_time_is_told_of_once(intake: Intake) -> None:
    referral_id, _ = intake.ask_for_help(age=16)
    told = AssessmentOverdue(
        referral_id=referral_id,
        due_at=MONDAY_10 + timedelta(days=2),
        taken_up=False,
        needs_safeguarding_lead=True,
    )
    assert late(intake) == late(intake) == [told]


@pytest.mark.parametrize("done", ["assessed", "withdrawn"])
def test_what_was_dealt_with_is_not_late(intake: Intake, done: str) -> None:
    referral_id, reference = intake.ask_for_help()
    if done == "assessed":
        intake.assess(referral_id)
    else:
        intake.withdraw(reference)
    assert late(intake) == []


def test_a_request_on_hold_is_late_only_once_it_goes_on(intake: Intake) -> None:
    referral_id, _ = intake.ask_for_help()
    intake.ask(lifecycle.pause, Hold(referral_id=referral_id, reason=HoldReason.CLIENT_NOT_READY))
    assert late(intake) == []
    intake.ask(lifecycle.resume, Resume(referral_id=referral_id, reason=ResumptionReason.CLIENT_READY))
    assert [one.referral_id for one in late(intake)] == [referral_id]
