"""Books that were kept before payments, sessions and credit could be told apart and taken back."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine, MetaData, Table, create_engine, select

from chassis.ids import new_id
from chassis.store.migrate import migrate
from services.billing.store import tables
from tests.conftest import STORES

AT = datetime(2026, 7, 1, 23, 30, tzinfo=UTC)  # half past midnight of 2 July in London
DAY = date(2026, 7, 2)
THERAPIST, REFERRAL, MATCH, FUND, AWARD, INVOICE = (new_id() for _ in range(6))
PAYMENTS = new_id(), new_id()

ROWS: list[tuple[str, dict[str, Any]]] = [
    ("therapist", {"id": THERAPIST, "known_since": AT}),
    ("referral", {"id": REFERRAL, "received_at": AT, "client_group": "at_risk", "area_confirmed": False,
                  "subsidy_requested": True, "received_sequence": 1}),
    ("match", {"id": MATCH, "referral_id": REFERRAL, "therapist_id": THERAPIST, "matched_at": AT,
               "session_fee_pence": 60_00}),
    ("fund", {"id": FUND, "name": "A gift", "terms": [], "starts_on": DAY, "ends_on": DAY, "opened_pence": 400_00,
              "available_pence": 0, "committed_pence": 400_00, "drawn_pence": 0, "awards_made": 1}),
    ("award", {"id": AWARD, "referral_id": REFERRAL, "fund_id": FUND, "pence_per_session": 40_00, "sessions": 10,
               "sessions_used": 0, "committed_pence": 400_00, "drawn_pence": 0, "released_pence": 0, "state": "held",
               "approved_at": AT}),
    ("invoice", {"id": INVOICE, "therapist_id": THERAPIST, "kind": "referral_fee", "amount_pence": 30_00,
                 "paid_pence": 30_00, "credited_pence": 30_00, "issued_on": DAY, "due_on": DAY, "match_id": MATCH}),
    ("credit_note", {"id": new_id(), "invoice_id": INVOICE, "amount_pence": 30_00, "issued_on": DAY}),
    *(("payment", {"id": id_, "invoice_id": INVOICE, "reference": f"{id_}", "amount_pence": pence, "received_at": AT})
      for id_, pence in zip(PAYMENTS, (10_00, 20_00), strict=True)),
]  # fmt: skip


@pytest.fixture(params=STORES)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database of before, with a fee that was paid and given back, and an award that has not begun."""
    url = f"sqlite:///{tmp_path}/before.db"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgresql_server").create_database(f"before_{new_id().hex}")
    migrate("billing", url, to="0005")
    engine = create_engine(url)
    with engine.begin() as connection:
        for name, row in ROWS:
            columns = [column for column in tables.metadata.tables[name].columns if column.name in row]
            table = Table(name, MetaData(), *(column._copy() for column in columns))
            connection.execute(table.insert(), row)
    engine.dispose()
    return url


def rows_of(engine: Engine, table: str) -> list[dict[str, Any]]:
    with engine.connect() as connection:
        return [dict(row) for row in connection.execute(select(tables.metadata.tables[table])).mappings()]


def test_what_was_paid_of_a_fee_that_was_given_back_stands_to_the_therapists_credit(url: str) -> None:
    migrate("billing", url)
    engine = create_engine(url)
    (therapist,), (invoice,) = rows_of(engine, "therapist"), rows_of(engine, "invoice")
    assert (therapist["credit_pence"], invoice["paid_pence"], invoice["credited_pence"]) == (30_00, 0, 30_00)
    spent: dict[UUID, int] = {}
    for row in rows_of(engine, "allocation"):
        spent[row["payment_id"]] = spent.get(row["payment_id"], 0) + row["pence"]
    assert spent == dict.fromkeys(PAYMENTS, 0)
    payments = rows_of(engine, "payment")
    assert {(row["therapist_id"], row["paid_on"], row["reversed_at"]) for row in payments} == {(THERAPIST, DAY, None)}
    assert len(rows_of(engine, "credit_note")) == 1
    engine.dispose()


def test_awards_and_matches_of_before_are_looked_after_like_new_ones(url: str) -> None:
    migrate("billing", url)
    engine = create_engine(url)
    (award,) = rows_of(engine, "award")
    assert (award["starts_on"], award["pays_until"], award["new_person"]) == (DAY, None, True)
    timers = {(row["name"], row["key"]): row["due_at"] for row in rows_of(engine, "timer")}
    assert timers == {
        ("award_not_begun", str(AWARD)): AT + timedelta(days=90),
        ("ask_attendance", str(MATCH)): AT + timedelta(days=30),
    }
    engine.dispose()
