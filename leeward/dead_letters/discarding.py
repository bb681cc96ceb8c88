"""Discards dead letters, and records it in the operators' audit log."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from chassis.audit.chain import AuditAction
from chassis.rpc import RpcClient
from leeward.console.operators_audit import record_audit
from leeward.dead_letters.letters import DISCARD, Answers, Letter, move_letters
from leeward.runtime.workspace import Workspace


def discard_letters(client: RpcClient, workspace: Workspace, letters: Iterable[Letter], reason: str) -> Answers:
    """Has each service discard its own letters, and records each with the reason. Raises one of LOST."""
    ids: dict[str, list[str]] = defaultdict(list)
    known = {(letter.service, letter.id): letter for letter in letters}
    for service, id_ in known:
        ids[service].append(id_)
    answers = move_letters(client, DISCARD, {service: {"ids": theirs} for service, theirs in ids.items()})
    for service, moved in answers.moved.items():
        for letter in (known[service, id_] for id_ in moved["done"]):
            about = {"service": service, "id": letter.id, "event": letter.event, "died_of": letter.reason}
            record_audit(workspace.audit, AuditAction.DISCARDED, at=workspace.clock.now(), **about, reason=reason)
    return answers
