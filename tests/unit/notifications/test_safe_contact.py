"""The rules of safe contact."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.sealed import SafeChannel, SafeHours
from services.notifications.domain.safe_contact import (
    LONDON,
    WINDOWS,
    AskStaff,
    KeepUntilTheyCall,
    NoAddress,
    WriteLater,
    WriteNow,
    next_safe_moment,
    way_to_reach,
)

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
ADDRESS = "robin@example.org"

moments = st.datetimes(
    min_value=datetime(2026, 1, 1), max_value=datetime(2030, 1, 1), timezones=st.just(UTC)
)  # fmt: skip


def test_writes_at_once_to_a_client_who_may_be_written_to_at_any_time() -> None:
    way = way_to_reach(channel=SafeChannel.EMAIL, hours=SafeHours.ANY, email=ADDRESS, at=NOON)
    assert way == WriteNow(ADDRESS)


def test_waits_for_the_hours_that_are_safe() -> None:
    way = way_to_reach(channel=SafeChannel.EMAIL, hours=SafeHours.EVENING, email=ADDRESS, at=NOON)
    assert way == WriteLater(datetime(2026, 11, 23, 17, 0, tzinfo=UTC))


@pytest.mark.parametrize("channel", [SafeChannel.TELEPHONE, SafeChannel.POST])
def test_asks_staff_where_e_mail_was_not_chosen_even_if_an_address_is_known(channel: SafeChannel) -> None:
    assert way_to_reach(channel=channel, hours=SafeHours.ANY, email=ADDRESS, at=NOON) == AskStaff()


def test_sends_nothing_to_a_client_who_calls() -> None:
    way = way_to_reach(channel=SafeChannel.CLIENT_CALLS, hours=SafeHours.ANY, email=ADDRESS, at=NOON)
    assert way == KeepUntilTheyCall()


def test_has_no_way_to_a_client_who_chose_e_mail_and_gave_no_address() -> None:
    assert way_to_reach(channel=SafeChannel.EMAIL, hours=SafeHours.ANY, email=None, at=NOON) == NoAddress()


@pytest.mark.parametrize(
    ("hours", "at", "expected"),
    [
        (SafeHours.MORNING, "2026-11-23T08:59", "2026-11-23T09:00"),
        (SafeHours.MORNING, "2026-11-23T09:00", "2026-11-23T09:00"),
        (SafeHours.MORNING, "2026-11-23T11:59", "2026-11-23T11:59"),
        (SafeHours.MORNING, "2026-11-23T12:00", "2026-11-24T09:00"),
        (SafeHours.AFTERNOON, "2026-11-23T12:00", "2026-11-23T12:00"),
        (SafeHours.AFTERNOON, "2026-11-23T17:00", "2026-11-24T12:00"),
        (SafeHours.EVENING, "2026-11-23T19:59", "2026-11-23T19:59"),
        (SafeHours.EVENING, "2026-11-23T20:00", "2026-11-24T17:00"),
        (SafeHours.EVENING, "2026-12-31T21:00", "2027-01-01T17:00"),
    ],
)
def test_hours_begin_with_their_first_minute_and_end_before_their_last(
    hours: SafeHours, at: str, expected: str
) -> None:
    moment = datetime.fromisoformat(at).replace(tzinfo=LONDON)
    assert next_safe_moment(hours=hours, at=moment) == datetime.fromisoformat(expected).replace(tzinfo=LONDON)


def test_hours_are_london_s_in_summer_too() -> None:
    midsummer = datetime(2026, 7, 1, 10, 30, tzinfo=UTC)
    assert next_safe_moment(hours=SafeHours.AFTERNOON, at=midsummer) == datetime(2026, 7, 1, 11, 0, tzinfo=UTC)


def test_half_past_eleven_in_summer_s_utc_is_past_noon_in_london() -> None:
    midsummer = datetime(2026, 7, 1, 11, 30, tzinfo=UTC)
    assert next_safe_moment(hours=SafeHours.AFTERNOON, at=midsummer) == midsummer
    assert next_safe_moment(hours=SafeHours.MORNING, at=midsummer) == datetime(2026, 7, 2, 8, 0, tzinfo=UTC)


def test_the_night_the_clocks_go_back_is_no_exception() -> None:
    saturday_night = datetime(2026, 10, 24, 22, 0, tzinfo=UTC)
    assert next_safe_moment(hours=SafeHours.MORNING, at=saturday_night) == datetime(2026, 10, 25, 9, 0, tzinfo=UTC)


@given(hours=st.sampled_from(SafeHours), at=moments)
def test_the_next_safe_moment_is_safe_soon_and_never_past(hours: SafeHours, at: datetime) -> None:
    safe = next_safe_moment(hours=hours, at=at)
    assert at <= safe <= at + timedelta(hours=25)
    if hours is not SafeHours.ANY:
        begin, end = WINDOWS[hours]
        assert begin <= safe.astimezone(LONDON).time() < end
    assert next_safe_moment(hours=hours, at=safe) == safe
