"""How amounts, days and moments are written in each language; moments in London's time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from contracts.london import LONDON


@dataclass(frozen=True)
class _Names:
    """Monday first, January first, and the word between a day and an hour."""

    days: tuple[str, ...]
    months: tuple[str, ...]
    at: str

    def day(self, text: str) -> str:
        """`23 November 2026`."""
        day = date.fromisoformat(text)
        return f"{day.day} {self.months[day.month - 1]} {day.year}"

    def moment(self, text: str) -> str:
        """`Monday 23 November 2026 at 10:00`."""
        at = datetime.fromisoformat(text).astimezone(LONDON)
        return f"{self.days[at.weekday()]} {self.day(at.date().isoformat())} {self.at} {at:%H:%M}"


_ENGLISH = _Names(
    days=("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    months=tuple(
        "January February March April May June July August September October November December".split()  # noqa: SIM905
    ),
    at="at",
)
_WELSH = _Names(
    days=("Dydd Llun", "Dydd Mawrth", "Dydd Mercher", "Dydd Iau", "Dydd Gwener", "Dydd Sadwrn", "Dydd Sul"),
    months=tuple("Ionawr Chwefror Mawrth Ebrill Mai Mehefin Gorffennaf Awst Medi Hydref Tachwedd Rhagfyr".split()),  # noqa: SIM905
    at="am",
)


def _pounds(pence: int) -> str:
    return f"£{pence // 100:,}.{pence % 100:02}"


FILTERS: Mapping[str, Mapping[str, Callable[..., str]]] = {
    language: {"pounds": _pounds, "day": names.day, "moment": names.moment}
    for language, names in (("en", _ENGLISH), ("cy", _WELSH))
}
