"""`leeward attendance`: what it records is what was typed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import Mock
from uuid import uuid4

import pytest
from typer.testing import CliRunner

from leeward.commands import attendance


@pytest.fixture(params=["Asia/Tokyo", "UTC", "America/New_York"])
def time_zone(request: pytest.FixtureRequest) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("TZ", request.param)
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("time_zone")
def test_the_day_of_a_session_is_the_one_that_was_typed_wherever_the_machine_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client, match = Mock(), str(uuid4())

    @contextmanager
    def no_broker(_: Any) -> Iterator[Mock]:
        yield client

    monkeypatch.setattr(attendance, "open_client", no_broker)
    monkeypatch.setattr(attendance, "_unrecorded", lambda _: [{"match_id": match, "referral_id": str(uuid4())}])
    done = CliRunner().invoke(attendance.app, ["attended", match, "--on", "2027-06-15"])
    assert done.exit_code == 0, done.output
    assert client.call.call_args.kwargs["attended_on"] == "2027-06-15"
