"""Reads the terms of retention from their file, and refuses what is wrong with them at the start."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import contracts
from contracts.vocabulary import ClientGroup
from services.intake.domain.retention import Answer, Outcome, RetentionPolicy, Term, without_a_term
from services.intake.gateways.assessment_policy import policy_in

RETENTION = Path(contracts.__file__).parent / "policy" / "retention-v1.toml"
"""Beside the published language, because the public site tells of it too."""
LONGEST_MONTHS = 1_200
KNOWN = frozenset({"name", "outcome", "when", "months", "why"})


def read_retention_policy(path: Path = RETENTION) -> RetentionPolicy:
    """Raises InvalidPolicy."""
    with policy_in(path) as content:
        terms = tuple(_term(term) for term in content["term"])
        _refuse_gaps(terms)
        return RetentionPolicy(
            version=_number(content, "version"),
            source=str(content["source"]),
            look_again=timedelta(days=_number(content, "look_again_days")),
            terms=terms,
        )


def _term(content: Mapping[str, Any]) -> Term:
    name = content["name"]
    if unknown := set(content) - KNOWN:
        raise ValueError(f"term {name!r} says {sorted(unknown)}, which no term can")
    if not str(content["why"]).strip():
        raise ValueError(f"term {name!r} doesn't say why")
    return Term(
        name=name,
        outcomes=frozenset(Outcome(outcome) for outcome in content["outcome"]),
        when={answer: _wanted(name, answer, values) for answer, values in content.get("when", {}).items()},
        months=_number(content, "months"),
        why=content["why"],
    )


def _number(content: Mapping[str, Any], name: str) -> int:
    value = content[name]
    if type(value) is not int or not 1 <= value <= LONGEST_MONTHS:
        raise ValueError(f"{name} = {value!r} is no whole number from 1 to {LONGEST_MONTHS}")
    return value


def _wanted(term: str, answer: str, values: Any) -> frozenset[Answer]:
    if answer == "young" and isinstance(values, bool):
        return frozenset({values})
    if answer == "client_group" and isinstance(values, list) and values:
        return frozenset(ClientGroup(value) for value in values)
    raise ValueError(f"term {term!r} asks for {answer!r} = {values!r}, which isn't known of a referral")


def _refuse_gaps(terms: tuple[Term, ...]) -> None:
    if gaps := without_a_term(terms):
        raise ValueError(f"no term fits {gaps[0]}, nor {len(gaps) - 1} other kinds of referral")
    names = [term.name for term in terms]
    if len(set(names)) != len(names):
        raise ValueError("two terms have the same name")
