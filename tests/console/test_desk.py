"""What every page says of concerns that nobody has in hand."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

from contracts.commands.console import QueueItem
from contracts.vocabulary import ReferralId, Severity
from tests.console.pictures import NOW
from web.console.pages.desk import pressing


def test_the_more_severe_concern_comes_first_and_of_those_the_older() -> None:
    def concern(severity: Severity, minutes: int) -> QueueItem:
        since = NOW - timedelta(minutes=minutes)
        return QueueItem(subject_id=uuid4(), referral_id=ReferralId(uuid4()), since=since, severity=severity)

    old, new = concern(Severity.URGENT, 50), concern(Severity.URGENT, 10)
    advisory, immediate = concern(Severity.ADVISORY, 90), concern(Severity.IMMEDIATE, 1)
    assert sorted((advisory, new, immediate, old), key=pressing) == [immediate, old, new, advisory]
