"""Retention periods for the privacy page, read from the policy file that intake erases by."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

import contracts

RETENTION = Path(contracts.__file__).parent / "policy" / "retention-v1.toml"


class InvalidRetention(Exception):
    """The file of terms can't be read; the message says why."""


@dataclass(frozen=True)
class RetentionTerm:
    months: int
    why: str

    @property
    def years(self) -> int:
        """The period in years; 0 if it is no whole number of them."""
        return self.months // 12 if self.months % 12 == 0 else 0


def read_terms(path: Path = RETENTION) -> tuple[RetentionTerm, ...]:
    """Raises InvalidRetention. Intake checks the rest of the file, which it erases by."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
        return tuple(RetentionTerm(int(term["months"]), str(term["why"])) for term in content["term"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InvalidRetention(f"{path} can't be read: {error}") from None
