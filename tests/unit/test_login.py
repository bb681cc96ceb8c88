"""Who is on record for what is done at the command line."""

from __future__ import annotations

import os
import pwd

import pytest

from leeward.console.operator import login


def test_it_is_who_is_logged_in_whatever_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.setenv(name, "somebody-else")
    assert login() == pwd.getpwuid(os.getuid()).pw_name


def test_a_user_without_a_name_is_known_by_their_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 4_000_000)
    assert login() == "4000000"
