"""Whatever a file holds, it is read or refused with reasons."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.sealed import HelpSubmission
from leeward.demo.requests import sample_requests
from leeward.importing.columns import COLUMNS
from leeward.importing.spreadsheet import SpreadsheetErrors, parse_requests, read_requests, write_requests
from tests.unit.demo.sheets import NEEDED, as_csv

anything = st.one_of(
    st.text(),
    st.text(alphabet="0123456789.,;:/-£+ yn\"'\n\r\t\x00²٣", max_size=12),
    st.sampled_from([column.name for column in COLUMNS]),
    st.sampled_from([column.example for column in COLUMNS]),
)


def never_crashes(content: bytes) -> None:
    try:
        requests = parse_requests(content)
    except SpreadsheetErrors as errors:
        if not errors.problems:
            pytest.fail("refused without saying why")
        return
    assert requests
    for request in requests:
        assert HelpSubmission.from_json(json.loads(request.encode())) == request


@given(st.one_of(st.binary(), st.text().map(str.encode)))
def test_no_content_crashes_the_reader(content: bytes) -> None:
    never_crashes(content)


@given(st.lists(st.lists(anything, max_size=6), max_size=4), st.sampled_from(",;"))
def test_no_rows_crash_the_reader(rows: list[list[str]], delimiter: str) -> None:
    never_crashes("\n".join(delimiter.join(row) for row in rows).encode())


@settings(max_examples=500)
@given(st.dictionaries(st.sampled_from([column.name for column in COLUMNS]), anything, min_size=1, max_size=4))
def test_no_cell_crashes_the_reader(cells: dict[str, str]) -> None:
    never_crashes(as_csv({**NEEDED, **cells}))


@settings(max_examples=20)
@given(st.integers(0, 2**32), st.integers(1, 20))
def test_whatever_is_drawn_is_read_as_it_was_written(
    tmp_path_factory: pytest.TempPathFactory, seed: int, rows: int
) -> None:
    path = tmp_path_factory.mktemp("round") / "requests.csv"
    drawn = list(sample_requests(rows, seed))
    write_requests(path, drawn)
    assert read_requests(path) == drawn
