"""What a client wrote and what was found about them, encrypted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Row, bindparam, select, update
from sqlalchemy.orm import Session

from chassis.store.prepared import prepared
from contracts.commands.intake import Assess
from contracts.vocabulary import Competence, ReferralId, RiskLevel, Work
from services.intake.domain.referral import Referral
from services.intake.domain.suggestion import Suggestion
from services.intake.store.referrals import NoSuchReferral
from services.intake.store.tables import assessments, personal_records

# Every request and assessment runs these, so they are built once.
_RECORD = prepared(select(personal_records.c.content).where(personal_records.c.referral_id == bindparam("referral_id")))

_NEW_RECORD, _NEW_ASSESSMENT = prepared(personal_records.insert()), prepared(assessments.insert())


class Form(NamedTuple):
    """Which form a client filled in."""

    name: str
    version: int


def save_personal_record(session: Session, referral: Referral, version: Form, content: bytes) -> None:
    session.flush()
    row = {"referral_id": referral.id, "form": version.name, "form_version": version.version, "content": content}
    session.execute(_NEW_RECORD, row)


def correct_personal_record(session: Session, referral_id: ReferralId, content: bytes) -> None:
    changed = update(personal_records).where(personal_records.c.referral_id == referral_id)
    session.execute(changed.values(content=content))


def get_personal_record(session: Session, referral_id: ReferralId) -> bytes:
    """The encrypted record. Raises NoSuchReferral."""
    content: bytes | None = session.execute(_RECORD, {"referral_id": referral_id}).scalar()
    if content is None:
        raise NoSuchReferral(f"there is no record of referral {referral_id}")
    return content


def form_of(session: Session, referral_id: ReferralId) -> Form:
    wanted = select(personal_records.c.form, personal_records.c.form_version)
    return Form(*session.execute(wanted.where(personal_records.c.referral_id == referral_id)).one())


def save_assessment(
    session: Session, decided: Assess, suggested: Suggestion, content: bytes, *, by: str, at: datetime
) -> None:
    """Stores what a person decided beside what was suggested; `content` is the encrypted aspects."""
    row = {
        "referral_id": decided.referral_id,
        "assessed_at": at,
        "assessor": by,
        "risk_level": decided.risk_level,
        "competence": decided.competence,
        "work": decided.work,
        "policy_version": suggested.policy_version,
        "suggested_risk_level": suggested.risk_level,
        "suggested_competence": suggested.competence,
        "suggested_work": suggested.work,
        "suggestion": decided.suggestion,
        "override_reason": decided.override_reason,
        "content": content,
    }
    session.execute(_NEW_ASSESSMENT, row)


@dataclass(frozen=True)
class Assessed:
    """What a person decided about a referral, as far as the search goes by it."""

    assessed_at: datetime
    risk_level: RiskLevel
    competence: Competence
    work: Work


def find_decision(session: Session, referral_id: ReferralId) -> Row[Any] | None:
    """All that is kept of an assessment: what was suggested, what was decided, and the encrypted aspects."""
    return session.execute(select(assessments).where(assessments.c.referral_id == referral_id)).one_or_none()


def find_assessment(session: Session, referral_id: ReferralId) -> Assessed | None:
    """None before the assessment, and for old ones that were stored without what the search needs."""
    columns = (assessments.c.assessed_at, assessments.c.risk_level, assessments.c.competence, assessments.c.work)
    of_search = (assessments.c.referral_id == referral_id, assessments.c.competence.is_not(None))
    found = session.execute(select(*columns).where(*of_search)).one_or_none()
    return Assessed(*found) if found else None
