"""Intake's settings."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from marshmallow.validate import Range

from chassis.config import Env
from services.intake.gateways.assessment_policy import ASSESSMENT
from services.intake.gateways.retention_policy import RETENTION


@dataclass(frozen=True)
class IntakeSettings:
    """Policy that an administrator may change, and where the keys lie."""

    assess_within_working_days: int
    wait_for_request: timedelta
    assessment_policy: Path
    retention_policy: Path
    erasure_confirmed_within: timedelta
    undo_within: timedelta
    """How long a referral that a person withdrew or signposted by mistake can be brought back."""
    remind_of_agreement_after_working_days: int
    remind_of_course_after_working_days: int
    keys_folder: Path
    master_key: str


def read(env: Env) -> IntakeSettings:
    return IntakeSettings(
        assess_within_working_days=env.int("INTAKE_ASSESS_WITHIN_WORKING_DAYS", 2, validate=Range(min=1, max=60)),
        wait_for_request=timedelta(
            seconds=env.int("INTAKE_WAIT_FOR_REQUEST_SECONDS", 600, validate=Range(min=0, max=86_400))
        ),
        assessment_policy=env.path("INTAKE_ASSESSMENT_POLICY", ASSESSMENT),
        retention_policy=env.path("INTAKE_RETENTION_POLICY", RETENTION),
        erasure_confirmed_within=timedelta(
            hours=env.int("INTAKE_ERASURE_CONFIRMED_WITHIN_HOURS", 24, validate=Range(min=1, max=720))
        ),
        undo_within=timedelta(days=env.int("INTAKE_UNDO_WITHIN_DAYS", 7, validate=Range(min=0, max=30))),
        remind_of_agreement_after_working_days=env.int(
            "INTAKE_REMIND_OF_AGREEMENT_AFTER_WORKING_DAYS", 5, validate=Range(min=1, max=60)
        ),
        remind_of_course_after_working_days=env.int(
            "INTAKE_REMIND_OF_COURSE_AFTER_WORKING_DAYS", 10, validate=Range(min=1, max=120)
        ),
        keys_folder=env.path("LEEWARD_KEYS"),
        master_key=env.str("INTAKE_MASTER_KEY"),
    )
