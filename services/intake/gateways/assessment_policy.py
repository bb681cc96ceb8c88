"""Reads the rules of assessment from their file, and refuses what is wrong with them at the start."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

from contracts.sealed import LegalSituation
from contracts.vocabulary import ClientGroup, Competence, Known, RiskLevel, Route, Work
from services.intake.domain.suggestion import Answer, Policy, Rule

ASSESSMENT = Path(__file__).parent.parent / "policy" / "assessment-v1.toml"

CODES: dict[str, type[StrEnum]] = {
    "client_group": ClientGroup,
    "route": Route,
    "legal_situation": LegalSituation,
    "known_to_authorities": Known,
    "work": Work,
}
FLAGS = frozenset({"identifiable_person_at_risk", "young"})

CodeT = TypeVar("CodeT", bound=StrEnum)


class InvalidPolicy(ValueError):
    """The file of rules can't be used; the message names the file, the rule and what is wrong."""


@contextmanager
def policy_in(path: Path) -> Iterator[dict[str, Any]]:
    """What a policy's file says, for the block that reads it. Raises InvalidPolicy for what it stumbles on."""
    try:
        yield tomllib.loads(path.read_text(encoding="utf-8"))
    except KeyError as missing:
        raise InvalidPolicy(f"{path.name}: {missing} is missing") from None
    except (OSError, ValueError, TypeError) as wrong:
        raise InvalidPolicy(f"{path.name}: {wrong}") from None


def read_policy(path: Path = ASSESSMENT) -> Policy:
    """Raises InvalidPolicy."""
    with policy_in(path) as content:
        rules = tuple(_rule(rule) for rule in content.get("rule", ()))
        default = _rule({"name": "default", "when": {}, **content["default"]})
        _refuse_gaps(default, rules)
        return Policy(version=int(content["version"]), source=str(content["source"]), default=default, rules=rules)


def _rule(content: Mapping[str, Any]) -> Rule:
    name = content["name"]
    known = {"name", "when", "why", "risk_level", "competence", "work"}
    if unknown := set(content) - known:
        raise ValueError(f"rule {name!r} says {sorted(unknown)}, which no rule can")
    return Rule(
        name=name,
        when={answer: _wanted(name, answer, values) for answer, values in content["when"].items()},
        why=content["why"],
        risk_level=_code(RiskLevel, content.get("risk_level")),
        competence=_code(Competence, content.get("competence")),
        work=_code(Work, content.get("work")),
    )


def _wanted(rule: str, answer: str, values: Any) -> frozenset[Answer]:
    if answer in FLAGS and isinstance(values, bool):
        return frozenset({values})
    if answer in CODES and isinstance(values, list) and values:
        return frozenset(CODES[answer](value) for value in values)
    raise ValueError(f"rule {rule!r} asks for {answer!r} = {values!r}, which no form answers")


def _code(kind: type[CodeT], value: str | None) -> CodeT | None:
    return None if value is None else kind(value)


def _refuse_gaps(default: Rule, rules: tuple[Rule, ...]) -> None:
    if None in (default.risk_level, default.competence, default.work):
        raise ValueError("the default must name risk_level, competence and work")
    names = [rule.name for rule in rules]
    if len(set(names)) != len(names):
        raise ValueError("two rules have the same name")
