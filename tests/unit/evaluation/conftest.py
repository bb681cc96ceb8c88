"""An evaluation service on a real store, and what the other services tell it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from chassis.ids import new_id
from chassis.privacy.sealing import Keyring, make_keys
from chassis.testing import HandlerBench
from contracts.commands.evaluation import InvitationView, ListInvitations
from contracts.events.evaluation import EvaluationInvited
from contracts.events.intake import ReferralReceived, ReferralWithdrawn
from contracts.events.matching import MatchEnded, MatchEndUndone, TherapistMatched
from contracts.events.web import EvaluationReturned
from contracts.sealed import Answer, EvaluationForm, LinkSecret
from contracts.vocabulary import (
    AgeBand,
    ClientGroup,
    Known,
    MatchEndReason,
    MatchId,
    ReferralId,
    Respondent,
    Route,
    Sessions,
    Stage,
    SubmissionId,
    TherapistId,
    UndoReason,
    WithdrawalReason,
)
from services.evaluation.dependencies import Dependencies
from services.evaluation.gateways.library import FOLDER, WORDING, Library, Wordings
from services.evaluation.handlers import events, queries, timers
from services.evaluation.settings import EvaluationSettings
from services.evaluation.store import tables

LIBRARY = Library(FOLDER)
MONDAY_10 = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)

SETTINGS = EvaluationSettings(
    client_instrument="core-10",
    therapist_instrument="therapist-view",
    young_instrument="yp-core",
    instruments_folder=None,
    wording_folder=None,
    review_after=timedelta(weeks=6),
    follow_up_after=timedelta(weeks=26),
    smallest_group=10,
    reminders_after=(timedelta(days=3), timedelta(days=7), timedelta(days=14)),
    link_lasts=timedelta(days=28),
    keys_folder=Path("unused"),
)

TIMERS = {
    "invite_to_review": timers.invite_to_review,
    "invite_to_follow_up": timers.invite_to_follow_up,
    "chase": timers.chase,
}

CALM = [0, 4, 4, 0, 0, 0, 0, 0, 0, 0]
"""CORE-10 answers that add up to nothing: items 2 and 3 are scored in reverse."""


@dataclass
class Study:
    """The service under test. `notifications` opens what is sealed to that service, as it would."""

    bench: HandlerBench
    keyring: Keyring
    notifications: Keyring

    def receive(self, referral_id: ReferralId, *, consented: bool = True, age_band: AgeBand = AgeBand.FROM_35) -> None:
        self.bench.hear(events.note_referral, received(referral_id, consented=consented, age_band=age_band))

    def match(self, referral_id: ReferralId, therapist_id: TherapistId | None = None) -> TherapistMatched:
        event = matched(referral_id, therapist_id, at=self.bench.clock.now())
        self.bench.hear(events.ask_at_start, event)
        return event

    def end(self, match: TherapistMatched, reason: MatchEndReason = MatchEndReason.COMPLETED) -> None:
        self.bench.hear(events.ask_at_end, ended(match, reason, at=self.bench.clock.now()))

    def withdraw(self, referral_id: ReferralId) -> None:
        self.bench.hear(events.stop_withdrawn, withdrawn(referral_id))

    def pass_time(self, **by: float) -> None:
        self.bench.clock.advance(timedelta(**by))
        self.bench.fire_due(TIMERS)

    def asked(self) -> list[tuple[Stage, Respondent]]:
        """Who was asked for what so far, in an order of its own."""
        return sorted((one.stage, one.respondent) for one in self.bench.emitted(EvaluationInvited) if not one.reminder)

    def token(self, stage: Stage, respondent: Respondent, match: TherapistMatched | None = None) -> str:
        """The secret of the last such invitation (of this match's referral), as notifications would read it."""
        found = [
            event
            for event in self.bench.emitted(EvaluationInvited)
            if (event.stage, event.respondent) == (stage, respondent)
            and (match is None or event.referral_id == match.referral_id)
        ]
        return self.notifications.open(LinkSecret, found[-1].sealed).token

    def returned(self, token: str, values: Sequence[int | None] | dict[str, int]) -> EvaluationReturned:
        """A form as a front-end seals it; None leaves an item blank."""
        if not isinstance(values, dict):
            values = {f"q{number}": value for number, value in enumerate(values, start=1) if value is not None}
        answers = tuple(Answer(item=item, value=value) for item, value in values.items())
        sealed = self.keyring.seal("evaluation", EvaluationForm(token=token, answers=answers))
        return EvaluationReturned(submission_id=SubmissionId(new_id()), sealed=sealed)

    def return_form(self, token: str, values: Sequence[int | None] | dict[str, int]) -> None:
        self.bench.hear(events.take_form, self.returned(token, values))

    def invitations(self, referral_id: ReferralId) -> list[InvitationView]:
        found: list[InvitationView] = self.bench.ask(queries.list_invitations, ListInvitations(referral_id=referral_id))
        return found

    def states(self, referral_id: ReferralId) -> dict[tuple[Stage, Respondent], str]:
        return {(view.stage, view.respondent): view.state for view in self.invitations(referral_id)}


def received(
    referral_id: ReferralId, *, consented: bool = True, age_band: AgeBand = AgeBand.FROM_35
) -> ReferralReceived:
    return ReferralReceived(
        referral_id=referral_id,
        received_at=MONDAY_10,
        route=Route.SELF,
        client_group=ClientGroup.AT_RISK,
        age_band=age_band,
        outward_code="NP20",
        language="en",
        sessions=Sessions.EITHER,
        max_distance_km=30.0,
        subsidy_requested=False,
        known_to_authorities=Known.NO,
        evaluation_consented=consented,
    )


def matched(
    referral_id: ReferralId, therapist_id: TherapistId | None = None, *, at: datetime = MONDAY_10
) -> TherapistMatched:
    return TherapistMatched(
        match_id=MatchId(new_id()),
        referral_id=referral_id,
        therapist_id=therapist_id or TherapistId(new_id()),
        matched_at=at,
        distance_km=3.0,
        session_fee_pence=60_00,
        sessions=Sessions.IN_PERSON,
    )


def ended(
    match: TherapistMatched, reason: MatchEndReason = MatchEndReason.COMPLETED, *, at: datetime = MONDAY_10
) -> MatchEnded:
    return MatchEnded(
        match_id=match.match_id,
        referral_id=match.referral_id,
        therapist_id=match.therapist_id,
        reason=reason,
        ended_at=at,
    )


def undone(match: TherapistMatched, *, at: datetime = MONDAY_10 + timedelta(hours=1)) -> MatchEndUndone:
    return MatchEndUndone(
        match_id=match.match_id,
        referral_id=match.referral_id,
        therapist_id=match.therapist_id,
        reason=UndoReason.RECORDED_BY_MISTAKE,
        undone_at=at,
    )


def withdrawn(referral_id: ReferralId) -> ReferralWithdrawn:
    return ReferralWithdrawn(referral_id=referral_id, reason=WithdrawalReason.CLIENT_ASKED)


def a_study(keys: Path, url: str, **changes: object) -> Study:
    keyring = Keyring(keys, reader="evaluation")
    dependencies = Dependencies(
        settings=replace(SETTINGS, **changes), keyring=keyring, library=LIBRARY, wordings=Wordings(LIBRARY, WORDING)
    )  # type: ignore[arg-type]
    bench = HandlerBench("evaluation", tables.metadata, dependencies=dependencies, url=url)
    return Study(bench, keyring, Keyring(keys, reader="notifications"))


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("keys")
    for reader in ("evaluation", "notifications"):
        make_keys(folder, reader)
    return folder


@pytest.fixture
def database_file(tmp_path: Path) -> Path:
    return tmp_path / "evaluation.db"


@pytest.fixture
def study(keys: Path, database_file: Path) -> Study:
    return a_study(keys, f"sqlite:///{database_file}")


@pytest.fixture
def referral_id() -> ReferralId:
    return ReferralId(new_id())
