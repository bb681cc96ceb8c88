"""An instrument: its items, how they add up, and what its published thresholds are.

Thresholds belong to a population and to a publication, so they come from a versioned, cited definition file; nothing in
code knows a number of any instrument.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class InvalidDefinition(ValueError):
    """A definition file contradicts itself; the message says in what."""


class HigherIs(StrEnum):
    """What a higher score means."""

    WORSE = "worse"
    BETTER = "better"


@dataclass(frozen=True)
class Item:
    """One question. `risk_from` is the lowest answer that asks for a person's attention whatever the total."""

    code: str
    lowest: int
    highest: int
    reversed: bool = False
    risk_from: int | None = None


@dataclass(frozen=True)
class Band:
    """A named range of totals, from `lowest` up to the next band's."""

    name: str
    lowest: float


@dataclass(frozen=True)
class ReliableChange:
    """How many points are more than the instrument's own error, at a confidence; `z` is that confidence's quantile.

    Both are None where a threshold was published without saying.
    """

    points: float
    confidence: float | None
    z: float | None


@dataclass(frozen=True)
class Instrument:
    """A definition, as read from its file."""

    code: str
    version: int
    higher_is: HigherIs
    items: tuple[Item, ...]
    missing_allowed: int
    cut_off: float | None
    bands: tuple[Band, ...]
    reliable_changes: tuple[ReliableChange, ...]
    not_for_ages: frozenset[str]
    sources: tuple[str, ...]
    ages: range | None = None
    """The ages in years that it is made for, where it is made for young people; None if for adults."""

    @property
    def reliable_change(self) -> ReliableChange | None:
        """The threshold that the definition puts first; None if none was ever published."""
        return self.reliable_changes[0] if self.reliable_changes else None

    def band_of(self, score: float) -> str | None:
        """The name of the band that a score falls in."""
        names = [band.name for band in self.bands if score >= band.lowest]
        return names[-1] if names else None

    def is_clinical(self, score: float) -> bool | None:
        """Whether a score reaches the clinical cut-off; None if there is none."""
        if self.cut_off is None:
            return None
        return score >= self.cut_off


def read_definition(data: Mapping[str, Any]) -> Instrument:
    """An instrument from a parsed definition file. Raises InvalidDefinition."""
    try:
        instrument = _read(data)
    except KeyError as error:
        raise InvalidDefinition(f"{data.get('instrument')}: {error.args[0]} is missing") from None
    except (TypeError, ValueError) as error:
        raise InvalidDefinition(f"{data.get('instrument')}: {error}") from None
    problem = _problem(instrument)
    if problem:
        raise InvalidDefinition(f"{instrument.code}: {problem}")
    return instrument


def _read(data: Mapping[str, Any]) -> Instrument:
    cut_off = data.get("cut_off")
    _refuse_strangers(data)
    return Instrument(
        code=data["instrument"],
        version=data["version"],
        higher_is=HigherIs(data["higher_is"]),
        items=tuple(_read_item(data, item["code"]) for item in data["items"]),
        missing_allowed=data["missing_allowed"],
        cut_off=cut_off["at_least"] if cut_off else None,
        bands=tuple(Band(band["name"], band["from"]) for band in data.get("bands", ())),
        reliable_changes=tuple(
            ReliableChange(one["points"], one.get("confidence"), one.get("z"))
            for one in data.get("reliable_change", ())
        ),
        not_for_ages=frozenset(data.get("not_for_ages", ())),
        sources=tuple(data["sources"]),
        ages=_read_ages(data.get("ages")),
    )


def _read_ages(ages: Mapping[str, int] | None) -> range | None:
    return range(ages["from"], ages["to"] + 1) if ages else None


def _read_item(data: Mapping[str, Any], code: str) -> Item:
    risks: dict[str, int] = {risk["item"]: risk["from"] for risk in data.get("risk", ())}
    return Item(
        code=code,
        lowest=data["answers"]["lowest"],
        highest=data["answers"]["highest"],
        reversed=code in data.get("reversed", ()),
        risk_from=risks.get(code),
    )


def _refuse_strangers(data: Mapping[str, Any]) -> None:
    """A slip in a risk item's code would silence it for ever."""
    codes = {item["code"] for item in data["items"]}
    named = {*data.get("reversed", ()), *(risk["item"] for risk in data.get("risk", ()))}
    if named - codes:
        raise ValueError(f"no item has the code {', '.join(sorted(named - codes))}")


def _problem(instrument: Instrument) -> str | None:
    codes = [item.code for item in instrument.items]
    starts = [band.lowest for band in instrument.bands]
    if not codes or len(set(codes)) != len(codes):
        return "items must have codes of their own"
    if any(item.lowest >= item.highest for item in instrument.items):
        return "the lowest answer must be below the highest"
    if not 0 <= instrument.missing_allowed < len(codes):
        return "missing_allowed must be fewer than there are items"
    if instrument.ages is not None and not instrument.ages:
        return "ages must run from the younger to the older"
    if starts != sorted(set(starts)):
        return "bands must be in order"
    if not instrument.sources:
        return "a definition must cite its sources"
    return None
