"""Matching's tables, and which aggregates are mapped to them."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Uuid,
    text,
)
from sqlalchemy.orm import registry

from chassis.store.tables import Instant, code, new_metadata
from contracts.vocabulary import (
    AgeBand,
    ClientGroup,
    Competence,
    LinkKind,
    MatchEndReason,
    RiskLevel,
    Sessions,
    Sex,
    StallReason,
    Work,
)
from services.matching.domain.links import Link
from services.matching.domain.offer import Match, Offer, OfferState
from services.matching.domain.referral import Referral, State, SubsidyState
from services.matching.domain.therapist import Therapist

metadata = new_metadata()


mapper = registry(metadata=metadata)


therapists = Table(
    "therapist",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("admitted_at", Instant, nullable=False),
    Column("competence", code(Competence), nullable=False),
    Column("client_groups", JSON, nullable=False),
    Column("couple_work", Boolean, nullable=False),
    Column("outward_code", String(4), nullable=False),
    Column("latitude", Float),
    Column("longitude", Float),
    Column("sessions", code(Sessions), nullable=False),
    Column("languages", JSON, nullable=False),
    Column("session_fee_pence", Integer, nullable=False),
    Column("sex", code(Sex), nullable=False),
    Column("wheelchair_access", Boolean, nullable=False),
    Column("places", Integer, nullable=False),
    Column("places_held", Integer, nullable=False),
    Column("suspensions", JSON, nullable=False),
    Column("suspended", Boolean, nullable=False),
    Column("membership_sequence", Integer, nullable=False),
    Column("works_with_interpreters", Boolean, nullable=False),
    Column("young_from_years", Integer, nullable=False),
    Column("young_to_years", Integer, nullable=False),
    Column("away_until", Date),
    Column("last_offered_at", Instant),
    Column("expired_in_a_row", Integer, nullable=False),
    Column("asked_last", Boolean, nullable=False),
    CheckConstraint("places_held >= 0 AND places >= 0", name="places_not_negative"),
    Index(None, "latitude", "longitude"),
)


# Client groups and languages of therapists once more, a row each: an index can't look into a JSON list.
therapist_groups = Table(
    "therapist_group",
    metadata,
    Column("client_group", code(ClientGroup), primary_key=True),
    Column("therapist_id", Uuid, ForeignKey("therapist.id"), primary_key=True, index=True),
    Column("latitude", Float),
    Column("longitude", Float),
    Index(None, "client_group", "latitude", "longitude"),
    sqlite_with_rowid=False,
)


therapist_languages = Table(
    "therapist_language",
    metadata,
    Column("language", String(3), primary_key=True),
    Column("therapist_id", Uuid, ForeignKey("therapist.id"), primary_key=True, index=True),
    sqlite_with_rowid=False,
)


referrals = Table(
    "referral",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("client_group", code(ClientGroup), nullable=False),
    Column("latitude", Float),
    Column("longitude", Float),
    Column("language", String(3), nullable=False),
    Column("sessions", code(Sessions), nullable=False),
    Column("max_distance_km", Float, nullable=False),
    Column("fee_ceiling_pence", Integer),
    Column("subsidy", code(SubsidyState), nullable=False),
    Column("subsidy_pence_per_session", Integer, nullable=False),
    Column("billing_sequence", Integer, nullable=False),
    Column("received_sequence", Integer, nullable=False),
    Column("search_sequence", Integer, nullable=False),
    Column("on_hold", Boolean, nullable=False),
    Column("competence", code(Competence)),
    Column("work", code(Work)),
    Column("therapist_sex", code(Sex)),
    Column("wheelchair_access", Boolean, nullable=False),
    Column("state", code(State), nullable=False),
    Column("offers_made", Integer, nullable=False),
    Column("waiting_since", Instant),
    Column("waiting_for", code(StallReason)),
    Column("match_id", Uuid),
    Column("therapist_id", Uuid),
    Column("age_band", code(AgeBand)),
    Column("risk_level", code(RiskLevel)),
    Column("person_id", Uuid, index=True),
    Column("duplicate_of", Uuid),
    Column("under_18", Boolean, nullable=False),
    Column("age_years", Integer),
    Column("therapist_sex_only", Boolean, nullable=False),
    Column("required_languages", JSON, nullable=False),
    Column("preferred_languages", JSON, nullable=False),
    Column("interpreter_language", String(3)),
    Column("most_per_session", Integer),
    Column("online_allowed", Boolean, nullable=False),
    Column("sought_at_release", Boolean, nullable=False),
    Column("assessment_sequence", Integer, nullable=False),
    Column("concern_open", Boolean, nullable=False),
    Column("waited_seconds", Integer, nullable=False),
    Column("stall_told", Boolean, nullable=False),
    Column("waiting_needs", String(160)),
    Index(None, "state", "waiting_since"),
)


# Partial indexes: few referrals are duplicates, and few of all there ever were are waiting.
for _first, *_others in (("duplicate_of",), ("waiting_needs", "waiting_since", "id")):
    _there = referrals.c[_first].is_not(None)
    _columns = [referrals.c[name] for name in (_first, *_others)]
    Index(None, *_columns, sqlite_where=_there, postgresql_where=_there)


offers = Table(
    "offer",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("referral_id", Uuid, ForeignKey("referral.id"), nullable=False, index=True),
    Column("therapist_id", Uuid, ForeignKey("therapist.id"), nullable=False, index=True),
    Column("offered_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("distance_km", Float, nullable=False),
    Column("sessions", code(Sessions), nullable=False),
    Column("state", code(OfferState), nullable=False, index=True),
    Column("token_hash", LargeBinary(32), index=True, unique=True),
)


_is_open = text("state = 'open'")


Index("uq_offer_open_referral", offers.c.referral_id, unique=True, sqlite_where=_is_open, postgresql_where=_is_open)


matches = Table(
    "match",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("referral_id", Uuid, ForeignKey("referral.id"), nullable=False, index=True),
    Column("therapist_id", Uuid, ForeignKey("therapist.id"), nullable=False, index=True),
    Column("matched_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("reason", code(MatchEndReason)),
    Column("end_reported_at", Instant),
)


_is_live = text("ended_at IS NULL")


Index("uq_match_live_referral", matches.c.referral_id, unique=True, sqlite_where=_is_live, postgresql_where=_is_live)


# Links between referrals, each as intake said last.
links = Table(
    "link",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("referral_id", Uuid, nullable=False, index=True),
    Column("other_id", Uuid, nullable=False, index=True),
    Column("kind", code(LinkKind), nullable=False),
    Column("stands", Boolean, nullable=False),
    Column("sequence", Integer, nullable=False),
)


mapper.map_imperatively(Link, links)


mapper.map_imperatively(Therapist, therapists)


mapper.map_imperatively(Referral, referrals)


mapper.map_imperatively(Offer, offers)


mapper.map_imperatively(Match, matches)


# Immediate concerns pause a search. Acknowledgements of others are kept too: they may arrive before the concern itself.
concerns = Table(
    "concern",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("referral_id", Uuid, nullable=False, index=True),
    Column("immediate", Boolean, nullable=False),
    Column("acknowledged", Boolean, nullable=False),
)


# Therapists with room for whom the waiting list has still to be tried, and how far down it that has come.
openings = Table(
    "opening",
    metadata,
    Column("therapist_id", Uuid, ForeignKey("therapist.id"), primary_key=True),
    Column("since", Instant, nullable=False, index=True),
    Column("tried_since", Instant),
    Column("tried_id", Uuid),
)
