"""Checks a run: asks the services whether every request reached a state that it should, and the books balance."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from chassis.rpc import CommandFailed, RpcClient
from contracts.sealed import Credentials
from leeward.demo.actors import Actors, Client
from leeward.runtime.health import status_of

FOUND, WAITING, OVER = "found a therapist", "on the waiting list", "therapy has ended"
IN_WORDS = {"matched": FOUND, "first_session_attended": FOUND, "ended": OVER, "closed": OVER}


@dataclass
class Verification:
    """What the services say at the end of a run. It went well if `problems` is empty."""

    requests: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)
    trial_balance: dict[str, Any] = field(default_factory=dict)
    evaluation: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class States:
    """The states of one request at two services."""

    intake: str
    matching: str


def verify(actors: Actors) -> Verification:
    """Asks every service about every request that was sent."""
    verification = Verification()
    for client in actors.clients.values():
        _verify_request(actors, client, verification)
    _verify_books(actors.client, verification)
    _verify_queues(actors, verification)
    verification.evaluation = actors.client.call("evaluation", "summary")
    return verification


def _verify_request(actors: Actors, client: Client, verification: Verification) -> None:
    try:
        referral = actors.client.call("intake", "find_referral", reference=client.reference)
        standing = actors.client.call("matching", "standing", referral_id=referral["referral_id"])
    except CommandFailed as error:
        verification.problems.append(f"{client.reference} is not known: {error}")
        return
    known = States(intake=referral["state"], matching=standing["state"])
    expected = expected_states(client, signposted=client.reference in actors.signposted)
    if known not in expected:
        verification.problems.append(
            f"{client.reference} is {known.intake} at intake and {known.matching} at matching; "
            f"it should be one of {sorted((states.intake, states.matching) for states in expected)}"
        )
    shown = _status_for_client(actors, client)
    if shown != known.intake:
        verification.problems.append(f"{client.reference}: the client is told {shown}, and it is {known.intake}")
    verification.requests[_in_words(known)] += 1


def expected_states(client: Client, *, signposted: bool) -> set[States]:
    """The states that are right for a request, once everything has settled."""
    if signposted:
        return {States("signposted", "stopped")}
    if client.has_withdrawn:
        # A withdrawal that arrives after the therapy has ended changes nothing.
        return {States("withdrawn", "stopped"), States("closed", "ended"), States("ended", "ended")}
    found = {States("matched", "matched"), States("first_session_attended", "matched")}
    over = {States("closed", "ended"), States("ended", "ended")}
    return found | over | {States("assessed", "waiting"), States("matching", "waiting")}


def _status_for_client(actors: Actors, client: Client) -> str:
    credentials = Credentials(reference=client.reference, passphrase=client.passphrase)
    answer = actors.site.call("intake", "status", sealed=actors.keyring.seal("intake", credentials))
    return str(answer.get("standing"))


def _in_words(known: States) -> str:
    if known.matching == "waiting":
        return WAITING
    return IN_WORDS.get(known.intake, known.intake)


def _verify_books(client: RpcClient, verification: Verification) -> None:
    verification.trial_balance = balance = client.call("billing", "trial_balance")
    if not balance["is_balanced"]:
        verification.problems.append("the books do not balance")
    for fund in balance["funds"]:
        spent = fund["available_pence"] + fund["committed_pence"] + fund["drawn_pence"]
        if min(fund["available_pence"], fund["committed_pence"]) < 0 or spent != fund["opened_pence"]:
            verification.problems.append(f"fund {fund['fund_id']} was overspent, or money of it is missing")


def _verify_queues(actors: Actors, verification: Verification) -> None:
    for status in status_of(actors.amqp_uri):
        if status.dead_letters:
            verification.problems.append(f"{status.service} has {status.dead_letters} dead letters")
        if not status.idle:
            verification.problems.append(f"{status.service} is not done: {status}")
