"""People whom the charity keeps apart, on a running system: intake links them, matching gives them other therapists."""

from __future__ import annotations

from uuid import uuid4

import pytest

from chassis.rpc import CommandFailed
from contracts.catalogue import PUBLISHERS
from contracts.vocabulary import ClientGroup, TherapistId
from tests.support.bus import Tap, eventually
from tests.support.story import Story
from tests.support.system import System


def test_a_survivor_is_not_offered_to_the_therapist_of_who_harmed_them(system: System) -> None:
    with Tap(system.amqp_uri, PUBLISHERS) as tap:
        one, other = Story(system, tap), Story(system, tap)
        other.language, other.therapist_id = one.language, one.therapist_id
        one.admit_therapist(outward_code="NP20", places=5)
        one.ask_for_help()
        one.assess()
        one.accept()
        other.ask_for_help(client_group=ClientGroup.SURVIVOR)
        system.rpc.call(
            "intake",
            "link",
            referral_id=other.referral_id,
            other_referral_id=one.referral_id,
            kind="survivor",
            reason="found_in_records",
        )
        tap.wait_for("ReferralsLinked", lambda event: event.data["other_referral_id"] == one.referral_id)
        with pytest.raises(CommandFailed, match="to a colleague"):
            other.assess()
        other.assess(by="alex")
        eventually(
            lambda: system.rpc.call("matching", "standing", referral_id=other.referral_id)["state"] == "waiting",
            "nobody but the other's therapist could be asked",
        )
        other.therapist_id = TherapistId(uuid4())
        other.admit_therapist(outward_code="NP19")
        assert other.heard("TherapistOffered")["therapist_id"] == str(other.therapist_id)
