"""Intake on a store of its own, with real keys, and with requests made up for each test."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

import pytest
from environs import Env
from sqlalchemy import select

from chassis.access.actor import Actor
from chassis.bus.delivery import Delivery, NotUnderstood, Subscription, Understood, read
from chassis.bus.messages import Incoming
from chassis.bus.settlement import Fate, Settler
from chassis.ids import new_id
from chassis.ports import EventHandler, UnitOfWork
from chassis.privacy.sealing import Keyring, make_keys
from chassis.privacy.vault import new_master_key
from chassis.store.unit_of_work import StoreUnit
from chassis.testing import HandlerBench
from contracts.commands.intake import (
    Assess,
    AwaitingAssessment,
    FindReferral,
    GetHistory,
    GetStatus,
    History,
    ListAwaiting,
    ReferralSummary,
    StatusAnswer,
)
from contracts.envelope import Envelope, source_of, to_headers
from contracts.event import Event
from contracts.events.billing import FirstSessionAttended
from contracts.events.evaluation import EvaluationRiskFlagged
from contracts.events.intake import ContactReleased, HelpRequestRefused, SafeguardingConcernRaised
from contracts.events.matching import MatchEnded, OfferDeclined, TherapistMatched, TherapistOffered
from contracts.events.notifications import SafeguardingAlertAcknowledged
from contracts.events.web import HelpRequested, WithdrawalRequested
from contracts.reference import reference_for
from contracts.sealed import Aspects, ClientContact, Credentials
from contracts.shape import Shape
from contracts.vocabulary import (
    AlertStep,
    Competence,
    ConcernCategory,
    ConcernId,
    ContactPurpose,
    FormId,
    MatchEndReason,
    MatchId,
    ReferralId,
    RefusalReason,
    RiskLevel,
    Sessions,
    Severity,
    SubmissionId,
    TherapistId,
    Work,
)
from services.intake.dependencies import Dependencies, build
from services.intake.domain.safeguarding import Concern
from services.intake.handlers import assessment, events, queries, requests, safeguarding
from services.intake.store import concerns, tables
from tests.conftest import STORES
from tests.support.postgresql import Server
from tests.support.samples import PASSPHRASE, submission

MONDAY_10 = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
HEARD: dict[type[Event], EventHandler] = {
    HelpRequested: requests.receive_request,
    WithdrawalRequested: requests.withdraw_request,
    TherapistOffered: events.note_offer,
    OfferDeclined: events.note_offer_declined,
    TherapistMatched: events.note_match,
    FirstSessionAttended: events.note_first_session,
    MatchEnded: events.note_match_ended,
    SafeguardingAlertAcknowledged: safeguarding.note_acknowledgement,
    EvaluationRiskFlagged: safeguarding.note_risk_answer,
}

R = TypeVar("R")


class Asked(NamedTuple):
    """A request that was taken in."""

    referral_id: ReferralId
    reference: str


class Intake(HandlerBench):
    """The bench, with the sentences that tests are written in."""

    def __init__(self, dependencies: Dependencies, keys: Path, url: str = "sqlite://") -> None:
        super().__init__("intake", tables.metadata, dependencies=dependencies, url=url)
        self.dependencies = dependencies
        self.keys = keys
        self.web = Keyring(keys)
        self.notifications = Keyring(keys, reader="notifications")

    # What front-ends say

    def ask_for_help(self, **changes: Any) -> Asked:
        """Submits a request that must be taken, and finds it by the reference that its sender was shown."""
        event = self.requested(**changes)
        self.submit(event)
        found = self.find(reference_for(event.submission_id))
        return Asked(ReferralId(found.referral_id), found.reference)

    def ask_and_assess(self, **changes: Any) -> Asked:
        """As `ask_for_help`, and a person has assessed it, so that a therapist is sought."""
        asked = self.ask_for_help(**changes)
        self.assess(asked.referral_id)
        return asked

    def requested(self, submission_id: UUID | None = None, **changes: Any) -> HelpRequested:
        return self.sealed_request(submission(**changes), submission_id)

    def sealed_request(self, content: Shape, submission_id: UUID | None = None) -> HelpRequested:
        sealed = self.web.seal("intake", content)
        id_ = SubmissionId(submission_id or new_id())
        return HelpRequested(submission_id=id_, form="help", form_version=1, sealed=sealed)

    def submit(self, event: HelpRequested) -> None:
        self.hear(requests.receive_request, event)

    def withdraw(self, reference: str, passphrase: str = PASSPHRASE, *, sent_ago: timedelta = timedelta()) -> None:
        typed = Credentials(reference=reference, passphrase=passphrase)
        self.hear(sent(sent_ago, requests.withdraw_request), withdrawal(self.web.seal("intake", typed)))

    # What the other services say

    def match(self, referral_id: ReferralId, *, sequence: int | None = None) -> TherapistMatched:
        event = matched(referral_id)
        self.hear(events.note_match, event, sequence=sequence)
        return event

    def end_match(self, match: TherapistMatched, reason: MatchEndReason, *, sequence: int | None = None) -> None:
        self.hear(events.note_match_ended, ended(match, reason), sequence=sequence)

    def flag_risk(self, referral_id: ReferralId) -> None:
        self.hear(safeguarding.note_risk_answer, risk_flagged(referral_id))

    def acknowledge(self, concern_id: ConcernId, referral_id: ReferralId) -> None:
        self.hear(safeguarding.note_acknowledgement, acknowledged(concern_id, referral_id, at=self.clock.now()))

    # What a person's screen says

    def assess(self, referral_id: ReferralId, *, by: Actor | None = None, **changes: Any) -> None:
        found: dict[str, Any] = {
            "referral_id": referral_id,
            "risk_level": RiskLevel.LOWER,
            "competence": Competence.LOWER,
            "work": Work.INDIVIDUAL,
            "aspects": self.web.seal("intake", Aspects(risk="Nothing at present.")),
        }
        self.ask(assessment.assess, Assess(**(found | changes)), by=by)

    def status(self, reference: str, passphrase: str = PASSPHRASE) -> StatusAnswer:
        sealed = self.web.seal("intake", Credentials(reference=reference, passphrase=passphrase))
        answer: StatusAnswer = self.ask(queries.get_status, GetStatus(sealed=sealed))
        return answer

    def find(self, reference: str) -> ReferralSummary:
        found: ReferralSummary = self.ask(queries.find_referral, FindReferral(reference=reference))
        return found

    def awaiting(self, **changes: Any) -> list[AwaitingAssessment]:
        found: list[AwaitingAssessment] = self.ask(queries.list_awaiting, ListAwaiting(**changes))
        return found

    def seal(self, content: Shape) -> str:
        """As a person's screen seals what may not be read on the way."""
        return self.web.seal("intake", content)

    # What came of it

    def steps(self, referral_id: ReferralId) -> list[tuple[str, str, str, str | None]]:
        """What is on record of each step: what, leading where, by whom, and why."""
        told: History = self.ask(queries.get_history, GetHistory(referral_id=referral_id))
        assert [one.number for one in told.steps] == list(range(1, len(told.steps) + 1))
        return [(one.step, one.state, one.taken_by, one.reason) for one in told.steps]

    def state(self, reference: str) -> str:
        return self.find(reference).state

    def refusals(self) -> list[RefusalReason]:
        return [event.reason for event in self.emitted(HelpRequestRefused)]

    def raised(self) -> list[tuple[Severity, ConcernCategory]]:
        return [(event.severity, event.category) for event in self.emitted(SafeguardingConcernRaised)]

    def concerns(self, referral_id: ReferralId) -> list[Concern]:
        return self.read(lambda unit: concerns.concerns_of(unit.session, referral_id))

    def released(self, purpose: ContactPurpose) -> list[tuple[TherapistId | None, ClientContact]]:
        """To whom contacts were released for this purpose, and what notifications finds in them."""
        return [
            (event.therapist_id, self.notifications.open(ClientContact, event.sealed))
            for event in self.emitted(ContactReleased)
            if event.purpose is purpose
        ]

    def read(self, question: Callable[[StoreUnit], R]) -> R:
        with self.database.unit() as unit:
            return question(unit)

    def stored(self) -> dict[str, list[tuple[Any, ...]]]:
        """Every row of every table but the marks of what was handled."""

        def rows(unit: StoreUnit) -> dict[str, list[tuple[Any, ...]]]:
            kept = [table for table in tables.metadata.sorted_tables if table.name != "inbox"]
            return {table.name: [tuple(row) for row in unit.session.execute(select(table))] for table in kept}

        return self.read(rows)

    def deliver(self, *messages: Delivery) -> None:
        """Settles messages as they come from the broker, in one batch; each must take effect."""
        subscriptions = {(kind.publisher, kind.__name__): Subscription(kind, heard) for kind, heard in HEARD.items()}

        def understand(one: Delivery) -> Understood | NotUnderstood:
            return read(one, subscriptions, one_user_each=False)

        settled = Settler(self.database.unit, understand).settle([understand(one) for one in messages])
        assert {one.fate for one in settled} == {Fate.DONE}


def message(event: Event, sequence: int = 1) -> Delivery:
    """The event as the broker delivers it: every delivery of the same message has the same id."""
    envelope = Envelope(
        id=new_id(),
        source=source_of(event.publisher),
        type=type(event).__name__,
        time=MONDAY_10,
        subject=str(event.subject),
        sequence=sequence,
    )
    headers, id_ = to_headers(envelope), str(envelope.id)
    incoming = Incoming(event.exchange(), envelope.type, 1, event.encode(), headers, "application/json", id_)
    return Delivery.of(incoming, MONDAY_10, service="intake")


def sent(ago: timedelta, handler: EventHandler) -> EventHandler:
    """The handler, on a message that was published so long ago."""

    def handle(unit: UnitOfWork[Any], event: Any) -> None:
        assert isinstance(unit, StoreUnit)
        assert unit.envelope is not None
        unit.envelope = unit.envelope._replace(time=unit.now - ago)
        handler(unit, event)

    return handle


def withdrawal(sealed: str) -> WithdrawalRequested:
    return WithdrawalRequested(submission_id=SubmissionId(new_id()), sealed=sealed)


def matched(referral_id: ReferralId) -> TherapistMatched:
    return TherapistMatched(
        match_id=MatchId(new_id()),
        referral_id=referral_id,
        therapist_id=TherapistId(new_id()),
        matched_at=MONDAY_10,
        distance_km=3.0,
        session_fee_pence=60_00,
        sessions=Sessions.IN_PERSON,
    )


def ended(match: TherapistMatched, reason: MatchEndReason) -> MatchEnded:
    return MatchEnded(
        match_id=match.match_id,
        referral_id=match.referral_id,
        therapist_id=match.therapist_id,
        reason=reason,
        ended_at=MONDAY_10,
    )


def risk_flagged(referral_id: ReferralId) -> EvaluationRiskFlagged:
    return EvaluationRiskFlagged(form_id=FormId(new_id()), referral_id=referral_id, instrument="core-10", item="q6")


def acknowledged(concern_id: ConcernId, referral_id: ReferralId, *, at: datetime) -> SafeguardingAlertAcknowledged:
    return SafeguardingAlertAcknowledged(
        concern_id=concern_id, referral_id=referral_id, step=AlertStep.DUTY_LEAD, acknowledged_at=at
    )


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("intake-keys")
    for reader in ("intake", "notifications"):
        make_keys(folder, reader)
    return folder


@pytest.fixture(scope="module")
def dependencies(keys: Path) -> Dependencies:
    """As at the start of the service, with the settings' defaults."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("LEEWARD_KEYS", str(keys))
        environment.setenv("INTAKE_MASTER_KEY", new_master_key())
        return build(Env())


@pytest.fixture
def intake(dependencies: Dependencies, keys: Path) -> Intake:
    return Intake(dependencies, keys)


@pytest.fixture(params=STORES)
def intake_on_each_store(request: pytest.FixtureRequest, dependencies: Dependencies, keys: Path) -> Intake:
    if request.param == "sqlite":
        return Intake(dependencies, keys)
    server: Server = request.getfixturevalue("postgresql_server")
    return Intake(dependencies, keys, server.create_database(f"intake_{new_id().hex}"))
