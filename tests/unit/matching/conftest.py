"""Matching on a store of its own, with therapists and referrals made up for each test."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from chassis.privacy.sealing import Keyring, make_keys
from chassis.testing import HandlerBench
from contracts.commands.matching import (
    AcceptOffer,
    AdmitTherapist,
    DeclineOffer,
    EndMatch,
    GetStanding,
    ListOffers,
    Standing,
)
from contracts.events.billing import SubsidyApproved
from contracts.events.intake import ReferralAssessed, ReferralReceived, TherapyLanguage
from contracts.vocabulary import (
    AgeBand,
    AwardId,
    ClientGroup,
    Competence,
    DeclineReason,
    FundId,
    Known,
    MatchEndReason,
    MatchId,
    ReferralId,
    RiskLevel,
    Route,
    Sessions,
    Sex,
    TherapistId,
    Work,
)
from services.matching.application import timer_names
from services.matching.dependencies import Dependencies
from services.matching.domain.suitability import is_qualified
from services.matching.gateways.outward_codes import OutwardCodes
from services.matching.handlers import commands, events, queries, timers
from services.matching.settings import MatchingSettings
from services.matching.store import referrals, tables, therapists

TIMERS = {
    timer_names.EXPIRE_OFFER: timers.expire_offer,
    timer_names.STALLED: timers.report_stalled,
    timer_names.SERVE_WAITING_LIST: timers.serve_waiting_list,
    timer_names.COME_BACK: timers.come_back,
    timer_names.RELEASED: timers.note_release,
}
OF_ASSESSMENT = {one.name for one in fields(ReferralAssessed)} - {one.name for one in fields(ReferralReceived)}
SETTINGS = MatchingSettings(offer_working_days=2, stalled_after_working_days=5, keys_folder=Path("unused"))
PLACES = OutwardCodes()
WELSH_ONLY = (TherapyLanguage(language="cy", must=True),)
POLISH_ONLY = (TherapyLanguage(language="pl", must=True),)
NEWPORT, CARDIFF, LONDON = "NP20", "CF10", "SW1A"


class Matching(HandlerBench):
    """The bench, with the sentences that tests are written in."""

    def admit(self, **changes: Any) -> TherapistId:
        therapist_id = TherapistId(uuid4())
        stated = {
            "therapist_id": therapist_id,
            "contact": "sealed",
            "competence": Competence.LOWER,
            "client_groups": (ClientGroup.AT_RISK, ClientGroup.OFFENDED),
            "couple_work": False,
            "outward_code": NEWPORT,
            "sessions": Sessions.IN_PERSON,
            "languages": ("en",),
            "session_fee_pence": 60_00,
            "sex": Sex.FEMALE,
            "wheelchair_access": True,
            "places": 1,
        }
        self.ask(commands.admit_therapist, AdmitTherapist(**(stated | changes)))
        self.run()
        return therapist_id

    def receive(self, **changes: Any) -> ReferralId:
        event = self.received(ReferralId(uuid4()), **changes)
        self.hear(events.note_referral, event)
        return event.referral_id

    def received(self, referral_id: ReferralId, **changes: Any) -> ReferralReceived:
        told: dict[str, Any] = {
            "referral_id": referral_id,
            "received_at": datetime(2026, 11, 23, 9, 0, tzinfo=UTC),
            "route": Route.SELF,
            "client_group": ClientGroup.AT_RISK,
            "age_band": AgeBand.FROM_35,
            "outward_code": NEWPORT,
            "language": "en",
            "sessions": Sessions.IN_PERSON,
            "max_distance_km": 30.0,
            "subsidy_requested": False,
            "known_to_authorities": Known.NO,
        }
        return ReferralReceived(**(told | changes))

    def assess(self, referral_id: ReferralId, *, sequence: int | None = None, **changes: Any) -> None:
        found: dict[str, Any] = {
            "referral_id": referral_id,
            "assessed_at": datetime(2026, 11, 23, 9, 30, tzinfo=UTC),
            "risk_level": RiskLevel.LOWER,
            "competence": Competence.LOWER,
            "work": Work.INDIVIDUAL,
        }
        self.hear(events.note_assessment, ReferralAssessed(**(found | changes)), sequence=sequence)

    def search_for(self, **changes: Any) -> ReferralId:
        """Received and assessed; what belongs to the assessment goes there."""
        assessment = {name: value for name, value in changes.items() if name in OF_ASSESSMENT}
        referral_id = self.receive(**{name: value for name, value in changes.items() if name not in OF_ASSESSMENT})
        self.assess(referral_id, **assessment)
        return referral_id

    def are_made_for(self, therapist_id: TherapistId, referral_id: ReferralId) -> bool:
        """What the domain says of the two, whatever was found by index."""
        with self.database.reading() as unit:
            therapist = therapists.read_therapist(unit.session, therapist_id)
            referral = referrals.read_referral(unit.session, referral_id)
            assert therapist is not None
            assert referral is not None
            return is_qualified(therapist, referral)

    def asked(self, referral_id: ReferralId) -> TherapistId | None:
        """Who has the open offer."""
        for offer in self.ask(queries.list_offers, ListOffers()):
            if offer.referral_id == referral_id:
                return TherapistId(offer.therapist_id)
        return None

    def accept(self, referral_id: ReferralId) -> UUID:
        offer = self.offer_of(referral_id)
        accepted = AcceptOffer(offer_id=offer.offer_id, therapist_id=offer.therapist_id)
        match_id: UUID = self.ask(commands.accept_offer, accepted).match_id
        return match_id

    def decline(
        self,
        referral_id: ReferralId,
        reason: DeclineReason = DeclineReason.OUTSIDE_EXPERIENCE,
        until: date | None = None,
    ) -> None:
        offer = self.offer_of(referral_id)
        answer = DeclineOffer(offer_id=offer.offer_id, therapist_id=offer.therapist_id, reason=reason, until=until)
        self.ask(commands.decline_offer, answer)
        self.run()

    def run(self) -> None:
        """Fires what is due, and what falls due by that, until there is nothing left."""
        rounds = 0
        while self.fire_due(TIMERS):
            rounds += 1
            assert rounds < 1_000, "it comes to an end"

    def pass_time(self, **by: float) -> None:
        self.clock.advance(timedelta(**by))
        self.run()

    def end(self, match_id: UUID, reason: MatchEndReason) -> None:
        self.ask(commands.end_match, EndMatch(match_id=MatchId(match_id), reason=reason))
        self.run()

    def standing(self, referral_id: ReferralId) -> Standing:
        standing: Standing = self.ask(queries.ask_standing, GetStanding(referral_id=referral_id))
        return standing

    def offer_of(self, referral_id: ReferralId) -> Any:
        offers = self.ask(queries.list_offers, ListOffers())
        return next(offer for offer in offers if offer.referral_id == referral_id)


def a_matching(request: pytest.FixtureRequest) -> Matching:
    """On the store that the test is given."""
    url = "sqlite://"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgresql_server").create_database(f"matching_{uuid4().hex}")
    return Matching("matching", tables.metadata, dependencies=a_toolbox(request.getfixturevalue("keys")), url=url)


@pytest.fixture
def matching(keys: Path) -> Matching:
    return Matching("matching", tables.metadata, dependencies=a_toolbox(keys))


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("matching-keys")
    for reader in ("matching", "notifications"):
        make_keys(folder, reader)
    return folder


def a_toolbox(keys: Path, settings: MatchingSettings = SETTINGS) -> Dependencies:
    return Dependencies(settings=settings, locations=PLACES, keyring=Keyring(keys, reader="matching"))


def approved(referral: ReferralId, pence: int) -> SubsidyApproved:
    return SubsidyApproved(
        award_id=AwardId(uuid4()),
        referral_id=referral,
        fund_id=FundId(uuid4()),
        pence_per_session=pence,
        sessions=10,
        committed_pence=10 * pence,
        approved_at=datetime(2026, 11, 23, 10, 0, tzinfo=UTC),
    )
