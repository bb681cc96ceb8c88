"""When a safeguarding concern is raised, and how grave it is.

A disclosure of an offence is not by itself passed on. What raises a concern is that somebody identifiable is at risk
of harm; and every client under 18 is seen by the safeguarding lead (the charity's confidentiality policy).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from contracts.vocabulary import ClientGroup, ConcernCategory, ConcernId, PersonAtRisk, ReferralId, Severity

ADULT_AGE_YEARS = 18


@dataclass(frozen=True)
class Finding:
    """A reason to raise a concern."""

    severity: Severity
    category: ConcernCategory


@dataclass(eq=False, kw_only=True)
class Concern:
    """A safeguarding concern, on record for ever."""

    id: ConcernId
    referral_id: ReferralId
    severity: Severity
    category: ConcernCategory
    raised_at: datetime
    raised_by: str
    acknowledged_at: datetime | None = None


def is_young(*, client_group: ClientGroup, age: int | None) -> bool:
    """Whether the safeguarding lead sees the request first: by group or by age, whichever says so."""
    return client_group is ClientGroup.YOUNG_PERSON or (age is not None and age < ADULT_AGE_YEARS)


AT_RISK = {
    PersonAtRisk.CHILD: ConcernCategory.CHILD_AT_RISK,
    PersonAtRisk.ADULT: ConcernCategory.ADULT_AT_RISK,
    PersonAtRisk.NOT_KNOWN: ConcernCategory.PERSON_AT_RISK,
    None: ConcernCategory.PERSON_AT_RISK,
}


def findings_in_request(
    *,
    client_group: ClientGroup,
    age: int | None,
    identifiable_person_at_risk: bool,
    person_at_risk: PersonAtRisk | None,
) -> list[Finding]:
    """The concerns that a request for help raises by rule, before any person has read it."""
    found = []
    if identifiable_person_at_risk:
        found.append(Finding(Severity.IMMEDIATE, AT_RISK[person_at_risk]))
    if is_young(client_group=client_group, age=age):
        found.append(Finding(Severity.ADVISORY, ConcernCategory.YOUNG_CLIENT))
    return found


def finding_in_evaluation() -> Finding:
    """An answer about suicide asks for a person's attention the same day, whatever the total."""
    return Finding(Severity.URGENT, ConcernCategory.RISK_TO_SELF)
