"""Setting accounts up, signing in, and what stops whoever should not get in."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.console.conftest import PASSWORD, House
from web.shared.accounts.application import recovery
from web.shared.accounts.store.sessions import MOST_FAILURES

ADA = "ada@example.org"


def test_the_first_administrator_sets_up_their_account_by_the_link(house: House) -> None:
    ada = house.first_administrator()
    assert len(ada.codes) == 10
    ada.open("/people")
    assert "Taken while nobody else had an account Ada Example: Administrator" in ada.text
    assert recovery.first_link(house.accounts) is None
