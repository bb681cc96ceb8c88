"""A spreadsheet of requests for help, checked or made up: `python -m leeward.demo.spreadsheet`.

python -m leeward.demo.spreadsheet --check my-requests.csv
python -m leeward.demo.spreadsheet --columns
python -m leeward.demo.spreadsheet --write samples/requests.csv --rows 200 --seed 7
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from contracts.typed.faults import Unreadable
from contracts.typed.numbers import read_whole
from leeward.console.typed_values import describe
from leeward.demo.requests import sample_requests
from leeward.importing.columns import markdown_table
from leeward.importing.spreadsheet import SpreadsheetErrors, read_requests, write_requests


def _count(text: str) -> int:
    try:
        return read_whole(text, least=1, most=100_000)
    except Unreadable as unreadable:
        raise argparse.ArgumentTypeError(f"that {describe(unreadable)}") from None


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0, or 1 where a checked file has problems."""
    parser = argparse.ArgumentParser(prog="python -m leeward.demo.spreadsheet", description="Requests for help as CSV.")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--check", type=Path, metavar="FILE", help="say all that is wrong with a file")
    what.add_argument("--columns", action="store_true", help="print the columns as a Markdown table")
    what.add_argument("--write", type=Path, metavar="FILE", help="write sample requests")
    parser.add_argument("--rows", type=_count, default=200, help="how many sample requests (200)")
    parser.add_argument("--seed", type=int, default=7, help="the same seed draws the same people (7)")
    chosen = parser.parse_args(arguments)
    if chosen.check:
        return _check(chosen.check)
    if chosen.write:
        return _write(chosen.write, chosen.rows, chosen.seed)
    print(markdown_table(), end="")
    return 0


def _write(path: Path, rows: int, seed: int) -> int:
    try:
        write_requests(path, sample_requests(rows, seed))
    except OSError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _check(path: Path) -> int:
    try:
        requests = read_requests(path)
    except (SpreadsheetErrors, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{len(requests)} requests, and nothing to put right")
    return 0


if __name__ == "__main__":
    sys.exit(main())
