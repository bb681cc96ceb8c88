"""Did every request reach the state it should, and do the books balance? Asked of the services, one by one."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from chassis.rpc import CommandFailed, RpcClient
from contracts.sealed import Credentials
from leeward.demo.cast import Cast, Client
from leeward.runtime.health import status_of

FOUND, WAITING, OVER = "found a therapist", "on the waiting list", "therapy has ended"
IN_WORDS = {"matched": FOUND, "first_session_attended": FOUND, "ended": OVER, "closed": OVER}


@dataclass
class Outcome:
    """What came of the run. It went well if `problems` is empty."""

    requests: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)
    trial_balance: dict[str, Any] = field(default_factory=dict)
    evaluation: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class Known:
    """What two services say of one request."""

    intake: str
    matching: str


def verify(cast: Cast) -> Outcome:
    """Asks every service about every request that was sent."""
    outcome = Outcome()
    for client in cast.clients.values():
        _verify_request(cast, client, outcome)
    _verify_books(cast.client, outcome)
    _verify_queues(cast, outcome)
    outcome.evaluation = cast.client.call("evaluation", "summary")
    return outcome


def _verify_request(cast: Cast, client: Client, outcome: Outcome) -> None:
    try:
        referral = cast.client.call("intake", "find_referral", reference=client.reference)
        standing = cast.client.call("matching", "standing", referral_id=referral["referral_id"])
    except CommandFailed as error:
        outcome.problems.append(f"{client.reference} is not known: {error}")
        return
    known = Known(intake=referral["state"], matching=standing["state"])
    expected = expected_states(client, signposted=client.reference in cast.signposted)
    if known not in expected:
        outcome.problems.append(
            f"{client.reference} is {known.intake} at intake and {known.matching} at matching; "
            f"it should be one of {sorted((states.intake, states.matching) for states in expected)}"
        )
    told = _what_the_client_is_told(cast, client)
    if told != known.intake:
        outcome.problems.append(f"{client.reference}: the client is told {told}, and it is {known.intake}")
    outcome.requests[_in_words(known)] += 1


def expected_states(client: Client, *, signposted: bool) -> set[Known]:
    """Where a request must have come to, once everything has settled."""
    if signposted:
        return {Known("signposted", "stopped")}
    if client.has_withdrawn:
        # Whose therapy had ended before the withdrawal arrived has nothing left to take back.
        return {Known("withdrawn", "stopped"), Known("closed", "ended"), Known("ended", "ended")}
    found = {Known("matched", "matched"), Known("first_session_attended", "matched")}
    over = {Known("closed", "ended"), Known("ended", "ended")}
    return found | over | {Known("assessed", "waiting"), Known("matching", "waiting")}


def _what_the_client_is_told(cast: Cast, client: Client) -> str:
    credentials = Credentials(reference=client.reference, passphrase=client.passphrase)
    answer = cast.client.call("intake", "status", sealed=cast.keyring.seal("intake", credentials))
    return str(answer.get("standing"))


def _in_words(known: Known) -> str:
    if known.matching == "waiting":
        return WAITING
    return IN_WORDS.get(known.intake, known.intake)


def _verify_books(client: RpcClient, outcome: Outcome) -> None:
    outcome.trial_balance = balance = client.call("billing", "trial_balance")
    if not balance["is_balanced"]:
        outcome.problems.append("the books do not balance")
    for fund in balance["funds"]:
        spent = fund["available_pence"] + fund["committed_pence"] + fund["drawn_pence"]
        if min(fund["available_pence"], fund["committed_pence"]) < 0 or spent != fund["opened_pence"]:
            outcome.problems.append(f"fund {fund['fund_id']} was overspent, or money of it is missing")


def _verify_queues(cast: Cast, outcome: Outcome) -> None:
    for status in status_of(cast.amqp_uri):
        if status.dead_letters:
            outcome.problems.append(f"{status.service} has {status.dead_letters} dead letters")
        if not status.idle:
            outcome.problems.append(f"{status.service} is not done: {status}")
