"""Therapists with whom billing has an account."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from contracts.vocabulary import (
    TherapistId,
)


@dataclass(kw_only=True, eq=False)
class Therapist:
    """A therapist with whom billing has an account. `credit_pence` is what they paid and no invoice has needed yet."""

    id: TherapistId
    known_since: datetime
    credit_pence: int = 0
