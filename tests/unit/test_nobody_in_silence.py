"""Nobody who has not agreed is written to, and nothing ends in silence, whoever writes and however they are reached.

Intake and notifications together, each on a store of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import cycle
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chassis.config import Env
from chassis.ids import new_id
from chassis.privacy.sealing import make_keys
from chassis.privacy.vault import new_master_key
from contracts.commands.intake import SignOff
from contracts.commands.notifications import MessageView
from contracts.event import Event
from contracts.events.intake import (
    AgreementAwaited,
    ContactReleased,
    HelpRequestRefused,
    ReferralReceived,
)
from contracts.reference import reference_for
from contracts.sealed import SafeChannel, SafeContact, Writer
from contracts.vocabulary import Channel, ClientGroup, ConsentTold, ContactPurpose, Known, ReferralId, Route
from services.intake.dependencies import build
from services.intake.handlers import lifecycle
from services.notifications.handlers import address_book, office_messages
from tests.support.samples import consents
from tests.unit.intake.conftest import Intake
from tests.unit.notifications.conftest import Desk, desk_on

HEARD: dict[type[Event], Callable[..., None]] = {
    ContactReleased: address_book.record_contact,
    ReferralReceived: office_messages.notify_office_of_request,
    HelpRequestRefused: office_messages.notify_office_of_unreadable,
    AgreementAwaited: office_messages.ask_for_agreement,
}
ASKED = ("client", "writer")
NUMBERS = cycle(range(1_000))


@dataclass
class Both:
    """The two services, and how much of what intake said notifications has heard."""

    intake: Intake
    desk: Desk
    heard: int = 0

    def go_on(self) -> None:
        """Notifications hears what is new, and does all that is due in the next two days."""
        said = self.intake.all_emitted
        for number, event in enumerate(said[self.heard :], self.heard + 1):
            if handler := HEARD.get(type(event)):
                self.desk.bench.hear(handler, event, sequence=number)
        self.heard = len(said)
        self.desk.pass_time(days=2)


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Both:
    folder = tmp_path_factory.mktemp("both")
    for reader in ("intake", "notifications"):
        make_keys(folder, reader)
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("LEEWARD_KEYS", str(folder))
        environment.setenv("INTAKE_MASTER_KEY", new_master_key())
        dependencies = build(Env())
    return Both(Intake(dependencies, folder), desk_on(f"sqlite:///{folder}/notifications.db", folder))


def contact_of(channel: SafeChannel | None, whose: str) -> SafeContact | None:
    if channel is None:
        return None
    one_of_a_kind = new_id().hex
    return SafeContact(
        channel=channel,
        email=f"{whose}.{one_of_a_kind}@example.org",
        telephone=f"07700 900{next(NUMBERS):03}",
        address=f"{one_of_a_kind} {whose.title()} Street, Invented",
        discreet=False,
    )


channels = st.one_of(st.none(), st.sampled_from(SafeChannel))
agreements = st.sampled_from(Known)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    group=st.sampled_from(ClientGroup),
    age=st.sampled_from([None, 15, 41]),
    client=channels,
    writer=channels,
    writes=st.booleans(),
    agrees=agreements,
    told=st.one_of(st.none(), st.sampled_from(ConsentTold)),
    escalate_if_unreachable=st.booleans(),
    named=st.booleans(),
)
def test_nobody_is_written_to_who_has_not_agreed_and_nothing_ends_in_silence(
    both: Both,
    group: ClientGroup,
    age: int | None,
    client: SafeChannel | None,
    writer: SafeChannel | None,
    writes: bool,
    agrees: Known,
    told: ConsentTold | None,
    escalate_if_unreachable: bool,
    named: bool,
) -> None:
    said: dict[str, Any] = {
        "client_group": group,
        "age": age,
        "name": "Robin Example" if named else None,
        "contact": contact_of(client, "client"),
        "consents": consents(pass_to_therapist=escalate_if_unreachable),
    }
    if writes:
        by = Writer(name="Pat Writer", contact=contact_of(writer, "writer"), client_agrees=agrees, agreed_how=told)
        said |= {"route": Route.OTHER_PROFESSIONAL, "written_by": by}
    event = both.intake.requested(**said)
    both.intake.submit(event)
    both.go_on()
    if client is None and (writer is None or not writes):
        refused = [one.submission_id for one in both.intake.emitted(HelpRequestRefused)]
        assert event.submission_id in refused
        assert any(str(event.submission_id) in mail.as_string() for mail in both.desk.mail.sent), (
            "the office looks at it"
        )
        return
    found = both.intake.find(reference_for(event.submission_id))
    id_, may = ReferralId(found.referral_id), not writes or agrees is Known.YES

    assert_somebody_heard(both.desk.messages(id_))
    if life_is_young(group, age):
        both.intake.ask(lifecycle.sign_off, SignOff(referral_id=id_))
    both.intake.assess(id_)
    both.go_on()
    messages = both.desk.messages(id_)
    if not may:
        heard = {one.recipient for one in messages if one.state in ("sent", "kept")}
        assert "client" not in heard, "nobody is written to who has not agreed"
        assert_never_reached(both.desk, said["contact"])
    waits = not (may and escalate_if_unreachable)
    assert both.intake.find(reference_for(event.submission_id)).state == ("on_hold" if waits else "assessed")
    asked = [one for one in messages if one.template == "agreement_awaited"]
    assert bool(asked) is waits, "somebody asks whoever the search waits for"
    assert ContactPurpose.INTRODUCTION not in {
        one.purpose for one in both.intake.emitted(ContactReleased) if one.referral_id == id_
    }


def life_is_young(group: ClientGroup, age: int | None) -> bool:
    return group is ClientGroup.YOUNG_PERSON or age == 15


def assert_somebody_heard(messages: list[MessageView]) -> None:
    """Whoever asked is told, or waits to be told when they call, or a person of the charity is to see to it."""
    to_them = [one for one in messages if one.recipient in ASKED and one.template == "request_received"]
    assert to_them, "nobody was to be told"
    told = {"sent", "kept"} & {one.state for one in to_them}
    by_a_person = any(one.template == "message_failed" and one.state == "sent" for one in messages)
    assert told or by_a_person
    for one in to_them:
        assert one.state != "sent" or one.channel in set(Channel)


def assert_never_reached(desk: Desk, contact: SafeContact | None) -> None:
    """By none of their addresses, each of which is theirs alone in this test."""
    if contact is None:
        return
    reached = [str(mail["To"]) for mail in desk.mail.sent]
    reached += [message.to for message in (*desk.texts.sent, *desk.letters.sent)]
    own = [one for one in (contact.email, contact.telephone, contact.address) if one]
    assert not [to for to in reached if any(one in to for one in own)]
