"""The unit of work: all or nothing, in order, with its story told in the envelope."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from chassis.ids import new_id
from chassis.store.unit import StoreUnit
from contracts.envelope import Envelope
from contracts.events.billing import SubsidyWaitlisted
from contracts.events.intake import ReferralClosed, ReferralWithdrawn
from contracts.shape import InvalidShape
from contracts.vocabulary import ClosureReason, ReferralId, SubsidyWaitReason, WithdrawalReason
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


def write_everything(store: Store, unit: StoreUnit) -> None:
    unit.session.execute(store.note.insert().values(note_row(1)))
    unit.claim([new_id()])
    unit.emit(withdrawn(new_id()))
    unit.set_timer("reminder", "x", START)


def outbox(store: Store) -> list[dict[str, Any]]:
    return sorted(store.rows("outbox"), key=lambda row: row["id"])
