"""Sample requests for help.

Two tables below hold how often each property occurs and where the figure is from: published by the charity, or assumed.
The published figures hold for all client groups together; GROUPS splits them so that properties don't contradict each
other (nobody is in custody and unknown to the authorities).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TypeVar

from contracts.sealed import Consents, HelpSubmission, LegalSituation, SafeChannel, SafeContact, SafeHours
from contracts.vocabulary import ClientGroup, Known, Route, Sessions, Sex, Work
from leeward.demo import people
from leeward.demo.places import Place, Region, pick_place, pick_postcode
from leeward.demo.wording import CONCERNS, HOPES

PUBLISHED, ASSUMED = "published", "assumed"


@dataclass(frozen=True)
class Figure:
    """The share, from 0 to 1, of those named in `of` for whom something is so, and where the figure is from."""

    share: float
    source: str
    of: str = "all requests"


FIGURES = {
    "male": Figure(0.90, PUBLISHED, "those who say their sex"),
    "refers_self": Figure(0.89, PUBLISHED),
    "never_known_to_authorities": Figure(0.36, PUBLISHED),
    # Raised on purpose: about 0.9 % of the UK's people live in Gwent, whose fund is one of the charity's real ones.
    "lives_in_gwent": Figure(0.08, ASSUMED),
    "asks_for_subsidy": Figure(0.15, ASSUMED, "requests from outside Gwent"),
    "asks_for_subsidy_in_gwent": Figure(0.50, ASSUMED, "requests from Gwent"),
    "says_what_they_can_pay": Figure(0.25, ASSUMED, "those who ask for no subsidy"),
    "gives_outward_code_only": Figure(0.10, ASSUMED),
    "identifiable_person_at_risk": Figure(0.01, ASSUMED),
    "reached_by_email": Figure(0.70, ASSUMED),
    "any_hours": Figure(0.70, ASSUMED),
    "discreet": Figure(0.80, ASSUMED),
    "may_leave_message": Figure(0.25, ASSUMED, "those who are reached by telephone"),
    "says_sex": Figure(0.97, ASSUMED),
    "says_age": Figure(0.96, ASSUMED, "adults"),
    "says_concern": Figure(0.85, ASSUMED),
    "says_hopes": Figure(0.60, ASSUMED),
    "unsure_whether_known": Figure(0.06, ASSUMED, "those who are not unknown"),
    "couple_work": Figure(0.30, ASSUMED, "families"),
    "partner_work": Figure(0.20, ASSUMED, "families"),
    "survivor_prefers_therapist_sex": Figure(0.60, ASSUMED, "survivors"),
    "other_prefers_therapist_sex": Figure(0.05, ASSUMED, "all but survivors"),
    "wheelchair_access": Figure(0.03, ASSUMED),
    "welsh": Figure(0.15, ASSUMED, "requests from Wales"),
    "other_language": Figure(0.05, ASSUMED),
    "evaluation": Figure(0.70, ASSUMED),
    "research": Figure(0.40, ASSUMED),
}


@dataclass(frozen=True)
class GroupFigures:
    """Shares within one client group, all assumed so that the groups together give the published figures."""

    share: float
    male: float
    refers_self: float
    never_known: float


GROUPS = {
    ClientGroup.AT_RISK: GroupFigures(0.38, male=0.983, refers_self=0.96, never_known=0.75),
    ClientGroup.OFFENDED: GroupFigures(0.42, male=0.983, refers_self=0.91, never_known=0.12),
    ClientGroup.IN_PRISON: GroupFigures(0.05, male=0.983, refers_self=0.60, never_known=0.00),
    ClientGroup.FAMILY: GroupFigures(0.07, male=0.25, refers_self=0.96, never_known=0.20),
    ClientGroup.SURVIVOR: GroupFigures(0.05, male=0.40, refers_self=0.92, never_known=0.15),
    ClientGroup.YOUNG_PERSON: GroupFigures(0.03, male=0.90, refers_self=0.00, never_known=0.10),
}

T = TypeVar("T")
Weights = Mapping[T, float]

PROFESSIONALS: Weights[Route] = {
    Route.PROBATION: 35, Route.SOCIAL_SERVICES: 20, Route.GP: 20, Route.SOLICITOR: 15, Route.POLICE: 10,
}  # fmt: skip
PRISON_PROFESSIONALS: Weights[Route] = {Route.PROBATION: 80, Route.SOLICITOR: 20}
YOUNG_PERSONS_ROUTES: Weights[Route] = {Route.GUARDIAN: 60, Route.SOCIAL_SERVICES: 40}

LEGAL_SITUATIONS: Weights[LegalSituation] = {
    LegalSituation.UNDER_INVESTIGATION: 30, LegalSituation.ON_BAIL: 15, LegalSituation.CHARGED: 8,
    LegalSituation.CONVICTED: 30, LegalSituation.ON_LICENCE: 12, LegalSituation.NOT_SAID: 5,
}  # fmt: skip
"""Of those who have offended and are known to the authorities."""

ADULT_AGES: Weights[range] = {
    range(18, 25): 10, range(25, 35): 26, range(35, 45): 26, range(45, 55): 20, range(55, 65): 13, range(65, 86): 5,
}  # fmt: skip
YOUNG_AGES: Weights[range] = {range(5, 10): 5, range(10, 13): 15, range(13, 18): 80}
"""The youngest so far was five."""

SESSIONS: Weights[Sessions] = {Sessions.EITHER: 50, Sessions.IN_PERSON: 22, Sessions.ONLINE: 28}
DISTANCES_KM: Weights[int] = {10: 8, 15: 12, 20: 20, 25: 12, 30: 22, 40: 14, 50: 8, 60: 4}
SUBSIDISED_CEILINGS_POUNDS: Weights[int] = {
    0: 10, 5: 3, 10: 8, 15: 6, 20: 14, 25: 9, 30: 14, 35: 6, 40: 14, 45: 5, 50: 7, 55: 2, 60: 2,
}  # fmt: skip
OTHER_CEILINGS_POUNDS: Weights[int] = {60: 20, 70: 25, 80: 25, 90: 15, 100: 15}
OTHER_LANGUAGES: Weights[str] = {"pl": 30, "ur": 20, "pa": 20, "ro": 15, "bn": 15}
HOURS: Weights[SafeHours] = {SafeHours.EVENING: 50, SafeHours.MORNING: 25, SafeHours.AFTERNOON: 25}
CHANNELS: Weights[SafeChannel] = {
    SafeChannel.TELEPHONE: 55, SafeChannel.TEXT: 10, SafeChannel.POST: 12, SafeChannel.CLIENT_CALLS: 23,
}  # fmt: skip
"""Of those who are not reached by e-mail and not in prison, who are all written to."""

FIRST_GIVEN_AT = datetime(2026, 2, 2, 9, 0, tzinfo=UTC)
BETWEEN_REQUESTS = timedelta(minutes=11)


def sample_requests(count: int, seed: int) -> Iterator[HelpSubmission]:
    """`count` requests for help, always the same for a seed; a smaller count gives the beginning of the same list."""
    rng = Random(f"requests|{seed}")
    for number in range(count):
        yield _request(rng, number, _draw(rng))


@dataclass(frozen=True)
class _Drawn:
    """The properties of a request that others depend on, drawn first."""

    group: ClientGroup
    sex: Sex | None
    known: Known
    place: Place
    subsidy: bool


def _draw(rng: Random) -> _Drawn:
    group = _pick(rng, {group: figures.share for group, figures in GROUPS.items()})
    sex = _sex(rng, group)
    known = _known(rng, group)
    gwent = _happens(rng, "lives_in_gwent")
    place = pick_place(rng, Region.GWENT if gwent else Region.ELSEWHERE)
    return _Drawn(group, sex, known, place, _happens(rng, "asks_for_subsidy_in_gwent" if gwent else "asks_for_subsidy"))


def _request(rng: Random, number: int, drawn: _Drawn) -> HelpSubmission:
    return HelpSubmission(
        name=_name(rng, drawn.sex),
        age=_age(rng, drawn.group),
        sex=drawn.sex,
        route=_route(rng, drawn.group),
        client_group=drawn.group,
        postcode=_postcode(rng, drawn.place),
        contact=_contact(rng, drawn.group, number),
        concern=rng.choice(CONCERNS[drawn.group]) if _happens(rng, "says_concern") else None,
        hopes=rng.choice(HOPES) if _happens(rng, "says_hopes") else None,
        legal_situation=_legal_situation(rng, drawn.group, drawn.known),
        known_to_authorities=drawn.known,
        identifiable_person_at_risk=_happens(rng, "identifiable_person_at_risk"),
        language=_language(rng, drawn.place),
        sessions=_pick(rng, SESSIONS),
        work=_work(rng, drawn.group),
        max_distance_km=float(_pick(rng, DISTANCES_KM)),
        therapist_sex=_therapist_sex(rng, drawn.group),
        wheelchair_access=_happens(rng, "wheelchair_access"),
        subsidy_requested=drawn.subsidy,
        fee_ceiling_pence=_fee_ceiling(rng, drawn.subsidy),
        consents=_consents(rng, number),
        passphrase=people.passphrase(rng),
    )


def _happens(rng: Random, name: str) -> bool:
    return rng.random() < FIGURES[name].share


def _pick(rng: Random, weights: Weights[T]) -> T:
    return rng.choices(list(weights), weights=list(weights.values()))[0]


def _sex(rng: Random, group: ClientGroup) -> Sex | None:
    if not _happens(rng, "says_sex"):
        return None
    return Sex.MALE if rng.random() < GROUPS[group].male else _pick(rng, {Sex.FEMALE: 97, Sex.OTHER: 3})


def _name(rng: Random, sex: Sex | None) -> str | None:
    """Three in five give a full name, one in five a first name, one in five none."""
    given: Sequence[str | None] = (people.full_name(rng, sex), people.first_name(rng, sex), None)
    return rng.choices(given, weights=(3, 1, 1))[0]


def _age(rng: Random, group: ClientGroup) -> int | None:
    if group is ClientGroup.YOUNG_PERSON:
        ages: range = _pick(rng, YOUNG_AGES)
    elif _happens(rng, "says_age"):
        ages = _pick(rng, ADULT_AGES)
    else:
        return None
    return rng.choice(ages)


def _route(rng: Random, group: ClientGroup) -> Route:
    if rng.random() < GROUPS[group].refers_self:
        return Route.SELF
    others = {ClientGroup.YOUNG_PERSON: YOUNG_PERSONS_ROUTES, ClientGroup.IN_PRISON: PRISON_PROFESSIONALS}
    return _pick(rng, others.get(group, PROFESSIONALS))


def _known(rng: Random, group: ClientGroup) -> Known:
    """Whether police or social services know; of families and survivors, whether they know of the harm done."""
    if rng.random() < GROUPS[group].never_known:
        return Known.NO
    if group is not ClientGroup.IN_PRISON and _happens(rng, "unsure_whether_known"):
        return Known.UNSURE
    return Known.YES


def _legal_situation(rng: Random, group: ClientGroup, known: Known) -> LegalSituation:
    if group is ClientGroup.IN_PRISON:
        return LegalSituation.IN_CUSTODY
    if group is ClientGroup.OFFENDED and known is Known.YES:
        return _pick(rng, LEGAL_SITUATIONS)
    return LegalSituation.NOT_SAID if known is Known.UNSURE else LegalSituation.NONE


def _postcode(rng: Random, place: Place) -> str:
    return place.outward_code if _happens(rng, "gives_outward_code_only") else pick_postcode(rng, place)


def _contact(rng: Random, group: ClientGroup, number: int) -> SafeContact:
    channel = _channel(rng, group)
    by_telephone = channel is SafeChannel.TELEPHONE
    return SafeContact(
        channel=channel,
        hours=SafeHours.ANY if _happens(rng, "any_hours") else _pick(rng, HOURS),
        email=people.email(rng, number) if channel is SafeChannel.EMAIL else None,
        telephone=_telephone(rng, channel),
        address=_address(rng, group) if channel is SafeChannel.POST else None,
        may_leave_message=by_telephone and _happens(rng, "may_leave_message"),
        discreet=_happens(rng, "discreet"),
    )


def _telephone(rng: Random, channel: SafeChannel) -> str | None:
    if channel not in (SafeChannel.TELEPHONE, SafeChannel.TEXT):
        return None
    return people.telephone(rng, for_texts=channel is SafeChannel.TEXT)


def _channel(rng: Random, group: ClientGroup) -> SafeChannel:
    if group is ClientGroup.IN_PRISON:
        return SafeChannel.POST
    free = 1 - GROUPS[ClientGroup.IN_PRISON].share
    return SafeChannel.EMAIL if rng.random() < FIGURES["reached_by_email"].share / free else _pick(rng, CHANNELS)


def _address(rng: Random, group: ClientGroup) -> str:
    if group is ClientGroup.IN_PRISON:
        return f"Prisoner number X{rng.randint(1000, 9999)}XX, HMP Example"
    return people.street(rng)


def _language(rng: Random, place: Place) -> str:
    if place.is_in_wales and _happens(rng, "welsh"):
        return "cy"
    return _pick(rng, OTHER_LANGUAGES) if _happens(rng, "other_language") else "en"


def _work(rng: Random, group: ClientGroup) -> Work:
    if group is not ClientGroup.FAMILY:
        return Work.INDIVIDUAL
    couple, partner = FIGURES["couple_work"].share, FIGURES["partner_work"].share
    return _pick(rng, {Work.COUPLE: couple, Work.PARTNER: partner, Work.INDIVIDUAL: 1 - couple - partner})


def _therapist_sex(rng: Random, group: ClientGroup) -> Sex | None:
    survivor = group is ClientGroup.SURVIVOR
    if not _happens(rng, "survivor_prefers_therapist_sex" if survivor else "other_prefers_therapist_sex"):
        return None
    return _pick(rng, {Sex.FEMALE: 80, Sex.MALE: 20} if survivor else {Sex.FEMALE: 50, Sex.MALE: 50})


def _fee_ceiling(rng: Random, subsidy: bool) -> int | None:
    """Pence for each session. Whoever asks for a subsidy says what they can pay themselves."""
    if subsidy:
        return _pick(rng, SUBSIDISED_CEILINGS_POUNDS) * 100
    return _pick(rng, OTHER_CEILINGS_POUNDS) * 100 if _happens(rng, "says_what_they_can_pay") else None


def _consents(rng: Random, number: int) -> Consents:
    return Consents(
        text_version=1,
        given_at=FIRST_GIVEN_AT + number * BETWEEN_REQUESTS,
        processing=True,
        confidentiality_understood=True,
        pass_to_therapist=True,
        evaluation=_happens(rng, "evaluation"),
        research=_happens(rng, "research"),
    )
