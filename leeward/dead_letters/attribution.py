"""Decides whether a dead letter is about a person, without opening what is sealed in it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import Enum
from typing import Any

from contracts.envelope import CAUSATION, CORRELATION, SUBJECT
from leeward.dead_letters.letters import Letter

SUBJECT_FIELDS = ("referral_id", "therapist_id")
CLIENT_FIELDS = ("referral_id", "submission_id")


class Attribution(Enum):
    """Whether a letter is about a person."""

    THEM = "them"
    NOT_THEM = "not_them"
    CANT_TELL = "cant_tell"
    """It may hold personal data, and has no identifier that leads to anybody."""


@dataclass(frozen=True)
class Person:
    """The identifiers of a person: their referrals and submissions, the events about them, and their correlations."""

    subjects: Collection[str]
    events: Collection[str] = ()
    correlations: Collection[str] = ()

    def attribute(self, letter: Letter) -> Attribution:
        """Attributes a letter fetched with its body. Without sealed data it identifies nobody, and so is NOT_THEM."""
        body, headers = letter.details["body"], letter.details["headers"]
        if isinstance(body, dict) and "sealed" not in body:
            return Attribution.NOT_THEM
        named = _named(body, headers)
        if named & set(self.subjects) or letter.id in self.events:
            return Attribution.THEM
        # A story may go on from one referral to another, so it counts only where the letter itself names nobody.
        if isinstance(body, dict) and any(name in body for name in SUBJECT_FIELDS):
            return Attribution.NOT_THEM
        if headers.get(CAUSATION) in self.events or headers.get(CORRELATION) in self.correlations:
            return Attribution.THEM
        return Attribution.CANT_TELL


def _named(body: Any, headers: dict[str, Any]) -> set[str]:
    named = {str(body[name]) for name in CLIENT_FIELDS if name in body} if isinstance(body, dict) else set()
    return named | {str(headers.get(SUBJECT))}
