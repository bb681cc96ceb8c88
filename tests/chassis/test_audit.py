"""The audit log: chained, only ever added to, and found out when somebody gets past that."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import delete, text, update
from sqlalchemy.exc import DBAPIError
from structlog.testing import capture_logs

from chassis.audit.anchoring import CONTRADICTS, UNREADABLE, Anchoring
from chassis.audit.anchors import Anchors, anchor_file, read_anchors, write_anchor
from chassis.audit.chain import Anchor, AuditAction, Verdict, chained
from chassis.audit.store import check, entries, head, page
from leeward.console.operators_audit import NoEntry, entries_in, operators_alarms, operators_log, record_audit
from leeward.runtime.workspace import Workspace
from tests.chassis.conftest import START, Store
from tests.support.statements import listening

PERSON = uuid4()
PAST_THE_TRIGGERS = {
    "sqlite": ("DROP TRIGGER IF EXISTS audit_entry_no_update", "DROP TRIGGER IF EXISTS audit_entry_no_delete"),
    "postgresql": ("DROP TRIGGER IF EXISTS audit_entry_no_change ON audit_entry",),
}


def record(store: Store, *deeds: AuditAction) -> None:
    for deed in deeds:
        with store.database.unit() as unit:
            unit.record_audit(deed, who="A. Dministrator", subject_id=PERSON, reason="client_asked")


def verdict(store: Store, *anchors: Anchor) -> Verdict:
    with store.database.engine.connect() as connection:
        return check(connection, store.database.tables.audit_entry, anchors)


def newest(store: Store) -> Anchor:
    with store.database.engine.connect() as connection:
        found = head(connection, store.database.tables.audit_entry)
    assert found
    return found


def meddle(store: Store, statement: object) -> None:
    """As somebody who may do anything to the database."""
    with store.database.engine.begin() as connection:
        for drop in PAST_THE_TRIGGERS[connection.dialect.name]:
            connection.execute(text(drop))
        connection.execute(statement)  # type: ignore[call-overload]


def test_what_was_done_is_told_in_order_and_holds(store: Store) -> None:
    assert verdict(store) == Verdict(0, "0" * 64)
    record(store, AuditAction.READ, AuditAction.HELD, AuditAction.ERASED)
    with store.database.engine.connect() as connection:
        told = list(entries(connection, store.database.tables.audit_entry, PERSON))
        assert not list(entries(connection, store.database.tables.audit_entry, uuid4()))
    assert [(one["sequence"], one["what"], one["who"], one["reason"]) for one in told] == [
        (1, "read", "A. Dministrator", "client_asked"),
        (2, "held", "A. Dministrator", "client_asked"),
        (3, "erased", "A. Dministrator", "client_asked"),
    ]
    assert verdict(store, Anchor(2, told[1]["hash"])) == Verdict(3, told[2]["hash"])


def test_two_entries_of_one_unit_follow_each_other(store: Store) -> None:
    with store.database.unit() as unit:
        unit.record_audit(AuditAction.READ, who="rule")
        unit.record_audit(AuditAction.EXPORTED, who="rule")
    assert verdict(store).entries == 2


def test_what_was_rolled_back_is_not_on_record(store: Store) -> None:
    with pytest.raises(ZeroDivisionError), store.database.unit() as unit:
        unit.record_audit(AuditAction.READ, who="rule")
        raise ZeroDivisionError
    assert verdict(store).entries == 0


CHANGES = {
    "update": "UPDATE audit_entry SET who = 'Nobody'",
    "delete": "DELETE FROM audit_entry",
    "upsert": "INSERT INTO audit_entry SELECT * FROM audit_entry WHERE true"
    " ON CONFLICT (sequence) DO UPDATE SET who = 'Nobody'",
}
CHANGES_OF_ONE_STORE = {
    "sqlite": {
        "replace": "INSERT OR REPLACE INTO audit_entry SELECT * FROM audit_entry",
        "replace the first": "REPLACE INTO audit_entry"
        " SELECT 1, at, 'Nobody', what, NULL, NULL, '', '' FROM audit_entry",
        "replace by rowid": "REPLACE INTO audit_entry (rowid, at, who, what, previous, hash)"
        " SELECT 1, at, 'Nobody', what, '', '' FROM audit_entry",
        "update or replace": "UPDATE OR REPLACE audit_entry SET sequence = 2 WHERE sequence = 1",
    },
    "postgresql": {
        "truncate": "TRUNCATE audit_entry",
        "merge": "MERGE INTO audit_entry USING (SELECT 1 AS number) AS wanted ON sequence = wanted.number"
        " WHEN MATCHED THEN UPDATE SET who = 'Nobody'",
    },
}


def test_the_database_refuses_to_change_delete_or_replace_an_entry(store: Store) -> None:
    record(store, AuditAction.READ, AuditAction.READ)
    engine, before = store.database.engine, store.rows("audit_entry")
    for statement in (*CHANGES.values(), *CHANGES_OF_ONE_STORE[engine.dialect.name].values()):
        with pytest.raises(DBAPIError, match="only ever added"), engine.begin() as connection:
            connection.execute(text(statement))
        assert store.rows("audit_entry") == before, statement


def test_an_entry_that_was_altered_past_that_is_found(store: Store) -> None:
    record(store, AuditAction.READ, AuditAction.READ, AuditAction.READ)
    audit = store.database.tables.audit_entry
    meddle(store, update(audit).where(audit.c.sequence == 2).values(who="Somebody else"))
    found = verdict(store)
    assert (found.holds, found.broken_at, found.why) == (False, 2, "it was altered")


def test_an_entry_that_was_taken_out_is_found(store: Store) -> None:
    record(store, AuditAction.READ, AuditAction.READ, AuditAction.READ)
    audit = store.database.tables.audit_entry
    meddle(store, delete(audit).where(audit.c.sequence == 2))
    assert (verdict(store).broken_at, verdict(store).why) == (2, "entry 2 is missing")


def test_a_chain_that_was_cut_short_holds_by_itself_and_not_against_its_anchor(store: Store) -> None:
    record(store, AuditAction.READ, AuditAction.READ, AuditAction.READ)
    anchor, audit = newest(store), store.database.tables.audit_entry
    meddle(store, delete(audit).where(audit.c.sequence == 3))
    assert verdict(store).holds
    assert (verdict(store, anchor).broken_at, verdict(store, anchor).entries) == (3, 2)
    record(store, AuditAction.ERASED)
    assert verdict(store, anchor).why == "it is not the entry that was anchored"


def test_a_chain_that_was_written_anew_is_found_by_any_anchor(store: Store) -> None:
    record(store, AuditAction.READ, AuditAction.HELD)
    old, audit = newest(store), store.database.tables.audit_entry
    meddle(store, delete(audit))
    record(store, AuditAction.READ, AuditAction.READ, AuditAction.READ)
    assert verdict(store, newest(store)).holds
    assert (verdict(store, newest(store), old).broken_at, verdict(store, old, newest(store)).broken_at) == (2, 2)


def test_a_log_that_was_cut_is_never_anchored_again_and_is_an_alarm(store: Store, tmp_path: Path) -> None:
    folder, well = tmp_path / "anchors", {CONTRADICTS: 0, UNREADABLE: 0}
    assert Anchoring(store.database, folder).anchor() == well
    for _ in range(3):
        record(store, AuditAction.READ)
        assert Anchoring(store.database, folder).anchor() == well
    before, audit = read_anchors(folder, "intake"), store.database.tables.audit_entry
    assert [one.sequence for one in before.anchors] == [1, 2, 3]
    meddle(store, delete(audit).where(audit.c.sequence > 1))
    with capture_logs() as logs:
        assert Anchoring(store.database, folder).anchor() == {CONTRADICTS: 2, UNREADABLE: 0}
    (shouted,) = logs
    assert (shouted["event"], shouted["log_level"], shouted["sequence"]) == ("audit_contradicts_anchor", "error", 2)
    record(store, AuditAction.HELD, AuditAction.READ, AuditAction.READ)
    assert Anchoring(store.database, folder).anchor() == {CONTRADICTS: 2, UNREADABLE: 0}
    assert read_anchors(folder, "intake") == before


def test_without_a_folder_it_is_found_as_long_as_the_service_runs(store: Store) -> None:
    anchoring, audit = Anchoring(store.database, None), store.database.tables.audit_entry
    record(store, AuditAction.READ, AuditAction.READ)
    assert anchoring.anchor()[CONTRADICTS] == 0
    meddle(store, delete(audit).where(audit.c.sequence == 2))
    assert anchoring.anchor()[CONTRADICTS] == 1


def test_an_anchor_is_written_once_and_all_count(tmp_path: Path) -> None:
    folder, first, second = tmp_path / "anchors", Anchor(1, "a" * 64), Anchor(2, "b" * 64)
    assert read_anchors(folder, "intake") == Anchors()
    assert [write_anchor(folder, "intake", one, at=START) for one in (first, first, second)] == [True, False, True]
    assert read_anchors(folder, "intake") == Anchors((first, second))
    assert not write_anchor(folder, "intake", Anchor(2, "c" * 64), at=START), "there is one of that number"
    assert read_anchors(folder, "billing") == Anchors()


def test_an_anchor_that_was_not_written_whole_is_none_and_the_next_one_takes_its_place(tmp_path: Path) -> None:
    folder, first, second = tmp_path, Anchor(1, "a" * 64), Anchor(2, "b" * 64)
    write_anchor(folder, "intake", first, at=START)
    whole = anchor_file(folder, "intake").read_bytes()
    for length in range(len(whole) - 1):
        anchor_file(folder, "intake").write_bytes(whole + whole[:length])
        assert read_anchors(folder, "intake") == Anchors((first,))
    assert write_anchor(folder, "intake", second, at=START)
    assert read_anchors(folder, "intake") == Anchors((first, second))
    anchor_file(folder, "intake").write_bytes(whole[:-1])
    assert read_anchors(folder, "intake") == Anchors((first,)), "it lacks its end alone"
    assert write_anchor(folder, "intake", second, at=START)
    assert read_anchors(folder, "intake") == Anchors((first, second))


@pytest.mark.parametrize("line", [b"", b"{", b"3", b"{}", b'{"sequence": "1", "hash": "a"}', b"\xff\xfe"])
def test_a_line_that_is_no_anchor_is_said(store: Store, tmp_path: Path, line: bytes) -> None:
    first, second = Anchor(1, "a" * 64), Anchor(2, "b" * 64)
    write_anchor(tmp_path, "intake", first, at=START)
    with anchor_file(tmp_path, "intake").open("ab") as file:
        file.write(line + b"\n")
    write_anchor(tmp_path, "intake", second, at=START)
    assert read_anchors(tmp_path, "intake") == Anchors((first, second), (2,))
    with capture_logs() as logs:
        assert Anchoring(store.database, tmp_path).anchor()[UNREADABLE] == 1
    assert {"event": UNREADABLE, "lines": [2], "log_level": "error"} in logs


def test_a_thousand_anchors_are_looked_for_in_a_few_statements(store: Store, tmp_path: Path) -> None:
    entry = {"at": START.isoformat(), "who": "rule", "what": "read", "subject_id": None, "reason": None}
    rows: list[dict[str, Any]] = []
    for _ in range(1_500):
        rows.append(chained(entry, after=Anchor(rows[-1]["sequence"], rows[-1]["hash"]) if rows else None))
    with store.database.engine.begin() as connection:
        connection.execute(store.database.tables.audit_entry.insert(), [{**row, "at": START} for row in rows])
    anchors = [Anchor(row["sequence"], row["hash"]) for row in rows]
    assert verdict(store, *anchors) == Verdict(1_500, anchors[-1].hash)
    for anchor in anchors:
        anchor_file(tmp_path, "intake").open("a").write(json.dumps(asdict(anchor)) + "\n")
    with listening(store.database.engine) as asked:
        assert Anchoring(store.database, tmp_path).anchor() == {CONTRADICTS: 0, UNREADABLE: 0}
    assert len(asked) < 10


def test_what_operators_do_is_chained_in_a_file_likewise(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    for id_ in ("one", "two"):
        record_audit(path, AuditAction.DISCARDED, at=START, id=id_, reason="sent by a broken form")
    first, second = entries_in(path)
    assert (first["id"], second["id"], second["previous"]) == ("one", "two", first["hash"])
    path.write_text(json.dumps(second) + "\n")
    assert entries_in(path)[0]["sequence"] == 2


def test_what_operators_did_is_held_against_every_anchor(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    for number in range(3):
        record_audit(workspace.audit, AuditAction.DISCARDED, at=START, id=str(number), reason="sent by a broken form")
        last = entries_in(workspace.audit)[-1]
        write_anchor(workspace.anchors, "operator", Anchor(last["sequence"], last["hash"]), at=START)
    assert operators_log(workspace).is_well
    assert operators_alarms(workspace) == {}
    first, *_ = workspace.audit.read_text().splitlines(keepends=True)
    workspace.audit.write_text(first)
    for number in range(3):
        record_audit(workspace.audit, AuditAction.DISCARDED, at=START, id=str(number), reason="another")
    found = operators_log(workspace).verdict
    assert isinstance(found, Verdict)
    assert (found.broken_at, found.why) == (2, "it is not the entry that was anchored")
    assert operators_alarms(workspace) == {CONTRADICTS: 2}


def test_an_operators_entry_that_was_not_written_whole_is_none_and_one_that_was_damaged_is_said(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    record_audit(workspace.audit, AuditAction.DISCARDED, at=START, id="one", reason="sent by a broken form")
    whole = workspace.audit.read_bytes()
    workspace.audit.write_bytes(whole + whole[:40])
    assert len(entries_in(workspace.audit)) == 1
    record_audit(workspace.audit, AuditAction.DISCARDED, at=START, id="two", reason="sent by a broken form")
    assert operators_log(workspace).verdict == Verdict(2, entries_in(workspace.audit)[1]["hash"])
    workspace.audit.write_bytes(whole + b"3\n")
    assert not operators_log(workspace).is_well
    with pytest.raises(NoEntry, match="line 2 of"):
        record_audit(workspace.audit, AuditAction.DISCARDED, at=START, id="three", reason="sent by a broken form")


def test_the_log_is_looked_through_a_page_at_a_time_by_person_subject_and_time(store: Store) -> None:
    other = uuid4()
    for number in range(5):
        with store.database.unit() as unit:
            who, about = ("console:ada", PERSON) if number % 2 else ("console:ben", other)
            unit.record_audit(AuditAction.READ, who=who, subject_id=about, reason=f"n{number}")
        store.clock.advance(timedelta(days=1))

    def reasons(**which: Any) -> list[str]:
        with store.database.engine.connect() as connection:
            found = page(connection, store.database.tables.audit_entry, **({"limit": 50} | which))
        return [entry["reason"] for entry in found]

    assert reasons() == ["n4", "n3", "n2", "n1", "n0"]
    assert reasons(limit=2) == ["n4", "n3"]
    assert reasons(limit=2, before=4) == ["n2", "n1"]
    assert reasons(who="console:ada") == ["n3", "n1"]
    assert reasons(subject_id=other, before=5) == ["n2", "n0"]
    assert reasons(since=START + timedelta(days=1), until=START + timedelta(days=3)) == ["n2", "n1"]
