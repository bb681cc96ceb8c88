"""Intake's tables and how its aggregates are kept in them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Column, ForeignKey, Integer, LargeBinary, String, Table, Uuid, bindparam, func, select
from sqlalchemy.orm import Session, registry

from chassis.store import rows
from chassis.store.tables import Instant, code, data_key_table, new_metadata
from contracts.vocabulary import ClientGroup, ConcernCategory, ConcernId, ReferralId, Severity, SubmissionId
from services.intake.domain.privacy import Erasure, Hold
from services.intake.domain.referral import Referral, State
from services.intake.domain.safeguarding import Concern
from services.intake.privacy_tables import privacy_tables

metadata = new_metadata()
mapper = registry(metadata=metadata)
data_keys = data_key_table(metadata)


referrals = Table(
    "referral",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("submission_id", Uuid, nullable=False, unique=True),
    Column("reference", String(11), nullable=False, unique=True),
    Column("client_group", code(ClientGroup), nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("assess_by", Instant, nullable=False),
    Column("passphrase_mark", LargeBinary, nullable=False),
    Column("state", code(State), nullable=False, index=True),
    Column("match_id", Uuid),
    Column("therapist_id", Uuid),
    Column("matching_sequence", Integer, nullable=False),
    Column("failed_passphrases", Integer, nullable=False),
    Column("locked_until", Instant),
)

personal_records = Table(
    "personal_record",
    metadata,
    Column("referral_id", Uuid, ForeignKey("referral.id"), primary_key=True),
    Column("form", String(64), nullable=False),
    Column("form_version", Integer, nullable=False),
    Column("content", LargeBinary, nullable=False),
)

assessments = Table(
    "assessment",
    metadata,
    Column("referral_id", Uuid, ForeignKey("referral.id"), primary_key=True),
    Column("assessed_at", Instant, nullable=False),
    Column("assessor", String(120), nullable=False),
    Column("content", LargeBinary, nullable=False),
)

concerns = Table(
    "safeguarding_concern",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("referral_id", Uuid, ForeignKey("referral.id"), nullable=False, index=True),
    Column("severity", code(Severity), nullable=False),
    Column("category", code(ConcernCategory), nullable=False),
    Column("raised_at", Instant, nullable=False),
    Column("raised_by", String(120), nullable=False),
    Column("acknowledged_at", Instant),
)

privacy = privacy_tables(metadata)

mapper.map_imperatively(Referral, referrals)
mapper.map_imperatively(Concern, concerns)
mapper.map_imperatively(Erasure, privacy.erasure)
mapper.map_imperatively(Hold, privacy.legal_hold)

# Every request and assessment runs these, so they are built once.
_BY_REFERENCE = select(Referral).where(referrals.c.reference == bindparam("reference")).with_for_update()
_BY_SUBMISSION = select(Referral).where(referrals.c.submission_id == bindparam("submission_id"))
_RECORD = select(personal_records.c.content).where(personal_records.c.referral_id == bindparam("referral_id"))
_NEW_RECORD, _NEW_ASSESSMENT = personal_records.insert(), assessments.insert()


class NoSuchReferral(LookupError):
    """Intake holds no referral of this identity."""


def get_referral(session: Session, referral_id: ReferralId) -> Referral:
    """Raises NoSuchReferral."""
    referral = rows.lock(session, Referral, referral_id)
    if referral is None:
        raise NoSuchReferral(f"there is no referral {referral_id}")
    return referral


def find_by_reference(session: Session, reference: str) -> Referral | None:
    return session.execute(_BY_REFERENCE, {"reference": reference}).scalar_one_or_none()


def find_by_submission(session: Session, submission_id: SubmissionId) -> Referral | None:
    return session.execute(_BY_SUBMISSION, {"submission_id": submission_id}).scalar_one_or_none()


def awaiting_assessment(session: Session, limit: int) -> list[Referral]:
    """The longest waiting first."""
    waiting = select(Referral).where(referrals.c.state == State.RECEIVED).order_by(referrals.c.received_at)
    return list(session.execute(waiting.limit(limit)).scalars())


def save_personal_record(session: Session, referral: Referral, form: str, version: int, content: bytes) -> None:
    session.flush()
    row = {"referral_id": referral.id, "form": form, "form_version": version, "content": content}
    session.execute(_NEW_RECORD, row)


def get_personal_record(session: Session, referral_id: ReferralId) -> bytes:
    """The encrypted record. Raises NoSuchReferral."""
    content: bytes | None = session.connection().execute(_RECORD, {"referral_id": referral_id}).scalar()
    if content is None:
        raise NoSuchReferral(f"there is no record of referral {referral_id}")
    return content


def save_assessment(session: Session, referral_id: ReferralId, assessor: str, content: bytes, at: datetime) -> None:
    row = {"referral_id": referral_id, "assessor": assessor, "content": content, "assessed_at": at}
    session.execute(_NEW_ASSESSMENT, row)


def find_concern(session: Session, concern_id: ConcernId) -> Concern | None:
    return rows.find(session, Concern, concern_id)


def concerns_of(session: Session, referral_id: ReferralId) -> list[Concern]:
    wanted = select(Concern).where(concerns.c.referral_id == referral_id).order_by(concerns.c.raised_at, concerns.c.id)
    return list(session.execute(wanted).scalars())


def count_by_state(session: Session) -> list[tuple[str, int]]:
    counted = select(referrals.c.state, func.count()).group_by(referrals.c.state).order_by(referrals.c.state)
    return [(state.value, count) for state, count in session.execute(counted)]
