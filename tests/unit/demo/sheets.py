"""Spreadsheets for the tests of their reader."""

import csv
import io

NEEDED = {
    "route": "self",
    "client_group": "at_risk",
    "postcode": "NP20 4UR",
    "contact_channel": "client_calls",
    "consent_text_version": "1",
    "consent_given_at": "2026-02-02",
    "consent_processing": "yes",
    "consent_confidentiality": "yes",
    "consent_pass_to_therapist": "yes",
}
"""The least that a request says."""


def as_csv(*rows: dict[str, str], delimiter: str = ",", names: list[str] | None = None) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(
        text, names or list(dict.fromkeys(name for row in rows for name in row)), delimiter=delimiter
    )
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()
