"""Whom a dead letter is about, told without opening it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chassis.bus.dead_letters import DeadLetter
from chassis.bus.failure_history import History
from chassis.bus.messages import Incoming
from chassis.host.dead_letters import shown
from contracts.envelope import CAUSATION, CORRELATION, SUBJECT
from leeward.dead_letters.attribution import Attribution, Person
from leeward.dead_letters.letters import Letter

THEM = Person(subjects={"referral", "submission"}, events={"event"}, correlations={"story"})
CONTACT = {"referral_id": "referral", "purpose": "address_book", "sealed": "x"}
OTHERS = CONTACT | {"referral_id": "other"}


def letter(event: str, body: Any, publisher: str = "intake", id_: str = "letter", **headers: str) -> Letter:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    lying = DeadLetter(
        service="notifications",
        key="key",
        id=id_,
        event=event,
        lane="inbox",
        reason="failed",
        error="",
        digest="",
        history=History(f"{publisher}.events", event, attempts=1),
        published_at=None,
        messages=(Incoming("notifications.retry", "dead", 1, raw, headers),),
    )
    return Letter.of(shown(lying))


@pytest.mark.parametrize(
    ("about", "one"),
    [
        (Attribution.THEM, letter("ContactReleased", CONTACT)),
        (Attribution.THEM, letter("HelpRequested", {"submission_id": "submission", "sealed": "x"}, "web")),
        (
            Attribution.THEM,
            letter("WithdrawalRequested", {"submission_id": "?", "sealed": "x"}, "web", **{SUBJECT: "submission"}),
        ),
        (Attribution.THEM, letter("WithdrawalRequested", {"submission_id": "?", "sealed": "x"}, "web", id_="event")),
        (
            Attribution.THEM,
            letter("EvaluationReturned", {"submission_id": "?", "sealed": "x"}, "web", **{CAUSATION: "event"}),
        ),
        (
            Attribution.THEM,
            letter("EvaluationReturned", {"submission_id": "?", "sealed": "x"}, "web", **{CORRELATION: "story"}),
        ),
        (Attribution.THEM, letter("ContactReleased", b"no JSON", **{SUBJECT: "referral"})),
        (Attribution.NOT_THEM, letter("ContactReleased", OTHERS)),
        (Attribution.NOT_THEM, letter("ContactReleased", OTHERS, **{CORRELATION: "story", CAUSATION: "event"})),
        (Attribution.NOT_THEM, letter("TherapistContactChanged", {"therapist_id": "thea", "sealed": "x"}, "matching")),
        (Attribution.NOT_THEM, letter("ReferralClosed", {"referral_id": "referral", "reason": "therapy_ended"})),
        (Attribution.CANT_TELL, letter("WithdrawalRequested", {"submission_id": "?", "sealed": "x"}, "web")),
        (Attribution.CANT_TELL, letter("ContactReleased", b"no JSON")),
        (Attribution.CANT_TELL, letter("NobodyKnowsThis", {"referral_id": "other"})),
    ],
)
def test_a_letter_is_theirs_or_anothers_or_nobody_can_tell(about: Attribution, one: Letter) -> None:
    assert THEM.attribute(one) is about
