"""A person of the charity writes to a client: only in the way that is safe, and never to whom nothing may be sent."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.commands.notifications import WriteToClient
from contracts.sealed import SafeChannel, SafeContact, WordsToClient
from contracts.vocabulary import ReferralId
from services.notifications.errors import NotReadable, NotWrittenTo
from services.notifications.handlers import address_book, writing
from tests.unit.notifications import facts
from tests.unit.notifications.conftest import OPEN_EMAIL, Desk, body
from tests.unit.notifications.test_writers import WRITERS_ADDRESS, tell

WORDS = "When is a good time to call you?"


def known(desk: Desk, referral_id: ReferralId, **how: Any) -> None:
    """Somebody is known, and has had whatever they get for that."""
    tell(desk, referral_id, **how)
    desk.run()
    desk.mail.sent.clear()


def write(desk: Desk, referral_id: ReferralId, words: str = WORDS) -> Any:
    sealed = desk.keyring.seal("notifications", WordsToClient(words=words))
    return desk.bench.ask(writing.write_to_client, WriteToClient(referral_id=referral_id, words=sealed))


def test_what_is_written_reaches_the_client_with_a_way_back(desk: Desk, referral_id: ReferralId) -> None:
    known(desk, referral_id, contact=OPEN_EMAIL, writer=None)
    answer = write(desk, referral_id)
    assert answer.in_full
    desk.run()
    (letter,) = desk.mail.sent
    assert WORDS in body(letter)
    assert "call" in body(letter)


def test_whoever_asked_for_discretion_is_only_asked_to_call(desk: Desk, referral_id: ReferralId) -> None:
    discreet = SafeContact(channel=SafeChannel.EMAIL, email="robin@example.org", discreet=True)
    known(desk, referral_id, contact=discreet, writer=None)
    assert not write(desk, referral_id).in_full
    desk.run()
    (letter,) = desk.mail.sent
    assert WORDS not in body(letter)
    assert "Please call" in body(letter)


def test_who_hasnt_agreed_is_not_written_to_but_whoever_wrote_for_them(desk: Desk, referral_id: ReferralId) -> None:
    known(desk, referral_id, agrees=False)
    assert write(desk, referral_id).recipient == "writer"
    desk.run()
    (letter,) = desk.mail.sent
    assert letter["To"] == WRITERS_ADDRESS
    assert WORDS in body(letter)


@pytest.mark.parametrize("channel", [SafeChannel.TELEPHONE, SafeChannel.CLIENT_CALLS])
def test_who_may_only_be_called_or_calls_gets_nothing(
    desk: Desk, referral_id: ReferralId, channel: SafeChannel
) -> None:
    known(desk, referral_id, contact=SafeContact(channel=channel, telephone="01632 960456"), writer=None)
    with pytest.raises(NotWrittenTo, match="add a note"):
        write(desk, referral_id)
    desk.run()
    assert desk.mail.sent == []


def test_nothing_is_written_after_a_withdrawal_or_before_an_address_is_known(
    desk: Desk, referral_id: ReferralId
) -> None:
    with pytest.raises(NotWrittenTo, match="isn’t known"):
        write(desk, referral_id)
    known(desk, referral_id, contact=OPEN_EMAIL, writer=None)
    desk.bench.hear(address_book.withdraw, facts.withdrawn(referral_id))
    with pytest.raises(NotWrittenTo, match="taken back"):
        write(desk, referral_id)


def test_what_isnt_sealed_to_notifications_is_refused(desk: Desk, referral_id: ReferralId) -> None:
    with pytest.raises(NotReadable):
        desk.bench.ask(writing.write_to_client, WriteToClient(referral_id=referral_id, words="nonsense"))
