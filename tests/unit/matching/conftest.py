"""Matching on a store of its own, with therapists and referrals made up for each test."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from chassis.testing import HandlerBench
from contracts.commands.matching import AcceptOffer, AdmitTherapist, AskStanding, DeclineOffer, ListOffers, Standing
from contracts.events.intake import ReferralAssessed, ReferralReceived
from contracts.vocabulary import (
    AgeBand,
    ClientGroup,
    Competence,
    DeclineReason,
    Known,
    ReferralId,
    RiskLevel,
    Route,
    Sessions,
    Sex,
    TherapistId,
    Work,
)
from services.matching import commands, handlers, search, store
from services.matching.gateways.places import OutwardCodes
from services.matching.settings import MatchingSettings
from services.matching.tools import Tools

TIMERS = {
    search.EXPIRE_OFFER: handlers.expire_offer,
    search.STALLED: handlers.report_stalled,
    search.SERVE_WAITING_LIST: handlers.serve_waiting_list,
}
SETTINGS = MatchingSettings(offer_working_days=2, stalled_after_working_days=5)
PLACES = OutwardCodes()
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
        self.fire_due(TIMERS)
        return therapist_id

    def receive(self, **changes: Any) -> ReferralId:
        event = self.received(ReferralId(uuid4()), **changes)
        self.hear(handlers.note_referral, event)
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

    def assess(self, referral_id: ReferralId, **changes: Any) -> None:
        found = {
            "referral_id": referral_id,
            "assessed_at": datetime(2026, 11, 23, 9, 30, tzinfo=UTC),
            "risk_level": RiskLevel.LOWER,
            "competence": Competence.LOWER,
            "work": Work.INDIVIDUAL,
        }
        self.hear(handlers.note_assessment, ReferralAssessed(**(found | changes)))

    def search_for(self, **changes: Any) -> ReferralId:
        """Received and assessed; what belongs to the assessment goes there."""
        of_assessment = {"competence", "work", "therapist_sex", "wheelchair_access"}
        assessment = {name: value for name, value in changes.items() if name in of_assessment}
        referral_id = self.receive(**{name: value for name, value in changes.items() if name not in of_assessment})
        self.assess(referral_id, **assessment)
        return referral_id

    def asked(self, referral_id: ReferralId) -> TherapistId | None:
        """Who has the open offer."""
        for offer in self.ask(commands.list_offers, ListOffers()):
            if offer.referral_id == referral_id:
                return TherapistId(offer.therapist_id)
        return None

    def accept(self, referral_id: ReferralId) -> UUID:
        offer = self._offer(referral_id)
        accepted = AcceptOffer(offer_id=offer.offer_id, therapist_id=offer.therapist_id)
        match_id: UUID = self.ask(commands.accept_offer, accepted).match_id
        return match_id

    def decline(self, referral_id: ReferralId) -> None:
        offer = self._offer(referral_id)
        answer = DeclineOffer(offer_id=offer.offer_id, therapist_id=offer.therapist_id, reason=DeclineReason.AWAY)
        self.ask(commands.decline_offer, answer)
        self.fire_due(TIMERS)

    def standing(self, referral_id: ReferralId) -> Standing:
        standing: Standing = self.ask(commands.ask_standing, AskStanding(referral_id=referral_id))
        return standing

    def _offer(self, referral_id: ReferralId) -> Any:
        offers = self.ask(commands.list_offers, ListOffers())
        return next(offer for offer in offers if offer.referral_id == referral_id)


@pytest.fixture
def matching() -> Matching:
    return Matching("matching", store.metadata, tools=Tools(settings=SETTINGS, places=PLACES))
