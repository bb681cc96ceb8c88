"""Requests for help from a charity's own spreadsheet, saved as CSV.

Columns may come in any order, their names in any case and spacing; commas, semicolons or tabs may separate cells. All
problems are reported at once, each with its line. None repeats a cell's content, which is personal data.
"""

from __future__ import annotations

import csv
import io
import json
import random
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from contracts.sealed import HelpSubmission, SafeChannel
from contracts.shape import InvalidShape
from contracts.text import clean
from contracts.typed.ages import MOST_YEARS, check_age_and_birth
from contracts.typed.dates import check_past
from contracts.typed.faults import Fault, Unreadable
from contracts.typed.telephones import read_telephone
from leeward.console.typed_values import describe
from leeward.demo.people import passphrase
from leeward.errors import Refusal
from leeward.importing import cells
from leeward.importing.columns import BY_FIELD, BY_NAME, COLUMNS, NEEDED_BY_CHANNEL, Column

SAVE_AS = "in the spreadsheet program choose Save as, 'CSV UTF-8 (comma delimited)'"


SECRET = random.SystemRandom()


SEPARATORS = (",", ";", "\t")


_SEPARATOR = re.compile(r'\s*"?sep=(?P<separator>[^"\r\n])"?\s*?(\r?\n|\r)', re.IGNORECASE)
"""A first line such as `sep=;`, which tells spreadsheet programs what separates cells."""


_BY_KEY = {name.replace("_", ""): column for name, column in BY_NAME.items()}


@dataclass(frozen=True, order=True)
class Problem:
    """One thing to put right. Lines count from 1, as a text editor shows them."""

    line: int
    column: str
    """The column's name, or its number if the name is unknown; empty if the problem is with the whole line."""

    message: str

    def __str__(self) -> str:
        where = f"line {self.line}, column {self.column}" if self.column else f"line {self.line}"
        return f"{where}: {self.message}"


class SpreadsheetErrors(Refusal):
    """Everything that is wrong with a file; the message has a line for each problem."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


@dataclass(frozen=True)
class Row:
    """One record of the file, and the line that it begins at."""

    line: int
    cells: list[str]

    @property
    def is_empty(self) -> bool:
        return not any(self.cells)


def read_requests(path: Path) -> list[HelpSubmission]:
    """The requests of a CSV file. Raises SpreadsheetErrors, or OSError where there is no such file."""
    return parse_requests(path.read_bytes())


def parse_requests(content: bytes, now: datetime | None = None) -> list[HelpSubmission]:
    """The requests of a CSV file's bytes, in which no date may be later than `now`. Raises SpreadsheetErrors."""
    now = now or datetime.now(UTC)
    problems: list[Problem] = []
    rows = [row for row in _rows(_decoded(content), problems) if not row.is_empty]
    if not rows:
        raise SpreadsheetErrors(problems or [Problem(1, "", "the file is empty; expected a line of column names")])
    header = _read_header(rows[0], problems)
    requests = [_read_row(row, header, problems, now) for row in rows[1:]] if any(header) else []
    if len(rows) == 1:
        problems.append(Problem(rows[0].line, "", "no request follows the column names"))
    if problems:
        raise SpreadsheetErrors(sorted(problems, key=lambda problem: problem.line))
    return [request for request in requests if request is not None]


def write_requests(path: Path, requests: Iterable[HelpSubmission]) -> None:
    """Writes requests as `read_requests` reads them, with the byte order mark that spreadsheet programs need."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([column.name for column in COLUMNS])
        for request in requests:
            data = json.loads(request.encode())
            writer.writerow([_write_cell(column, data) for column in COLUMNS])


def _decoded(content: bytes) -> str:
    """Raises SpreadsheetErrors where the bytes are no UTF-8, naming the line and what to do."""
    if content.startswith(b"PK\x03\x04"):
        raise SpreadsheetErrors([Problem(1, "", f"this is a workbook, not CSV; {SAVE_AS}")])
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise SpreadsheetErrors([Problem(line, "", f"a character is not encoded as UTF-8; {SAVE_AS}")]) from None


def _rows(text: str, problems: list[Problem]) -> Iterator[Row]:
    """Each record, its cells cleaned of invisible characters and surrounding space. Stops where the CSV is broken."""
    declared = _SEPARATOR.match(text)
    rest = text[declared.end() :] if declared else text
    separator = declared["separator"] if declared else _delimiter(rest)
    reader = csv.reader(io.StringIO(rest, newline=""), delimiter=separator)
    before = text[: declared.end()].count("\n") if declared else 0
    line = 1 + before
    try:
        for cells in reader:
            yield Row(line, [clean(cell).strip() for cell in cells])
            line = reader.line_num + 1 + before
    except csv.Error:
        problems.append(Problem(line, "", "this is not CSV from here on; look for a quotation mark that is not closed"))


def _delimiter(text: str) -> str:
    """The separator that is the most frequent in the first line with any content."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    return max(SEPARATORS, key=first.count)


def _read_header(row: Row, problems: list[Problem]) -> list[Column | None]:
    """The column of each cell, None if unknown. Unknown names are reported by number: they may be personal data."""
    header = [_BY_KEY.get(_key(cell)) for cell in row.cells]
    if not any(header):
        problems.append(Problem(row.line, "", "no column name is known; expected a first line of column names"))
        return header
    for number, (cell, column) in enumerate(zip(row.cells, header, strict=True), start=1):
        if column is None:
            problems.append(Problem(row.line, str(number), _unknown(cell)))
        elif column in header[: number - 1]:
            problems.append(Problem(row.line, column.name, "stands there more than once; expected it once"))
    for column in COLUMNS:
        if column.required and column not in header:
            problems.append(Problem(row.line, column.name, column.problem("is missing")))
    return header


def _key(name: str) -> str:
    """`Fee ceiling`, `fee-ceiling` and `FEE_CEILING` are the same name."""
    return "".join(filter(str.isalnum, name)).casefold()


def _unknown(name: str) -> str:
    close = get_close_matches(_key(name), _BY_KEY, n=1, cutoff=0.7)
    advice = f"did you mean {_BY_KEY[close[0]].name}?" if close else "leave it out, or see samples/README.md"
    return f"is not a known column; {advice}" if name else f"has cells but no name; {advice}"


def _read_row(
    row: Row, header: Sequence[Column | None], problems: list[Problem], now: datetime
) -> HelpSubmission | None:
    """The request of a row, or None after adding its problems to `problems`."""
    faults: dict[str, str] = {}
    values: dict[str, Any] = {}
    for column, cell in zip(header, row.cells, strict=False):
        if column is not None and cell:
            _read_cell(column, cell, values, faults)
        elif column is not None and column.required:
            faults[column.name] = column.problem("is empty")
    _check_width(row, header, faults)
    _check_contact(values, faults)
    _check_times(values, faults, now)
    request = _build(values, faults, header)
    problems += (Problem(row.line, name, message) for name, message in faults.items())
    return None if faults else request


def _check_width(row: Row, header: Sequence[Column | None], faults: dict[str, str]) -> None:
    """Reports a row with too few or too many cells: its values may stand in the wrong columns."""
    short = len(header) - len(row.cells)
    if short > 0:
        first = header[len(row.cells)]
        name = first.name if first else str(len(row.cells) + 1)
        faults[name] = f"is missing: the row has {len(row.cells)} cells, and there are {len(header)} column names"
    elif any(row.cells[len(header) :]):
        faults[""] = "has more cells than there are column names; text that holds separators needs quotation marks"


def _read_cell(column: Column, cell: str, values: dict[str, Any], faults: dict[str, str]) -> None:
    try:
        values[column.name] = column.kind.parse(cell)
    except Unreadable as unreadable:
        faults[column.name] = column.problem(describe(unreadable))
    except ValueError:
        faults[column.name] = column.problem()


def _check_contact(values: dict[str, Any], faults: dict[str, str]) -> None:
    """The chosen contact channel needs its column: e-mail an address, text messages a mobile number, and so on."""
    channel = values.get("contact_channel", "")
    needed = NEEDED_BY_CHANNEL.get(channel)
    if needed and needed not in values and needed not in faults:
        faults[needed] = BY_NAME[needed].problem(f"is empty, though contact_channel is {channel}")
    if channel == SafeChannel.TEXT and "telephone" in values:
        _note_if_wrong("telephone", lambda: read_telephone(values["telephone"], for_texts=True), faults)


def _check_times(values: dict[str, Any], faults: dict[str, str], now: datetime) -> None:
    """No date may be in the future, and the age must fit the date of birth on the day of the consent."""
    agreed = datetime.fromisoformat(values["consent_given_at"]) if "consent_given_at" in values else now
    if agreed > now:
        faults["consent_given_at"] = BY_NAME["consent_given_at"].problem(describe(Unreadable(Fault.FUTURE)))
    if "date_of_birth" not in values:
        return
    born = date.fromisoformat(values["date_of_birth"])
    _note_if_wrong("date_of_birth", lambda: check_past(born, today=now.date(), least=0, most=MOST_YEARS), faults)
    if "age" in values:
        _note_if_wrong("date_of_birth", lambda: check_age_and_birth(values["age"], born, on=agreed.date()), faults)


def _note_if_wrong(column: str, check: Callable[[], object], faults: dict[str, str]) -> None:
    try:
        check()
    except Unreadable as unreadable:
        faults.setdefault(column, BY_NAME[column].problem(describe(unreadable)))


def _build(values: dict[str, Any], faults: dict[str, str], header: Sequence[Column | None]) -> HelpSubmission | None:
    """The request, validated by its shape, whose errors are added for columns that have none yet."""
    data: dict[str, Any] = {"passphrase": passphrase(SECRET), "contact": {}, "consents": {}}
    for name, value in values.items():
        *parents, last = BY_NAME[name].field
        (data[parents[0]] if parents else data)[last] = value
    try:
        return HelpSubmission.from_json(data)
    except InvalidShape as error:
        for field in _fields(error.errors):
            column = BY_FIELD[field]
            if column in header:
                faults.setdefault(column.name, column.problem(_length_problem(column, values)))
        return None


def _length_problem(column: Column, values: dict[str, Any]) -> str | None:
    """For a text, whose length is then wrong: how long it is."""
    return f"has {len(values[column.name]):,} characters" if column.kind is cells.TEXT else None


def _fields(errors: Any, parents: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, problem in errors.items():
        if isinstance(problem, dict):
            yield from _fields(problem, (*parents, name))
        else:
            yield (*parents, name)


def _write_cell(column: Column, data: dict[str, Any]) -> str:
    value: Any = data
    for name in column.field:
        value = value.get(name)
    return "" if value is None else column.kind.write(value)
