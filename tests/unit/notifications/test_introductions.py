"""An introduction: a link that holds nothing, a code by another channel, and readings that go on record."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from chassis.audit.chain import AuditAction
from chassis.ids import new_id
from chassis.ports import EventHandler, Refused
from chassis.privacy.ephemeral_key import OneTimeKey
from chassis.privacy.one_time_links import new_token
from contracts.commands.notifications import (
    ClientPage,
    EnterClientCode,
    GetClientLink,
    GiveClientCode,
    GivenCode,
    RenewedIntroduction,
    RenewIntroduction,
    SendClientCode,
)
from contracts.event import Event
from contracts.events.billing import FirstSessionAttended
from contracts.events.intake import ContactReleased, ReferralErased, ReferralWithdrawn
from contracts.events.matching import (
    MatchEnded,
    MatchEndUndone,
    TherapistMatched,
    TherapistReinstated,
    TherapistSuspended,
)
from contracts.events.notifications import TherapyReportAccepted
from contracts.events.web import TherapyReported
from contracts.reference import reference_for
from contracts.sealed import ClientContact, ClientLink, OneTimeCode, TherapistContact, TherapyAnswer, TypedCode
from contracts.typed.telephones import read_telephone
from contracts.vocabulary import (
    CallerCheck,
    ContactPurpose,
    LinkState,
    MatchEndReason,
    MatchId,
    ReferralId,
    Sessions,
    SubmissionId,
    SuspensionReason,
    TherapistId,
    TherapyReport,
    UndoReason,
    WithdrawalReason,
)
from services.notifications.domain.introductions import takes_texts
from services.notifications.domain.limits import Limit
from services.notifications.domain.safe_contact import QuietHours
from services.notifications.handlers import address_book, erasure, introduction_page, introductions, therapist_messages
from tests.unit.notifications.conftest import (
    CLIENT_NAME,
    EMAIL,
    OPEN_EMAIL,
    SETTINGS,
    THERAPIST_EMAIL,
    Desk,
    body,
    desk_on,
)

TODAY = date(2026, 11, 23)
TELEPHONE = "07700 900321"
NEW = replace(OPEN_EMAIL, email="robin.new@example.org")


class Room:
    """A client, their therapist, and the page of the introduction in one browser."""

    def __init__(self, desk: Desk) -> None:
        self.desk, self.bench = desk, desk.bench
        self.referral_id, self.therapist_id = ReferralId(new_id()), TherapistId(new_id())
        self.match_id = MatchId(new_id())
        self.right = new_token()
        self.secret = ""

    def introduce(self) -> None:
        self.desk.release(self.referral_id, EMAIL)
        self.desk.admit(self.therapist_id)
        self.match()
        self.desk.release(self.referral_id, EMAIL, to=self.therapist_id)
        self.desk.run()
        self.secret = self.secret_in(self.letters()[-1])

    def match(self, **changes: Any) -> None:
        self.bench.hear(introductions.note_match, a_match(self, **changes))

    def correct(self) -> None:
        client = ClientContact(
            referral_id=self.referral_id, reference=reference_for(self.referral_id), name=CLIENT_NAME, contact=NEW
        )
        sealed = self.desk.keyring.seal("notifications", client)
        event = ContactReleased(
            referral_id=self.referral_id,
            purpose=ContactPurpose.CORRECTION,
            therapist_id=self.therapist_id,
            sealed=sealed,
        )
        self.bench.hear(address_book.record_contact, event)
        self.desk.run()

    def letters(self) -> list[str]:
        return [body(one) for one in self.desk.mail.to(THERAPIST_EMAIL)]

    def secret_in(self, letter: str) -> str:
        (found,) = re.findall(r"https://forms\.example\.org/client/([A-Za-z0-9_-]{22})(?![A-Za-z0-9_-])", letter)
        return str(found)

    def look(self, *, secret: str | None = None, right: str | None = None, key: OneTimeKey | None = None) -> ClientPage:
        shown = ClientLink(token=secret or self.secret, right=right or self.right)
        sealed = self.desk.keyring.seal("notifications", shown)
        asked = GetClientLink(sealed=sealed, seal_to=key.public if key else None)
        page: ClientPage = self.bench.ask(introduction_page.open_client, asked)
        return page

    def read(self, **which: Any) -> ClientContact | None:
        key = OneTimeKey()
        client = self.look(key=key, **which).client
        return key.open(ClientContact, client) if client else None

    def ask_for_code(self) -> ClientPage:
        sealed = self.desk.keyring.seal("notifications", ClientLink(token=self.secret))
        page: ClientPage = self.bench.ask(introduction_page.send_client_code, SendClientCode(sealed=sealed))
        self.desk.run()
        return page

    def code(self) -> str:
        """The newest that came by text message."""
        message = self.desk.texts.sent[-1]
        assert message.to == read_telephone(TELEPHONE).e164
        (code,) = re.findall(r"^[0-9]{6}\b", message.text)
        return str(code)

    def type(self, code: str, *, right: str | None = None) -> ClientPage:
        typed = TypedCode(token=self.secret, code=code, right=right or self.right)
        sealed = self.desk.keyring.seal("notifications", typed)
        page: ClientPage = self.bench.ask(introduction_page.enter_client_code, EnterClientCode(sealed=sealed))
        return page

    def come_in(self) -> None:
        self.ask_for_code()
        assert self.type(self.code()).is_known

    def say(
        self, what: TherapyReport, *, right: str | None = None, said_at: datetime | None = None, **more: Any
    ) -> None:
        said = TherapyAnswer(token=self.secret, right=right or self.right, what=what, **more)
        sealed = self.desk.keyring.seal("notifications", said)
        event = TherapyReported(submission_id=SubmissionId(new_id()), sealed=sealed)
        self.bench.hear(introductions.record_therapy_report, event, said_at=said_at)

    def accepted(self) -> list[TherapyReportAccepted]:
        return self.bench.emitted(TherapyReportAccepted)

    def on_record(self) -> list[tuple[str, str, str]]:
        table = self.bench.database.tables.audit_entry
        with self.bench.database.reading() as unit:
            found = unit.session.execute(table.select().order_by(table.c.sequence)).all()
        return [(one.who, one.what, one.reason) for one in found]

    def end(self, reason: MatchEndReason = MatchEndReason.COMPLETED) -> None:
        event = MatchEnded(
            match_id=self.match_id,
            referral_id=self.referral_id,
            therapist_id=self.therapist_id,
            reason=reason,
            ended_at=self.bench.clock.now(),
        )
        self.bench.hear(introductions.note_end, event)


def a_match(room: Room, **changes: Any) -> TherapistMatched:
    known: dict[str, Any] = {
        "match_id": room.match_id, "referral_id": room.referral_id, "therapist_id": room.therapist_id,
        "matched_at": room.bench.clock.now(), "distance_km": 3.0, "session_fee_pence": 60_00,
        "sessions": Sessions.EITHER,
    }  # fmt: skip
    return TherapistMatched(**known | changes)


@pytest.fixture
def room(desk: Desk) -> Room:
    found = Room(desk)
    found.introduce()
    return found


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06}"


def test_the_letter_holds_a_link_and_nothing_of_the_client(room: Room) -> None:
    (letter,) = room.letters()
    assert reference_for(room.referral_id) in letter
    for told in (CLIENT_NAME, str(EMAIL.email), "Robin"):
        assert told not in letter


def test_the_contact_is_shown_after_a_code_from_the_telephone_and_each_reading_is_on_record(room: Room) -> None:
    assert room.read() is None
    page = room.ask_for_code()
    assert (page.number_ends, page.is_known) == ("21", False)
    assert page.code_until == room.bench.clock.now() + timedelta(minutes=10)
    assert room.type(room.code()).is_known
    assert room.on_record() == [], "nothing was read yet"
    for _ in range(2):
        found = room.read()
        assert found is not None
        assert (found.name, found.contact) == (CLIENT_NAME, EMAIL)
    assert room.on_record() == [(f"therapist {room.therapist_id}", AuditAction.READ.value, "introduction")] * 2
    room.look()
    assert len(room.on_record()) == 2, "what shows nothing of the client is no reading"


def test_what_was_typed_holds_for_that_browser_and_for_half_an_hour(room: Room) -> None:
    room.come_in()
    assert room.read(right=new_token()) is None
    room.bench.clock.advance(timedelta(minutes=29))
    assert room.read()
    room.bench.clock.advance(timedelta(minutes=1))
    assert room.read() is None
    page = room.look()
    assert (page.state, page.matched_on) == (LinkState.OPEN, None)


def test_of_another_introduction_what_was_typed_shows_nothing(desk: Desk, room: Room) -> None:
    room.come_in()
    other = Room(desk)
    other.introduce()
    assert other.look(right=room.right).is_known is False


def test_one_browser_is_known_to_two_introductions_at_once(desk: Desk, room: Room) -> None:
    room.come_in()
    other = Room(desk)
    other.therapist_id, other.right = room.therapist_id, room.right
    other.introduce()
    assert other.read() is None, "each asks for a code of its own"
    other.come_in()
    for one in (room, other):
        found = one.read()
        assert found is not None
        assert found.referral_id == one.referral_id
        one.say(TherapyReport.NOT_ATTENDED)
    assert [one.match_id for one in room.accepted()] == [room.match_id, other.match_id]


def test_a_code_is_good_once_and_for_ten_minutes(room: Room) -> None:
    room.ask_for_code()
    code = room.code()
    assert room.type(f" {code[:3]} {code[3:]} ").is_known
    assert not room.type(code, right=new_token()).is_known
    room.ask_for_code()
    room.bench.clock.advance(timedelta(minutes=10))
    assert not room.type(room.code(), right=new_token()).is_known
    assert room.look().code_until is None


def test_after_five_wrong_codes_the_right_one_is_too_late_and_the_page_says_how_long_to_wait(room: Room) -> None:
    room.ask_for_code()
    made_at, code = room.bench.clock.now(), room.code()
    for _ in range(5):
        page = room.type(wrong(code))
    assert (page.is_known, page.code_until, page.wait_until) == (False, None, made_at + timedelta(minutes=10))
    assert not room.type(code).is_known
    sent = len(room.desk.texts.sent)
    assert room.ask_for_code().wait_until is not None
    assert len(room.desk.texts.sent) == sent
    room.bench.clock.advance(timedelta(minutes=10))
    room.come_in()


def test_so_many_codes_an_hour_and_no_more(room: Room) -> None:
    first = room.bench.clock.now()
    for _ in range(SETTINGS.codes_an_hour):
        page = room.ask_for_code()
    assert page.wait_until == first + timedelta(hours=1)
    room.ask_for_code()
    assert len(room.desk.texts.sent) == SETTINGS.codes_an_hour
    room.bench.clock.advance(timedelta(hours=1))
    room.come_in()


def test_the_newest_code_is_the_only_one(room: Room) -> None:
    room.ask_for_code()
    first = room.code()
    room.ask_for_code()
    assert first == room.code() or not room.type(first).is_known


def test_a_code_goes_at_any_hour_past_other_limits_and_not_when_it_is_too_old(keys: Path, database_file: Path) -> None:
    limit = (Limit(1, timedelta(days=1)),)
    quiet = QuietHours(time(21), time(8))
    desk = desk_on(f"sqlite:///{database_file}", keys, quiet_hours=quiet, therapist_limits=limit)
    room = Room(desk)
    room.introduce()
    desk.bench.clock.advance(timedelta(hours=13))
    room.ask_for_code()
    assert len(desk.texts.sent) == 1
    desk.texts.down = True
    room.ask_for_code()
    desk.texts.down = False
    desk.pass_time(minutes=11)
    assert len(desk.texts.sent) == 1
    assert desk.states(room.referral_id)["client_code"] == "cancelled"


@pytest.mark.parametrize(
    ("number", "takes"),
    [
        ("07700 900321", True), ("+44 7700 900321", True), ("+44 (0)7700 900321", True), ("0044 7700 900 321", True),
        ("+353 85 012 3456", True), ("01632 960123", False), ("+44 1632 960123", False), ("020 7946 0123", False),
        ("0770", False), ("", False), (None, False),
    ],
)  # fmt: skip
def test_a_number_that_takes_text_messages_is_told_from_one_that_does_not(number: str | None, takes: bool) -> None:
    assert takes_texts(number) is takes


@pytest.mark.parametrize("telephone", [None, "01632 960123"])
def test_without_such_a_number_none_is_sent_and_the_office_gives_the_code(room: Room, telephone: str | None) -> None:
    contact = TherapistContact(name="Sam Pretend", email=THERAPIST_EMAIL, telephone=telephone)
    event = replace(
        room.desk.contact_changed(room.therapist_id), sealed=room.desk.keyring.seal("notifications", contact)
    )
    room.bench.hear(address_book.record_therapist_contact, event)
    assert room.ask_for_code().number_ends is None
    assert room.desk.texts.sent == []
    assert room.type(office_code(room, match_id=room.match_id)).is_known
    assert room.on_record() == [("console:somebody", AuditAction.CODE_GIVEN.value, "called_back")]


def office_code(room: Room, **which: Any) -> str:
    key = OneTimeKey()
    asked = GiveClientCode(check=CallerCheck.CALLED_BACK, seal_to=key.public, **which)
    given: GivenCode = room.bench.ask(introduction_page.give_client_code, asked)
    assert given.therapist_id == room.therapist_id
    return key.open(OneTimeCode, given.sealed).code


def test_the_office_names_the_introduction_by_its_referral_too_and_gives_none_once_it_is_void(room: Room) -> None:
    assert room.type(office_code(room, referral_id=room.referral_id)).is_known
    room.end()
    for which in ({"referral_id": room.referral_id}, {"match_id": room.match_id}, {"match_id": MatchId(new_id())}, {}):
        with pytest.raises(Refused, match="No therapist"):
            office_code(room, **which)


def renew(room: Room, **which: Any) -> RenewedIntroduction:
    asked = RenewIntroduction(**which)
    renewed: RenewedIntroduction = room.bench.ask(introduction_page.renew_introduction, asked)
    room.desk.run()
    return renewed


def test_a_link_that_is_too_old_is_sent_anew_and_that_is_on_record(room: Room) -> None:
    first = room.secret
    room.bench.clock.advance(SETTINGS.introduction_lasts)
    assert room.look().state is LinkState.EXPIRED
    assert renew(room, referral_id=room.referral_id).therapist_id == room.therapist_id
    assert "You asked us to send you the page of your client again" in room.letters()[-1]
    room.secret = room.secret_in(room.letters()[-1])
    room.come_in()
    assert room.read() is not None
    assert room.look(secret=first).state is LinkState.EXPIRED
    assert (("console:somebody", AuditAction.LINK_RENEWED.value, "introduction")) in room.on_record()
    renew(room, match_id=room.match_id)
    assert len(room.letters()) == 3, "each time that it is asked for"


def test_no_link_is_sent_anew_once_they_have_parted(room: Room) -> None:
    room.end()
    with pytest.raises(Refused, match="No therapist"):
        renew(room, match_id=room.match_id)
    assert len(room.letters()) == 1


def test_without_a_gateway_for_text_messages_none_is_sent(room: Room) -> None:
    with room.bench.database.reading() as unit:
        dependencies = unit.dependencies
    room.bench.start(replace(dependencies, texts=None))
    assert room.ask_for_code().number_ends is None


def test_a_correction_tells_that_something_changed_and_the_page_shows_what_came_last(room: Room) -> None:
    room.come_in()
    room.bench.clock.advance(timedelta(days=10))
    room.correct()
    first, second = room.letters()
    assert "Something has changed" in str(room.desk.mail.to(THERAPIST_EMAIL)[-1]["Subject"])
    for told in (CLIENT_NAME, str(NEW.email), str(EMAIL.email)):
        assert told not in second
    room.bench.clock.advance(timedelta(days=5))
    assert room.look().state is LinkState.EXPIRED, "the first letter's link"
    room.secret = room.secret_in(second)
    room.come_in()
    found = room.read()
    assert found is not None
    assert found.contact == NEW
    assert first != second


def test_an_older_word_on_the_contact_changes_nothing(room: Room) -> None:
    room.come_in()
    room.correct()
    room.desk.release(room.referral_id, EMAIL, to=room.therapist_id, sequence=1)
    found = room.read()
    assert found is not None
    assert found.contact == NEW


def test_a_therapist_who_is_found_again_for_the_same_request_gets_a_letter_again(room: Room) -> None:
    room.end()
    room.bench.clock.advance(timedelta(days=20))
    room.match_id = MatchId(new_id())
    room.match()
    event = room.desk.released(room.referral_id, EMAIL, to=room.therapist_id)
    for _ in range(2):
        room.bench.hear(address_book.record_contact, event, sequence=9)
    room.desk.run()
    assert len(room.letters()) == 2
    assert room.look().state is LinkState.EXPIRED
    room.secret = room.secret_in(room.letters()[-1])
    room.come_in()
    assert room.read()


def test_a_link_is_void_after_fourteen_days(room: Room) -> None:
    room.bench.clock.advance(timedelta(days=13, hours=23))
    room.come_in()
    room.bench.clock.advance(timedelta(hours=1))
    assert (room.look().state, room.read()) == (LinkState.EXPIRED, None)
    assert room.ask_for_code().state is LinkState.EXPIRED


def test_a_link_is_void_once_the_match_has_ended_and_opens_again_if_that_was_a_mistake(room: Room) -> None:
    room.come_in()
    room.end()
    assert (room.look().state, room.read()) == (LinkState.ANSWERED, None)
    undone = MatchEndUndone(
        match_id=room.match_id,
        referral_id=room.referral_id,
        therapist_id=room.therapist_id,
        reason=UndoReason.RECORDED_BY_MISTAKE,
        undone_at=room.bench.clock.now(),
    )
    room.bench.hear(introductions.note_end_undone, undone)
    assert room.read()


def test_that_it_ended_may_be_heard_before_that_it_began(desk: Desk) -> None:
    room = Room(desk)
    desk.release(room.referral_id, EMAIL)
    room.end()
    room.introduce()
    assert room.look().state is LinkState.ANSWERED


@pytest.mark.parametrize("undone", [False, True])
def test_it_comes_to_the_same_in_whatever_order_it_is_heard(keys: Path, tmp_path: Path, undone: bool) -> None:
    for number, order in enumerate([*permutations(range(5 if undone else 4))][:: 11 if undone else 5]):
        desk = desk_on(f"sqlite:///{tmp_path / str(number)}.db", keys)
        room = Room(desk)
        desk.admit(room.therapist_id)
        desk.release(room.referral_id, EMAIL, sequence=1)
        known = {"match_id": room.match_id, "referral_id": room.referral_id, "therapist_id": room.therapist_id}
        at = desk.bench.clock.now()
        facts: list[tuple[EventHandler, Event, int]] = [
            (introductions.note_match, a_match(room), 3),
            (address_book.record_contact, desk.released(room.referral_id, to=room.therapist_id), 2),
            (introductions.note_end, MatchEnded(**known, reason=MatchEndReason.COMPLETED, ended_at=at), 4),
            (introductions.note_first_session, FirstSessionAttended(**known, attended_on=TODAY), 1),
            (
                introductions.note_end_undone,
                MatchEndUndone(**known, reason=UndoReason.WRONG_PERSON, undone_at=at),
                5,
            ),
        ]
        for index in (*order, *order):
            handler, event, sequence = facts[index]
            desk.bench.hear(handler, event, sequence=sequence)
        desk.run()
        room.secret = room.secret_in(room.letters()[-1])
        assert len(room.letters()) == 1
        assert room.look().state is (LinkState.OPEN if undone else LinkState.ANSWERED)
        if undone:
            room.come_in()
            assert room.look().first_session_on == TODAY


def test_a_link_is_void_while_the_therapist_is_suspended(room: Room) -> None:
    room.come_in()
    for reason in (SuspensionReason.INSURANCE_EXPIRED, SuspensionReason.CPD_MISSING):
        room.bench.hear(
            therapist_messages.notify_of_suspension, TherapistSuspended(therapist_id=room.therapist_id, reason=reason)
        )
    assert (room.look().state, room.read()) == (LinkState.WITHDRAWN, None)
    for reason, state in (
        (SuspensionReason.INSURANCE_EXPIRED, LinkState.WITHDRAWN),
        (SuspensionReason.CPD_MISSING, LinkState.OPEN),
    ):
        room.bench.hear(
            therapist_messages.notify_of_reinstatement,
            TherapistReinstated(therapist_id=room.therapist_id, reason=reason),
        )
        assert room.look().state is state


def test_a_link_is_void_once_another_therapist_has_the_client(room: Room) -> None:
    room.come_in()
    room.bench.clock.advance(timedelta(minutes=5))
    room.match(match_id=MatchId(new_id()), therapist_id=TherapistId(new_id()), matched_at=room.bench.clock.now())
    assert (room.look().state, room.read()) == (LinkState.WITHDRAWN, None)


def test_a_link_is_void_once_the_client_withdrew_or_was_erased(room: Room) -> None:
    room.come_in()
    withdrawn = ReferralWithdrawn(referral_id=room.referral_id, reason=WithdrawalReason.CLIENT_ASKED)
    room.bench.hear(address_book.withdraw, withdrawn)
    assert (room.look().state, room.read()) == (LinkState.WITHDRAWN, None)
    room.bench.hear(erasure.forget, ReferralErased(referral_id=room.referral_id))
    assert (room.look().state, room.read()) == (LinkState.WITHDRAWN, None)
    room.desk.release(room.referral_id, EMAIL, to=room.therapist_id)
    assert (room.look().state, room.read()) == (LinkState.WITHDRAWN, None)


def test_of_a_secret_that_nobody_was_given_only_that_it_is_unknown(room: Room) -> None:
    unknown = ClientPage(state=LinkState.UNKNOWN)
    assert room.look(secret="x" * 22) == unknown
    sealed = "no jwe"
    assert room.bench.ask(introduction_page.open_client, GetClientLink(sealed=sealed)) == unknown
    assert room.bench.ask(introduction_page.send_client_code, SendClientCode(sealed=sealed)) == unknown
    assert room.bench.ask(introduction_page.enter_client_code, EnterClientCode(sealed=sealed)) == unknown


def test_neither_secrets_nor_codes_are_kept_said_or_logged(
    room: Room, database_file: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    room.ask_for_code()
    code = room.code()
    room.type(wrong(code))
    assert room.type(code).is_known
    room.read()
    room.say(TherapyReport.CONTACT_MADE, on=TODAY)
    said = " ".join(str(event.to_json()) for event in room.bench.all_emitted)
    kept = b"".join(path.read_bytes() for path in database_file.parent.glob("notifications.db*"))
    logged = "".join(capfd.readouterr())
    for secret in (code, room.secret, room.right, CLIENT_NAME, str(EMAIL.email)):
        assert secret not in said
        assert secret.encode() not in kept
        assert secret not in logged
