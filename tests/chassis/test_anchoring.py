"""What was put on record is in an anchor soon, in a file that stays small."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from sqlalchemy import delete
from structlog.testing import capture_logs

from chassis.audit.anchoring import CONTRADICTS, Anchoring
from chassis.audit.anchors import NEWEST, anchor_file, newest_file, read_anchors, set_aside
from chassis.audit.chain import AuditAction
from chassis.host import maintenance
from chassis.host.maintenance import Housekeeping
from chassis.host.provider import Chassis
from chassis.store.tables import new_metadata
from tests.chassis.conftest import START, Store
from tests.chassis.test_audit import meddle, newest, record
from tests.support.bus import eventually


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "anchors"


@pytest.fixture
def anchoring(store: Store, folder: Path) -> Anchoring:
    """Of a log that has been anchored once."""
    record(store, AuditAction.READ)
    anchoring = Anchoring(store.database, folder)
    anchoring.anchor()
    return anchoring


def test_between_two_rounds_one_line_is_written_again_and_again(
    store: Store, folder: Path, anchoring: Anchoring
) -> None:
    for _ in range(5):
        record(store, AuditAction.READ)
        anchoring.anchor_newest()
    assert read_anchors(folder, "intake").anchors[-1] == newest(store)
    assert [len(file(folder, "intake").read_bytes().splitlines()) for file in (anchor_file, newest_file)] == [1, 1]
    anchoring.anchor()
    assert len(anchor_file(folder, "intake").read_bytes().splitlines()) == 2
    assert {path.name for path in folder.iterdir()} == {"intake.jsonl", "intake.newest.json"}


def test_a_tail_that_was_cut_since_the_last_round_is_found(store: Store, folder: Path, anchoring: Anchoring) -> None:
    record(store, AuditAction.READ, AuditAction.ERASED)
    anchoring.anchor_newest()
    before, audit = read_anchors(folder, "intake"), store.database.tables.audit_entry
    meddle(store, delete(audit).where(audit.c.sequence > 2))
    record(store, AuditAction.HELD, AuditAction.HELD)
    anchoring.anchor_newest()
    assert read_anchors(folder, "intake") == before, "what is contradicted is not written over"
    assert Anchoring(store.database, folder).anchor()[CONTRADICTS] == 1
    assert anchoring.anchor()[CONTRADICTS] == 1
    anchoring.anchor_newest()
    assert read_anchors(folder, "intake") == before


def test_a_newest_anchor_that_somebody_damaged_is_said(store: Store, folder: Path, anchoring: Anchoring) -> None:
    record(store, AuditAction.READ)
    anchoring.anchor_newest()
    newest_file(folder, "intake").write_text("{}")
    assert read_anchors(folder, "intake").unreadable == (NEWEST,)


def test_a_backup_takes_the_newest_anchor_back_as_well(store: Store, folder: Path, anchoring: Anchoring) -> None:
    record(store, AuditAction.READ)
    anchoring.anchor_newest()
    all_of_them = read_anchors(folder, "intake").anchors
    kept = set_aside(folder, "intake", beyond=1, at=START)
    assert kept
    assert [one.sequence for one in read_anchors(folder, "intake").anchors] == [1]
    assert read_anchors(folder, kept.stem).anchors == all_of_them
    assert set_aside(folder, "intake", beyond=1, at=START) is None


@pytest.fixture
def chassis(store: Store, folder: Path) -> Chassis:
    opened = Chassis(metadata=new_metadata(), dependencies=lambda env: None)
    opened.database = store.database
    opened.settings = SimpleNamespace(audit_anchors=folder, inbox_retention_days=14, story_retention_days=14)  # type: ignore[assignment]
    opened.relay = SimpleNamespace(stop=lambda: None)  # type: ignore[assignment]
    return opened


@pytest.fixture
def house(store: Store, chassis: Chassis, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], None]]:
    """Keeps the house from when it is called on, as a service does."""
    started: list[Callable[[], None]] = []

    def start() -> None:
        kept = Housekeeping()
        kept.container = SimpleNamespace(service_name="intake")
        kept.setup()
        thread = threading.Thread(target=kept._run)
        thread.start()
        started.extend([kept.stop, thread.join])

    monkeypatch.setattr(maintenance, "chassis_of", lambda container: chassis)
    monkeypatch.setattr(Chassis, "one_user_each", False)
    monkeypatch.setattr(Chassis, "clock", store.clock, raising=False)
    yield start
    for end in started:
        end()


def record_audit(chassis: Chassis) -> None:
    with chassis.unit() as unit:
        unit.record_audit(AuditAction.READ, who="A. Dministrator")


def test_what_is_put_on_record_is_anchored_without_waiting_for_the_next_round(
    store: Store, chassis: Chassis, folder: Path, house: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(maintenance, "ANCHOR_SECONDS", 0.0)
    record(store, AuditAction.READ)
    house()
    eventually(lambda: read_anchors(folder, "intake").anchors, "the first round")
    for count in (2, 3):
        record_audit(chassis)
        eventually(lambda count=count: read_anchors(folder, "intake").anchors[-1].sequence == count, "it is anchored")


def test_a_service_that_stops_anchors_what_is_left(
    store: Store, chassis: Chassis, folder: Path, house: Callable[[], None]
) -> None:
    record(store, AuditAction.READ)
    with capture_logs() as logs:
        house()
        eventually(lambda: [line for line in logs if line["event"] == "audit_anchored"], "the first round")
    record_audit(chassis)
    assert [one.sequence for one in read_anchors(folder, "intake").anchors] == [1]
    chassis.stop()
    assert read_anchors(folder, "intake").anchors[-1] == newest(store)
