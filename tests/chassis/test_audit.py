"""The audit log: chained, only ever added to, and found out when somebody gets past that."""

from __future__ import annotations

import json
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import delete, text, update
from sqlalchemy.exc import DBAPIError

from chassis.audit import Anchor, Deed, Verdict, last_anchor, write_anchor
from chassis.store.audit import check, entries, head
from leeward.audit import entries_in, put_on_record
from tests.chassis.conftest import START, Store

PERSON = uuid4()
PAST_THE_TRIGGERS = {
    "sqlite": ("DROP TRIGGER audit_entry_no_update", "DROP TRIGGER audit_entry_no_delete"),
    "postgresql": ("DROP TRIGGER audit_entry_no_change ON audit_entry",),
}


def record(store: Store, *deeds: Deed) -> None:
    for deed in deeds:
        with store.database.unit() as unit:
            unit.put_on_record(deed, who="A. Dministrator", subject_id=PERSON, reason="client_asked")


def verdict(store: Store, anchor: Anchor | None = None) -> Verdict:
    with store.database.engine.connect() as connection:
        return check(connection, store.database.tables.audit_entry, anchor)


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
    record(store, Deed.READ, Deed.HELD, Deed.ERASED)
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
        unit.put_on_record(Deed.READ, who="rule")
        unit.put_on_record(Deed.EXPORTED, who="rule")
    assert verdict(store).entries == 2


def test_what_was_rolled_back_is_not_on_record(store: Store) -> None:
    with pytest.raises(ZeroDivisionError), store.database.unit() as unit:
        unit.put_on_record(Deed.READ, who="rule")
        raise ZeroDivisionError
    assert verdict(store).entries == 0


@pytest.mark.parametrize("change", ["update", "delete"])
def test_the_database_refuses_to_change_or_delete_an_entry(store: Store, change: str) -> None:
    record(store, Deed.READ)
    audit = store.database.tables.audit_entry
    statement = update(audit).values(who="Nobody") if change == "update" else delete(audit)
    with pytest.raises(DBAPIError, match="only ever added"), store.database.engine.begin() as connection:
        connection.execute(statement)
    assert verdict(store).entries == 1


def test_an_entry_that_was_altered_past_that_is_found(store: Store) -> None:
    record(store, Deed.READ, Deed.READ, Deed.READ)
    audit = store.database.tables.audit_entry
    meddle(store, update(audit).where(audit.c.sequence == 2).values(who="Somebody else"))
    found = verdict(store)
    assert (found.holds, found.broken_at, found.why) == (False, 2, "it was altered")


def test_an_entry_that_was_taken_out_is_found(store: Store) -> None:
    record(store, Deed.READ, Deed.READ, Deed.READ)
    audit = store.database.tables.audit_entry
    meddle(store, delete(audit).where(audit.c.sequence == 2))
    assert (verdict(store).broken_at, verdict(store).why) == (2, "entry 2 is missing")


def test_a_chain_that_was_cut_short_holds_by_itself_and_not_against_its_anchor(store: Store) -> None:
    record(store, Deed.READ, Deed.READ, Deed.READ)
    anchor, audit = newest(store), store.database.tables.audit_entry
    meddle(store, delete(audit).where(audit.c.sequence == 3))
    assert verdict(store).holds
    assert (verdict(store, anchor).broken_at, verdict(store, anchor).entries) == (3, 2)
    record(store, Deed.ERASED)
    assert verdict(store, anchor).why == "it is not the entry that was anchored"


def test_an_anchor_is_written_once_and_the_newest_counts(tmp_path: Path) -> None:
    folder, first, second = tmp_path / "anchors", Anchor(1, "a" * 64), Anchor(2, "b" * 64)
    assert last_anchor(folder, "intake") is None
    assert [write_anchor(folder, "intake", one, at=START) for one in (first, first, second)] == [True, False, True]
    assert last_anchor(folder, "intake") == second
    assert last_anchor(folder, "billing") is None


def test_what_operators_do_is_chained_in_a_file_likewise(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    for id_ in ("one", "two"):
        put_on_record(path, Deed.DISCARDED, at=START, id=id_, reason="sent by a broken form")
    first, second = entries_in(path)
    assert (first["id"], second["id"], second["previous"]) == ("one", "two", first["hash"])
    path.write_text(json.dumps(second) + "\n")
    assert entries_in(path)[0]["sequence"] == 2
