"""Draws `docs/referral-states.md` from the table of states and steps; with `--check` says whether it is out of date."""

from __future__ import annotations

import sys
from pathlib import Path

from services.intake.domain.state_diagram import page

PAGE = Path(__file__).parent.parent.parent / "docs" / "referral-states.md"


def main(arguments: list[str]) -> int:
    if "--check" not in arguments:
        PAGE.write_text(page())
    elif PAGE.read_text() != page():
        print("docs/referral-states.md is out of date: run `make docs`", file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
