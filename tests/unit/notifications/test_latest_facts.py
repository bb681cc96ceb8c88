"""Which facts are stale, by the rule that all services share."""

from __future__ import annotations

from chassis.ids import new_id
from services.notifications.store import latest_facts
from tests.unit.notifications.conftest import Desk

BARE = 0
"""The number of a message that has none, as a stock nameko service sends it."""


def test_a_bare_message_is_taken_until_something_numbered_is_known(desk: Desk) -> None:
    subject, found = new_id(), []
    for number in (BARE, BARE, 3, BARE, 2, 3, 4):
        with desk.bench.database.unit() as unit:
            found.append(latest_facts.advance(unit.session, subject, "a topic", number))
    assert found == [True, True, True, False, False, False, True]
