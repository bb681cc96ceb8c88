"""Who waits and who has room: written into matching's database as they would stand there after a day of trying."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Table, create_engine, text

from chassis.ids import new_id
from contracts.events.intake import ReferralAssessed, ReferralReceived
from contracts.vocabulary import (
    AgeBand,
    ClientGroup,
    Competence,
    Known,
    PersonId,
    ReferralId,
    RiskLevel,
    Route,
    Sessions,
    Sex,
    StallReason,
    TherapistId,
    Work,
)
from services.matching.domain.referral import Referral, State, SubsidyState
from services.matching.domain.therapist import Therapist
from services.matching.store import tables

CAN_PAY_PENCE, FEE_PENCE, TOO_DEAR_PENCE = 40_00, 40_00, 200_00
SUITED, SUITABLE, ROOMY = 400, 20, 5
NEWPORT, LATITUDE, LONGITUDE = "NP20", 51.59, -3.0


@dataclass(frozen=True)
class Population:
    """Identifiers, as text. `suited` are those who wait whom a `suitable` therapist could take, once they have room."""

    suited: frozenset[str]
    suitable: tuple[str, ...]
    too_dear: str
    somebody: str
    """One of all who wait."""


def populate(url: str, count: int) -> Population:
    """`count` who wait, and as many therapists of another kind with room; and few who suit each other."""
    now = datetime.now(UTC)
    waiting = [_waiting(ClientGroup.AT_RISK, now - timedelta(days=2, seconds=number)) for number in range(count)]
    suited = [_waiting(ClientGroup.FAMILY, now - timedelta(days=1, seconds=number)) for number in range(SUITED)]
    others = [_therapist(ClientGroup.SURVIVOR, places=3) for _ in range(count)]
    suitable = [_therapist(ClientGroup.FAMILY, places=0) for _ in range(SUITABLE)]
    roomy = [_therapist(ClientGroup.OFFENDED, places=200) for _ in range(ROOMY)]
    too_dear = _therapist(ClientGroup.AT_RISK, places=0, fee_pence=TOO_DEAR_PENCE)
    therapists = [*others, *suitable, *roomy, too_dear]
    engine = create_engine(url)
    with engine.begin() as connection:
        for table, rows in _rows(therapists, [*waiting, *suited]):
            connection.execute(table.insert(), rows)
        if engine.dialect.name == "postgresql":  # as it does by itself within a minute
            connection.execute(text("ANALYZE"))
    engine.dispose()
    return Population(
        suited=frozenset(str(one.id) for one in suited),
        suitable=tuple(str(one.id) for one in suitable),
        too_dear=str(too_dear.id),
        somebody=str(waiting[0].id),
    )


def newcomer() -> tuple[ReferralReceived, ReferralAssessed]:
    """Somebody for whom there is always room."""
    referral_id, now = ReferralId(new_id()), datetime.now(UTC)
    received = ReferralReceived(
        referral_id=referral_id,
        received_at=now,
        route=Route.SELF,
        client_group=ClientGroup.OFFENDED,
        age_band=AgeBand.FROM_35,
        outward_code=NEWPORT,
        language="en",
        sessions=Sessions.EITHER,
        max_distance_km=30.0,
        subsidy_requested=False,
        known_to_authorities=Known.NO,
    )
    assessed = ReferralAssessed(
        referral_id=referral_id,
        assessed_at=now,
        risk_level=RiskLevel.LOWER,
        competence=Competence.LOWER,
        work=Work.INDIVIDUAL,
    )
    return received, assessed


def _rows(therapists: list[Therapist], referrals: list[Referral]) -> Iterator[tuple[Table, list[dict[str, Any]]]]:
    yield tables.therapists, _as_rows(tables.therapists, therapists)
    groups = [
        {"client_group": group, "therapist_id": one.id, "latitude": one.latitude, "longitude": one.longitude}
        for one in therapists
        for group in one.client_groups
    ]
    yield tables.therapist_groups, groups
    spoken = [{"language": language, "therapist_id": one.id} for one in therapists for language in one.languages]
    yield tables.therapist_languages, spoken
    yield tables.referrals, _as_rows(tables.referrals, referrals)


def _as_rows(table: Table, objects: Iterable[object]) -> list[dict[str, Any]]:
    return [{column.name: getattr(one, column.name) for column in table.columns} for one in objects]


def _therapist(group: ClientGroup, *, places: int, fee_pence: int = FEE_PENCE) -> Therapist:
    return Therapist(
        id=TherapistId(new_id()),
        admitted_at=datetime.now(UTC),
        competence=Competence.HIGHER,
        client_groups=[group],
        couple_work=True,
        outward_code=NEWPORT,
        latitude=LATITUDE,
        longitude=LONGITUDE,
        sessions=Sessions.EITHER,
        languages=["en"],
        session_fee_pence=fee_pence,
        sex=Sex.FEMALE,
        wheelchair_access=True,
        places=places,
    )


def _waiting(group: ClientGroup, since: datetime) -> Referral:
    referral_id = ReferralId(new_id())
    referral = Referral(
        id=referral_id,
        person_id=PersonId(referral_id),
        client_group=group,
        latitude=LATITUDE,
        longitude=LONGITUDE,
        language="en",
        sessions=Sessions.EITHER,
        max_distance_km=30.0,
        fee_ceiling_pence=CAN_PAY_PENCE,
        subsidy=SubsidyState.NOT_REQUESTED,
        competence=Competence.LOWER,
        work=Work.INDIVIDUAL,
        state=State.WAITING,
    )
    referral.wait(waiting_for=StallReason.NOBODY_WITH_ROOM, at=since)
    return referral
