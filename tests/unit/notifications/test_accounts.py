"""Letters to people with accounts at the console."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from chassis.ids import new_id
from chassis.ports import Invalid
from contracts.accounts import AccountId, StaffMatter
from contracts.events.accounts import StaffInvited, StaffTold
from contracts.permissions import Role
from contracts.sealed import StaffLetter
from services.notifications.handlers import accounts
from tests.unit.notifications.conftest import Desk, body

LINK = "https://console.example.org/link/made-up-secret"
BEN = AccountId(new_id())


def invited(desk: Desk, **fields: Any) -> StaffInvited:
    letter = StaffLetter(name="Ben Example", email="ben@example.org", link=LINK)
    values: dict[str, Any] = {
        "account_id": BEN, "renews": False, "expires_at": desk.bench.clock.now() + timedelta(days=2),
        "sealed": desk.keyring.seal("notifications", letter),
    }  # fmt: skip
    return StaffInvited(**(values | fields))


def told(desk: Desk, matter: StaffMatter, **fields: Any) -> StaffTold:
    letter = StaffLetter(name="Ada Example", email="ada@example.org", about="Ben Example")
    values: dict[str, Any] = {
        "notice_id": new_id(), "account_id": AccountId(new_id()), "about_id": BEN, "matter": matter,
        "sealed": desk.keyring.seal("notifications", letter),
    }  # fmt: skip
    return StaffTold(**(values | fields))


def test_an_invitation_holds_the_link_and_goes_once(desk: Desk) -> None:
    event = invited(desk)
    for _ in range(2):
        desk.bench.hear(accounts.send_link, event)
        desk.run()
    (letter,) = desk.mail.sent
    assert letter["To"] == "ben@example.org"
    assert LINK in body(letter)
    assert "Give it to nobody" in body(letter)


def test_a_new_link_is_a_new_letter(desk: Desk) -> None:
    desk.bench.hear(accounts.send_link, invited(desk))
    desk.bench.hear(accounts.send_link, invited(desk, expires_at=desk.bench.clock.now() + timedelta(days=3)))
    desk.run()
    assert len(desk.mail.sent) == 2


def test_a_link_whose_time_is_over_is_not_sent(desk: Desk) -> None:
    event = invited(desk, expires_at=desk.bench.clock.now() + timedelta(minutes=30), renews=True)
    desk.mail.down = True
    desk.bench.hear(accounts.send_link, event)
    desk.run()
    desk.mail.down = False
    desk.pass_time(minutes=31)
    assert desk.mail.sent == []


@pytest.mark.parametrize("matter", StaffMatter)
def test_each_matter_is_told_in_words_of_its_own(desk: Desk, matter: StaffMatter) -> None:
    desk.bench.hear(accounts.tell, told(desk, matter, role=Role.SAFEGUARDING_LEAD))
    desk.run()
    (letter,) = desk.mail.sent
    assert letter["To"] == "ada@example.org"
    is_about_another = matter is not StaffMatter.RECOVERY_CODE_USED
    assert ("Ben Example" in body(letter)) == is_about_another
    assert "safeguarding_lead" not in body(letter)


def test_what_cannot_be_opened_is_put_aside_at_once(desk: Desk) -> None:
    with pytest.raises(Invalid):
        desk.bench.hear(accounts.send_link, invited(desk, sealed="not sealed"))


def test_neither_name_nor_address_is_kept(desk: Desk) -> None:
    desk.bench.hear(accounts.send_link, invited(desk))
    desk.run()
    with desk.bench.database.reading() as unit:
        tables = desk.bench.database.tables.outbox.metadata.sorted_tables
        kept = str([unit.session.execute(table.select()).all() for table in tables])
    assert "ben@example.org" not in kept
    assert "Ben Example" not in kept
    assert "made-up-secret" not in kept
