"""A signed command that is sent again is answered again and does nothing; a token is used once."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast
from uuid import uuid4

import pytest

from chassis.access.actor import Actor
from chassis.access.authorization import RECORDED_A_MINUTE, Origin
from chassis.access.once import CommandIdTaken
from chassis.access.readings import TooManyReadings
from chassis.access.tokens import TokenNotValid
from chassis.host.provider import Chassis
from chassis.ports import Refused, UnitOfWork
from chassis.store.database import ANSWERS_KEPT
from chassis.store.tables import new_metadata
from chassis.testing import somebody
from contracts.commands.intake import Done, GetHistory, SignOff, TakeUp
from contracts.commands.operations import ReplayDeadLetters
from contracts.commands.subject import ReadingReason, ReadRecord
from contracts.vocabulary import ReferralId
from tests.chassis.conftest import Store, note_row

REFERRAL = ReferralId(uuid4())
NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


@pytest.fixture
def chassis(store: Store) -> Chassis:
    opened = Chassis(metadata=new_metadata(), dependencies=lambda env: None)
    opened.database = store.database
    opened.settings = cast(Any, SimpleNamespace(readings_per_hour=2))
    return opened


@pytest.fixture
def actor() -> Actor:
    return replace(somebody("sam"), command_id=uuid4(), signed_at=NOW, digest="a" * 64)


def note(store: Store) -> Any:
    """A command that notes the next number, and answers whether it is odd."""

    def handle(unit: UnitOfWork[Any], request: Any) -> Done:
        number = len(unit.session.execute(store.note.select()).all()) + 1
        unit.session.execute(store.note.insert().values(note_row(number)))
        return Done(changed=number % 2 == 1)

    return handle


def later(actor: Actor) -> Actor:
    assert actor.signed_at
    return replace(actor, signed_at=actor.signed_at + timedelta(seconds=1))


def test_sent_again_it_answers_again_and_does_nothing(store: Store, chassis: Chassis, actor: Actor) -> None:
    request = TakeUp(referral_id=REFERRAL)
    assert chassis.ask(note(store), request, actor) == {"changed": True}
    assert chassis.ask(note(store), request, later(actor)) == {"changed": True}
    assert store.numbers() == [1]


def test_a_token_is_used_once(store: Store, chassis: Chassis, actor: Actor) -> None:
    request = TakeUp(referral_id=REFERRAL)
    chassis.ask(note(store), request, actor)
    chassis.ask(note(store), request, later(actor))
    for used in (actor, later(actor)):
        with pytest.raises(TokenNotValid) as refused:
            chassis.ask(note(store), request, used)
        assert refused.value.reason == "used"
    assert store.numbers() == [1]


def test_what_the_broker_delivers_again_is_answered_again(store: Store, chassis: Chassis, actor: Actor) -> None:
    """The service went down after it had done it, and before it could say so."""
    request = TakeUp(referral_id=REFERRAL)
    chassis.ask(note(store), request, actor)
    assert chassis.ask(note(store), request, replace(actor, redelivered=True)) == {"changed": True}
    assert store.numbers() == [1]
    chassis.ask(note(store), request, later(actor))
    with pytest.raises(TokenNotValid):
        chassis.ask(note(store), request, replace(actor, redelivered=True))


def test_a_question_is_answered_anew_and_its_token_used_once(store: Store, chassis: Chassis, actor: Actor) -> None:
    request = GetHistory(referral_id=REFERRAL)
    assert chassis.ask(note(store), request, actor) == {"changed": True}
    assert chassis.ask(note(store), request, later(actor)) == {"changed": False}
    with pytest.raises(TokenNotValid):
        chassis.ask(note(store), request, actor)
    assert [row["answer"] for row in store.rows("received_command")] == [None]


@pytest.mark.parametrize("other", [{"digest": "b" * 64}, {"person": somebody("alex").person}])
def test_anothers_command_id_is_refused(store: Store, chassis: Chassis, actor: Actor, other: dict[str, Any]) -> None:
    chassis.ask(note(store), TakeUp(referral_id=REFERRAL), actor)
    with pytest.raises(CommandIdTaken):
        chassis.ask(note(store), TakeUp(referral_id=REFERRAL), replace(later(actor), **other))


@pytest.mark.parametrize("before", [GetHistory, TakeUp])
def test_an_id_of_another_command_with_the_same_arguments_is_refused(
    store: Store, chassis: Chassis, actor: Actor, before: type[GetHistory | TakeUp]
) -> None:
    """Else a page with two buttons would be told that the second one's command was done."""
    chassis.ask(note(store), before(referral_id=REFERRAL), actor)
    with pytest.raises(CommandIdTaken):
        chassis.ask(note(store), SignOff(referral_id=REFERRAL), later(actor))


def test_what_was_refused_can_be_asked_again(store: Store, chassis: Chassis, actor: Actor) -> None:
    def refuse(unit: UnitOfWork[Any], request: Any) -> None:
        raise Refused("not now")

    request = TakeUp(referral_id=REFERRAL)
    with pytest.raises(Refused):
        chassis.ask(refuse, request, actor)
    assert chassis.ask(note(store), request, later(actor)) == {"changed": True}


def test_answers_are_forgotten_after_a_day(store: Store, chassis: Chassis, actor: Actor) -> None:
    chassis.ask(note(store), TakeUp(referral_id=REFERRAL), actor)
    store.clock.advance(ANSWERS_KEPT + timedelta(seconds=1))
    store.database.purge_answers()
    assert store.rows("received_command") == []


def test_what_is_done_outside_the_store_uses_its_token_too(store: Store, chassis: Chassis, actor: Actor) -> None:
    done: list[int] = []
    chassis.once(actor, ReplayDeadLetters, lambda: done.append(1))
    with pytest.raises(TokenNotValid):
        chassis.once(actor, ReplayDeadLetters, lambda: done.append(2))
    assert done == [1]


def test_who_reads_about_many_people_within_an_hour_is_stopped_and_a_lead_is_told(
    store: Store, chassis: Chassis, actor: Actor
) -> None:
    told: list[str] = []
    chassis._tell_of_readings = lambda unit, who: told.append(who)
    request = ReadRecord(referral_id=REFERRAL, reason=ReadingReason.ASSESSMENT, seal_to="a key")

    def read(who: Actor) -> Any:
        return chassis.ask(note(store), request, replace(who, command_id=uuid4()))

    read(actor)
    read(actor)
    for _ in range(2):
        with pytest.raises(TooManyReadings) as refused:
            read(actor)
        chassis.record_refusal(refused.value, Origin("read_record", "nameko-rpc"))
    assert told == ["console:sam"]
    assert [(row["who"], row["reason"]) for row in store.rows("audit_entry")] == [
        ("console:sam", "read_record too_many_readings")
    ] * 2
    read(replace(actor, person=somebody("alex").person))
    store.clock.advance(timedelta(hours=1, seconds=1))
    read(actor)


def test_a_lead_is_told_however_much_else_is_refused(store: Store, chassis: Chassis) -> None:
    told: list[str] = []
    chassis._tell_of_readings = lambda unit, who: told.append(who)
    for _ in range(RECORDED_A_MINUTE):
        chassis._refusals.allows("console:sam")
    refusal = TooManyReadings("", reason="too_many_readings", who="console:sam")
    for _ in range(2):
        chassis.record_refusal(refusal, Origin("read_record", "nameko-rpc"))
    assert told == ["console:sam"]
    assert len(store.rows("audit_entry")) == 1


def test_a_lead_who_could_not_be_told_is_told_the_next_time(store: Store, chassis: Chassis) -> None:
    told: list[str] = []
    refusal = TooManyReadings("", reason="too_many_readings", who="console:sam")

    def fail(unit: Any, who: str) -> None:
        raise ConnectionError

    chassis._tell_of_readings = fail
    with pytest.raises(ConnectionError):
        chassis.record_refusal(refusal, Origin("read_record", "nameko-rpc"))
    chassis._tell_of_readings = lambda unit, who: told.append(who)
    chassis.record_refusal(refusal, Origin("read_record", "nameko-rpc"))
    assert told == ["console:sam"]
