"""A client's age, and the band of it that leaves intake."""

from __future__ import annotations

from datetime import date

from contracts.vocabulary import AgeBand

OLDEST = 120
"""Years. Nobody in the United Kingdom has grown older, and a form takes no greater age."""


def age_in_years(*, age: int | None, date_of_birth: date | None, on: date) -> int | None:
    """What the client said, or what follows from their date of birth; the younger if they said both."""
    if date_of_birth is None:
        return age
    had_birthday = (on.month, on.day) >= (date_of_birth.month, date_of_birth.day)
    reckoned = on.year - date_of_birth.year - (not had_birthday)
    return reckoned if age is None else min(age, reckoned)


def can_be_born_on(born: date, *, today: date) -> bool:
    """Whether somebody alive can have been born on that day: not later than today, nor more than 120 years ago."""
    age = age_in_years(age=None, date_of_birth=born, on=today)
    return age is not None and 0 <= age <= OLDEST


def age_band(age: int | None) -> AgeBand:
    """The ten-year band that leaves intake in place of an age in years."""
    if age is None:
        return AgeBand.UNKNOWN
    if age < 18:
        return AgeBand.UNDER_18
    starts = ((65, AgeBand.FROM_65), (55, AgeBand.FROM_55), (45, AgeBand.FROM_45), (35, AgeBand.FROM_35))
    return next((band for start, band in starts if age >= start), AgeBand.FROM_25 if age >= 25 else AgeBand.FROM_18)
