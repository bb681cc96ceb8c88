"""What services say of where referrals stand is listed as if the console had heard of it all along."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from environs import Env

from chassis.ids import new_id
from chassis.ports import CommandHandler
from chassis.privacy.sealing import make_keys
from chassis.privacy.vault import new_master_key
from chassis.testing import HandlerBench, somebody
from contracts.commands import intake as of_intake
from contracts.commands.console import ListEvents, RebuildReadModel, WorkQueue
from contracts.commands.notifications import AcknowledgeAlert, RecordOutcome
from contracts.commands.privacy import Erase, ErasureReason
from contracts.commands.snapshots import (
    Filled,
    FillReadModel,
    ListSnapshots,
    SearchSnapshot,
    SnapshotPage,
)
from contracts.event import Event
from contracts.events.intake import ReferralErased, SafeguardingConcernRaised
from contracts.events.matching import MatchingStalled
from contracts.sealed import Note, OutcomeReason
from contracts.vocabulary import (
    ConcernCategory,
    ConcernId,
    ConcernOutcome,
    HoldReason,
    MatchEndReason,
    ReferralId,
    Severity,
    StallReason,
)
from services.billing.handlers import snapshots as of_billing
from services.console import errors
from services.console.handlers import commands, events, queries
from services.intake.dependencies import build
from services.intake.handlers import erasure, lifecycle, notes
from services.intake.handlers import snapshots as intake_snapshots
from services.intake.store.referrals import references_of
from services.matching.handlers import snapshots as of_matching
from services.matching.store import tables as matching_tables
from services.notifications.handlers import alerts
from services.notifications.handlers import commands as of_notifications
from services.notifications.handlers import snapshots as notifications_snapshots
from tests.unit.billing import making
from tests.unit.console.conftest import Console
from tests.unit.intake.conftest import Intake
from tests.unit.matching.conftest import Matching, a_toolbox
from tests.unit.notifications.conftest import desk_on

OF_HEARING = {"version"}
"""What says how much was heard, and not what is so."""


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("snapshot-keys")
    for reader in ("intake", "notifications", "matching"):
        make_keys(folder, reader)
    return folder


@pytest.fixture
def there_before() -> Console:
    """A console that has heard everything, beside the one that has to ask."""
    return Console("sqlite://")


def pages_of(bench: HandlerBench, handler: CommandHandler, limit: int = 200) -> list[SnapshotPage]:
    """All that a service answers, as it comes out of messages."""
    pages, after = [], None
    while True:
        answer = bench.ask(handler, ListSnapshots(after=after, limit=limit))
        pages.append(SnapshotPage.from_json(answer.to_json()))
        if (after := pages[-1].after) is None:
            return pages


def fill(console: Console, *pages: SnapshotPage) -> int:
    news = 0
    for page in pages:
        told = FillReadModel(
            referrals=page.referrals, searches=page.searches, subsidies=page.subsidies, concerns=page.concerns
        )
        filled: Filled = console.ask(commands.fill_read_model, FillReadModel.from_json(told.to_json()))
        news += filled.snapshots
    return news


def known(console: Console, *referral_ids: ReferralId) -> None:
    """Intake has said no more of these than that they are there."""
    for referral_id in referral_ids:
        console.step(referral_id, 1, "receive", "matching", by="client")


def listed(console: Console, referral_id: ReferralId) -> dict[str, Any]:
    return {name: value for name, value in console.show(referral_id).to_json().items() if name not in OF_HEARING}


def queued(console: Console) -> list[Any]:
    return [
        sorted((item.to_json() for page in [console.queue(queue, limit=200)] for item in page.items), key=str)
        for queue in WorkQueue
    ]


def assert_same(heard: Console, filled: Console, referral_ids: Sequence[ReferralId]) -> None:
    for referral_id in referral_ids:
        assert listed(filled, referral_id) == listed(heard, referral_id)
    assert queued(filled) == queued(heard)


def an_intake(keys: Path, monkeypatch: pytest.MonkeyPatch) -> Intake:
    monkeypatch.setenv("LEEWARD_KEYS", str(keys))
    monkeypatch.setenv("INTAKE_MASTER_KEY", new_master_key())
    return Intake(build(Env()), keys)


@pytest.fixture
def intake(keys: Path, monkeypatch: pytest.MonkeyPatch) -> Intake:
    return an_intake(keys, monkeypatch)


def in_every_state(intake: Intake) -> list[ReferralId]:
    """Referrals that have come some way, one after the other."""
    account = somebody(str(uuid4()))
    asked = [intake.ask_for_help(name=f"Planted {number}").referral_id for number in range(6)]
    for number, referral_id in enumerate(asked[1:], start=1):
        intake.clock.advance(timedelta(minutes=7))
        intake.ask(lifecycle.take_up, of_intake.TakeUp(referral_id=referral_id), by=account)
        if number > 1:
            intake.clock.advance(timedelta(minutes=7))
            intake.assess(referral_id, by=account)
    intake.ask(lifecycle.pause, of_intake.Hold(referral_id=asked[2], reason=HoldReason.INFORMATION_AWAITED), by=account)
    intake.clock.advance(timedelta(minutes=7))
    for referral_id in asked[2:4]:
        note = intake.seal(Note(text="Planted words."))
        intake.ask(notes.add_note, of_intake.AddNote(referral_id=referral_id, kind="call", note=note), by=account)
    match = intake.match(asked[4])
    intake.match(asked[5])
    intake.end_match(match, MatchEndReason.COMPLETED)
    return asked


def test_what_intake_holds_is_listed_as_if_it_had_been_heard(
    console: Console, there_before: Console, intake: Intake
) -> None:
    asked = in_every_state(intake)
    for event in intake.emitted(Event):
        there_before.heard(event)
    assert fill(console, *pages_of(intake, intake_snapshots.list_snapshots, limit=2)) == len(asked)
    assert_same(there_before, console, asked)
    assert console.ask(queries.list_events, ListEvents(referral_id=asked[0])) == [], "what had happened isn't known"
    assert {listed(console, referral_id)["state"] for referral_id in asked} >= {"received", "on_hold", "matched"}


def test_pages_hold_nothing_personal_and_none_that_was_erased(intake: Intake) -> None:
    asked = in_every_state(intake)
    references = [reference for _, reference in intake.read(lambda unit: references_of(unit.session, asked))]
    intake.ask(erasure.erase_by_person, Erase(reference=references[0], reason=ErasureReason.CLIENT_ASKED))
    (page,) = pages_of(intake, intake_snapshots.list_snapshots)
    assert len(page.referrals) == len(asked) - 1
    told = page.encode().decode()
    assert [word for word in ("Planted", "example.org", "NP20 4UR", *references) if word in told] == []


def test_what_matching_holds_is_listed_as_if_it_had_been_heard(
    console: Console, there_before: Console, keys: Path
) -> None:
    matching = Matching("matching", matching_tables.metadata, dependencies=a_toolbox(keys))
    stalled = matching.search_for(outward_code="CF10", max_distance_km=1.0)
    matching.pass_time(days=8)
    for _ in range(4):
        matching.admit()
    offered, matched, parted, declined = (matching.search_for() for _ in range(4))
    for referral_id in (matched, parted):
        match_id = matching.accept(referral_id)
    matching.end(match_id, MatchEndReason.COMPLETED)
    matching.decline(declined)
    referral_ids = [stalled, offered, matched, parted, declined]
    for heard in (console, there_before):
        known(heard, *referral_ids)
    for event in matching.emitted(Event):
        if isinstance(getattr(event, "referral_id", None), UUID):
            there_before.heard(event)
    fill(console, *pages_of(matching, of_matching.list_snapshots, limit=2))
    assert_same(there_before, console, referral_ids)
    assert console.queue(WorkQueue.WAITING).items
    shown = console.show(matched)
    assert shown.match_id
    assert shown.offers_made == 1


def test_what_billing_holds_is_listed_as_if_it_had_been_heard(console: Console, there_before: Console) -> None:
    billing = making.Bench()
    billing.open_fund(pence=400_00)  # for one award at a time
    released, approved, waits = (asks_for_subsidy(billing, over=over) for over in (True, False, False))
    for heard in (console, there_before):
        known(heard, waits, approved, released)
    for event in billing.emitted(Event):
        if isinstance(getattr(event, "referral_id", None), UUID):
            there_before.heard(event)
    fill(console, *pages_of(billing, of_billing.list_snapshots, limit=1))
    assert_same(there_before, console, [waits, approved, released])
    assert console.show(approved).subsidy == "approved"
    assert console.show(released).subsidy == "released"
    assert console.show(waits).subsidy == "waitlisted"


def asks_for_subsidy(billing: making.Bench, *, over: bool) -> ReferralId:
    received = making.referral()
    billing.told(received, making.assessed(received.referral_id))
    billing.settle()
    if over:
        billing.told(making.withdrawn(received.referral_id))
        billing.settle()
    return received.referral_id


@pytest.mark.parametrize("goes_out", [True, False], ids=["the deputy is reached", "nobody is reached yet"])
def test_concerns_are_listed_as_if_they_had_been_heard(
    console: Console, there_before: Console, keys: Path, tmp_path: Path, goes_out: bool
) -> None:
    desk = desk_on(f"sqlite:///{tmp_path}/notifications.db", keys)
    referral_id = ReferralId(new_id())
    raised = [
        SafeguardingConcernRaised(
            concern_id=ConcernId(new_id()), referral_id=referral_id, severity=Severity.IMMEDIATE,
            category=ConcernCategory.RISK_TO_SELF, raised_at=desk.bench.clock.now(),
        )
        for _ in range(3)
    ]  # fmt: skip
    for concern in raised:
        desk.bench.hear(alerts.raise_alert, concern)
    desk.run()
    desk.mail.down = not goes_out
    desk.pass_time(minutes=20)
    for concern in raised[:2]:
        desk.bench.ask(of_notifications.acknowledge_alert, AcknowledgeAlert(concern_id=concern.concern_id))
    reason = desk.keyring.seal("notifications", OutcomeReason(words="Invented."))
    outcome = RecordOutcome(concern_id=raised[0].concern_id, outcome=ConcernOutcome.NO_FURTHER_ACTION, reason=reason)
    desk.bench.ask(of_notifications.record_outcome, outcome)
    for heard in (console, there_before):
        known(heard, referral_id)
    for event in (*raised, *desk.bench.emitted(Event)):
        there_before.heard(event)
    fill(console, *pages_of(desk.bench, notifications_snapshots.list_snapshots))
    assert_same(there_before, console, [referral_id])
    assert {concern.step for concern in console.show(referral_id).concerns} == {"deputy"}


def search(referral_id: ReferralId, number: int, **changes: Any) -> SnapshotPage:
    told = SearchSnapshot(referral_id=referral_id, number=number, offers_made=4, stalled_for=StallReason.NOBODY_NEAR)
    return SnapshotPage(searches=(replace(told, **changes),))


def test_what_is_newer_counts_whichever_came_first(console: Console) -> None:
    stalled: dict[str, Any] = {"reason": StallReason.NOBODY_WITH_ROOM, "waiting_since": console.clock.now()}
    ahead, behind, late = (ReferralId(uuid4()) for _ in range(3))
    known(console, ahead, behind, late)
    console.heard(MatchingStalled(referral_id=ahead, **stalled), sequence=12)
    fill(console, search(ahead, 11), search(behind, 11), search(late, 11))
    console.heard(MatchingStalled(referral_id=behind, **stalled), sequence=12)
    console.heard(MatchingStalled(referral_id=late, **stalled), sequence=11)
    of = {item.subject_id: item for item in console.queue(WorkQueue.WAITING).items}
    for referral_id in (ahead, behind):
        assert (of[referral_id].reason, of[referral_id].offers_made) == (StallReason.NOBODY_WITH_ROOM, 4)
    assert of[late].reason == StallReason.NOBODY_NEAR
    assert fill(console, search(ahead, 10, offers_made=1)) == 0, "an older snapshot than the one that is kept"
    assert console.show(ahead).offers_made == 4


@pytest.mark.parametrize("days", [29, 31])
def test_a_match_from_before_is_asked_about_once_it_is_old_enough(console: Console, days: int) -> None:
    referral_id, now = console.received(), console.clock.now()
    console.step(referral_id, 2, "match", "matched", by="matching")
    match: dict[str, Any] = {"match_id": new_id(), "therapist_id": new_id(), "matched_at": now - timedelta(days=days)}
    fill(console, search(referral_id, 1, **match))
    asked = [item.subject_id for item in console.queue(WorkQueue.FIRST_SESSIONS).items]
    assert asked == ([referral_id] if days > 30 else [])


def test_twice_changes_nothing_and_a_rebuild_keeps_it(console: Console, intake: Intake) -> None:
    in_every_state(intake)
    pages = pages_of(intake, intake_snapshots.list_snapshots)
    fill(console, *pages)
    before = console.rows()
    console.clock.advance(timedelta(hours=1))
    assert fill(console, *pages_of(intake, intake_snapshots.list_snapshots)) == 0
    assert console.rows() == before
    console.ask(commands.rebuild_read_model, RebuildReadModel())
    assert console.rows() == before


def test_an_erased_referral_does_not_come_back_and_only_intake_makes_one_known(
    console: Console, intake: Intake
) -> None:
    erased = in_every_state(intake)[0]
    pages = pages_of(intake, intake_snapshots.list_snapshots)
    fill(console, *pages)
    console.hear(events.forget, ReferralErased(referral_id=erased))
    stranger = ReferralId(uuid4())
    assert fill(console, *pages, search(erased, 3), search(stranger, 3)) == 0
    assert not {str(erased), str(stranger)} & {
        str(value) for rows in console.rows().values() for row in rows for value in row
    }
    with pytest.raises(errors.UnknownReferral):
        console.show(erased)
