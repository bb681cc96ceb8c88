"""Made-up requests for tests."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from contracts.sealed import Consents, HelpSubmission, SafeChannel, SafeContact
from contracts.vocabulary import ClientGroup, Known, Route, Sessions

PASSPHRASE = "harbour lantern quiet meadow"


def consents(**changes: Any) -> Consents:
    given: dict[str, Any] = {
        "text_version": 1,
        "given_at": datetime(2026, 11, 20, 18, 30, tzinfo=UTC),
        "processing": True,
        "confidentiality_understood": True,
        "pass_to_therapist": True,
        "evaluation": True,
    }
    return Consents(**(given | changes))


def submission(**changes: Any) -> HelpSubmission:
    """A request from Newport, as a front-end would seal it."""
    said: dict[str, Any] = {
        "name": "Robin Example",
        "age": 41,
        "route": Route.SELF,
        "client_group": ClientGroup.AT_RISK,
        "postcode": "NP20 4UR",
        "contact": SafeContact(channel=SafeChannel.EMAIL, email="robin@example.org"),
        "known_to_authorities": Known.NO,
        "sessions": Sessions.EITHER,
        "consents": consents(),
        "passphrase": PASSPHRASE,
    }
    return HelpSubmission(**(said | changes))


def somebody(name: str) -> HelpSubmission:
    """A request of somebody whom nothing has in common with anybody else."""
    return submission(name=name, contact=SafeContact(channel=SafeChannel.EMAIL, email=f"{name}@example.org"))
