"""What it costs a service to check who gives a command: the same question, signed and unsigned, in turns."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from statistics import median

from bench.core.lab import Lab
from bench.core.plan import Plan
from bench.core.processes import cpu_seconds
from bench.core.results import Results
from bench.core.rounds import interleave
from bench.report.chapter import STORE_NAMES, Chapter, Target, not_measured, table
from chassis.rpc import RpcClient
from leeward.console.operator import sign_as_operator
from leeward.runtime.supervisor import Supervisor
from leeward.runtime.workspace import Workspace
from tests.support.system import virtual_host

NAME = "signing"
TITLE = "A signed command"
SERVICE, COMMAND = "matching", "count_standings"
A_BLOCK = 200
WANTED_MS = 1.0


@dataclass(frozen=True)
class Round:
    """Milliseconds of processor that the service, and whoever asks, need for one command; medians of blocks."""

    store: str
    commands: int
    unsigned_ms: float
    signed_ms: float
    asking_unsigned_ms: float
    asking_signed_ms: float


def measure(lab: Lab, plan: Plan, results: Results) -> list[str]:
    rounds: list[Round] = []

    def one(number: int, store: str) -> None:
        rounds.append(_round(lab, store, plan))
        results.save(NAME, rounds)
        lab.say(f"{rounds[-1]}")

    return interleave(lab.stores, 1, one, lab.say)


def _round(lab: Lab, store: str, plan: Plan) -> Round:
    unsigned: list[tuple[float, float]] = []
    signed: list[tuple[float, float]] = []
    with _running(lab, store) as (pid, plain, signing):
        for client in (plain, signing):
            _block(client, pid)
        for _ in range(plan.signing_blocks):
            unsigned.append(_block(plain, pid))
            signed.append(_block(signing, pid))
    (unsigned_ms, asking_unsigned_ms), (signed_ms, asking_signed_ms) = _medians(unsigned), _medians(signed)
    commands = plan.signing_blocks * A_BLOCK
    return Round(store, commands, unsigned_ms, signed_ms, asking_unsigned_ms, asking_signed_ms)


def _medians(blocks: list[tuple[float, float]]) -> tuple[float, float]:
    return median(theirs for theirs, _ in blocks), median(ours for _, ours in blocks)


def _block(client: RpcClient, pid: int) -> tuple[float, float]:
    """Milliseconds of processor a command: of the service, and of this process."""
    theirs, ours = cpu_seconds(pid), time.process_time()
    for _ in range(A_BLOCK):
        client.call(SERVICE, COMMAND)
    return (cpu_seconds(pid) - theirs) / A_BLOCK * 1000, (time.process_time() - ours) / A_BLOCK * 1000


@contextmanager
def _running(lab: Lab, store: str) -> Iterator[tuple[int, RpcClient, RpcClient]]:
    workspace = Workspace(lab.folder / f"signing-{store}")
    workspace.prepare({SERVICE: lab.database(store, "signing")} if store == "postgresql" else None)
    amqp_uri = virtual_host(lab.node, f"signing_{store}")
    with ExitStack() as stack:
        supervisor = Supervisor(workspace, amqp_uri, [SERVICE])
        stack.callback(supervisor.stop)
        supervisor.migrate()
        supervisor.start()
        plain = stack.enter_context(RpcClient(amqp_uri))
        signing = stack.enter_context(RpcClient(amqp_uri, sign=sign_as_operator(workspace, "bench")))
        yield supervisor.running[SERVICE].process.pid, plain, signing


def chapter(results: Results) -> Chapter:
    chapter = Chapter(TITLE)
    rounds = results.load(NAME, Round)
    chapter.add(
        f"`{SERVICE}.{COMMAND}`, which needs nobody, asked without a token and with one, in turns of {A_BLOCK}. "
        "With one the service checks it and keeps the command's id in its store, and whoever asks signs it."
    )
    headings = ("store", "commands", "unsigned ms", "signed ms", "more", "asking unsigned ms", "asking signed ms")
    chapter.add(table(headings, [_row(one) for one in rounds]))
    chapter.targets += [_target(store, rounds) for store in ("sqlite", "postgresql")]
    return chapter


def _row(one: Round) -> tuple[str, ...]:
    more = one.signed_ms - one.unsigned_ms
    figures = (one.unsigned_ms, one.signed_ms, more, one.asking_unsigned_ms, one.asking_signed_ms)
    return (STORE_NAMES[one.store], f"{one.commands:,}", *(f"{figure:.2f}" for figure in figures))


def _target(store: str, rounds: list[Round]) -> Target:
    label, wanted = f"Processor more for a signed command on {STORE_NAMES[store]}", f"≤ {WANTED_MS:g} ms"
    one = next((one for one in rounds if one.store == store), None)
    if one is None:
        return not_measured(label, wanted)
    more = one.signed_ms - one.unsigned_ms
    return Target(label, wanted, f"{more:.2f} ms", more <= WANTED_MS)
