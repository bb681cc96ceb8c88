"""What a therapist says by the page of an introduction: passed on once, if it can be, from whoever is known there."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from chassis.ids import new_id
from chassis.ports import Invalid, NotYet
from chassis.privacy.one_time_links import new_token
from contracts.events.billing import FirstSessionAttended, SessionReversed
from contracts.events.intake import ReferralErased
from contracts.events.matching import (
    MatchEndUndone,
)
from contracts.vocabulary import (
    MatchEndReason,
    SessionId,
    SessionReversalReason,
    TherapyReport,
    UndoReason,
)
from services.notifications.handlers import erasure, introductions
from services.notifications.store import tables
from tests.unit.notifications.conftest import (
    EMAIL,
    SETTINGS,
    Desk,
    body,
)
from tests.unit.notifications.test_introductions import TODAY, Room, room

__all__ = ["room"]


def said(room: Room) -> Iterable[tuple[TherapyReport, date | None, MatchEndReason | None]]:
    assert all(one.match_id == room.match_id for one in room.accepted())
    return [(one.what, one.on, one.reason) for one in room.accepted()]


def test_what_the_therapist_says_is_told_to_whoever_keeps_it(room: Room) -> None:
    room.come_in()
    room.bench.clock.advance(timedelta(minutes=20))
    assert room.look().matched_on == TODAY
    room.say(TherapyReport.CONTACT_MADE, on=TODAY)
    assert room.look().contact_made_on == TODAY
    room.say(TherapyReport.FIRST_SESSION, on=TODAY)
    room.say(TherapyReport.NOT_ATTENDED)
    room.say(TherapyReport.ENDED, reason=MatchEndReason.CLIENT_UNHAPPY)
    assert said(room) == [
        (TherapyReport.CONTACT_MADE, TODAY, None),
        (TherapyReport.FIRST_SESSION, TODAY, None),
        (TherapyReport.NOT_ATTENDED, None, None),
        (TherapyReport.ENDED, None, MatchEndReason.CLIENT_UNHAPPY),
    ]


def test_what_is_known_already_is_not_told_again(room: Room) -> None:
    room.come_in()
    attended = FirstSessionAttended(
        referral_id=room.referral_id, match_id=room.match_id, therapist_id=room.therapist_id, attended_on=TODAY
    )
    room.say(TherapyReport.CONTACT_MADE, on=TODAY)
    room.bench.hear(introductions.note_first_session, attended)
    assert room.look().first_session_on == TODAY
    for what in (TherapyReport.CONTACT_MADE, TherapyReport.FIRST_SESSION):
        room.say(what, on=TODAY)
    room.say(TherapyReport.NOT_ATTENDED)
    assert len(room.accepted()) == 1
    taken_back = SessionReversed(
        session_id=SessionId(new_id()),
        referral_id=room.referral_id,
        match_id=room.match_id,
        therapist_id=room.therapist_id,
        attended_on=TODAY,
        sessions=0,
        drawn_pence=0,
        reason=SessionReversalReason.DID_NOT_TAKE_PLACE,
    )
    room.bench.hear(introductions.note_session_reversed, taken_back)
    room.say(TherapyReport.FIRST_SESSION, on=TODAY)
    assert len(room.accepted()) == 2


@pytest.mark.parametrize("what", [TherapyReport.CONTACT_MADE, TherapyReport.FIRST_SESSION])
@pytest.mark.parametrize("day", [None, TODAY - timedelta(days=1), TODAY + timedelta(days=1)])
def test_a_day_that_can_not_be_is_refused(room: Room, what: TherapyReport, day: date | None) -> None:
    room.come_in()
    with pytest.raises(Invalid, match="day"):
        room.say(what, on=day)
    assert room.accepted() == []


@pytest.mark.parametrize("reason", [None, MatchEndReason.WITHDRAWN])
def test_a_therapist_ends_a_therapy_for_a_therapist_s_reasons_alone(room: Room, reason: MatchEndReason | None) -> None:
    room.come_in()
    with pytest.raises(Invalid, match="reason"):
        room.say(TherapyReport.ENDED, reason=reason)


def test_a_report_needs_the_code_and_an_open_link(room: Room) -> None:
    with pytest.raises(Invalid, match="no code"):
        room.say(TherapyReport.NOT_ATTENDED)
    room.come_in()
    with pytest.raises(Invalid, match="no code"):
        room.say(TherapyReport.NOT_ATTENDED, right=new_token())
    room.secret, secret = "x" * 22, room.secret
    with pytest.raises(Invalid, match="no introduction"):
        room.say(TherapyReport.NOT_ATTENDED)
    room.secret = secret
    room.end()
    room.say(TherapyReport.NOT_ATTENDED)
    assert room.accepted() == []


def test_a_report_that_waited_on_its_way_counts_though_the_browser_is_not_known_any_more(room: Room) -> None:
    room.come_in()
    said_at = room.bench.clock.now() + timedelta(minutes=29)
    room.bench.clock.advance(timedelta(days=1))
    room.say(TherapyReport.NOT_ATTENDED, said_at=said_at)
    assert [one.reported_at for one in room.accepted()] == [said_at], "it was said then, and not as it came"


def test_a_report_from_a_browser_that_was_known_no_more_as_it_was_said_is_refused(room: Room) -> None:
    room.come_in()
    room.bench.clock.advance(timedelta(minutes=31))
    with pytest.raises(Invalid, match="known no more"):
        room.say(TherapyReport.NOT_ATTENDED)
    assert room.accepted() == []


def test_of_an_erased_client_it_is_not_kept_again_how_their_therapy_went(room: Room) -> None:
    room.bench.hear(erasure.forget, ReferralErased(referral_id=room.referral_id))
    attended = FirstSessionAttended(
        referral_id=room.referral_id, match_id=room.match_id, therapist_id=room.therapist_id, attended_on=TODAY
    )
    room.bench.hear(introductions.note_first_session, attended)
    room.match()
    room.end()
    undone = MatchEndUndone(
        match_id=room.match_id,
        referral_id=room.referral_id,
        therapist_id=room.therapist_id,
        reason=next(iter(UndoReason)),
        undone_at=room.bench.clock.now(),
    )
    room.bench.hear(introductions.note_end_undone, undone)
    with room.bench.database.reading() as unit:
        assert unit.session.execute(select(tables.therapies)).all() == []


def test_a_report_is_never_from_a_time_to_come(room: Room) -> None:
    room.come_in()
    now = room.bench.clock.now()
    room.say(TherapyReport.NOT_ATTENDED, said_at=now + timedelta(seconds=30))
    assert [one.reported_at for one in room.accepted()] == [now]


def test_an_end_that_is_heard_twice_was_said_at_the_same_time(room: Room) -> None:
    """So that matching can tell it from one that is said anew, after a person has put the first right."""
    room.come_in()
    said_at = room.bench.clock.now()
    for _ in range(2):
        room.say(TherapyReport.ENDED, said_at=said_at, reason=MatchEndReason.COMPLETED)
        room.bench.clock.advance(timedelta(minutes=5))
    assert {one.reported_at for one in room.accepted()} == {said_at}


@pytest.mark.parametrize("what", [TherapyReport.FIRST_SESSION, TherapyReport.NOT_ATTENDED])
def test_where_a_report_on_whether_they_met_comes_too_late_the_office_asks(room: Room, what: TherapyReport) -> None:
    room.come_in()
    room.end(MatchEndReason.WITHDRAWN)
    room.say(what, on=TODAY if what is TherapyReport.FIRST_SESSION else None)
    room.desk.run()
    assert room.accepted() == []
    (asked,) = room.desk.mail.to(SETTINGS.office.address)
    assert asked["Subject"] == "Has a client met their therapist?"
    assert str(room.match_id) in body(asked)


@pytest.mark.parametrize(
    ("what", "more", "words"),
    [
        (TherapyReport.CONTACT_MADE, {"on": TODAY}, "they have made contact, on 23 November 2026"),
        (TherapyReport.ENDED, {"reason": MatchEndReason.COMPLETED}, "the work has ended: it is completed"),
    ],
)
def test_what_else_is_said_too_late_the_office_records(
    room: Room, what: TherapyReport, more: dict[str, Any], words: str
) -> None:
    room.bench.clock.advance(SETTINGS.introduction_lasts - timedelta(minutes=1))
    room.come_in()
    room.bench.clock.advance(timedelta(minutes=2))
    room.say(what, **more)
    room.desk.run()
    assert room.accepted() == []
    (told,) = room.desk.mail.to(SETTINGS.office.address)
    assert words in body(told)
    assert str(room.match_id) in body(told)


def test_an_end_that_is_known_is_not_told_to_the_office(room: Room) -> None:
    room.come_in()
    room.end()
    room.say(TherapyReport.ENDED, reason=MatchEndReason.COMPLETED)
    room.desk.run()
    assert room.desk.mail.to(SETTINGS.office.address) == []


def test_where_it_is_known_that_they_met_a_late_report_asks_nobody(room: Room) -> None:
    room.come_in()
    attended = FirstSessionAttended(
        referral_id=room.referral_id, match_id=room.match_id, therapist_id=room.therapist_id, attended_on=TODAY
    )
    room.bench.hear(introductions.note_first_session, attended)
    room.end()
    room.say(TherapyReport.FIRST_SESSION, on=TODAY)
    room.desk.run()
    assert room.desk.mail.to(SETTINGS.office.address) == []


def test_a_report_waits_for_the_match_that_it_is_about(desk: Desk) -> None:
    room = Room(desk)
    desk.release(room.referral_id, EMAIL)
    desk.admit(room.therapist_id)
    desk.release(room.referral_id, EMAIL, to=room.therapist_id)
    desk.run()
    room.secret = room.secret_in(room.letters()[-1])
    room.come_in()
    with pytest.raises(NotYet):
        room.say(TherapyReport.NOT_ATTENDED)
