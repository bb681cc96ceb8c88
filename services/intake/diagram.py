"""Draws `docs/referral-states.md` from the table of states and steps; with `--check` says whether it is out of date."""

from __future__ import annotations

import sys
from pathlib import Path

from services.intake.domain.referral import FINISHED, LIFE, State, Step

PAGE = Path(__file__).parent.parent.parent / "docs" / "referral-states.md"

INTRODUCTION = """\
# The life of a referral

Drawn by `python -m services.intake.diagram` from the one table in `services/intake/domain/referral.py`. A step that is
not there is refused, with the state and what is possible. Each step that is taken is kept: when, by whom, and why.

```mermaid
stateDiagram-v2
"""

IN_WORDS = """\
```

Not drawn: `withdraw`, possible until the referral has ended; `erase`, possible always; what leaves the state as it is;
and the ways of facts that arrive before the one they follow: matching's newest word counts.

| step | from | to | taken by |
|---|---|---|---|
"""

NOT_DRAWN = (Step.WITHDRAW, Step.ERASE)
ORDER = list(State)


def page() -> str:
    return INTRODUCTION + "".join(_arrows()) + IN_WORDS + "".join(_rows())


def _arrows() -> list[str]:
    lines = [f"    [*] --> {State.RECEIVED}: receive\n"]
    for step, legal in LIFE.items():
        for source in _sorted(legal.usually or legal.sources) if step not in NOT_DRAWN else ():
            lines += [f"    {source} --> {target}: {step.words}\n" for target in _sorted(legal.targets)]
    return [*lines, *(f"    {state} --> [*]\n" for state in _sorted(FINISHED))]


def _rows() -> list[str]:
    rows = []
    for step, legal in LIFE.items():
        targets = _words(legal.targets) if len(legal.targets) < 2 else "where it was before"
        rows.append(f"| `{step}` | {_words(legal.sources) or '–'} | {targets or 'the same'} | {legal.on} |\n")
    return rows


def _words(states: frozenset[State]) -> str:
    return ", ".join(state.words for state in _sorted(states))


def _sorted(states: frozenset[State]) -> list[State]:
    return sorted(states, key=ORDER.index)


def main(arguments: list[str]) -> int:
    if "--check" not in arguments:
        PAGE.write_text(page())
    elif PAGE.read_text() != page():
        print("docs/referral-states.md is out of date: run `make docs`", file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
