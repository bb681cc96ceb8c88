"""What a message says is told to staff without what only its reader is to know."""

from __future__ import annotations

import pytest

from chassis.ids import new_id
from contracts.commands.notifications import ListMessages, ShowWording
from contracts.vocabulary import MessageId, ReferralId
from services.notifications.errors import UnknownMessage
from services.notifications.handlers import queries
from tests.unit.notifications.conftest import CLIENT_NAME, OPEN_EMAIL, Desk
from tests.unit.notifications.test_writers import tell
from tests.unit.notifications.test_writing import WORDS, write


def test_what_was_said_is_shown_with_the_reference_and_without_words_and_names(
    desk: Desk, referral_id: ReferralId
) -> None:
    tell(desk, referral_id, contact=OPEN_EMAIL, writer=None)
    write(desk, referral_id)
    desk.run()
    told = desk.bench.ask(queries.list_messages, ListMessages(referral_id=referral_id))
    assert told
    bodies = [desk.bench.ask(queries.show_wording, ShowWording(message_id=one.message_id)).body for one in told]
    assert any("which stands with the notes" in body for body in bodies)
    assert not any(WORDS in body or CLIENT_NAME in body for body in bodies)


def test_an_unknown_message_is_refused(desk: Desk) -> None:
    with pytest.raises(UnknownMessage, match="no such message"):
        desk.bench.ask(queries.show_wording, ShowWording(message_id=MessageId(new_id())))
