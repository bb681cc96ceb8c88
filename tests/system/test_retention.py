"""What is kept long enough is erased on a running system, in every service, and can be looked at beforehand."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from contracts.catalogue import PUBLISHERS
from leeward.cli import app
from leeward.runtime.local_broker import Node
from tests.conftest import STORES
from tests.support.bus import Tap, eventually
from tests.support.people import ME
from tests.support.story import Story
from tests.support.system import System, whole_system


@pytest.fixture(params=STORES)
def system(request: pytest.FixtureRequest, node: Node, tmp_path: Path) -> Iterator[System]:
    """A system of its own, for which a year passes."""
    server = request.getfixturevalue("postgresql_server") if request.param == "postgresql" else None
    with whole_system(node, tmp_path / "var", name=f"retention_{request.param}", server=server) as started:
        yield started


def leeward(system: System, *arguments: str) -> Any:
    environment = {"AMQP_URI": system.amqp_uri}
    done = CliRunner().invoke(app, [*arguments, "--var", str(system.workspace.folder), "--json"], env=environment)
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_a_request_that_was_taken_back_is_erased_everywhere_after_a_year(system: System) -> None:
    with Tap(system.amqp_uri, PUBLISHERS) as tap:
        story = Story(system, tap)
        story.admit_therapist()
        story.ask_for_help()
        reference = str(story.receipt.reference)
        system.rpc.call("intake", "withdraw", referral_id=story.referral_id, reason="client_asked")
        story.heard("ReferralWithdrawn")
        shown = leeward(system, "retention", "show", reference)
        assert (shown["term"], shown.get("stopped_by", [])) == ("withdrawn", [])
        assert reference not in [one["reference"] for one in leeward(system, "retention", "due", "--within", "30d")]
        assert reference in [one["reference"] for one in leeward(system, "retention", "due", "--within", "2y")]
        system.advance(timedelta(days=367))
        story.heard("ReferralErased")

        def is_confirmed() -> bool:
            return not system.rpc.call("intake", "erasure", reference=reference).get("waiting_for")

        eventually(is_confirmed, "every service has forgotten")
        erasure = leeward(system, "erase", reference, "--status")
        assert (erasure["reason"], erasure["erased_by"]) == ("retention", "rule")
        assert_applying_is_on_record(system)


def assert_applying_is_on_record(system: System) -> None:
    assert leeward(system, "retention", "applied") == []
    told = leeward(system, "retention", "apply", "--yes")
    (applied,) = leeward(system, "retention", "applied")
    assert applied["applied_by"] == ME
    assert applied["what"] == f"policy {told['policy_version']}, referrals: {told['referrals']}"
    assert leeward(system, "audit", "verify")["intake"]["broken_at"] is None
