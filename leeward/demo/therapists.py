"""Sample therapists. The names are invented; the places are real, and how the rest is spread is assumed.

Whatever the seed, the properties that decide how many referrals find a therapist come in fixed proportions: region,
competence, client groups, how sessions are held, and capacity. The rest is drawn at random.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import TypeVar
from uuid import UUID

from contracts.commands.matching import AdmitTherapist
from contracts.sealed import TherapistContact
from contracts.vocabulary import ClientGroup, Competence, Sessions, Sex, TherapistId
from leeward.demo import people
from leeward.demo.places import Region, pick_place

T = TypeVar("T")

REGIONS = {Region.GWENT: 0.05, Region.SOUTH_WALES: 0.05, Region.ELSEWHERE: 0.90}
"""About 6 of 120 in Gwent, because its requests are raised as well (see `requests.FIGURES`), and as many around it."""

COMPETENCES = {Competence.HIGHER: 0.40, Competence.LOWER: 0.60}
SESSIONS = {Sessions.EITHER: 0.55, Sessions.IN_PERSON: 0.25, Sessions.ONLINE: 0.20}
PLACES = dict.fromkeys(range(1, 7), 1 / 6)
"""3.5 on average: 420 for 120 therapists."""

CLIENT_GROUPS: Mapping[tuple[ClientGroup, ...], float] = {
    (ClientGroup.AT_RISK, ClientGroup.OFFENDED, ClientGroup.IN_PRISON, ClientGroup.FAMILY): 0.35,
    (ClientGroup.AT_RISK, ClientGroup.OFFENDED, ClientGroup.FAMILY): 0.25,
    (ClientGroup.AT_RISK, ClientGroup.OFFENDED): 0.12,
    (ClientGroup.AT_RISK, ClientGroup.OFFENDED, ClientGroup.FAMILY, ClientGroup.YOUNG_PERSON): 0.08,
    (ClientGroup.FAMILY, ClientGroup.YOUNG_PERSON): 0.03,
    (ClientGroup.SURVIVOR, ClientGroup.FAMILY): 0.09,
    (ClientGroup.SURVIVOR,): 0.05,
    (ClientGroup.AT_RISK, ClientGroup.OFFENDED, ClientGroup.SURVIVOR): 0.03,
}
"""Few see both survivors and those who did harm, because of the conflict of interest."""

SEXES = {Sex.FEMALE: 0.60, Sex.MALE: 0.38, Sex.OTHER: 0.02}
OTHER_LANGUAGES = {"pl": 0.04, "ur": 0.05, "pa": 0.05, "ro": 0.03, "bn": 0.03}
WELSH_IN_WALES = 0.40
COUPLE_WORK = 0.45
WHEELCHAIR_ACCESS = 0.60
SESSION_FEES_POUNDS = range(40, 121, 5)
USUAL_FEE_POUNDS = 60


@dataclass(frozen=True, kw_only=True)
class SampleTherapist:
    """A therapist to admit, with the contact still in the clear."""

    therapist_id: TherapistId
    contact: TherapistContact
    competence: Competence
    client_groups: tuple[ClientGroup, ...]
    couple_work: bool
    outward_code: str
    sessions: Sessions
    languages: tuple[str, ...]
    session_fee_pence: int
    sex: Sex
    wheelchair_access: bool
    places: int


def directory(seed: int, count: int = 120) -> list[SampleTherapist]:
    """`count` therapists, always the same for a seed and a count."""
    rng = Random(f"therapists|{seed}")
    regions = _proportioned(rng, REGIONS, count)
    competences = _proportioned(rng, COMPETENCES, count)
    groups = _proportioned(rng, CLIENT_GROUPS, count)
    sessions = _proportioned(rng, SESSIONS, count)
    places = _proportioned(rng, PLACES, count)
    columns = zip(regions, competences, groups, sessions, places, strict=True)
    return [_therapist(rng, number, *values) for number, values in enumerate(columns)]


def admission(therapist: SampleTherapist, sealed_contact: str) -> AdmitTherapist:
    """The command that admits the therapist, with the contact sealed to notifications."""
    return AdmitTherapist(
        therapist_id=therapist.therapist_id,
        contact=sealed_contact,
        competence=therapist.competence,
        client_groups=therapist.client_groups,
        couple_work=therapist.couple_work,
        outward_code=therapist.outward_code,
        sessions=therapist.sessions,
        languages=therapist.languages,
        session_fee_pence=therapist.session_fee_pence,
        sex=therapist.sex,
        wheelchair_access=therapist.wheelchair_access,
        places=therapist.places,
    )


def _therapist(
    rng: Random,
    number: int,
    region: Region,
    competence: Competence,
    groups: tuple[ClientGroup, ...],
    sessions: Sessions,
    places: int,
) -> SampleTherapist:
    place = pick_place(rng, region)
    sex = rng.choices(list(SEXES), weights=list(SEXES.values()))[0]
    return SampleTherapist(
        therapist_id=TherapistId(UUID(int=rng.getrandbits(128), version=4)),
        contact=_contact(rng, sex, number),
        competence=competence,
        client_groups=groups,
        couple_work=ClientGroup.FAMILY in groups and rng.random() < COUPLE_WORK,
        outward_code=place.outward_code,
        sessions=sessions,
        languages=_languages(rng, in_wales=place.is_in_wales),
        session_fee_pence=_session_fee_pounds(rng) * 100,
        sex=sex,
        wheelchair_access=rng.random() < WHEELCHAIR_ACCESS,
        places=places,
    )


def _contact(rng: Random, sex: Sex, number: int) -> TherapistContact:
    return TherapistContact(
        name=people.full_name(rng, sex),
        email=f"therapist.{people.email(rng, number)}",
        telephone=people.telephone(rng),
    )


def _languages(rng: Random, *, in_wales: bool) -> tuple[str, ...]:
    welsh = ("cy",) if in_wales and rng.random() < WELSH_IN_WALES else ()
    return ("en", *welsh, *(code for code, share in OTHER_LANGUAGES.items() if rng.random() < share))


def _session_fee_pounds(rng: Random) -> int:
    """Most charge about the usual fee."""
    weights = [1 / (1 + ((fee - USUAL_FEE_POUNDS) / 15) ** 2) for fee in SESSION_FEES_POUNDS]
    return rng.choices(SESSION_FEES_POUNDS, weights=weights)[0]


def _proportioned(rng: Random, shares: Mapping[T, float], count: int) -> list[T]:
    """`count` values in random order, each as often as its share says, to the nearest whole number."""
    bounds, total = [], 0.0
    for value, share in shares.items():
        total += share
        bounds.append((total, value))
    # Divides 0 to 1 into `count` equal steps; the middle of each step falls into the share of one value.
    values = [
        next((value for bound, value in bounds if (n + 0.5) / count < bound), bounds[-1][1]) for n in range(count)
    ]
    rng.shuffle(values)
    return values
