"""Two that are asked the same at once are answered as if one had been asked after the other."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select

from contracts.sealed import DutyContact
from services.billing.store.tables import award_table, match_table
from tests.unit.commands.asking import COMMANDS, SERVICES, Requests, Service
from tests.unit.commands.racing import Asked, Race, unnamed

ROUNDS = int(os.environ.get("LEEWARD_COMMAND_ROUNDS", "4"))


def open_fund(service: Service) -> Asked:
    terms = [{"purpose": "therapy"}]
    asked = {"name": "A gift at once", "amount_pence": 100, "starts_on": "2026-11-23", "ends_on": "2027-11-22"}
    return "open_fund", {**asked, "terms": terms}


def record_attendance(service: Service) -> Asked:
    with service.bench.database.reading() as unit:
        held = select(award_table.c.referral_id)
        wanted = select(match_table.c.referral_id).where(match_table.c.referral_id.not_in(held)).limit(1)
        referral_id = unit.session.execute(wanted).scalar_one()
    service.bench.clock.advance(timedelta(days=1))
    return "record_attendance", {"referral_id": str(referral_id), "attended_on": "2026-11-24"}


def draw_down(service: Service) -> Asked:
    award_id = service.ids()["award_id"][0]
    return "draw_down", {"award_id": str(award_id), "attended_on": "2026-11-23"}


def record_payment(service: Service) -> Asked:
    invoice_id = service.ids()["invoice_id"][0]
    return "record_payment", {"invoice_id": str(invoice_id), "amount_pence": 100, "reference": "BACS 1"}


def admit_therapist(service: Service) -> Asked:
    asked = {"therapist_id": str(uuid4()), "contact": "sealed", "competence": "lower", "client_groups": ["at_risk"],
             "couple_work": False, "outward_code": "NP20", "sessions": "online", "languages": ["en"],
             "session_fee_pence": 60_00, "sex": "female", "wheelchair_access": True, "places": 1}  # fmt: skip
    return "admit_therapist", asked


def accept_offer(service: Service) -> Asked:
    (offer, *_) = service.ask("offers", {})
    return "accept_offer", {"offer_id": offer["offer_id"], "therapist_id": offer["therapist_id"]}


def keep_staff(service: Service) -> Asked:
    contact = DutyContact(name="Jo Made-Up", email="jo@example.org")
    return "keep_staff", {"staff_id": str(uuid4()), "contact": service.keyring.seal("notifications", contact)}


def take_up(service: Service) -> Asked:
    return "take_up", {"referral_id": service.ask("awaiting_assessment", {})[0]["referral_id"]}


def link(service: Service) -> Asked:
    one, other = service.ids()["referral_id"][:2]
    asked = {"kind": "partner", "reason": "said_by_client"}
    return "link", {"referral_id": str(one), "other_referral_id": str(other), **asked}


def place_hold(service: Service) -> Asked:
    return "place_hold", {"reference": service.references[0], "reason": "complaint"}


def erase(service: Service) -> Asked:
    asked = {"reference": service.references[1], "reason": "client_asked", "anyway": True}
    return "erase", asked


AGAIN = {
    ("billing", open_fund): "FundNameTaken",
    ("billing", record_attendance): "SessionRecordedAlready",
    ("billing", draw_down): "SessionRecordedAlready",
    ("billing", record_payment): "the same answer",
    ("matching", admit_therapist): {"changed": False},
    ("matching", accept_offer): "OfferNoLongerOpen",
    ("notifications", keep_staff): "the same answer",
    ("intake", take_up): "StepNotPossible",
    ("intake", link): "CannotLink",
    ("intake", place_hold): "AlreadyOnHold",
    ("intake", erase): "the same answer",
}
"""What comes of a command that was carried out a moment ago, asked in the same words."""


@pytest.mark.parametrize(("case", "expected"), AGAIN.items(), ids=[ask.__name__ for _, ask in AGAIN])
def test_the_second_of_two_at_once_is_answered_as_if_it_had_come_later(
    serve: Callable[[str, str], Service], case: tuple[str, Callable[[Service], Asked]], expected: Any
) -> None:
    name, make = case
    service = serve(name, "postgresql")
    asked = make(service)
    first, second = Race(service).run(asked, asked)
    assert not isinstance(first, Exception), first
    if expected == "the same answer":
        assert second == first
    else:
        assert expected in (second, type(second).__name__), second


@pytest.mark.parametrize("name", SERVICES)
def test_whatever_is_asked_twice_at_once_is_answered_or_refused_by_name(
    serve: Callable[[str, str], Service], name: str
) -> None:
    service = serve(name, "postgresql")
    race, broken = Race(service), {}
    for seed in range(ROUNDS):
        requests = Requests(service, seed)
        for command, shape in [(command, shape) for of, command, shape in COMMANDS if of == name]:
            asked = command, requests.of(shape)
            for outcome in race.run(asked, asked):
                if unnamed(outcome):
                    broken[command, type(outcome).__name__] = f"{outcome!s:.300} {asked!s:.600}"
    assert not broken, "\n".join(f"{key}: {value}" for key, value in broken.items())
