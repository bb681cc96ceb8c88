"""The command line tool `leeward`. Exit codes: 0 well, 1 something is not as it should be, 2 wrong usage."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.live import Live
from rich.table import Table

from chassis.sealing import make_keys
from leeward import dead, events, topology, trace
from leeward.demo.report import print_report
from leeward.demo.requests import sample_requests
from leeward.demo.run import Demonstration, seed_of_today
from leeward.demo.spreadsheet import read_requests
from leeward.status import ServiceStatus, site_of, status_of
from leeward.supervisor import Supervisor, running
from leeward.terminal import VAR, AsJson, Folder, broker_of, console, errors, plain_errors
from leeward.workspace import READERS, SERVICES, Workspace

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Runs Leeward and looks after it.")
keys = typer.Typer(no_args_is_help=True, help="The keys that personal data is sealed with.")
app.add_typer(keys, name="keys")
app.add_typer(dead.app, name="dead")
app.add_typer(events.app, name="events")
app.command()(topology.topology)
app.command()(trace.trace)
REFRESH_SECONDS = 2.0


@app.command()
def up(
    var: Folder = VAR,
    sample: Annotated[int, typer.Option(help="Let this many sample requests flow through.", min=0)] = 0,
) -> None:
    """Starts a broker if AMQP_URI names none, every service and the public site, and stays until Ctrl-C."""
    workspace = Workspace(var)
    with plain_errors(), running(workspace, site=True) as supervisor:
        _announce(workspace, supervisor)
        try:
            if sample:
                _let_flow(workspace, supervisor, sample)
            _watch(supervisor)
        except KeyboardInterrupt:
            console.print("Stopping…")


@app.command()
def demo(
    referrals: Annotated[int, typer.Option(help="How many requests for help.", min=1, max=100_000)] = 100,
    seed: Annotated[int | None, typer.Option(help="The same seed draws the same people.")] = None,
    from_file: Annotated[Path | None, typer.Option("--from", help="A CSV of requests; see samples/README.md.")] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the report there, for machines.")] = None,
) -> None:
    """Runs everything in a folder of its own, lets requests go all the way, checks the result, and leaves no trace.

    Exit code 0 only if every request reached the state it should and the books balance.
    """
    seed = seed_of_today() if seed is None else seed
    with plain_errors(), tempfile.TemporaryDirectory(prefix="leeward-demo-") as folder:
        requests = read_requests(from_file) if from_file else sample_requests(referrals, seed)
        workspace = Workspace(Path(folder))
        workspace.clock.start()
        console.print(f"Starting a broker and {len(SERVICES)} services …")
        with running(workspace) as supervisor:
            demonstration = Demonstration(workspace, supervisor.amqp_uri, seed=seed, say=_step)
            report = demonstration.run(requests)
    print_report(console, report, seed)
    if json_file:
        json_file.write_text(json.dumps(report.as_json(), indent=2) + "\n")
    if not report.went_well:
        raise typer.Exit(1)


@app.command()
def status(var: Folder = VAR, as_json: AsJson = False) -> None:
    """Every service: up or down, what waits, what is late, what a person must look at. Exit code 1 if one is down."""
    workspace = Workspace(var)
    states, site = status_of(broker_of(workspace)), site_of(workspace)
    if as_json:
        told = [asdict(state) for state in states] + ([asdict(site)] if site else [])
        console.print_json(json.dumps(told))
    else:
        console.print(_status_table(states))
        if site:
            console.print(f"site: {'up' if site.up else '[red]down[/red]'}, {site.address}", soft_wrap=True)
    if not (all(state.up for state in states) and (site is None or site.up)):
        raise typer.Exit(1)


@app.command()
def migrate(
    services: Annotated[list[str] | None, typer.Argument(help="All, if none is named.")] = None, var: Folder = VAR
) -> None:
    """Brings the services' databases to their newest revisions."""
    workspace = Workspace(var)
    workspace.prepare()
    with plain_errors():
        Supervisor(workspace, "amqp://", services or SERVICES).migrate()


@app.command()
def bench(
    only: Annotated[str | None, typer.Option(help="Some sections, with commas between them.")] = None,
    rounds: Annotated[int | None, typer.Option(help="How many rounds, instead of five.", min=1)] = None,
    quick: Annotated[bool, typer.Option("--quick", help="A look of some minutes, too short to trust.")] = False,
    out: Annotated[Path | None, typer.Option(help="The folder that benchmarks.md is written to.")] = None,
) -> None:
    """Measures Leeward beside its peers and writes docs/benchmarks.md. Needs a checkout, best after `make bench`."""
    checkout = Path(__file__).parent.parent
    if not (checkout / "bench" / "__main__.py").is_file():
        errors.print("`leeward bench` measures from a checkout of Leeward's source, and this is an installed package.")
        raise typer.Exit(2)
    given = {"--only": only, "--rounds": rounds, "--out": out and out.absolute()}
    options = [text for name, value in given.items() if value is not None for text in (name, str(value))]
    command = [sys.executable, "-m", "bench", "run", *options, *(["--quick"] if quick else [])]
    raise typer.Exit(subprocess.run(command, cwd=checkout).returncode)


@keys.command("make")
def make(
    folder: Path, readers: Annotated[list[str] | None, typer.Argument(help="All, if none is named.")] = None
) -> None:
    """Makes a new key pair for each reader. What was sealed to the older ones can still be opened."""
    for reader in readers or READERS:
        make_keys(folder, reader)
        console.print(f"{reader}: give {reader}.public.json to whoever seals, and keep {reader}.private.json secret.")


def main() -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # so that what was started is ended too
    app()


def _let_flow(workspace: Workspace, supervisor: Supervisor, sample: int) -> None:
    """The demonstration's people on a system that stays: time is not moved, so unanswered offers stay open."""
    seed = seed_of_today()
    demonstration = Demonstration(workspace, supervisor.amqp_uri, seed=seed, say=_step)
    demonstration.prepare()
    demonstration.publish(sample_requests(sample, seed))
    demonstration.settle("Assessing, offering, matching; inviting, charging, notifying")


def _watch(supervisor: Supervisor) -> None:
    """Shows the state of everything until Ctrl-C, and starts again what has ended."""
    console.print("Running. Ctrl-C stops everything.")
    if not console.is_terminal:
        while True:
            supervisor.keep_running()
            time.sleep(REFRESH_SECONDS)
    with Live(console=console, auto_refresh=False) as live:
        while True:
            supervisor.keep_running()
            live.update(_status_table(status_of(supervisor.amqp_uri)), refresh=True)
            time.sleep(REFRESH_SECONDS)


def _announce(workspace: Workspace, supervisor: Supervisor) -> None:
    console.print(f"Open:   {supervisor.site}", soft_wrap=True)
    console.print(f"Broker: {supervisor.amqp_uri}", soft_wrap=True)
    console.print(f"Mail:   {workspace.mail}/new   Logs: {workspace.folder}/log   For machines: {workspace.run_file}")


def _status_table(states: list[ServiceStatus]) -> Table:
    table = Table("service", "state", box=None)
    for heading in ("inbox", "urgent", "retrying", "oldest s", "outbox", "lag s", "dead letters"):
        table.add_column(heading, justify="right")
    for one in states:
        figures = (one.inbox_depth, one.urgent_depth, one.retrying, one.oldest_message_seconds)
        more = (one.outbox_rows, one.outbox_lag_seconds, one.dead_letters)
        cells = ("–" if figure is None else f"{figure:g}" for figure in (*figures, *more))
        table.add_row(one.service, "up" if one.up else "[red]down[/red]", *cells)
    return table


def _step(what: str) -> None:
    console.print(f"  {what} …")


if __name__ == "__main__":
    main()
