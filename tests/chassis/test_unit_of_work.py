"""The unit of work: all or nothing, in order, with its story told in the envelope."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Date,
    Float,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Uuid,
    select,
)

from chassis.ids import first_id_of, new_id
from chassis.store.event_log import find_events, forget
from chassis.store.tables import Instant, code
from chassis.store.unit_of_work import StoreUnit
from contracts.envelope import Envelope
from contracts.events.billing import SubsidyWaitlisted
from contracts.events.intake import HelpRequestRefused, ReferralClosed, ReferralWithdrawn
from contracts.shape import InvalidShape
from contracts.vocabulary import (
    ClosureReason,
    ReferralId,
    RefusalReason,
    SubmissionId,
    SubsidyWaitReason,
    WithdrawalReason,
)
from tests.chassis.conftest import START, Store, note_row


def withdrawn(referral_id: UUID) -> ReferralWithdrawn:
    return ReferralWithdrawn(referral_id=ReferralId(referral_id), reason=WithdrawalReason.CLIENT_ASKED)


def test_rows_marks_events_and_timers_are_committed_together(store: Store) -> None:
    with store.database.unit() as unit:
        write_everything(store, unit)
    assert store.numbers() == [1]
    assert [len(store.rows(table)) for table in ("inbox", "outbox", "timer", "subject_sequence")] == [1, 1, 1, 1]


def test_an_error_leaves_nothing_behind(store: Store) -> None:
    with pytest.raises(RuntimeError, match="on purpose"), store.database.unit() as unit:
        write_everything(store, unit)
        raise RuntimeError("on purpose")
    assert store.numbers() == []
    assert [len(store.rows(table)) for table in ("inbox", "outbox", "timer", "subject_sequence")] == [0, 0, 0, 0]


def test_what_follows_is_called_once_all_of_it_is_committed(store: Store) -> None:
    seen: list[tuple[list[int], int]] = []
    with store.database.unit(lambda unit: seen.append((store.numbers(), len(unit.committed)))) as unit:
        write_everything(store, unit)
        assert seen == []
    assert seen == [([1], 1)]
    with pytest.raises(ZeroDivisionError), store.database.unit(lambda unit: seen.append(([], 0))):
        raise ZeroDivisionError
    assert len(seen) == 1


def test_each_subject_is_counted_by_itself_over_all_units(store: Store) -> None:
    a, b = new_id(), new_id()
    for _ in range(2):
        with store.database.unit() as unit:
            for subject in (a, b, a):
                unit.emit(withdrawn(subject))
    counted = [(row["headers"]["cloudEvents_subject"], row["headers"]["cloudEvents_sequence"]) for row in outbox(store)]
    assert [sequence for subject, sequence in counted if subject == str(a)] == [1, 2, 3, 4]
    assert [sequence for subject, sequence in counted if subject == str(b)] == [1, 2]


def test_an_event_names_what_led_to_it_and_what_began_it(store: Store) -> None:
    cause = Envelope(id=new_id(), source="/leeward/web", type="X", time=START, correlation_id=str(new_id()))
    with store.database.unit() as unit:
        unit.envelope = cause
        unit.emit(withdrawn(new_id()))
    (row,) = outbox(store)
    assert row["headers"]["causationid"] == str(cause.id)
    assert row["headers"]["correlationid"] == cause.correlation_id
    assert row["headers"]["cloudEvents_id"] == str(row["id"])
    assert (row["exchange"], row["routing_key"]) == ("intake.events", "ReferralWithdrawn")


def test_an_event_without_a_cause_begins_a_story(store: Store) -> None:
    with store.database.unit() as unit:
        unit.emit(withdrawn(new_id()))
    (row,) = outbox(store)
    assert row["headers"]["correlationid"] == str(row["id"])
    assert "causationid" not in row["headers"]


def test_events_leave_in_the_order_in_which_they_were_emitted(store: Store) -> None:
    subject = new_id()
    with store.database.unit() as unit:
        unit.emit(withdrawn(subject))
        unit.emit(ReferralClosed(referral_id=ReferralId(subject), reason=ClosureReason.THERAPY_ENDED))
    assert [row["routing_key"] for row in outbox(store)] == ["ReferralWithdrawn", "ReferralClosed"]


def test_a_service_publishes_only_its_own_facts(store: Store) -> None:
    with pytest.raises(TypeError, match="intake can't publish billing's"), store.database.unit() as unit:
        unit.emit(SubsidyWaitlisted(referral_id=ReferralId(new_id()), reason=SubsidyWaitReason.NO_MONEY))


def test_an_event_that_breaks_its_own_schema_is_never_published(store: Store) -> None:
    wrong = ReferralWithdrawn(referral_id="not an id", reason=WithdrawalReason.NO_CONTACT)  # type: ignore[arg-type]
    with pytest.raises(InvalidShape), store.database.unit() as unit:
        unit.emit(wrong)
    assert outbox(store) == []


def test_setting_a_timer_again_moves_it(store: Store) -> None:
    with store.database.unit() as unit:
        unit.set_timer("reminder", "x", START)
    with store.database.unit() as unit:
        unit.set_timer("reminder", "x", START.replace(hour=12), {"step": 2})
    (row,) = store.rows("timer")
    assert (row["due_at"], row["data"]) == (START.replace(hour=12), {"step": 2})


def test_what_was_read_only_is_not_kept(store: Store) -> None:
    with store.database.reading() as unit:
        unit.session.execute(store.note.insert().values(note_row(1)))
    assert store.numbers() == []


def test_old_inbox_marks_are_forgotten_and_young_ones_kept(store: Store) -> None:
    with store.database.unit() as unit:
        unit.claim([new_id()])
    with store.database.unit() as unit:
        unit.now = START.replace(month=10)
        unit.claim([new_id()])
    store.database.purge_inbox(retention_days=14)
    assert [row["handled_at"] for row in store.rows("inbox")] == [START]


def test_the_story_of_a_referral_is_kept_with_what_led_to_what(store: Store) -> None:
    cause = Envelope(id=new_id(), source="/leeward/web", type="X", time=START, correlation_id=str(new_id()))
    referral_id = new_id()
    with store.database.unit() as unit:
        unit.envelope = cause
        unit.emit(withdrawn(referral_id))
        unit.emit(HelpRequestRefused(submission_id=SubmissionId(new_id()), reason=RefusalReason.REPLAYED))
        unit.claim([cause.id])
    (row,) = outbox_of(store, "ReferralWithdrawn")
    with store.database.reading() as unit:
        told = find_events(
            unit.session,
            unit.tables,
            referral_ids=[],
            correlation_ids=[UUID(cause.correlation_id)],
            message_ids=[cause.id, new_id()],
        )
        assert told == find_events(
            unit.session, unit.tables, referral_ids=[referral_id], correlation_ids=[], message_ids=[cause.id]
        )
    assert told == {
        "emitted": [
            {
                "event_id": str(row["id"]),
                "type": "ReferralWithdrawn",
                "referral_id": str(referral_id),
                "correlation_id": cause.correlation_id,
                "causation_id": str(cause.id),
                "emitted_at": START.isoformat(),
            }
        ],
        "handled": {str(cause.id): START.isoformat()},
    }


def test_old_stories_are_forgotten_and_young_ones_kept(store: Store) -> None:
    now = datetime.now(UTC)
    old, young = first_id_of(now - timedelta(days=401)), first_id_of(now - timedelta(days=399))
    row = {"type": "X", "referral_id": new_id(), "correlation_id": new_id(), "emitted_at": now}
    with store.database.engine.begin() as connection:
        connection.execute(store.database.tables.story.insert(), [{"event_id": id_, **row} for id_ in (old, young)])
    with store.database.begin() as transaction:
        forget(transaction, store.database.tables.story, now - timedelta(days=400))
    assert [row["event_id"] for row in store.rows("story")] == [young]


def test_an_id_lies_between_the_first_of_its_moment_and_of_the_next() -> None:
    before = datetime.now(UTC)
    id_ = new_id()
    assert first_id_of(before - timedelta(milliseconds=1)) < id_ < first_id_of(datetime.now(UTC) + timedelta(seconds=1))


def outbox_of(store: Store, name: str) -> list[dict[str, Any]]:
    return [row for row in outbox(store) if row["routing_key"] == name]


def write_everything(store: Store, unit: StoreUnit) -> None:
    unit.session.execute(store.note.insert().values(note_row(1)))
    unit.claim([new_id()])
    unit.emit(withdrawn(new_id()))
    unit.set_timer("reminder", "x", START)


def outbox(store: Store) -> list[dict[str, Any]]:
    return sorted(store.rows("outbox"), key=lambda row: row["id"])


class Colour(StrEnum):
    RED = "red"


@pytest.fixture
def painted(store: Store) -> Iterator[Table]:
    """A table with a column of every kind that services use."""
    table = Table(
        "painted",
        MetaData(),
        Column("id", Uuid, primary_key=True),
        Column("at", Instant),
        Column("on", Date),
        Column("colour", code(Colour)),
        Column("name", String(40)),
        Column("pence", Integer),
        Column("ratio", Float),
        Column("yes", Boolean),
        Column("raw", LargeBinary),
        Column("data", JSON),
        Column("left", Integer, default=7),
    )
    table.create(store.database.engine)
    yield table
    table.drop(store.database.engine)


PLAIN: dict[str, Any] = {
    "at": START,
    "on": START.date(),
    "colour": Colour.RED,
    "name": 'O\'Hara \\ "quoted" ✓',
    "pence": 12,
    "ratio": 0.1,
    "yes": True,
    "left": 1,
}


@pytest.mark.parametrize(
    "values",
    [PLAIN, dict.fromkeys(PLAIN), PLAIN | {"raw": b"\x00\xff", "data": {"a": [1]}}, {"name": "only this"}],
    ids=["plain", "nothing", "bytes and JSON", "with a default"],
)
def test_rows_without_the_orm_are_written_as_they_are(store: Store, painted: Table, values: dict[str, Any]) -> None:
    ids = [new_id(), new_id()]
    with store.database.unit() as unit:
        for id_ in ids:
            unit.insert(painted, id=id_, **values)
    with store.database.engine.connect() as connection:
        found = [dict(row._mapping) for row in connection.execute(select(painted).order_by(painted.c.id))]
    expected = dict.fromkeys(painted.columns.keys()) | ({} if "left" in values else {"left": 7}) | values
    assert found == [expected | {"id": id_} for id_ in ids]


def test_rows_without_the_orm_may_differ_in_what_they_leave_out(store: Store, painted: Table) -> None:
    with store.database.unit() as unit:
        unit.insert(painted, id=new_id(), left=1, name="a")
        unit.insert(painted, id=new_id(), left=1, pence=2)
    with store.database.engine.connect() as connection:
        found = connection.execute(select(painted.c.name, painted.c.pence).order_by(painted.c.id)).all()
    assert [tuple(row) for row in found] == [("a", None), (None, 2)]


def test_of_what_is_said_of_a_timer_in_one_unit_the_last_counts(store: Store) -> None:
    with store.database.unit() as unit:
        unit.set_timer("reminder", "kept", START)
        unit.set_timer("reminder", "stays", START)
    with store.database.unit() as unit:
        unit.cancel_timer("reminder", "kept")
        unit.set_timer("reminder", "kept", START.replace(hour=12), {"step": 2})
        unit.set_timer("reminder", "gone", START)
        unit.cancel_timer("reminder", "gone")
        unit.cancel_timer("reminder", "never was")
    rows = {row["key"]: (row["due_at"], row["data"]) for row in store.rows("timer")}
    assert rows == {"kept": (START.replace(hour=12), {"step": 2}), "stays": (START, {})}
