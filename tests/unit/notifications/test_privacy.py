"""No personal value leaves but to its reader: not in an event, not in the clear in the database."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from chassis.ids import new_id
from contracts.events.intake import SafeguardingConcernRaised
from contracts.reference import reference_for
from contracts.vocabulary import ConcernCategory, ConcernId, ReferralId, Respondent, Severity, TherapistId
from services.notifications.handlers import alerts, client_messages, introductions, therapist_messages
from tests.unit.notifications import facts
from tests.unit.notifications.conftest import (
    CLIENT_NAME,
    EMAIL,
    EVENING,
    MONDAY_10,
    TELEPHONE,
    THERAPIST_EMAIL,
    THERAPIST_NAME,
    Desk,
)

PERSONAL = (
    CLIENT_NAME,
    "robin@example.org",
    "01632 960123",
    "1 Invented Street",
    THERAPIST_NAME,
    THERAPIST_EMAIL,
    "07700 900321",
    facts.TOKEN,
)


def a_busy_day(desk: Desk, referral_id: ReferralId, therapist_id: TherapistId) -> None:
    """Something of everything, some of it sent and some still waiting."""
    other = ReferralId(new_id())
    desk.admit(therapist_id)
    desk.release(referral_id, replace(EMAIL, telephone="01632 960123", address="1 Invented Street"))
    desk.release(other, EVENING)
    desk.release(referral_id, TELEPHONE, to=therapist_id)
    desk.bench.hear(introductions.note_match, facts.matched(referral_id, therapist_id))
    desk.bench.hear(client_messages.ask_for_form, facts.invited(desk.keyring, referral_id, therapist_id))
    invited = facts.invited(desk.keyring, referral_id, therapist_id, Respondent.THERAPIST)
    desk.bench.hear(client_messages.ask_for_form, invited)
    desk.run()
    desk.bench.hear(client_messages.ask_for_form, facts.invited(desk.keyring, other, therapist_id))
    desk.bench.hear(therapist_messages.send_offer, facts.offered(referral_id, therapist_id))
    concern = SafeguardingConcernRaised(
        concern_id=ConcernId(new_id()),
        referral_id=referral_id,
        severity=Severity.URGENT,
        category=ConcernCategory.YOUNG_CLIENT,
        raised_at=MONDAY_10,
    )
    desk.bench.hear(alerts.raise_alert, concern)
    desk.mail.refuses.add("robin@example.org")
    desk.bench.hear(client_messages.notify_client_of_subsidy, facts.subsidy_approved(referral_id))
    desk.run()


def test_no_event_holds_a_personal_value(desk: Desk, referral_id: ReferralId, therapist_id: TherapistId) -> None:
    a_busy_day(desk, referral_id, therapist_id)
    assert desk.bench.all_emitted
    said = " ".join(str(event.to_json()) for event in desk.bench.all_emitted)
    assert [value for value in PERSONAL if value in said] == []


def test_the_database_file_holds_no_personal_value_in_the_clear(
    desk: Desk, referral_id: ReferralId, therapist_id: TherapistId, database_file: Path
) -> None:
    a_busy_day(desk, referral_id, therapist_id)
    files = [path.read_bytes() for path in database_file.parent.glob("notifications.db*")]
    assert any(str(therapist_id.hex).encode() in content for content in files)
    reference = reference_for(referral_id)
    for value in (*PERSONAL, reference):
        assert not any(value.encode() in content for content in files), value


def test_only_the_therapist_who_accepted_and_the_client_get_anything_personal(
    desk: Desk, referral_id: ReferralId, therapist_id: TherapistId
) -> None:
    a_busy_day(desk, referral_id, therapist_id)
    for message in desk.mail.sent:
        if message["To"] not in (THERAPIST_EMAIL, "robin@example.org"):
            assert [value for value in PERSONAL if value in message.as_string()] == []


def test_an_error_on_the_way_says_nothing_personal(desk: Desk, referral_id: ReferralId) -> None:
    desk.release(referral_id)
    with desk.bench.database.reading() as unit:
        text = str(unit.session.connection().exec_driver_sql("SELECT data FROM message").all())
    assert text == "[('{}',)]"
