"""Messages to visitors about typed values that can't be read: what is wrong, and the limit."""

from __future__ import annotations

from contracts.typed.faults import Fault, Unreadable
from contracts.typed.money import write_pounds
from web.shared.texts import MONTHS, N_, Words

TEXTS = {
    Fault.AT_LEAST: N_("Enter a number that is at least %(least)s"),
    Fault.AT_MOST: N_("Enter a number that is at most %(most)s"),
    Fault.TEXT_LONG: N_("Please make this shorter: it has %(count)s characters, and at most %(most)s can be sent"),
    Fault.TEXT_SHORT: N_("Use at least %(least)s letters or digits: these are %(count)s"),
    Fault.NUMBER: N_("Enter a whole number, like 25"),
    Fault.MONEY: N_("Enter an amount in pounds, like 25 or 25.50"),
    Fault.MONEY_COMMA: N_("Write pence after a full stop, like 25.50, and thousands like 1,000"),
    Fault.MONEY_CURRENCY: N_("Enter the amount in pounds, like 25 or 25.50"),
    Fault.MONEY_PARTS: N_("Write at most two digits after the full stop, like 25.50"),
    Fault.MONEY_MOST: N_("Enter at most £%(most)s"),
    Fault.DISTANCE: N_("Enter how far, like 10 miles or 16 km"),
    Fault.DISTANCE_UNIT: N_("Write miles or km after the number, like 10 miles or 16 km"),
    Fault.DISTANCE_MOST: N_("Enter at most %(most)s kilometres"),
    Fault.AGE: N_("Enter an age in whole years, like 34"),
    Fault.AGE_AND_BIRTH: N_("Check the age and the year: nobody born in %(year)s is %(age)s now"),
    Fault.DATE: N_("Enter a real date, like 27 3 1985"),
    Fault.DATE_PARTS: N_("Enter the day, the month and the year"),
    Fault.DAY: N_("Check the day: it is a number from 1 to 31"),
    Fault.DAY_OF_MONTH: N_("Check the day: %(month)s %(year)s has %(most)s days"),
    Fault.MONTH: N_("Check the month: it is a number from 1 to 12, or its name"),
    Fault.YEAR: N_("Check the year: write all four digits, like 1985"),
    Fault.YEAR_RANGE: N_("Check the year: it is from %(first)s to %(last)s"),
    Fault.TIME: N_("Check the time: write it like 09:30"),
    Fault.FUTURE: N_("Check the date: it is in the future"),
    Fault.YEARS_AGO_MOST: N_("Check the year: the date is more than %(most)s years ago"),
    Fault.YEARS_AGO_LEAST: N_("Check the year: the date is less than %(least)s years ago"),
    Fault.EMAIL: N_("Enter an email address in the form name@example.org"),
    Fault.EMAIL_SPACE: N_("Take the space out of the email address"),
    Fault.EMAIL_SEVERAL: N_("Enter one email address only"),
    Fault.EMAIL_DOMAIN: N_("Check what comes after the @ in the email address, like example.org"),
    Fault.EMAIL_LETTERS: N_("Use an email address with only unaccented letters before the @"),
    Fault.TELEPHONE: N_("Enter a telephone number, like 01632 960 001, in digits only"),
    Fault.TELEPHONE_SHORT: N_("This telephone number is too short. Enter all of it, with its area code"),
    Fault.TELEPHONE_LONG: N_("This telephone number is too long. Enter one number only"),
    Fault.TELEPHONE_UNKNOWN: N_(
        "Check the telephone number: there is none like this. If it is from another country, begin with + and its code"
    ),
    Fault.TELEPHONE_SHORTENED: N_("Enter a telephone number, like 01632 960 001, in digits only"),
    Fault.TELEPHONE_NO_TEXTS: N_("Enter a mobile number: a text message can’t reach this one"),
    Fault.POSTCODE: N_("Enter a UK postcode, like NP20 4UR, or its first half, like NP20"),
    Fault.POSTCODE_PART: N_("Enter the whole postcode, like NP20 4UR, or only its first half, like NP20"),
    Fault.POSTCODE_SIGN: N_("Enter the postcode in letters and digits only, like NP20 4UR"),
}


def said(unreadable: Unreadable) -> Words:
    """The message for it, which is translated when it is shown."""
    values: dict[str, object] = dict(unreadable.values)
    match unreadable.fault:
        case Fault.MONEY_MOST:
            values["most"] = write_pounds(int(unreadable.values["most"]))
        case Fault.DAY_OF_MONTH:
            values["month"] = Words(MONTHS[int(unreadable.values["month"]) - 1])
    return Words(TEXTS[unreadable.fault], **values)
