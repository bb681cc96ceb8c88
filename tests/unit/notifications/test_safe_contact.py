"""The rules of safe contact."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.sealed import SafeChannel, SafeContact, SafeHours
from contracts.vocabulary import Channel
from services.notifications.domain.safe_contact import (
    CHANNELS,
    LONDON,
    WINDOWS,
    AskStaff,
    NoAddress,
    QuietHours,
    WaitForCall,
    Way,
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


contacts = st.builds(
    SafeContact,
    channel=st.sampled_from(SafeChannel),
    hours=st.sampled_from(SafeHours),
    email=st.none() | st.just(ADDRESS),
    telephone=st.none() | st.just("07700 900123"),
    address=st.none() | st.just("1 Invented Street"),
    may_leave_message=st.booleans(),
    discreet=st.booleans(),
)
times = st.times().map(lambda at: at.replace(second=0, microsecond=0))
quiets = st.none() | st.builds(QuietHours, begin=times, end=times)
NIGHT = QuietHours(time(21), time(8))
EVERYTHING = SafeContact(
    channel=SafeChannel.EMAIL, email=ADDRESS, telephone="07700 900123", address="1 Invented Street"
)


@pytest.mark.parametrize(
    ("channel", "way"),
    [
        (SafeChannel.EMAIL, WriteNow(Channel.EMAIL, ADDRESS)),
        (SafeChannel.TEXT, WriteNow(Channel.TEXT, "07700 900123")),
        (SafeChannel.POST, WriteNow(Channel.LETTER, "1 Invented Street")),
        (SafeChannel.TELEPHONE, AskStaff()),
        (SafeChannel.CLIENT_CALLS, WaitForCall()),
    ],
)
def test_only_the_channel_that_was_chosen_is_used_whatever_else_is_known(channel: SafeChannel, way: Way) -> None:
    assert way_to_reach(contact=replace(EVERYTHING, channel=channel), at=NOON) == way


def test_waits_for_the_hours_that_are_safe() -> None:
    way = way_to_reach(contact=replace(EVERYTHING, hours=SafeHours.EVENING), at=NOON)
    assert way == WriteLater(Channel.EMAIL, datetime(2026, 11, 23, 17, 0, tzinfo=UTC))


@pytest.mark.parametrize("channel", [SafeChannel.EMAIL, SafeChannel.TEXT, SafeChannel.POST])
def test_has_no_way_to_a_client_who_chose_a_channel_and_gave_no_address_for_it(channel: SafeChannel) -> None:
    assert way_to_reach(contact=SafeContact(channel=channel), at=NOON) == NoAddress(CHANNELS[channel])


def test_asks_staff_where_there_is_no_gateway() -> None:
    by_post = replace(EVERYTHING, channel=SafeChannel.POST)
    assert way_to_reach(contact=by_post, at=NOON, by_hand={Channel.LETTER}) == AskStaff()


def test_disturbs_nobody_in_quiet_hours_who_named_no_hours_of_their_own() -> None:
    late = datetime(2026, 11, 23, 21, 0, tzinfo=UTC)
    morning = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
    assert way_to_reach(contact=EVERYTHING, at=late, quiet=NIGHT) == WriteLater(Channel.EMAIL, morning)
    assert way_to_reach(contact=EVERYTHING, at=morning, quiet=NIGHT) == WriteNow(Channel.EMAIL, ADDRESS)


@pytest.mark.parametrize(
    ("quiet", "quiet_at", "not_at"),
    [
        (NIGHT, ["21:00", "23:59", "00:00", "07:59"], ["20:59", "08:00", "12:00"]),
        (QuietHours(time(12), time(13)), ["12:00", "12:59"], ["11:59", "13:00", "00:00"]),
    ],
)
def test_quiet_hours_may_go_over_midnight(quiet: QuietHours, quiet_at: list[str], not_at: list[str]) -> None:
    assert all(quiet.covers(time.fromisoformat(clock)) for clock in quiet_at)
    assert not any(quiet.covers(time.fromisoformat(clock)) for clock in not_at)


def test_a_letter_disturbs_nobody_at_night() -> None:
    by_post = replace(EVERYTHING, channel=SafeChannel.POST, hours=SafeHours.MORNING)
    assert isinstance(way_to_reach(contact=by_post, at=NOON, quiet=NIGHT), WriteNow)


@given(contact=contacts, at=moments, quiet=quiets, by_hand=st.frozensets(st.sampled_from(Channel)))
def test_nothing_goes_out_but_by_the_chosen_channel_at_a_safe_hour(
    contact: SafeContact, at: datetime, quiet: QuietHours | None, by_hand: frozenset[Channel]
) -> None:
    way = way_to_reach(contact=contact, at=at, quiet=quiet, by_hand=by_hand)
    if isinstance(way, WriteLater):
        assert way.at > at
        way = way_to_reach(contact=contact, at=way.at, quiet=quiet, by_hand=by_hand)
        assert isinstance(way, WriteNow), "what was put off may go then"
        at = next_safe_moment(hours=contact.hours, at=at, quiet=quiet)
    if not isinstance(way, WriteNow):
        return
    assert CHANNELS[contact.channel] is way.channel
    assert way.channel not in by_hand
    assert way.to in (contact.email, contact.telephone, contact.address)
    clock = at.astimezone(LONDON).time()
    if way.channel is Channel.LETTER:
        return
    if contact.hours is SafeHours.ANY:
        assert quiet is None or not quiet.covers(clock)
    else:
        begin, end = WINDOWS[contact.hours]
        assert begin <= clock < end


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
