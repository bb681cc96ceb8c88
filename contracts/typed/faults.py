"""Why something that was typed can't be taken: a code, and what a sentence about it needs."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Fault(StrEnum):
    """Named after the kind of thing; the values that come along are in brackets."""

    AT_LEAST = "at_least"  # (least)
    AT_MOST = "at_most"  # (most)
    TEXT_LONG = "text_long"  # (most, count) characters
    TEXT_SHORT = "text_short"  # (least, count) characters besides spaces

    NUMBER = "number"

    MONEY = "money"
    MONEY_COMMA = "money_comma"
    """A comma that separates no thousands: pence in some countries, a slip in others."""
    MONEY_CURRENCY = "money_currency"
    MONEY_PARTS = "money_parts"
    """More than two digits after the point."""
    MONEY_MOST = "money_most"  # (most) pence

    DISTANCE = "distance"
    DISTANCE_UNIT = "distance_unit"
    """Neither miles nor kilometres, or `m`, which may be metres."""
    DISTANCE_MOST = "distance_most"  # (most) kilometres

    AGE = "age"
    AGE_AND_BIRTH = "age_and_birth"  # (age, year)
    """The age and the year of birth can't both be right."""

    DATE = "date"
    DATE_PARTS = "date_parts"
    """A part of three is missing."""
    DAY = "day"
    DAY_OF_MONTH = "day_of_month"  # (most, month, year)
    MONTH = "month"
    YEAR = "year"
    """Not four digits."""
    YEAR_RANGE = "year_range"  # (first, last)
    TIME = "time"
    FUTURE = "future"
    YEARS_AGO_MOST = "years_ago_most"  # (most)
    YEARS_AGO_LEAST = "years_ago_least"  # (least)

    EMAIL = "email"
    EMAIL_SPACE = "email_space"
    EMAIL_SEVERAL = "email_several"
    EMAIL_DOMAIN = "email_domain"
    EMAIL_LETTERS = "email_letters"
    """Letters before the @ that most mail servers don't take."""

    TELEPHONE = "telephone"
    TELEPHONE_SHORT = "telephone_short"
    TELEPHONE_LONG = "telephone_long"
    TELEPHONE_UNKNOWN = "telephone_unknown"
    """The right length, but no number begins so."""
    TELEPHONE_SHORTENED = "telephone_shortened"
    """`4.47701E+11`: a spreadsheet program has thrown digits away."""
    TELEPHONE_NO_TEXTS = "telephone_no_texts"

    POSTCODE = "postcode"
    POSTCODE_PART = "postcode_part"
    """More than the first half, and not the whole."""
    POSTCODE_SIGN = "postcode_sign"
    """A sign that no postcode has; what was meant can't be told."""


class Unreadable(ValueError):
    """What was typed can't be taken. `values` are counts and limits, never what was typed."""

    def __init__(self, fault: Fault, **values: int | str) -> None:
        super().__init__(fault.value)
        self.fault = fault
        self.values: Mapping[str, int | str] = values
