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
from leeward.dead_letters.attribution import About, Person
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
        (About.THEM, letter("ContactReleased", CONTACT)),
        (About.THEM, letter("HelpRequested", {"submission_id": "submission", "sealed": "x"}, "web")),
        (
            About.THEM,
            letter("WithdrawalRequested", {"submission_id": "?", "sealed": "x"}, "web", **{SUBJECT: "submission"}),
        ),
        (About.THEM, letter("WithdrawalRequested", {"submission_id": "?", "sealed": "x"}, "web", id_="event")),
        (
            About.THEM,
            letter("EvaluationReturned", {"submission_id": "?", "sealed": "x"}, "web", **{CAUSATION: "event"}),
        ),
        (
            About.THEM,
            letter("EvaluationReturned", {"submission_id": "?", "sealed": "x"}, "web", **{CORRELATION: "story"}),
        ),
        (About.THEM, letter("ContactReleased", b"no JSON", **{SUBJECT: "referral"})),
        (About.NOT_THEM, letter("ContactReleased", OTHERS)),
        (About.NOT_THEM, letter("ContactReleased", OTHERS, **{CORRELATION: "story", CAUSATION: "event"})),
        (About.NOT_THEM, letter("TherapistContactChanged", {"therapist_id": "thea", "sealed": "x"}, "matching")),
        (About.NOT_THEM, letter("ReferralClosed", {"referral_id": "referral", "reason": "therapy_ended"})),
        (About.CANT_TELL, letter("WithdrawalRequested", {"submission_id": "?", "sealed": "x"}, "web")),
        (About.CANT_TELL, letter("ContactReleased", b"no JSON")),
        (About.CANT_TELL, letter("NobodyKnowsThis", {"referral_id": "other"})),
    ],
)
def test_a_letter_is_theirs_or_anothers_or_nobody_can_tell(about: About, one: Letter) -> None:
    assert THEM.of(one) is about
