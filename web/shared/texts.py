"""Marks texts for translation where they are defined; they are translated when they are shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self


def N_(text: str) -> str:  # noqa: N802
    """Gettext's name for "extract this, and translate it later"."""
    return text


class Words(str):
    """A text to be translated later, and what is then filled into its `%(name)s`. A value may be one itself."""

    values: Mapping[str, object]

    def __new__(cls, text: str, **values: object) -> Self:
        words = super().__new__(cls, text)
        words.values = values
        return words

    def __str__(self) -> str:
        return self  # str() of it keeps the values, also as an exception's argument


MONTHS = (
    N_("January"),
    N_("February"),
    N_("March"),
    N_("April"),
    N_("May"),
    N_("June"),
    N_("July"),
    N_("August"),
    N_("September"),
    N_("October"),
    N_("November"),
    N_("December"),
)

WEEKDAYS = (
    N_("Monday"),
    N_("Tuesday"),
    N_("Wednesday"),
    N_("Thursday"),
    N_("Friday"),
    N_("Saturday"),
    N_("Sunday"),
)
