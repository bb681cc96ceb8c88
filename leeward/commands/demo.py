"""`leeward demo`: everything from beginning to end, checked."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from leeward.console.options import new_file
from leeward.console.terminal import console, plain_errors, step
from leeward.demo.report import print_report
from leeward.demo.requests import sample_requests
from leeward.demo.run import Demonstration, seed_from_time
from leeward.importing.spreadsheet import read_requests
from leeward.runtime.supervisor import running
from leeward.runtime.workspace import SERVICES, Workspace

USUALLY = 100


def demo(
    referrals: Annotated[
        int | None, typer.Option(help=f"How many requests for help; {USUALLY} otherwise.", min=1, max=100_000)
    ] = None,
    seed: Annotated[int | None, typer.Option(help="The same seed draws the same people.")] = None,
    from_file: Annotated[
        Path | None,
        typer.Option("--from", exists=True, dir_okay=False, readable=True, help="Requests; see samples/README.md."),
    ] = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", callback=new_file, help="Write the report there, for machines.")
    ] = None,
) -> None:
    """Runs everything in a folder of its own, lets requests go all the way, checks the result, and leaves no trace.

    Exit code 0 only if every request reached the state it should and the books balance.
    """
    if from_file and referrals is not None:
        raise typer.BadParameter("--from names the requests themselves, so leave out --referrals")
    seed = seed_from_time() if seed is None else seed
    with plain_errors(), tempfile.TemporaryDirectory(prefix="leeward-demo-") as folder:
        requests = read_requests(from_file) if from_file else sample_requests(referrals or USUALLY, seed)
        workspace = Workspace(Path(folder))
        workspace.clock.start()
        console.print(f"Starting a broker and {len(SERVICES)} services …")
        with running(workspace) as supervisor:
            demonstration = Demonstration(workspace, supervisor.amqp_uri, seed=seed, say=step)
            report = demonstration.run(requests)
    print_report(console, report, seed)
    if json_file:
        json_file.write_text(json.dumps(report.as_json(), indent=2) + "\n")
    if not report.went_well:
        raise typer.Exit(1)
