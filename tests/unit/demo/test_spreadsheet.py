"""Reading a charity's spreadsheet: what is forgiven, what is told, and that nothing about a person is repeated."""

import csv
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from contracts.sealed import HelpSubmission, SafeChannel
from contracts.vocabulary import Sessions, Sex
from leeward.demo.people import WORDS
from leeward.demo.requests import sample_requests
from leeward.demo.spreadsheet import main
from leeward.importing.columns import BY_NAME, COLUMNS, markdown_table
from leeward.importing.spreadsheet import SpreadsheetErrors, parse_requests, read_requests, write_requests
from tests.unit.demo.sheets import NEEDED, as_csv

SAMPLES = Path(__file__).parents[3] / "samples"
ROWS, SEED = 200, 7


def read(**cells: str) -> HelpSubmission:
    (request,) = parse_requests(as_csv({**NEEDED, **cells}))
    return request


def problems(content: bytes) -> list[str]:
    with pytest.raises(SpreadsheetErrors) as caught:
        parse_requests(content)
    assert str(caught.value) == "\n".join(map(str, caught.value.problems))
    return [str(problem) for problem in caught.value.problems]


# The sample file


def test_the_sample_file_is_what_its_seed_draws(tmp_path: Path) -> None:
    path = tmp_path / "requests.csv"
    assert main(["--write", str(path), "--rows", str(ROWS), "--seed", str(SEED)]) == 0
    assert path.read_bytes() == (SAMPLES / "requests.csv").read_bytes()


def test_the_sample_file_is_read_as_it_was_written() -> None:
    assert read_requests(SAMPLES / "requests.csv") == list(sample_requests(ROWS, SEED))


def test_the_readme_holds_the_generated_columns(capsys: pytest.CaptureFixture[str]) -> None:
    readme = (SAMPLES / "README.md").read_text(encoding="utf-8")
    assert readme.split("<!-- columns -->\n")[1].split("<!-- end of columns -->")[0] == markdown_table()
    assert main(["--columns"]) == 0
    assert capsys.readouterr().out == markdown_table()


ASKED_ONLY_BY_THE_SITE = {
    "access_needs", "alleged", "answers", "consent_texts", "custody", "definition",
    "definition_version", "equality", "heard_through", "help_wanted", "interpreter", "interpreter_language",
    "needs_changed", "online_allowed", "person_at_risk", "relationship",
    "suspected", "therapist_sex_only", "therapy_language", "therapy_language_must", "written_by",
}  # fmt: skip
"""What a charity's spreadsheet of older requests has no column for: nobody had asked it."""


def test_every_field_of_a_request_has_a_column() -> None:
    fields: set[tuple[str, ...]] = set()
    for name, field in HelpSubmission.schema.fields.items():
        nested = getattr(field, "schema", None)
        fields |= {(name, inner) for inner in nested.fields} if nested else {(name,)}
    assert {column.field for column in COLUMNS} == {one for one in fields if one[0] not in ASKED_ONLY_BY_THE_SITE}


def test_every_example_is_allowed() -> None:
    examples = {column.name: column.example for column in COLUMNS}
    (request,) = parse_requests(as_csv(examples))
    assert request.name == "Robin"
    assert request.contact.email == "robin@example.org"


def test_pence_are_read_as_they_were_written(tmp_path: Path) -> None:
    path = tmp_path / "requests.csv"
    for pence in (12_34, 12_05, 12_50, 12_00, 5, 0):
        write_requests(path, [replace(read(), fee_ceiling_pence=pence)])
        assert read_requests(path)[0].fee_ceiling_pence == pence


# What is forgiven


def test_what_is_needed_is_enough_and_of_the_rest_nothing_is_said() -> None:
    request = read()
    assert request.contact.discreet
    said = (request.contact.hours, request.contact.may_leave_message, request.consents.evaluation, request.sessions,
            request.work, request.max_distance_km, request.wheelchair_access, request.subsidy_requested,
            request.identifiable_person_at_risk, request.legal_situation, request.known_to_authorities)  # fmt: skip
    assert set(said) == {None}


def test_what_was_left_empty_is_written_empty(tmp_path: Path) -> None:
    path = tmp_path / "requests.csv"
    write_requests(path, [read()])
    (row,) = csv.DictReader(path.read_text(encoding="utf-8-sig").splitlines())
    assert (row["wheelchair_access"], row["subsidy_requested"], row["max_distance_km"]) == ("", "", "")


def test_semicolons_a_byte_order_mark_and_windows_line_ends_do_not_matter() -> None:
    content = as_csv({**NEEDED, "name": "Robin, called Rob"}, delimiter=";")
    (request,) = parse_requests(b"\xef\xbb\xbf" + content)
    assert request.name == "Robin, called Rob"
    assert b"\r\n" in content
    assert parse_requests(as_csv({**NEEDED, "passphrase": "zebra quilt"}).replace(b"\r\n", b"\n"))


def test_a_byte_order_mark_before_a_quotation_mark_does_not_matter() -> None:
    header, row, _ = as_csv(NEEDED).decode().split("\r\n")
    quoted = ",".join(f'"{name}"' for name in header.split(","))
    assert len(parse_requests(f"\ufeff{quoted}\n{row}".encode())) == 1


def test_case_spacing_and_order_of_the_column_names_do_not_matter() -> None:
    awkward = {
        "Fee ceiling (£)": "40",
        "MAX DISTANCE (km)": "25",
        "E-mail": "a@example.org",
        " Client-Group ": "at_risk",
    }
    rest = {name: cell for name, cell in reversed(NEEDED.items()) if name != "client_group"}
    (request,) = parse_requests(as_csv({**awkward, **rest}))
    assert (request.fee_ceiling_pence, request.max_distance_km) == (40_00, 25)
    assert request.contact.email == "a@example.org"


@pytest.mark.parametrize(("cell", "means"), [(one, True) for one in ("yes", "Y", "TRUE", "1", " Yes ")])
def test_yes_is_understood(cell: str, means: bool) -> None:
    assert read(wheelchair_access=cell).wheelchair_access is means


@pytest.mark.parametrize("cell", ["no", "N", "False", "0"])
def test_no_is_understood(cell: str) -> None:
    assert read(discreet=cell).contact.discreet is False


@pytest.mark.parametrize(
    ("cell", "pence"),
    [("40", 4000), ("£40", 4000), ("40.00", 4000), ("£ 40.5", 4050), ("0", 0), ("40.", 4000), ("£12.34", 1234)],
)
def test_pounds_are_understood(cell: str, pence: int) -> None:
    assert read(fee_ceiling=cell).fee_ceiling_pence == pence


@pytest.mark.parametrize(
    ("cell", "means"),
    [
        ("2026-02-02", datetime(2026, 2, 2, tzinfo=UTC)),
        ("02/02/2026", datetime(2026, 2, 2, tzinfo=UTC)),
        ("03/02/2026", datetime(2026, 2, 3, tzinfo=UTC)),
        ("2/2/2026 9:30", datetime(2026, 2, 2, 9, 30, tzinfo=UTC)),
        ("01/07/2026 09:30:15", datetime(2026, 7, 1, 8, 30, 15, tzinfo=UTC)),  # summer time in London
        ("2026-07-01 09:30", datetime(2026, 7, 1, 8, 30, tzinfo=UTC)),
        ("2026-07-01T09:30Z", datetime(2026, 7, 1, 9, 30, tzinfo=UTC)),
        ("2026-07-01T09:30+02:00", datetime(2026, 7, 1, 7, 30, tzinfo=UTC)),
    ],
)
def test_dates_are_understood(cell: str, means: datetime) -> None:
    assert read(consent_given_at=cell).consents.given_at == means


@pytest.mark.parametrize("cell", ["in_person", "In person", "IN-PERSON", " in  person "])
def test_a_choice_may_be_written_as_words(cell: str) -> None:
    assert read(sessions=cell).sessions is Sessions.IN_PERSON


def test_numbers_may_be_written_as_a_spreadsheet_program_does() -> None:
    request = read(age="34.0", max_distance_km="12.5 km", language="CY", therapist_sex="Female")
    assert (request.age, request.max_distance_km, request.language) == (34, 12.5, "cy")
    assert request.therapist_sex is Sex.FEMALE


@pytest.mark.parametrize(
    ("cell", "kept"),
    [("7700900123", "+447700900123"), ("+44 (0)7700 900123", "+447700900123"), ("07700 900123", "+447700900123"),
     ("01632 960001 x23", "+441632960001;ext=23"), ("447700900123", "+447700900123")],
)  # fmt: skip
def test_telephone_numbers_are_kept_in_one_form(cell: str, kept: str) -> None:
    assert read(telephone=cell).contact.telephone == kept


def test_miles_are_no_kilometres() -> None:
    assert read(max_distance_km="10 miles").max_distance_km == 16.09


@pytest.mark.parametrize(
    ("cell", "kept"), [("BFPO 61", "BFPO 61"), ("no fixed abode", "ZZ99 3VZ"), ("np204ur", "NP20 4UR")]
)
def test_places_that_intake_takes_are_understood(cell: str, kept: str) -> None:
    assert read(postcode=cell).postcode == kept


def test_an_address_of_other_letters_is_kept_as_mail_servers_know_it() -> None:
    assert read(email="robin@exämple.org").contact.email == "robin@xn--exmple-cua.org"


@pytest.mark.parametrize("month", ["27 March 1992", "27-Mar-1992", "27 Mawrth 1992"])
def test_months_may_be_named(month: str) -> None:
    assert read(date_of_birth=month).date_of_birth == date(1992, 3, 27)


@pytest.mark.parametrize("first", ["sep=;", '"sep=;"', "SEP=;"])
def test_the_line_that_names_the_separator_is_read(first: str) -> None:
    content = f"{first}\r\n".encode() + as_csv({**NEEDED, "name": "Robin, or Rob", "age": "34"}, delimiter=";")
    (request,) = parse_requests(content)
    assert (request.name, request.age) == ("Robin, or Rob", 34)
    (problem,) = problems(content.replace(b"34", b"old"))
    assert problem.startswith("line 3, column age: ")


def test_tabs_may_separate_cells() -> None:
    (request,) = parse_requests(as_csv({**NEEDED, "name": "Robin, or; Rob"}, delimiter="\t"))
    assert request.name == "Robin, or; Rob"


def test_empty_lines_are_skipped() -> None:
    header, row, end = as_csv(NEEDED).split(b"\r\n")
    assert end == b""
    assert len(parse_requests(b"\n\n" + header + b"\n\n" + row + b"\n,,,,\n \n" + row + b"\n\n")) == 2


def test_a_row_that_ends_early_is_told_with_where_it_ends() -> None:
    content = as_csv(NEEDED).decode().strip()
    header, row = content.split("\r\n")
    told = problems(f"{header},name,concern\n{row}\n".encode())
    assert told == ["line 2, column name: is missing: the row has 9 cells, and there are 11 column names"]
    assert len(parse_requests(f"{header},name,concern\n{row},,\n".encode())) == 1


def test_text_may_hold_separators_quotation_marks_and_line_ends() -> None:
    concern = 'I said "help",\nthen I waited; and here I am.'
    assert read(concern=concern).concern == concern


def test_what_was_copied_along_unseen_is_left_out() -> None:
    request = read(name="\u202dRobin\u202c 🙂", concern="It began\x1b in the summer")
    assert (request.name, request.concern) == ("Robin 🙂", "It began in the summer")


def test_a_passphrase_is_made_where_there_is_none_another_each_time() -> None:
    first, second = parse_requests(as_csv({**NEEDED, "passphrase": ""}, {**NEEDED, "passphrase": ""}))
    assert set(first.passphrase.split()) <= set(WORDS)
    assert first.passphrase != second.passphrase
    assert read().passphrase
    assert read(passphrase="my own words").passphrase == "my own words"


# What is told


def test_every_problem_is_told_with_its_line_and_column() -> None:
    content = as_csv(
        {**NEEDED, "age": "old", "fee_ceiling": "forty", "email": ""},
        {**NEEDED, "age": "34", "fee_ceiling": "", "email": ""},
        {**NEEDED, "age": "121", "route": "", "contact_channel": "email", "consent_given_at": "soon"},
    )
    assert problems(content) == [
        "line 2, column age: is not an age in whole years; expected a whole number of years from 0 to 120",
        "line 2, column fee_ceiling: is not an amount in pounds; expected pounds for a session, like 40, £40 or 40.00",
        "line 4, column route: is empty; expected who got in touch: one of self, guardian, family_or_friend, "
        "probation, social_services, gp, solicitor, police, other_professional",
        "line 4, column consent_given_at: is not a date; expected a date like 02/02/2026 or 2026-02-02, with or "
        "without a time",
        "line 4, column age: is more than 120; expected a whole number of years from 0 to 120",
        "line 4, column email: is empty, though contact_channel is email; expected an e-mail address",
    ]


@pytest.mark.parametrize(
    ("column", "cell"),
    [
        ("name", "x" * 121),
        ("age", "-1"),
        ("age", "3.5"),
        ("age", "²"),
        ("sex", "man"),
        ("client_group", "perpetrator"),
        ("postcode", "12345"),
        ("postcode", "NP20 4U"),
        ("contact_channel", "pigeon"),
        ("contact_hours", "midnight"),
        ("email", "robin.example.org"),
        ("telephone", "ask me"),
        ("address", "x" * 401),
        ("discreet", "perhaps"),
        ("concern", "x" * 5_001),
        ("language", "english"),
        ("max_distance_km", "-3"),
        ("max_distance_km", "2001"),
        ("max_distance_km", "nan"),
        ("fee_ceiling", "-5"),
        ("fee_ceiling", "40.123"),
        ("fee_ceiling", "25,50"),
        ("fee_ceiling", "€40"),
        ("max_distance_km", "10 m"),
        ("telephone", "4.47701E+11"),
        ("telephone", "960001"),
        ("telephone", "0770o 900123"),
        ("postcode", "NP2) 4UR"),
        ("email", "robin smith@example.org"),
        ("date_of_birth", "01/01/2099"),
        ("date_of_birth", "01/01/1850"),
        ("date_of_birth", "2/3/85"),
        ("date_of_birth", "03/27/1985"),
        ("consent_given_at", "2098-02-02"),
        ("consent_given_at", "02/02/2026 25:00"),
        ("consent_text_version", "0"),
        ("consent_given_at", "31/02/2026"),
        ("consent_given_at", "0001-01-01T00:00+14:00"),
        ("consent_processing", "no"),
        ("consent_confidentiality", "no"),
        ("passphrase", "short"),
    ],
)
def test_what_is_not_allowed_is_told_without_repeating_it(column: str, cell: str) -> None:
    (problem,) = problems(as_csv({**NEEDED, column: cell}))
    assert problem.startswith(f"line 2, column {column}: ")
    assert problem.endswith(f"; expected {BY_NAME[column].allowed}")
    assert cell not in problem.removeprefix("line 2") or cell in ("-1", "no", "0", "short")


@pytest.mark.parametrize("column", NEEDED)
def test_what_is_needed_may_be_neither_empty_nor_missing(column: str) -> None:
    allowed = BY_NAME[column].allowed
    assert problems(as_csv({**NEEDED, column: ""})) == [f"line 2, column {column}: is empty; expected {allowed}"]
    rest = {name: cell for name, cell in NEEDED.items() if name != column}
    assert problems(as_csv(rest)) == [f"line 1, column {column}: is missing; expected {allowed}"]


def test_what_is_needed_may_not_be_cut_off() -> None:
    header, row, _ = as_csv(NEEDED).split(b"\r\n")
    told = problems(header + b"\n" + row.rpartition(b",")[0])
    assert told == [
        "line 2, column consent_pass_to_therapist: is missing: the row has 8 cells, and there are 9 column names"
    ]


@pytest.mark.parametrize(
    ("channel", "column"),
    [
        (SafeChannel.EMAIL, "email"),
        (SafeChannel.TELEPHONE, "telephone"),
        (SafeChannel.TEXT, "telephone"),
        (SafeChannel.POST, "address"),
    ],
)
def test_a_channel_needs_its_address(channel: SafeChannel, column: str) -> None:
    (problem,) = problems(as_csv({**NEEDED, "contact_channel": channel.value}))
    assert problem.startswith(
        f"line 2, column {column}: is empty, though contact_channel is {channel.value}; expected "
    )


def test_what_exactly_is_wrong_is_told() -> None:
    told = problems(as_csv({**NEEDED, "telephone": "4.47701E+11", "date_of_birth": "31/06/1985", "name": "x" * 121}))
    assert [one.partition("; expected")[0] for one in told] == [
        "line 2, column telephone: was shortened by the spreadsheet program; format the column as text and type it "
        "again",
        "line 2, column date_of_birth: has a day that the month doesn't have, which ends with day 30",
        "line 2, column name: has 121 characters",
    ]


def test_an_age_must_go_with_the_date_of_birth_when_it_was_told() -> None:
    born = {"date_of_birth": "1992-02-02", "consent_given_at": "2016-02-02"}
    assert read(**born, age="24").age == 24
    (problem,) = problems(as_csv({**NEEDED, **born, "age": "34"}))
    assert problem.startswith("line 2, column date_of_birth: contradicts the age: nobody born in 1992 was 34 then; ")


def test_a_landline_is_not_taken_for_text_messages() -> None:
    (problem,) = problems(as_csv({**NEEDED, "contact_channel": "text", "telephone": "01632 960001"}))
    assert problem.startswith("line 2, column telephone: is a telephone number that no text message reaches; ")
    assert read(contact_channel="text", telephone="07700 900123").contact.telephone == "+447700900123"


def test_nothing_about_a_person_is_repeated_whatever_column_it_slipped_into() -> None:
    secret = "Robin Thistlebrook"
    for column in COLUMNS:
        if column.kind.wrong != "has the wrong length":
            assert secret not in "\n".join(problems(as_csv({**NEEDED, column.name: secret})))
    assert secret not in "\n".join(problems(as_csv({**NEEDED, secret: secret})))
    row = as_csv(NEEDED).split(b"\r\n")[1]
    assert secret not in "\n".join(problems(secret.encode() + b",email,34\n" + row))


def test_an_unknown_column_is_told_by_its_number_with_the_nearest_name() -> None:
    names = [*NEEDED, "Post code 2", "telefone", "shoe size"]
    told = problems(as_csv(NEEDED, names=names))
    assert told == [
        "line 1, column 10: is not a known column; did you mean postcode?",
        "line 1, column 11: is not a known column; did you mean telephone?",
        "line 1, column 12: is not a known column; leave it out, or see samples/README.md",
    ]


def test_a_column_may_stand_there_only_once() -> None:
    header, row, _ = as_csv({**NEEDED, "name": "Robin"}).split(b"\r\n")
    assert problems(header + b",Name\n" + row + b",Rob") == [
        "line 1, column name: stands there more than once; expected it once"
    ]


def test_more_cells_than_columns_are_told() -> None:
    header, row, _ = as_csv(NEEDED).split(b"\r\n")
    (problem,) = problems(header + b"\n" + row + b",more")
    assert problem.startswith("line 2: has more cells than there are column names")


def test_lines_are_counted_as_an_editor_does() -> None:
    rows = ({**NEEDED, "concern": "one\ntwo\nthree"}, {**NEEDED, "concern": "four", "age": "old"})
    assert problems(b"\n" + as_csv(*rows))[0].startswith("line 6, column age: ")


def test_a_file_without_column_names_is_told_so() -> None:
    row = as_csv(NEEDED).split(b"\r\n")[1]
    assert problems(row + b"\n" + row) == ["line 1: no column name is known; expected a first line of column names"]


def test_a_file_without_requests_is_told_so() -> None:
    assert problems(b"") == ["line 1: the file is empty; expected a line of column names"]
    assert problems(as_csv(NEEDED).split(b"\r\n")[0]) == ["line 1: no request follows the column names"]


def test_another_encoding_is_told_with_its_line_and_what_to_do() -> None:
    content = as_csv({**NEEDED, "name": "Robin"}, {**NEEDED, "name": "Zoë"})
    (problem,) = problems(b"\xef\xbb\xbf" + content.decode().encode("cp1252"))
    assert problem.startswith("line 3: a character is not encoded as UTF-8; ")
    assert "CSV UTF-8" in problem
    (problem,) = problems(content.decode().encode("utf-16"))
    assert problem.startswith("line 1: a character is not encoded as UTF-8; ")


def test_a_workbook_is_told_apart() -> None:
    (problem,) = problems(b"PK\x03\x04" + bytes(20))
    assert problem.startswith("line 1: this is a workbook, not CSV; ")


def test_what_is_no_csv_is_told() -> None:
    (problem,) = problems(as_csv(NEEDED) + b'"' + b"x" * (csv.field_size_limit() + 1))
    assert problem.startswith("line 3: this is not CSV from here on; ")


def test_checking_a_file_tells_what_to_put_right(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "mine.csv"
    path.write_bytes(as_csv({**NEEDED, "age": "old"}))
    assert main(["--check", str(path)]) == 1
    assert capsys.readouterr().err.startswith("line 2, column age: ")
    assert main(["--check", str(SAMPLES / "requests.csv")]) == 0
    assert capsys.readouterr().out == "200 requests, and nothing to put right\n"
    assert main(["--check", str(tmp_path / "missing.csv")]) == 1
