"""The page that shows a referral's states and steps, drawn from their table."""

from __future__ import annotations

from services.intake.domain.states import FINISHED, TRANSITIONS, State, Step

INTRODUCTION = """\
# The life of a referral

Drawn by `python -m services.intake.diagram` from the one table in `services/intake/domain/states.py`. A step that is
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
    lines = [f"    [*] --> {state}: receive\n" for state in _sorted(TRANSITIONS[Step.RECEIVE].targets)]
    for step, legal in TRANSITIONS.items():
        for source in _sorted(legal.usually or legal.sources) if step not in NOT_DRAWN else ():
            lines += [f"    {source} --> {target}: {step.words}\n" for target in _sorted(legal.targets)]
    return [*lines, *(f"    {state} --> [*]\n" for state in _sorted(FINISHED))]


def _rows() -> list[str]:
    rows = []
    for step, legal in TRANSITIONS.items():
        targets = _words(legal.targets) if len(legal.targets) < 2 or not legal.sources else "where it was before"
        rows.append(f"| `{step}` | {_words(legal.sources) or '–'} | {targets or 'the same'} | {legal.on} |\n")
    return rows


def _words(states: frozenset[State]) -> str:
    return ", ".join(state.words for state in _sorted(states))


def _sorted(states: frozenset[State]) -> list[State]:
    return sorted(states, key=ORDER.index)
