"""Messages for typed values that can't be read, for commands and spreadsheets. They never repeat the value."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TypeVar

import typer

from contracts.text import clean
from contracts.typed.faults import Fault, Unreadable
from contracts.typed.money import write_pounds
from contracts.typed.numbers import check_length

Value = TypeVar("Value")

TEXTS = {
    Fault.AT_LEAST: "is less than {least}",
    Fault.AT_MOST: "is more than {most}",
    Fault.TEXT_LONG: "has {count:,} characters, which is more than {most:,}",
    Fault.TEXT_SHORT: "has {count:,} characters besides spaces, which is less than {least:,}",
    Fault.NUMBER: "is not a whole number",
    Fault.MONEY: "is not an amount in pounds",
    Fault.MONEY_COMMA: "has a comma that may part pounds from pence or thousands; write 25.50 or 1,000",
    Fault.MONEY_CURRENCY: "is not in pounds",
    Fault.MONEY_PARTS: "has more than two digits after the point",
    Fault.MONEY_MOST: "is more than £{most}",
    Fault.DISTANCE: "is not a distance",
    Fault.DISTANCE_UNIT: "has a unit that is neither km nor miles",
    Fault.DISTANCE_MOST: "is more than {most:,} km",
    Fault.AGE: "is not an age in whole years",
    Fault.AGE_AND_BIRTH: "contradicts the age: nobody born in {year} was {age} then",
    Fault.DATE: "is not a date",
    Fault.DATE_PARTS: "lacks the day, the month or the year",
    Fault.DAY: "has a day that is not from 1 to 31",
    Fault.DAY_OF_MONTH: "has a day that the month doesn't have, which ends with day {most}",
    Fault.MONTH: "has a month that is neither from 1 to 12 nor a name; the day comes before it",
    Fault.YEAR: "has a year that is not of four digits",
    Fault.YEAR_RANGE: "has a year that is not from {first} to {last}",
    Fault.TIME: "has a time that is none, such as 09:30",
    Fault.FUTURE: "is in the future",
    Fault.YEARS_AGO_MOST: "is more than {most} years ago",
    Fault.YEARS_AGO_LEAST: "is less than {least} years ago",
    Fault.EMAIL: "is not an e-mail address",
    Fault.EMAIL_SPACE: "is an e-mail address with a space in it",
    Fault.EMAIL_SEVERAL: "is more than one e-mail address",
    Fault.EMAIL_DOMAIN: "is an e-mail address with no such domain after its @",
    Fault.EMAIL_LETTERS: "is an e-mail address with letters before its @ that few mail servers take",
    Fault.TELEPHONE: "is not a telephone number",
    Fault.TELEPHONE_SHORT: "is a telephone number that is too short; write it with its area code",
    Fault.TELEPHONE_LONG: "is a telephone number that is too long, or more than one",
    Fault.TELEPHONE_UNKNOWN: "is a telephone number that nobody has; one from abroad begins with + and a country code",
    Fault.TELEPHONE_SHORTENED: "was shortened by the spreadsheet program; format the column as text and type it again",
    Fault.TELEPHONE_NO_TEXTS: "is a telephone number that no text message reaches",
    Fault.POSTCODE: "is not a UK postcode",
    Fault.POSTCODE_PART: "is more than the first half of a postcode, and not the whole",
    Fault.POSTCODE_SIGN: "has a sign in it that no postcode has",
}


def describe(unreadable: Unreadable) -> str:
    """What is wrong, as a predicate after the value's name: "is not a date"."""
    values: dict[str, int | str] = dict(unreadable.values)
    if unreadable.fault is Fault.MONEY_MOST:
        values["most"] = write_pounds(int(values["most"]))
    return TEXTS[unreadable.fault].format(**values)


def text_of(most: int) -> Callable[[str], str]:
    """A reader for text of 1 to `most` characters."""

    def read(text: str) -> str:
        check_length(text, least=1)
        return check_length(text, most=most)

    return read


def parsed_by(read: Callable[[str], Value]) -> Callable[[str], Value]:
    """Turns a reader into one for `typer.Option(parser=…)`, which raises BadParameter instead of Unreadable."""

    def parse(text: str | Value) -> Value:
        if not isinstance(text, str):
            return text  # typer passes defaults, which are values already, through the parser too
        try:
            return read(text)
        except Unreadable as unreadable:
            raise typer.BadParameter(f"that {describe(unreadable)}") from None

    return parse


def prompt_for(what: str, read: Callable[[str], Value], *, otherwise: str | None = None) -> Value:
    """Prompts until the answer can be read, ignoring invisible characters. Asks only once if input is no terminal.

    `otherwise` is the answer if nothing is typed. Raises BadParameter.
    """
    while True:
        typed = clean(typer.prompt(what, default=otherwise, show_default=False)).strip()
        try:
            return read(typed)
        except Unreadable as unreadable:
            if not sys.stdin.isatty():
                raise typer.BadParameter(f"that {describe(unreadable)}") from None
            typer.echo(f"That {describe(unreadable)}.", err=True)
