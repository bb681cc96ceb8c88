"""What is suggested to an assessor, and why. The system suggests, explains, and never decides alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from contracts.refused import Refused
from contracts.sealed import LegalSituation
from contracts.vocabulary import ClientGroup, Competence, Known, RiskLevel, Route, SuggestionUse, Work

Answer = str | bool


@dataclass(frozen=True, kw_only=True)
class Answers:
    """The coded answers of a form that rules may look at."""

    client_group: ClientGroup
    route: Route
    legal_situation: LegalSituation
    known_to_authorities: Known
    work: Work
    identifiable_person_at_risk: bool
    young: bool


@dataclass(frozen=True, kw_only=True)
class Rule:
    """What to suggest when every named answer is one of those given."""

    name: str
    when: Mapping[str, frozenset[Answer]]
    why: str
    risk_level: RiskLevel | None = None
    competence: Competence | None = None
    work: Work | None = None

    def holds(self, answers: Answers) -> bool:
        return all(getattr(answers, name) in wanted for name, wanted in self.when.items())


@dataclass(frozen=True, kw_only=True)
class Policy:
    """A version of the rules. The default holds always, and gives way to every other."""

    version: int
    source: str
    default: Rule
    rules: tuple[Rule, ...]


@dataclass(frozen=True, kw_only=True)
class Suggestion:
    """What a policy suggests, with the rules behind each part."""

    policy_version: int
    risk_level: RiskLevel
    competence: Competence
    work: Work
    because_of: Mapping[str, tuple[Rule, ...]]
    """By `risk_level`, `competence` and `work`."""


class NotTheSuggestion(Refused):
    """An assessment is said to follow the suggestion and doesn't; the message says what was suggested."""


class OverrideNeedsReason(Refused):
    """Whoever overrides a suggestion says why."""


def suggest(policy: Policy, answers: Answers) -> Suggestion:
    """What the policy suggests for these answers: the higher of several levels, the first of several kinds of work."""
    holding = [rule for rule in policy.rules if rule.holds(answers)]
    levels = [rule for rule in holding if rule.risk_level] or [policy.default]
    competences = [rule for rule in holding if rule.competence] or [policy.default]
    works = [rule for rule in holding if rule.work][:1] or [policy.default]
    higher = any(rule.risk_level is RiskLevel.HIGHER for rule in levels)
    trained = any(rule.competence is Competence.HIGHER for rule in competences)
    work = works[0].work
    assert work is not None, "a policy's default names everything"
    return Suggestion(
        policy_version=policy.version,
        risk_level=RiskLevel.HIGHER if higher else RiskLevel.LOWER,
        competence=Competence.HIGHER if trained else Competence.LOWER,
        work=work,
        because_of={"risk_level": tuple(levels), "competence": tuple(competences), "work": tuple(works)},
    )


def refuse_unless_explained(
    suggestion: Suggestion,
    *,
    risk_level: RiskLevel,
    competence: Competence,
    work: Work,
    use: SuggestionUse,
    reason: str | None,
) -> None:
    """Raises NotTheSuggestion or OverrideNeedsReason."""
    suggested = (suggestion.risk_level, suggestion.competence, suggestion.work)
    if use is SuggestionUse.ACCEPTED and (risk_level, competence, work) != suggested:
        raise NotTheSuggestion(f"Suggested was {', '.join(suggested)}. To assess otherwise, override it with a reason.")
    if use is SuggestionUse.OVERRIDDEN and reason is None:
        raise OverrideNeedsReason("Please give the reason for which the suggestion is overridden.")
