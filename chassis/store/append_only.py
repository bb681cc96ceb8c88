"""Tables that are only ever added to, which the database itself sees to, on either store."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import DDL, Table, event


def forbidding(table: str, why: str) -> Mapping[str, tuple[str, ...]]:
    """The statements, by dialect, that make the database refuse to change or delete a row of a table."""
    return {
        "sqlite": tuple(
            f"CREATE TRIGGER {table}_no_{change.lower()} BEFORE {change} ON {table}"
            f" BEGIN SELECT RAISE(ABORT, '{why}'); END"
            for change in ("UPDATE", "DELETE")
        ),
        "postgresql": (
            f"CREATE OR REPLACE FUNCTION refuse_{table}_change() RETURNS trigger LANGUAGE plpgsql AS"
            f" $$ BEGIN RAISE EXCEPTION '{why}'; END $$",
            f"CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
            f" FOR EACH STATEMENT EXECUTE FUNCTION refuse_{table}_change()",
        ),
    }


def forbid_changes(table: Table, forbidding: Mapping[str, tuple[str, ...]]) -> None:
    """Has whoever creates the table forbid changes to it; a migration runs the statements itself."""
    for dialect, statements in forbidding.items():
        for statement in statements:
            when: DDL = DDL(statement)  # type: ignore[no-untyped-call]
            event.listen(table, "after_create", when.execute_if(dialect=dialect))
