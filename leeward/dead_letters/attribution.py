"""Whom a dead letter is about, as far as it can be told without opening what is sealed."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import Enum
from typing import Any

from contracts.envelope import CAUSATION, CORRELATION, SUBJECT
from leeward.dead_letters.letters import Letter

NAMES_SOMEBODY = ("referral_id", "therapist_id")
NAMES_THEM = ("referral_id", "submission_id")


class About(Enum):
    """What is known of a letter and a person."""

    THEM = "them"
    NOT_THEM = "not_them"
    CANT_TELL = "cant_tell"
    """It may hold something personal, and nothing leads from it to anybody."""


@dataclass(frozen=True)
class Person:
    """What leads to a person: their referrals and submissions, and what was ever said about them or led to it."""

    subjects: Collection[str]
    events: Collection[str] = ()
    correlations: Collection[str] = ()

    def of(self, letter: Letter) -> About:
        """Of a letter that is shown. One that holds nothing sealed is about nobody who could be recognised."""
        body, headers = letter.told["body"], letter.told["headers"]
        if isinstance(body, dict) and "sealed" not in body:
            return About.NOT_THEM
        named = _named(body, headers)
        if named & set(self.subjects) or letter.id in self.events:
            return About.THEM
        # A story may go on from one referral to another, so it counts only where the letter itself names nobody.
        if isinstance(body, dict) and any(name in body for name in NAMES_SOMEBODY):
            return About.NOT_THEM
        if headers.get(CAUSATION) in self.events or headers.get(CORRELATION) in self.correlations:
            return About.THEM
        return About.CANT_TELL


def _named(body: Any, headers: dict[str, Any]) -> set[str]:
    said = {str(body[name]) for name in NAMES_THEM if name in body} if isinstance(body, dict) else set()
    return said | {str(headers.get(SUBJECT))}
