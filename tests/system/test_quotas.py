"""What a queue of the broker's naming, or of a console's, may hold, and that it goes when nobody reads it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pika
import pytest

from chassis.bus import quotas
from chassis.bus.permissions import ENQUIRY, OPERATOR, STAFF
from chassis.ids import new_id
from leeward.runtime.local_broker import Node
from tests.support.bus import eventually
from tests.support.users import Guarded, import_definitions


def declared(guarded: Guarded, user: str, name: str = "", **arguments: Any) -> tuple[pika.BlockingConnection, str]:
    connection = pika.BlockingConnection(pika.URLParameters(guarded.uri(user)))
    queue = connection.channel().queue_declare(name, durable=True, arguments=arguments)
    return connection, queue.method.queue


def listed(node: Node, what: str, vhost: str, *columns: str) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = json.loads(node.control(what, "-p", vhost, *columns, "--formatter", "json"))
    return told


def test_a_policy_is_on_every_queue_of_others_naming_and_on_no_service_s_own(node: Node, tmp_path: Path) -> None:
    guarded = import_definitions(node, f"quotas_{new_id().hex}", tmp_path)
    made = [declared(guarded, user) for user in (ENQUIRY, OPERATOR, STAFF)]
    made += [declared(guarded, STAFF, "rpc.reply-x"), declared(guarded, STAFF, "console.desk")]
    found = {one["name"]: one["policy"] for one in listed(node, "list_queues", guarded.vhost, "name", "policy")}
    temporary = [queue for _, queue in made[:-1]]
    assert {name: policy for name, policy in found.items() if policy} == {
        **dict.fromkeys(temporary, "temporary"),
        "console.desk": "console",
    }
    for connection, _ in made:
        connection.close()


def test_what_is_full_drops_the_oldest_and_what_nobody_reads_goes(
    node: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quotas, "MAX_LENGTH", 3)
    monkeypatch.setitem(quotas.EXPIRES_AFTER, "temporary", (r"^amq\.gen-", 500))
    guarded = import_definitions(node, f"quotas_{new_id().hex}", tmp_path)
    # Whoever declares it can't ask for more.
    connection, queue = declared(guarded, STAFF, "console.desk", **{"x-max-length": 1_000, "x-expires": 10**9})
    channel = connection.channel()
    channel.queue_bind(queue, "intake.events", "#")
    with pika.BlockingConnection(pika.URLParameters(guarded.uri("intake"))) as intake:
        publishing = intake.channel()
        publishing.confirm_delivery()
        for number in range(5):
            publishing.basic_publish("intake.events", "ReferralReceived", str(number).encode())
    kept = [channel.basic_get(queue, auto_ack=True)[2] for _ in range(4)]
    assert kept == [b"2", b"3", b"4", None]
    enquiry, temporary = declared(guarded, ENQUIRY)

    def is_gone() -> bool:  # whoever declares it anew, if only to look, has it last longer
        return temporary not in [one["name"] for one in listed(node, "list_queues", guarded.vhost, "name")]

    eventually(is_gone, "nobody reads it")
    for one in (connection, enquiry):
        one.close()


def test_a_broker_of_our_own_has_them_too(node: Node) -> None:
    told = {one["name"]: json.loads(one["definition"]) for one in listed(node, "list_policies", "/")}
    assert told == {one["name"]: one["definition"] for one in quotas.policies("/")}
    assert told["console"]["expires"] == quotas.CONSOLE_MILLISECONDS
