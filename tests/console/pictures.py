"""The pictures of the console in the README: `python -m tests.console.pictures docs/pictures`, or `make pictures`.

The pages are the console's own, at a clock that stands still; what services would say is invented here, in the shapes
in which they say it, so that a picture changes only when its page does.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch
from urllib.parse import urlsplit
from uuid import UUID

from playwright.sync_api import Route, sync_playwright
from starlette.testclient import TestClient

from chassis.access.tokens import make_signing_key
from chassis.clock import ManualClock
from chassis.config import open_env
from chassis.privacy.sealing import make_keys
from chassis.privacy.vault import new_master_key
from chassis.store.migrate import migrate
from contracts.accounts import AccountId
from contracts.commands import console as lists
from contracts.commands import duplicates, intake, matching
from contracts.commands.console import WorkQueue
from contracts.permissions import FrontEnd
from contracts.reference import reference_for
from contracts.shape import Shape
from contracts.vocabulary import (
    AgeBand,
    ClientGroup,
    Competence,
    ConcernCategory,
    ReferralId,
    RiskLevel,
    Sessions,
    Severity,
    Sex,
    TherapistId,
    Work,
)
from contracts.vocabulary import (
    Route as WhoWrote,
)
from services.matching.gateways.outward_codes import OutwardCodes
from tests.console.conftest import ORIGIN, QUICK, Browser, House
from tests.support.chromium import ARGUMENTS, ensure_installed
from web.console.app import build_app
from web.console.console import STAFF, open_console
from web.console.settings import read
from web.shared.accounts.domain.grants import RoleGrant
from web.shared.accounts.domain.passwords import Passwords
from web.shared.accounts.domain.vocabulary import GrantState

NOW = datetime(2026, 12, 1, 9, 0, tzinfo=UTC)
WIDTH, HEIGHT = 1100, 760
GROUPS = [*ClientGroup]
TOTALS = (9, 1, 6, 3, 14, 5, 4, 2)
TOWNS = ("NP19", "NP20", "CF10", "NP44", "CF24", "BS1")


def id_of(number: int) -> UUID:
    return UUID(int=0x01932B5E7C0070008000000000000000 + number)


REFERRAL = ReferralId(id_of(7))


@dataclass(frozen=True)
class Picture:
    """`page` is the row of the console's table of pages, and `path` the one that is shown."""

    page: str
    path: str


PICTURES = {
    "home": Picture("/", "/"),
    "queue": Picture("/work/{queue:queue}", "/work/assessments"),
    "referral": Picture("/referrals/{referral:id}", f"/referrals/{REFERRAL}"),
    "candidates": Picture("/referrals/{referral:id}/candidates", f"/referrals/{REFERRAL}/candidates"),
    "concerns": Picture("/work/{queue:queue}", "/work/concerns"),
}


class Invented:
    """Answers like the services, about nobody."""

    def __init__(self, ada: Callable[[], AccountId]) -> None:
        self._ada = ada
        self._answers: Mapping[str, Callable[..., Shape | list[Any]]] = {
            "console.count_queues": self._counts,
            "console.queue": self._queue,
            "console.show": self._referral,
            "console.list_events": lambda **_: list(map(_event, range(len(EVENTS)), EVENTS)),
            "intake.references": lambda referral_ids: list(map(_reference, referral_ids)),
            "intake.history": lambda **_: intake.History(steps=(), possible=("hold", "withdraw", "find_place")),
            "intake.count_duplicates": lambda **_: duplicates.DuplicatesCount(pairs=1),
            "intake.waiting_contacts": lambda **_: [],
            "console.list_new_to_me": lambda **_: lists.NewToMe(total=0),
            "console.note_opened": lambda **_: lists.Opened(referral_id=REFERRAL, opened_at=NOW),
            "matching.candidates": lambda **_: _candidates(),
            "matching.outline": lambda **_: _outline(),
        }

    def ask(self, who: Any, service: str, command: str, **fields: Any) -> Any:
        """Raises KeyError for what nobody has invented yet."""
        answer = self._answers[f"{service}.{command}"](**{name: value for name, value in fields.items() if value})
        return [one.to_json() for one in answer] if isinstance(answer, list) else answer.to_json()

    def close(self) -> None:
        """Nothing was opened."""

    def _counts(self) -> list[Any]:
        totals = dict(zip(WorkQueue, TOTALS, strict=True))
        return [
            lists.QueueCount(
                queue=queue, total=total, overdue=total // 5, mine=total // 3, oldest_at=NOW - timedelta(days=total),
                unacknowledged=1 if queue is WorkQueue.CONCERNS else 0,
            )
            for queue, total in totals.items()
        ]  # fmt: skip

    def _queue(self, queue: str, **_: Any) -> Shape:
        item = _concern if queue == WorkQueue.CONCERNS else self._assessment
        return lists.QueuePage(items=tuple(map(item, range(2 if queue == WorkQueue.CONCERNS else 6))), version=1)

    def _assessment(self, number: int) -> lists.QueueItem:
        since = NOW - timedelta(hours=40 - 6 * number)
        return lists.QueueItem(
            subject_id=id_of(number), referral_id=ReferralId(id_of(number)), since=since,
            due_at=since + timedelta(hours=36), assigned_to=self._ada() if number % 2 else None,
            client_group=GROUPS[number % len(GROUPS)], route=WhoWrote.SELF, needs_safeguarding_lead=number == 3,
        )  # fmt: skip

    def _referral(self, **_: Any) -> lists.ReferralFacts:
        return lists.ReferralFacts(
            referral_id=REFERRAL, state="offered", since=NOW - timedelta(hours=20), seen=4, version=9,
            queue=WorkQueue.OFFERS, due_at=NOW + timedelta(days=1), received_at=NOW - timedelta(days=3),
            route=WhoWrote.SELF, client_group=ClientGroup.AT_RISK, age_band=AgeBand.FROM_35, language="en",
            sessions=Sessions.EITHER, assigned_to=self._ada(), assessed_at=NOW - timedelta(days=1),
            risk_level=RiskLevel.LOWER, competence=Competence.LOWER, work=Work.INDIVIDUAL, offers_made=2,
            offered_to=TherapistId(id_of(50)), offer_expires_at=NOW + timedelta(days=1), offer_distance_km=6.4,
            subsidy="approved",
        )  # fmt: skip


def _concern(number: int) -> lists.QueueItem:
    raised = NOW - timedelta(minutes=12 + 300 * number)
    return lists.QueueItem(
        subject_id=id_of(80 + number), referral_id=ReferralId(id_of(80 + number)), since=raised, due_at=raised,
        severity=Severity.IMMEDIATE if number == 0 else Severity.URGENT, category=ConcernCategory.RISK_TO_SELF,
        acknowledged_at=None if number == 0 else raised + timedelta(minutes=9), reason="duty_lead",
    )  # fmt: skip


def _reference(referral_id: Any) -> intake.ReferenceOf:
    known = ReferralId(UUID(str(referral_id)))
    return intake.ReferenceOf(referral_id=known, reference=reference_for(known))


EVENTS: tuple[tuple[str, str, dict[str, str]], ...] = (
    ("TherapistOffered", "matching", {}),
    ("OfferDeclined", "matching", {"reason": "no_room"}),
    ("SubsidyApproved", "billing", {}),
    ("ReferralAssessed", "intake", {}),
    ("MessageSent", "notifications", {"template": "acknowledgement", "channel": "email"}),
    ("ReferralReceived", "intake", {}),
)
"""What happened to the referral, the newest first."""


def _event(number: int, told: tuple[str, str, dict[str, str]]) -> lists.EventSeen:
    event, publisher, facts = told
    return lists.EventSeen(
        position=len(EVENTS) - number, event=event, publisher=publisher,
        happened_at=NOW - timedelta(hours=20 + 9 * number),
        facts=tuple(lists.EventFact(name=name, value=value) for name, value in facts.items()),
    )  # fmt: skip


def _therapist(number: int) -> matching.TherapistView:
    return matching.TherapistView(
        therapist_id=TherapistId(id_of(50 + number)), outward_code=TOWNS[number],
        competence=[*Competence][number % len(Competence)], client_groups=(ClientGroup.AT_RISK,), couple_work=False,
        sessions=Sessions.EITHER, languages=("en",), works_with_interpreters=False,
        session_fee_pence=55_00 + 2_50 * number,
        sex=Sex.FEMALE, wheelchair_access=True, places=1 + number % 3, places_held=0,
        admitted_at=NOW,
    )  # fmt: skip


def _candidates() -> matching.CandidatesExplained:
    pence = 20_00
    suitable = [
        matching.ConsideredTherapist(
            therapist=_therapist(number), rank=number + 1, sessions=Sessions.IN_PERSON, unmet=number // 2,
            distance_km=3.2 + 4.1 * number, client_pays_pence=pence, at=_at(TOWNS[number]),
        )
        for number in range(4)
    ]  # fmt: skip
    reasons = (
        matching.ExclusionView(reason=matching.ExclusionReason.TOO_FAR, by=14.0),
        matching.ExclusionView(reason=matching.ExclusionReason.FEE_TOO_HIGH, by=7_50.0),
    )
    others = [
        matching.ConsideredTherapist(
            therapist=_therapist(4 + number), exclusions=(reason,), can_be_chosen=True, at=_at(TOWNS[4 + number])
        )
        for number, reason in enumerate(reasons)
    ]
    more = matching.RelaxationView(relaxation=matching.Relaxation.FURTHER, more=3)
    considered = (*suitable, *others)
    return matching.CandidatesExplained(
        considered=considered, candidates=4, others=2, what_if=(more,), client_at=_at("NP18")
    )


def _at(outward_code: str) -> matching.Position | None:
    point = OutwardCodes().locate(outward_code)
    return matching.Position(latitude=point.latitude, longitude=point.longitude) if point else None


def _outline() -> matching.Outline:
    degrees = OutwardCodes().outline
    return matching.Outline(
        positions=tuple(matching.Position(latitude=north, longitude=east) for north, east in degrees)
    )


def _house(folder: Path) -> Browser:
    """Somebody with every role, at a console of its own that asks no service."""
    for reader in ("notifications", "intake"):
        make_keys(folder / "keys", reader)
    make_signing_key(folder / "keys", FrontEnd.CONSOLE)
    settings = {
        "LEEWARD_CONSOLE": "localhost:8001", "AMQP_URI": "amqp://guest:guest@127.0.0.1:1/",
        "ACCOUNTS_DATABASE_URL": f"sqlite:///{folder}/accounts.db", "CONSOLE_MASTER_KEY": new_master_key(),
        "LEEWARD_KEYS": str(folder / "keys"), "SITE_CHARITY": "The Example Trust",
    }  # fmt: skip
    migrate("accounts", settings["ACCOUNTS_DATABASE_URL"])
    clock = ManualClock(NOW - timedelta(seconds=90))
    with patch.dict(os.environ, settings):
        read_settings = read(open_env())
    console = open_console(read_settings, clock, passwords=Passwords(QUICK))
    accounts = console.application.accounts

    def ada() -> AccountId:
        with accounts.reading() as work:
            found = work.accounts.find_by_email("ada@example.org")
        assert found
        return AccountId(found.account.id)

    desk = replace(console.desk, services=Invented(ada))  # type: ignore[arg-type]
    application = replace(console.application, alerts=desk.unacknowledged)
    app = build_app(replace(console, desk=desk, application=application), read_settings)
    client = TestClient(app, base_url=ORIGIN, follow_redirects=True)
    browser = House(accounts, clock, read_settings, lambda: Browser(client, clock)).first_administrator()
    with accounts.work() as work:
        for role in STAFF - {grant.role for grant in work.accounts.find(ada()).grants}:  # type: ignore[union-attr]
            work.accounts.add_grant(RoleGrant(ada(), role, GrantState.EFFECTIVE, None, NOW))
    clock.advance(NOW - clock.now())
    return browser


def main(folder: Path) -> None:
    with TemporaryDirectory() as scratch, sync_playwright() as playwright:
        browser = _house(Path(scratch))
        chromium = playwright.chromium.launch(executable_path=ensure_installed(), args=ARGUMENTS)
        page = chromium.new_page(viewport={"width": WIDTH, "height": HEIGHT})

        def answer(route: Route) -> None:
            asked = urlsplit(route.request.url)
            got = browser.client.get(f"{asked.path}?{asked.query}")
            kept = {"content-type": got.headers["content-type"]}
            route.fulfill(status=got.status_code, headers=kept, body=got.content)

        page.route("**/*", answer)
        folder.mkdir(parents=True, exist_ok=True)
        for name, picture in PICTURES.items():
            shown = page.goto(f"{ORIGIN}{picture.path}")
            if shown is None or shown.status != 200:
                raise RuntimeError(f"{picture.path} can't be shown")
            page.screenshot(path=folder / f"{name}.png")
        chromium.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
