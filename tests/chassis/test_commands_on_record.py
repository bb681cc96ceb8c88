"""What a person tells a service to do is on record under the command's name, unless it has words of its own."""

from __future__ import annotations

from uuid import UUID

import pytest

from chassis.audit.commands import MOST, named_with_reason, subject_of
from contracts.command import Command, Query
from contracts.commands import billing, console, evaluation, intake, matching, notifications
from contracts.commands.matching import OfferToTherapist, SuspendTherapist
from contracts.commands.notifications import PlanLeave
from contracts.vocabulary import SuspensionReason, TherapistId

ONE, OTHER = UUID(int=1), UUID(int=2)
COMMANDS = [
    kind
    for module in (billing, console, evaluation, intake, matching, notifications)
    for kind in vars(module).values()
    if isinstance(kind, type) and issubclass(kind, Command) and not issubclass(kind, Query) and kind.needs
]


def test_a_command_is_named_with_its_reason_and_is_about_its_first_identifier() -> None:
    suspended = SuspendTherapist(therapist_id=TherapistId(ONE), reason=SuspensionReason.INSURANCE_EXPIRED)
    assert named_with_reason(suspended) == "suspend_therapist: insurance_expired"
    assert subject_of(suspended) == ONE
    assert (
        subject_of(
            OfferToTherapist.from_json({"referral_id": str(ONE), "therapist_id": str(OTHER), "reason": "nobody_else"})
        )
        == ONE
    )
    leave = PlanLeave.from_json({"staff_id": str(ONE), "starts_on": "2026-12-01", "ends_on": "2026-12-02"})
    assert named_with_reason(leave) == "plan_leave"


@pytest.mark.parametrize("kind", COMMANDS, ids=lambda kind: kind.__name__)
def test_every_name_fits_with_room_for_a_reason(kind: type[Command]) -> None:
    assert len(kind.__name__) < MOST // 2
