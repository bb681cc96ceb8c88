"""Requests that came by telephone or letter: taken in as any, with who typed them in and how they came."""

from __future__ import annotations

from uuid import UUID

import pytest
from sqlalchemy import select

from chassis.ids import new_id
from chassis.testing import somebody
from contracts.commands.intake import CameBy, RequestTyped, TypeRequest
from contracts.events.intake import ReferralReceived, ReferralStepTaken
from contracts.reference import reference_for
from contracts.shape import Shape
from contracts.vocabulary import SubmissionId
from services.intake import errors
from services.intake.handlers import requests
from tests.support.samples import consents, submission
from tests.unit.intake.conftest import Intake
from tests.unit.intake.test_subject_access import Topic, told

EVA, SAM = somebody("eva"), somebody("sam")


@pytest.fixture
def intake(intake_on_each_store: Intake) -> Intake:
    return intake_on_each_store


def typed(
    intake: Intake,
    content: Shape | None = None,
    *,
    submission_id: UUID | None = None,
    came_by: CameBy = CameBy.TELEPHONE,
    by: object = EVA,
) -> RequestTyped:
    request = TypeRequest(
        submission_id=SubmissionId(submission_id or new_id()),
        came_by=came_by,
        form="help",
        form_version=1,
        sealed=intake.seal(content or submission()),
    )
    answer: RequestTyped = intake.ask(requests.type_request, request, by=by)  # type: ignore[arg-type]
    return answer


@pytest.mark.parametrize("came_by", CameBy)
def test_it_is_a_request_as_any_whose_first_step_says_who_typed_it_and_how_it_came(
    intake: Intake, came_by: CameBy
) -> None:
    id_ = new_id()
    answer = typed(intake, submission_id=id_, came_by=came_by)
    assert answer.reference == reference_for(id_)
    assert intake.steps(answer.referral_id) == [("receive", "received", EVA.who, came_by.value)]
    assert [event.referral_id for event in intake.emitted(ReferralReceived)] == [answer.referral_id]
    (step,) = intake.emitted(ReferralStepTaken)
    assert (step.taken_by, step.reason) == ("console", came_by.value)
    assert intake.status(answer.reference).recognised
    audit = intake.read(lambda unit: unit.session.execute(select(unit.tables.audit_entry)).all())
    assert [(entry.what, entry.who, entry.reason) for entry in audit] == [("typed", EVA.who, came_by.value)]


def test_sent_again_it_is_taken_in_once(intake: Intake) -> None:
    id_ = new_id()
    first, again = typed(intake, submission_id=id_), typed(intake, submission_id=id_)
    assert first == again
    assert len(intake.emitted(ReferralReceived)) == 1
    with pytest.raises(errors.NotTakenIn, match="Open the form again"):
        typed(intake, submission_id=id_, by=SAM)


def test_nobodys_request_on_the_site_is_answered_to_who_names_its_number(intake: Intake) -> None:
    event = intake.requested()
    intake.submit(event)
    with pytest.raises(errors.NotTakenIn, match="Open the form again"):
        typed(intake, submission_id=event.submission_id)


def test_what_the_site_could_not_send_is_refused_and_kept_nowhere(intake: Intake) -> None:
    with pytest.raises(errors.NotTakenIn, match="consent missing"):
        typed(intake, submission(consents=consents(processing=False)))
    with pytest.raises(errors.NotTakenIn, match="field contact"):
        typed(intake, submission(contact=None))
    assert intake.awaiting() == []


def test_it_is_told_to_whom_it_is_about_how_it_came(intake: Intake) -> None:
    answer = typed(intake, came_by=CameBy.LETTER)
    (step,) = told(intake, answer.referral_id)[Topic.STEPS]
    assert step["Why"] == "By letter; somebody typed in what you wrote"
