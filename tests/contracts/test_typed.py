"""What people type is read as what they meant, or asked again: never as anything else."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.london import LONDON
from contracts.typed.ages import check_age_and_birth, read_age
from contracts.typed.dates import check_past, read_day, read_moment, read_parts
from contracts.typed.distances import DistanceUnit, in_miles, read_kilometres, write_kilometres
from contracts.typed.emails import read_email
from contracts.typed.faults import Fault, Unreadable
from contracts.typed.money import MOST_PENCE, read_pounds, write_pounds
from contracts.typed.names import fold_name, name_forms
from contracts.typed.numbers import check_length, read_whole
from contracts.typed.postcodes import NO_FIXED_ABODE, is_whole, read_postcode
from contracts.typed.telephones import read_telephone, write_telephone

OUTWARD_CODES = Path(__file__).parents[2] / "services" / "matching" / "data" / "outward_codes.csv"
READERS: dict[str, Callable[[str], Any]] = {
    "money": read_pounds,
    "distance": read_kilometres,
    "age": read_age,
    "number": read_whole,
    "day": read_day,
    "moment": lambda text: read_moment(text, zone=LONDON),
    "email": read_email,
    "telephone": read_telephone,
    "postcode": read_postcode,
}
LIKELY = st.text(alphabet="0123456789 ,.-+()/£$€exEpkmN@PZabo\u202e\u200b٣²½", max_size=24)


def fault_of(reader: Callable[..., Any], *typed: str, **options: Any) -> Fault:
    with pytest.raises(Unreadable) as caught:
        reader(*typed, **options)
    return caught.value.fault


@pytest.mark.parametrize("reader", READERS.values(), ids=READERS)
@given(typed=st.text(max_size=40) | LIKELY)
def test_anything_is_read_or_has_a_fault_and_a_second_reading_finds_the_same(
    reader: Callable[[str], Any], typed: str
) -> None:
    try:
        value = reader(typed)
    except Unreadable:
        return
    assert reader(typed) == value


@pytest.mark.parametrize("reader", [read_email, read_postcode])
@given(typed=st.text(max_size=40) | LIKELY)
def test_what_was_read_is_read_again_as_itself(reader: Callable[[str], str], typed: str) -> None:
    try:
        value = reader(typed)
    except Unreadable:
        return
    assert reader(value) == value


# Money


@pytest.mark.parametrize(
    ("typed", "pence"),
    [("25", 25_00), ("£25.50", 25_50), ("25.5", 25_50), ("£ 2,550", 2_550_00), ("25 pounds", 25_00), ("50p", 50),
     ("0", 0), ("40.", 40_00), ("GBP 40", 40_00), ("25 punt", 25_00), ("1,234,567", None), ("\u202e25\u202c", 25_00)],
)  # fmt: skip
def test_pounds_are_read(typed: str, pence: int | None) -> None:
    if pence is None:
        assert fault_of(read_pounds, typed) is Fault.MONEY_MOST
    else:
        assert read_pounds(typed) == pence


@pytest.mark.parametrize(
    ("typed", "fault"),
    [("25,50", Fault.MONEY_COMMA), ("25,5", Fault.MONEY_COMMA), ("1,00", Fault.MONEY_COMMA),
     ("1,2345", Fault.MONEY_COMMA), ("2.550", Fault.MONEY_PARTS), ("25€", Fault.MONEY_CURRENCY), ("-5", Fault.MONEY),
     ("2 5", Fault.MONEY), ("20-30", Fault.MONEY), ("forty", Fault.MONEY), ("²5", Fault.MONEY), ("٢٥", Fault.MONEY),
     ("", Fault.MONEY), ("1e3", Fault.MONEY)],
)  # fmt: skip
def test_an_amount_that_may_be_another_is_asked_again(typed: str, fault: Fault) -> None:
    assert fault_of(read_pounds, typed) is fault


@given(pence=st.integers(0, MOST_PENCE))
def test_an_amount_is_read_as_it_is_written(pence: int) -> None:
    assert read_pounds(write_pounds(pence)) == pence
    assert read_pounds(f"£{pence / 100:.2f}") == pence


@given(typed=LIKELY)
def test_an_amount_has_the_digits_that_were_typed(typed: str) -> None:
    try:
        pence = read_pounds(typed)
    except Unreadable:
        return
    value = float(re.sub(r"[^0-9.]", "", typed).rstrip(".") or "0")
    assert pence in (round(value * 100), round(value))  # pounds, or pence by name


# Distances


@pytest.mark.parametrize(
    ("typed", "kilometres"),
    [("10", 10), ("10 miles", 16.09), ("10mi", 16.09), ("1 Mile", 1.61), ("10 milltir", 16.09), ("12.5 km", 12.5),
     ("16 cilometr", 16), ("1,000", 1_000), ("0", 0)],
)  # fmt: skip
def test_a_distance_is_read_with_its_unit(typed: str, kilometres: float) -> None:
    assert read_kilometres(typed) == kilometres


def test_a_number_alone_is_in_the_unit_that_was_asked_for() -> None:
    assert read_kilometres("10", unit=DistanceUnit.MILES) == 16.09
    assert read_kilometres("10 km", unit=DistanceUnit.MILES) == 10


@pytest.mark.parametrize(
    ("typed", "fault"),
    [("10 m", Fault.DISTANCE_UNIT), ("10 leagues", Fault.DISTANCE_UNIT), ("1,5 km", Fault.DISTANCE),
     ("-3", Fault.DISTANCE), ("nan", Fault.DISTANCE), ("5-10", Fault.DISTANCE), ("2001", Fault.DISTANCE_MOST),
     ("1500 miles", Fault.DISTANCE_MOST)],
)  # fmt: skip
def test_another_distance_is_asked_again(typed: str, fault: Fault) -> None:
    assert fault_of(read_kilometres, typed) is fault


@given(miles=st.integers(0, 1_200))
def test_whole_miles_come_back_as_they_were_typed(miles: int) -> None:
    kilometres = read_kilometres(str(miles), unit=DistanceUnit.MILES)
    assert in_miles(kilometres) == miles
    assert read_kilometres(write_kilometres(kilometres)) == kilometres


# Ages and numbers


@pytest.mark.parametrize("typed", ["34", "34.0", "34 years", "34 years old", "34 yrs", "34 oed", "34 mlwydd oed"])
def test_an_age_is_read(typed: str) -> None:
    assert read_age(typed) == 34


@pytest.mark.parametrize(
    ("typed", "fault"),
    [("old", Fault.AGE), ("3.5", Fault.AGE), ("-1", Fault.AGE), ("18 months", Fault.AGE), ("²", Fault.AGE),
     ("121", Fault.AT_MOST)],
)  # fmt: skip
def test_another_age_is_asked_again(typed: str, fault: Fault) -> None:
    assert fault_of(read_age, typed) is fault


def test_a_limit_is_told_with_its_number() -> None:
    with pytest.raises(Unreadable) as caught:
        read_whole("501", most=500)
    assert (caught.value.fault, caught.value.values) == (Fault.AT_MOST, {"most": 500})
    with pytest.raises(Unreadable) as caught:
        check_length("x" * 401, most=400)
    assert (caught.value.fault, caught.value.values) == (Fault.TEXT_LONG, {"most": 400, "count": 401})


def test_an_age_contradicts_another_year_of_birth_and_not_a_birthday_that_is_near() -> None:
    today = date(2026, 11, 30)
    check_age_and_birth(34, date(1992, 12, 2), on=today)
    check_age_and_birth(34, date(1991, 12, 2), on=today)
    with pytest.raises(Unreadable) as caught:
        check_age_and_birth(34, date(1985, 3, 27), on=today)
    assert (caught.value.fault, caught.value.values) == (Fault.AGE_AND_BIRTH, {"age": 34, "year": 1985})


# Dates


@pytest.mark.parametrize(
    "typed",
    ["27/3/1985", "27/03/1985", "27-3-1985", "27.3.1985", "1985-03-27", "1985/03/27", "27 March 1985", "27 mar 1985",
     "27th of March 1985", "27-Mar-1985", "March 27, 1985", "27 Mawrth 1985", "27 o Fawrth 1985", " 27 / 3 / 1985 "],
)  # fmt: skip
def test_a_date_is_read(typed: str) -> None:
    assert read_day(typed) == date(1985, 3, 27)


@pytest.mark.parametrize(
    ("parts", "fault"),
    [(("32", "3", "1985"), Fault.DAY), (("x", "3", "1985"), Fault.DAY), (("27", "13", "1985"), Fault.MONTH),
     (("27", "Ma", "1985"), Fault.MONTH), (("27", "J", "1985"), Fault.MONTH), (("27", "3", "85"), Fault.YEAR),
     (("27", "3", "19855"), Fault.YEAR), (("27", "3", "1850"), Fault.YEAR_RANGE),
     (("31", "June", "1985"), Fault.DAY_OF_MONTH),
     (("29", "2", "1985"), Fault.DAY_OF_MONTH), (("27", "", "1985"), Fault.DATE_PARTS), (("", "", ""), Fault.DATE),
     (("2²", "3", "1985"), Fault.DAY)],
)  # fmt: skip
def test_the_part_of_a_date_that_is_wrong_is_told(parts: tuple[str, str, str], fault: Fault) -> None:
    assert fault_of(read_parts, *parts) is fault


def test_how_many_days_the_month_has_is_told() -> None:
    with pytest.raises(Unreadable) as caught:
        read_day("29/02/2026")
    assert caught.value.values == {"most": 28, "month": 2, "year": 2026}


@pytest.mark.parametrize(
    ("typed", "fault"),
    [("03/27/1985", Fault.MONTH), ("27/3/85", Fault.YEAR), ("02022026", Fault.DATE), ("soon", Fault.DATE),
     ("31132", Fault.DATE)],
)  # fmt: skip
def test_another_date_is_asked_again(typed: str, fault: Fault) -> None:
    assert fault_of(read_day, typed) is fault


@given(day=st.dates(date(1900, 1, 1), date(2200, 12, 31)))
def test_a_date_is_read_as_it_is_written(day: date) -> None:
    for written in (day.isoformat(), f"{day:%d/%m/%Y}", f"{day:%-d %B %Y}", f"{day:%d-%b-%Y}"):
        assert read_day(written) == day
    assert read_parts(str(day.day), str(day.month), str(day.year)) == day


@pytest.mark.parametrize(
    ("typed", "means"),
    [("02/02/2026 09:30", datetime(2026, 2, 2, 9, 30, tzinfo=UTC)),
     ("2 February 2026, 9.30 pm", datetime(2026, 2, 2, 21, 30, tzinfo=UTC)),
     ("2026-07-01T09:30", datetime(2026, 7, 1, 8, 30, tzinfo=UTC)),
     ("2026-07-01T09:30:15.5+02:00", datetime(2026, 7, 1, 7, 30, 15, 500_000, tzinfo=UTC)),
     ("2026-07-01", datetime(2026, 6, 30, 23, tzinfo=UTC))],
)  # fmt: skip
def test_a_moment_is_read(typed: str, means: datetime) -> None:
    assert read_moment(typed, zone=LONDON) == means


@pytest.mark.parametrize("typed", ["02/02/2026 25:00", "02/02/2026 09:30+99:00", "02/02/2026 13:00 pm"])
def test_a_time_that_there_is_not_is_told(typed: str) -> None:
    assert fault_of(read_moment, typed, zone=LONDON) is Fault.TIME


def test_how_long_ago_a_date_may_be_is_told() -> None:
    today = date(2026, 11, 30)
    assert fault_of(check_past, date(2099, 1, 1), today=today, least=0) is Fault.FUTURE
    assert fault_of(check_past, date(1901, 1, 1), today=today, least=0, most=120) is Fault.YEARS_AGO_MOST
    assert fault_of(check_past, date(2010, 1, 1), today=today, least=18) is Fault.YEARS_AGO_LEAST
    assert check_past(today, today=today, least=0, most=120) == today


# Telephone numbers


@pytest.mark.parametrize(
    ("typed", "e164", "takes_texts"),
    [("07700 900123", "+447700900123", True), ("+44 (0)7700 900123", "+447700900123", True),
     ("7700900123", "+447700900123", True), ("0044 7700 900123", "+447700900123", True),
     ("(+44) 7700 900123", "+447700900123", True), ("tel:07700-900-123", "+447700900123", True),
     ("01632 960001", "+441632960001", False), ("(01632) 960-001", "+441632960001", False),
     ("01632 960001 x23", "+441632960001;ext=23", False), ("01632 960001 ext. 23", "+441632960001;ext=23", False),
     ("+33 6 12 34 56 78", "+33612345678", True), ("0808 157 0123", "+448081570123", False),
     ("٠٧٧٠٠ ٩٠٠١٢٣", "+447700900123", True), ("0770\u200b0 900123", "+447700900123", True)],
)  # fmt: skip
def test_a_number_is_read_into_the_international_form(typed: str, e164: str, takes_texts: bool) -> None:
    found = read_telephone(typed)
    assert (found.e164, found.takes_texts) == (e164, takes_texts)
    assert read_telephone(e164) == found
    assert read_telephone(write_telephone(e164)) == found


@pytest.mark.parametrize(
    ("typed", "fault"),
    [("4.47701E+11", Fault.TELEPHONE_SHORTENED), ("960001", Fault.TELEPHONE_SHORT), ("999", Fault.TELEPHONE_SHORT),
     ("077009001234", Fault.TELEPHONE_LONG), ("01632 960001 / 01632 960002", Fault.TELEPHONE_LONG),
     ("0770o 900123", Fault.TELEPHONE), ("0800 FLOWERS", Fault.TELEPHONE), ("ask me", Fault.TELEPHONE),
     ("07700 900123 or 4", Fault.TELEPHONE), ("07700 90012", Fault.TELEPHONE_UNKNOWN),
     ("+999 1234567", Fault.TELEPHONE), ("", Fault.TELEPHONE)],
)  # fmt: skip
def test_what_is_no_number_is_asked_again(typed: str, fault: Fault) -> None:
    assert fault_of(read_telephone, typed) is fault


@pytest.mark.parametrize("typed", ["01632 960001", "0808 157 0123", "01632 960001 x23", "+44 20 7946 0000"])
def test_a_landline_takes_no_texts(typed: str) -> None:
    assert fault_of(read_telephone, typed, for_texts=True) is Fault.TELEPHONE_NO_TEXTS


@given(typed=st.text(alphabet="0123456789 ()+-.x", min_size=6, max_size=18))
def test_a_number_has_no_digits_but_those_that_were_typed(typed: str) -> None:
    try:
        found = read_telephone(typed)
    except Unreadable:
        return
    digits = re.sub(r"\D", "", typed)
    national, _, extension = found.e164.removeprefix("+44").partition(";ext=")
    assert digits.endswith(national.removeprefix("+") + extension) or found.e164.removeprefix("+") in digits


@given(number=st.integers(0, 999))
def test_the_numbers_kept_for_films_are_numbers(number: int) -> None:
    assert read_telephone(f"07700 900{number:03}").takes_texts
    assert not read_telephone(f"01632 960{number:03}").takes_texts


# E-mail addresses


@pytest.mark.parametrize(
    ("typed", "address"),
    [("robin@example.org", "robin@example.org"), (" mailto:Robin@Example.ORG ", "Robin@example.org"),
     ("<robin@example.org>", "robin@example.org"), ("robin@example.org.", "robin@example.org"),
     ("robin @ example.org", "robin@example.org"), ("robin@exämple.org", "robin@xn--exmple-cua.org"),
     ("robin@пример.рф", "robin@xn--e1afmkfd.xn--p1ai")],
)  # fmt: skip
def test_an_address_is_read_as_mail_servers_know_it(typed: str, address: str) -> None:
    assert read_email(typed) == address
    assert read_email(address) == address


@pytest.mark.parametrize(
    ("typed", "fault"),
    [("robin", Fault.EMAIL), ("@example.org", Fault.EMAIL), ("robin@", Fault.EMAIL), ("a..b@example.org", Fault.EMAIL),
     (".robin@example.org", Fault.EMAIL), ("robin smith@example.org", Fault.EMAIL_SPACE),
     ("a@example.org, b@example.org", Fault.EMAIL_SEVERAL), ("robin@example,org", Fault.EMAIL_DOMAIN),
     ("robin@localhost", Fault.EMAIL_DOMAIN), ("robin@example", Fault.EMAIL_DOMAIN),
     ("zoë@example.org", Fault.EMAIL_LETTERS), ("x" * 65 + "@example.org", Fault.EMAIL)],
)  # fmt: skip
def test_another_address_is_asked_again(typed: str, fault: Fault) -> None:
    assert fault_of(read_email, typed) is fault


@given(address=st.emails(domains=st.sampled_from(["example.org", "mail.example.com", "exämple.net"])))
def test_the_mailbox_is_kept_as_it_was_typed(address: str) -> None:
    try:
        found = read_email(address)
    except Unreadable:
        return
    assert found.rpartition("@")[0] == address.rpartition("@")[0]


# Postcodes and places


@pytest.mark.parametrize(
    ("typed", "kept"),
    [("np20 4ur", "NP20 4UR"), ("NP204UR", "NP20 4UR"), ("NP 20 4 UR", "NP20 4UR"), ("np20", "NP20"), ("NP 20", "NP20"),
     ("NP20 4UR.", "NP20 4UR"), ("W1A 1AA", "W1A 1AA"), ("ec1a 1bb", "EC1A 1BB"), ("BFPO 61", "BFPO 61"),
     ("bfpo c/o 61", "BFPO 61"), ("BF1 2AU", "BF1 2AU"), ("no fixed abode", NO_FIXED_ABODE), ("N.F.A.", NO_FIXED_ABODE),
     ("No fixed abode.", NO_FIXED_ABODE), ("digartref", NO_FIXED_ABODE), ("JE2 3AB", "JE2 3AB"),
     (NO_FIXED_ABODE, NO_FIXED_ABODE)],
)  # fmt: skip
def test_a_place_is_read(typed: str, kept: str) -> None:
    assert read_postcode(typed) == kept
    assert is_whole(kept) is (len(kept) > 4 and not kept.startswith("BFPO"))


@pytest.mark.parametrize(
    ("typed", "fault"),
    [("NP2) 4UR", Fault.POSTCODE_SIGN), ("NP2)", Fault.POSTCODE_SIGN), ('NP1"', Fault.POSTCODE_SIGN),
     ("NP2- 4UR", Fault.POSTCODE_SIGN), ("N1 4", Fault.POSTCODE_PART), ("NP20 4U", Fault.POSTCODE_PART),
     ("NP2O 4UR", Fault.POSTCODE), ("NP20 OUR", Fault.POSTCODE), ("12345", Fault.POSTCODE),
     ("Newport", Fault.POSTCODE), ("", Fault.POSTCODE)],
)  # fmt: skip
def test_another_place_is_asked_again(typed: str, fault: Fault) -> None:
    assert fault_of(read_postcode, typed) is fault


def test_every_outward_code_that_there_is_can_be_typed() -> None:
    with OUTWARD_CODES.open(encoding="utf-8", newline="") as file:
        codes = [row["outward_code"] for row in csv.DictReader(file)]
    assert len(codes) > 2_900
    assert [code for code in codes if read_postcode(code.lower()) != code] == []


# Names


@pytest.mark.parametrize(
    ("one", "other"),
    [("Łukasz Nowak", "lukasz nowak"), ("Søren Ærø", "Soren Aero"), ("Đorđe", "Dorde"), ("Þór", "Thor"),
     ("Anne-Marie Smith", "Annemarie Smith"), ("Zoë O’Madeup", "zoe omadeup"), ("Straße", "STRASSE")],
)  # fmt: skip
def test_names_are_compared_as_they_are_written_without_marks(one: str, other: str) -> None:
    assert fold_name(one) == fold_name(other)


def test_words_that_were_kept_apart_are_found_by_a_hyphen_and_the_other_way_round() -> None:
    assert fold_name("Anne Marie Smith") in name_forms("Anne-Marie Smith")
    assert fold_name("Anne-Marie Smith") in name_forms("Smith, Anne Marie")
    assert "nowak łukasz" in name_forms("Łukasz Nowak")  # as it was kept before
    assert fold_name("Anne Smith") not in name_forms("Anne-Marie Smith")


def test_other_names_stay_apart() -> None:
    assert fold_name("Łukasz") != fold_name("Lucas")
