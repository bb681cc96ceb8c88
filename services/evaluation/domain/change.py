"""Change between two forms, with its uncertainty, and never for a group in which a person could be recognised."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from services.evaluation.domain.instruments import HigherIs, Instrument

_NORMAL: Final = statistics.NormalDist()
TWO_SIDED_95 = 0.975
"""The quantile that leaves 5 % outside, half of it on each side."""


@dataclass(frozen=True)
class Pair:
    """One match's score at the start and later. `person` is whoever could be recognised by it."""

    person: UUID
    before: float
    after: float

    @property
    def change(self) -> float:
        return self.after - self.before


@dataclass(frozen=True)
class Estimate:
    """A figure and its 95 % confidence interval."""

    estimate: float
    low: float
    high: float


@dataclass(frozen=True)
class Change:
    """What a group's pairs show. The shares are None for an instrument without a reliable change."""

    pairs: int
    mean: Estimate
    standard_error: float
    improved: Estimate | None
    worse: Estimate | None


def change_of(pairs: Sequence[Pair], *, instrument: Instrument, smallest_group: int) -> Change | None:
    """The group's change; None if it is of fewer different people than `smallest_group`, or of fewer than two pairs."""
    if len({pair.person for pair in pairs}) < smallest_group or len(pairs) < 2:
        return None
    changes = [pair.change for pair in pairs]
    error = statistics.stdev(changes) / math.sqrt(len(changes))
    mean, margin = statistics.fmean(changes), t_quantile(TWO_SIDED_95, len(changes) - 1) * error
    improved = worse = None
    if instrument.reliable_change:
        points = instrument.reliable_change.points
        gains = [-change if instrument.higher_is is HigherIs.WORSE else change for change in changes]
        improved = share(sum(gain >= points for gain in gains), len(gains))
        worse = share(sum(gain <= -points for gain in gains), len(gains))
    return Change(len(changes), Estimate(mean, mean - margin, mean + margin), error, improved, worse)


def reliable_change_points(*, z: float, standard_deviation: float, reliability: float) -> float:
    """The points beyond which a change is more than error of measurement (Jacobson and Truax 1991).

    z·√(2·SD²·(1−α)): the standard error of a difference between two scores, times the quantile of the confidence.
    """
    return z * math.sqrt(2 * standard_deviation**2 * (1 - reliability))


def share(count: int, of: int) -> Estimate:
    """A share with Wilson's interval (1927), which stays between 0 and 1 and is right for few and for extremes."""
    z = _NORMAL.inv_cdf(TWO_SIDED_95)
    rate, shrink = count / of, 1 + z**2 / of
    centre = (rate + z**2 / (2 * of)) / shrink
    margin = z * math.sqrt(rate * (1 - rate) / of + z**2 / (4 * of**2)) / shrink
    # At 0 and at 1 the interval ends there, but for the last binary digit.
    return Estimate(rate, max(0.0, min(rate, centre - margin)), min(1.0, max(rate, centre + margin)))


def t_quantile(probability: float, degrees_of_freedom: int) -> float:
    """Student's t from the normal quantile (Abramowitz and Stegun 1964, 26.7.5): four terms, to 0.001 from 8 up."""
    x, n = _NORMAL.inv_cdf(probability), float(degrees_of_freedom)
    terms = (
        x,
        (x**3 + x) / 4,
        (5 * x**5 + 16 * x**3 + 3 * x) / 96,
        (3 * x**7 + 19 * x**5 + 17 * x**3 - 15 * x) / 384,
        (79 * x**9 + 776 * x**7 + 1482 * x**5 - 1920 * x**3 - 945 * x) / 92_160,
    )
    return sum(term / n**power for power, term in enumerate(terms))
