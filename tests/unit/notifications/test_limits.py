"""Not too many messages at a time: limits for each person, and digests for the office."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.ids import new_id
from contracts.events.notifications import MessageFailed, MessageSent
from contracts.london import LONDON
from contracts.vocabulary import ContactChangeStage, FailureReason, ReferralId, TherapistId
from services.notifications.domain.limits import Limit, next_digest, next_free_moment
from services.notifications.handlers import address_book, digests, introductions, office_messages, therapist_messages
from tests.unit.notifications import facts
from tests.unit.notifications.conftest import EVENING, OPEN_EMAIL, SETTINGS, Desk, body, desk_on
from tests.unit.notifications.test_contact_changes import NEW_EMAIL, tell

AT = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
TWO_AN_HOUR, THREE_A_DAY = Limit(2, HOUR), Limit(3, DAY)
ADDRESS, OFFICE = "robin@example.org", SETTINGS.office.address


def test_one_more_waits_until_the_oldest_that_counts_is_out_of_the_way() -> None:
    sent = [AT - timedelta(minutes=50), AT - timedelta(minutes=10)]
    assert next_free_moment(sent=sent, ahead=0, limits=[TWO_AN_HOUR], at=AT) == AT + timedelta(minutes=10)
    assert next_free_moment(sent=sent[:1], ahead=0, limits=[TWO_AN_HOUR], at=AT) == AT
    assert next_free_moment(sent=sent[:1], ahead=1, limits=[TWO_AN_HOUR], at=AT) == AT + timedelta(minutes=10)
    assert next_free_moment(sent=[AT - HOUR, *sent[1:]], ahead=0, limits=[TWO_AN_HOUR], at=AT) == AT
    assert next_free_moment(sent=[], ahead=2, limits=[TWO_AN_HOUR], at=AT) == AT + HOUR


def test_what_went_by_a_clock_that_was_ahead_counts_as_gone_now() -> None:
    ahead = [AT + 2 * HOUR, AT + 2 * HOUR]
    assert next_free_moment(sent=ahead, ahead=0, limits=[TWO_AN_HOUR], at=AT) == AT + HOUR


limits = st.lists(st.builds(Limit, st.integers(1, 4), st.sampled_from([HOUR, DAY])), max_size=2)


@given(limits=limits, gaps=st.lists(st.integers(0, 600), max_size=30))
def test_no_while_ever_holds_more_than_its_limit(limits: list[Limit], gaps: list[int]) -> None:
    sent: list[datetime] = []
    at = AT
    for gap in gaps:
        at = max(at + timedelta(minutes=gap), *sent[-1:], at)
        at = next_free_moment(sent=sent, ahead=0, limits=limits, at=at)
        sent.append(at)
    for limit in limits:
        for last in sent:
            assert sum(last - limit.within < moment <= last for moment in sent) <= limit.messages


@pytest.fixture
def limited(keys: Path, database_file: Path) -> Desk:
    url = f"sqlite:///{database_file}"
    return desk_on(url, keys, client_limits=(TWO_AN_HOUR, THREE_A_DAY), therapist_limits=(TWO_AN_HOUR,))


def tell_of_matches(desk: Desk, referral_id: ReferralId, count: int) -> None:
    desk.release(referral_id, OPEN_EMAIL)
    for _ in range(count - 1):
        desk.bench.hear(introductions.note_match, facts.matched(referral_id))


def test_what_a_client_gets_too_much_of_waits_its_turn(limited: Desk, referral_id: ReferralId) -> None:
    tell_of_matches(limited, referral_id, 7)
    tell_of_matches(limited, ReferralId(new_id()), 1)
    limited.run()
    gone = []
    for _ in range(72):
        gone.append(len(limited.mail.to(ADDRESS)) - 1)  # another client's first message is not held up
        limited.pass_time(hours=1)
    assert (gone[0], gone[1], gone[23], gone[26], gone[-1]) == (2, 3, 3, 6, 7)


def test_codes_for_a_new_contact_hold_up_nothing_else(limited: Desk, referral_id: ReferralId) -> None:
    limited.release(referral_id, OPEN_EMAIL)
    for _ in range(3):
        tell(limited, referral_id, ContactChangeStage.CODE_WANTED, NEW_EMAIL, code="012345")
    limited.run()
    assert len(limited.mail.to("new@example.org")) == 3
    limited.bench.hear(introductions.note_match, facts.matched(referral_id))
    limited.run()
    assert limited.states(referral_id)["matched"] == "sent"


def test_a_therapist_is_not_flooded_either(limited: Desk, therapist_id: TherapistId) -> None:
    limited.admit(therapist_id)
    for _ in range(5):
        limited.bench.hear(therapist_messages.send_offer, facts.offered(ReferralId(new_id()), therapist_id))
    limited.run()
    assert len(limited.mail.sent) == 2
    limited.pass_time(hours=1)
    limited.pass_time(hours=1)
    assert len(limited.mail.sent) == 5


def test_what_waits_its_turn_still_goes_at_a_safe_hour_only(
    keys: Path, database_file: Path, referral_id: ReferralId
) -> None:
    desk = desk_on(f"sqlite:///{database_file}", keys, client_limits=(Limit(1, timedelta(hours=5)),))
    desk.release(referral_id, EVENING)
    desk.bench.hear(introductions.note_match, facts.matched(referral_id))
    for _ in range(48):
        before = len(desk.mail.sent)
        desk.pass_time(hours=1)
        if len(desk.mail.sent) > before:
            assert 17 <= desk.bench.clock.now().astimezone(LONDON).hour < 20
    assert len(desk.mail.sent) == 2


@pytest.mark.parametrize(
    ("at", "digest"),
    [("08:59", "09:00"), ("09:00", "14:00"), ("14:00", "09:00 tomorrow"), ("23:30", "09:00 tomorrow")],
)
def test_a_digest_goes_at_the_next_time_of_day(at: str, digest: str) -> None:
    def moment(text: str) -> datetime:
        clock, _, tomorrow = text.partition(" ")
        return datetime.combine(AT.date(), time.fromisoformat(clock), LONDON) + (DAY if tomorrow else 0 * DAY)

    assert next_digest((time(14), time(9)), at=moment(at)) == moment(digest)


@pytest.fixture
def gathering(keys: Path, database_file: Path) -> Desk:
    return desk_on(f"sqlite:///{database_file}", keys, digest_at=(time(9), time(14)))


def test_what_can_wait_goes_to_the_office_in_one_e_mail(gathering: Desk) -> None:
    stalled = [ReferralId(new_id()) for _ in range(3)]
    for referral_id in stalled:
        gathering.bench.hear(office_messages.notify_office_of_stall, facts.stalled(referral_id))
    gathering.pass_time(hours=3, minutes=59)
    assert gathering.mail.sent == []
    gathering.pass_time(minutes=1)
    (digest,) = gathering.mail.to(OFFICE)
    assert digest["Subject"] == "For the office: 3 to look at"
    assert all(str(referral_id) in body(digest) for referral_id in stalled)
    assert [event.template for event in gathering.bench.emitted(MessageSent)] == ["matching_stalled"] * 3
    gathering.pass_time(days=2)
    assert len(gathering.mail.sent) == 1


def test_what_has_been_withdrawn_meanwhile_is_not_in_it(gathering: Desk, referral_id: ReferralId) -> None:
    gathering.bench.hear(office_messages.notify_office_of_stall, facts.stalled(referral_id))
    gathering.bench.hear(address_book.withdraw, facts.withdrawn(referral_id))
    gathering.pass_time(days=1)
    assert gathering.mail.sent == []


def test_a_digest_that_found_no_way_out_is_tried_again_and_at_last_failed(
    gathering: Desk, referral_id: ReferralId
) -> None:
    gathering.bench.hear(office_messages.notify_office_of_stall, facts.stalled(referral_id))
    gathering.mail.down = True
    gathering.pass_time(hours=4)
    for _ in range(8):
        gathering.pass_time(minutes=1)
    (failed,) = gathering.bench.emitted(MessageFailed)
    assert failed.reason is FailureReason.UNREACHABLE


def test_a_digest_that_is_sent_again_after_a_crash_has_the_same_message_id(
    gathering: Desk, referral_id: ReferralId
) -> None:
    gathering.bench.hear(office_messages.notify_office_of_stall, facts.stalled(referral_id))
    timer = gathering.timer("send_digest")
    for _ in range(2):
        with gathering.bench.database.reading() as unit:
            digests.send_digest(unit, timer)
    assert len({digest["Message-ID"] for digest in gathering.mail.sent}) == 1
