"""An installation that is older than its console: where everything stands is asked for, and listed as it was."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import delete
from typer.testing import CliRunner

from chassis.rpc import CommandFailed
from chassis.store.engine import open_engine
from contracts.commands.console import WorkQueue
from leeward.cli import app
from services.console.store.tables import archive, concerns, erased, queue_counts, queue_items, referrals
from tests.support.bus import Tap, eventually
from tests.support.story import Story, open_fund
from tests.support.system import System

PUBLISHERS = ("intake", "matching", "billing", "notifications", "console")


def test_what_was_there_before_the_console_is_listed_as_if_it_had_heard_of_it(system: System) -> None:
    with Tap(system.amqp_uri, PUBLISHERS) as tap:
        told = stories(system, tap)
    forgotten = told.pop()
    before = listed(system, told)
    forget_everything(system)
    assert all(item is None for item in listed(system, told)["referrals"])
    first = rebuild(system)
    assert first["snapshots"] >= len(told)
    assert listed(system, told) == before
    assert rebuild(system)["snapshots"] == 0
    assert listed(system, told) == before
    assert shown(system, forgotten) is None, "an erased referral is back"


def stories(system: System, tap: Tap) -> list[str]:
    """Referrals at several places of their life; the last is erased. What the console heard last of each has come."""
    new, held, matched, stopped, gone = (Story(system, tap) for _ in range(5))
    open_fund(system)
    matched.admit_therapist()
    for story in (new, held, matched, stopped, gone):
        story.ask_for_help(**({"subsidy_requested": True, "fee_ceiling_pence": 20_00} if story is matched else {}))
    matched.assess()
    matched.heard("SubsidyApproved")
    matched.accept()
    award_id = matched.heard("SubsidyAssigned")["award_id"]
    system.rpc.call("billing", "draw_down", award_id=award_id, attended_on=str(today(system)))
    stopped.assess()
    system.rpc.call("intake", "hold", referral_id=held.referral_id, reason="information_awaited")
    concern = {"referral_id": stopped.referral_id, "severity": "urgent", "category": "risk_to_self"}
    system.rpc.call("intake", "raise_concern", **concern)
    stopped.heard("SafeguardingAlertSent")
    stopped.take_in_hand()
    system.rpc.call("intake", "erase", reference=str(gone.receipt.reference), reason="client_asked")
    gone.heard("ErasureConfirmed")
    states = {new: "received", held: "on_hold", matched: "first_session_attended", stopped: "assessed", gone: None}
    wanted = {story.referral_id: state for story, state in states.items()}
    eventually(lambda: {one: at(system, one) for one in wanted} == wanted, "everything is listed")
    eventually(lambda: shown(system, stopped.referral_id)["concerns"][0].get("acknowledged_at"), "it is in hand")
    eventually(lambda: shown(system, matched.referral_id).get("subsidy") == "approved", "a subsidy is listed")
    return list(wanted)


def today(system: System) -> Any:
    return system.workspace.clock.now().date()


def at(system: System, referral_id: str) -> str | None:
    facts = shown(system, referral_id)
    return facts and facts["state"]


def shown(system: System, referral_id: str) -> Any:
    """What is listed of a referral, but how much was heard of it."""
    try:
        facts = system.rpc.call("console", "show", referral_id=referral_id)
    except CommandFailed:
        return None
    return {name: value for name, value in facts.items() if name != "version"}


def listed(system: System, referral_ids: list[str]) -> dict[str, Any]:
    """Field by field, of each referral and of what is in a queue about it."""
    pages = [system.rpc.call("console", "queue", queue=queue, order="newest", limit=200) for queue in WorkQueue]
    items = [item for page in pages for item in page["items"] if item["referral_id"] in referral_ids]
    return {"referrals": [shown(system, one) for one in referral_ids], "items": sorted(items, key=str)}


def forget_everything(system: System) -> None:
    """The console's store as of a console that is started now; what it has handled comes to it no more."""
    engine = open_engine(system.workspace.stores()["console"])
    with engine.begin() as connection:
        for table in (archive, concerns, erased, queue_counts, queue_items, referrals):
            connection.execute(delete(table))
    engine.dispose()


def rebuild(system: System) -> dict[str, int]:
    words = ["console", "rebuild", "--from-services", "--json", "--var", str(system.workspace.folder)]
    done = CliRunner().invoke(app, words, env={"AMQP_URI": system.amqp_uri})
    assert done.exit_code == 0, done.output
    told: dict[str, int] = json.loads(done.stdout)
    return told
