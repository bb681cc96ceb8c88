"""Clock, working days, configuration and the envelope."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.clock import SharedClock
from chassis.config import InvalidSettings, check, open_env, read_chassis_settings
from chassis.workdays import add_working_days, is_working_day
from contracts.envelope import Envelope, UnreadableEnvelope, from_headers, to_headers
from contracts.london import day_of
from tests.chassis.conftest import START


def test_everyone_who_shares_a_clock_sees_it_move(tmp_path: Path) -> None:
    one, other = SharedClock(tmp_path / "clock"), SharedClock(tmp_path / "clock")
    one.advance(timedelta(days=365))
    one.advance(timedelta(hours=1))
    assert other.offset() == timedelta(days=365, hours=1)
    assert other.now() - datetime.now(UTC) > timedelta(days=365)


@pytest.mark.parametrize(
    ("asked", "days", "expected"),
    [
        ("2026-11-19T10:00+00:00", 2, "2026-11-23T10:00+00:00"),
        ("2026-11-21T10:00+00:00", 1, "2026-11-24T00:00+00:00"),
        ("2026-12-24T16:00+00:00", 1, "2026-12-29T16:00+00:00"),
        ("2026-03-27T10:00+00:00", 1, "2026-03-30T09:00+00:00"),
    ],
    ids=[
        "over a weekend",
        "from a weekend",
        "over Christmas, with its substitute day",
        "over the change of the clocks",
    ],
)
def test_working_days_are_those_of_the_charity(asked: str, days: int, expected: str) -> None:
    assert add_working_days(datetime.fromisoformat(asked), days) == datetime.fromisoformat(expected)


@given(st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC)), st.integers(0, 15))
def test_it_ends_on_a_working_day_and_a_later_start_never_ends_earlier(at: datetime, days: int) -> None:
    ends = add_working_days(at, days)
    assert is_working_day(ends)
    assert add_working_days(at + timedelta(hours=1), days) >= ends


def test_every_setting_that_is_wrong_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AMQP_URI", raising=False)
    monkeypatch.setenv("LEEWARD_BATCH_LIMIT", "many")
    monkeypatch.setenv("LEEWARD_LOG_LEVEL", "LOUD")
    env = open_env()
    read_chassis_settings(env, "intake")
    with pytest.raises(InvalidSettings) as caught:
        check(env)
    for name in ("AMQP_URI", "INTAKE_DATABASE_URL", "LEEWARD_BATCH_LIMIT", "LEEWARD_LOG_LEVEL"):
        assert name in str(caught.value)


def test_the_environment_goes_before_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "settings"
    file.write_text("AMQP_URI=amqp://file\nINTAKE_DATABASE_URL=sqlite://\nLEEWARD_BATCH_LIMIT=7\n")
    monkeypatch.setenv("LEEWARD_CONFIG", str(file))
    monkeypatch.setenv("AMQP_URI", "amqp://environment")
    for name in ("INTAKE_DATABASE_URL", "LEEWARD_BATCH_LIMIT"):
        monkeypatch.setenv(name, "x")
        monkeypatch.delenv(name)
    settings = read_chassis_settings(open_env(), "intake")
    assert (settings.amqp_uri, settings.batch_limit) == ("amqp://environment", 7)


def test_a_settings_file_that_is_not_there_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEEWARD_CONFIG", "nowhere.env")
    with pytest.raises(InvalidSettings, match=r"nowhere\.env, which is not a file"):
        open_env()


def test_an_envelope_survives_the_journey() -> None:
    envelope = Envelope(
        id=uuid4(),
        source="/leeward/intake",
        type="ReferralReceived",
        time=START,
        subject=str(uuid4()),
        sequence=3,
        dataschema="urn:leeward:intake:ReferralReceived:1",
        traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        correlation_id=str(uuid4()),
        causation_id=str(uuid4()),
    )
    read = from_headers(
        to_headers(envelope),
        exchange="intake.events",
        routing_key="ReferralReceived",
        message_id=None,
        received_at=START,
    )
    assert read == envelope


def test_a_bare_message_is_read_by_its_message_id() -> None:
    id_ = uuid4()
    read = from_headers({}, exchange="web.events", routing_key="HelpRequested", message_id=str(id_), received_at=START)
    assert (read.id, read.type, read.publisher, read.correlation_id) == (id_, "HelpRequested", "web", str(id_))


def test_a_message_without_any_id_is_refused() -> None:
    with pytest.raises(UnreadableEnvelope, match="neither"):
        from_headers({}, exchange="web.events", routing_key="HelpRequested", message_id=None, received_at=START)


def test_a_day_is_london_s() -> None:
    assert day_of(datetime(2026, 6, 30, 22, 59, tzinfo=UTC)) == date(2026, 6, 30)
    assert day_of(datetime(2026, 6, 30, 23, 30, tzinfo=UTC)) == date(2026, 7, 1)
    assert day_of(datetime(2026, 12, 31, 23, 30, tzinfo=UTC)) == date(2026, 12, 31)
    assert is_working_day(datetime(2026, 6, 28, 23, 30, tzinfo=UTC))  # a Monday there, and a Sunday in UTC
