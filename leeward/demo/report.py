"""What a person sees at the end of a demonstration."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table

from leeward.demo.run import Report

SHOWN_PROBLEMS = 20


def print_report(console: Console, report: Report, seed: int) -> None:
    console.print()
    console.print(_requests(report))
    console.print(_funds(report.verification.trial_balance))
    for line in _evaluation(report.verification.evaluation):
        console.print(line)
    console.print()
    for problem in report.verification.problems[:SHOWN_PROBLEMS]:
        console.print(f"[red]✗[/red] {problem}")
    if report.went_well:
        said = "every request reached the state it should, and the books balance"
        console.print(f"[green]✓[/green] {report.referrals} requests in {report.seconds:.1f} s: {said} (seed {seed})")
    else:
        console.print(f"[red]{len(report.verification.problems)} problems[/red] (seed {seed})")


def _requests(report: Report) -> Table:
    table = Table("what came of the requests", box=None)
    table.add_column("requests", justify="right")
    for words, count in sorted(report.verification.requests.items()):
        table.add_row(words, str(count))
    return table


def _funds(trial_balance: dict[str, Any]) -> Table:
    table = Table("fund", box=None)
    for heading in ("given", "drawn", "committed", "available"):
        table.add_column(heading, justify="right")
    for fund in trial_balance["funds"]:
        pence = (fund[f"{part}_pence"] for part in ("opened", "drawn", "committed", "available"))
        table.add_row(fund["name"], *(f"£{amount / 100:,.2f}" for amount in pence))
    return table


def _evaluation(summaries: list[dict[str, Any]]) -> list[str]:
    return [
        f"{summary['instrument']} ({summary['respondent']}): "
        f"{summary['returned']} of {summary['invited']} forms came back" + _change(summary.get("mean_change"))
        for summary in summaries
        if summary["invited"]
    ]


def _change(mean_change: dict[str, float] | None) -> str:
    if mean_change is None:
        return "; too few pairs to say anything of change"
    return f"; mean change {mean_change['estimate']:+.1f} ({mean_change['low']:+.1f} to {mean_change['high']:+.1f})"
