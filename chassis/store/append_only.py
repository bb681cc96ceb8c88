"""Append-only tables, enforced by triggers on PostgreSQL and SQLite.

On PostgreSQL an upsert and a MERGE fire UPDATE triggers. SQLite has `INSERT OR REPLACE`, which deletes the conflicting
row without firing a DELETE trigger; so there an INSERT with an existing key is refused.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import DDL, Table, event

Statements = Mapping[str, tuple[str, ...]]
"""SQL statements by dialect."""


def _no_change(table: str, why: str) -> Statements:
    """The statements that make the database refuse to change or delete a row of a table."""
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


def _no_replacement(table: str, why: str, *keys: tuple[str, ...]) -> Statements:
    """The statements that make SQLite refuse to replace a row.

    `keys` are the table's primary key and whatever else is unique, each with its columns. A row can be replaced by its
    rowid as well, if somebody names that.
    """
    same = [" AND ".join(f"{column} = NEW.{column}" for column in key) for key in (("rowid",), *keys)]
    taken = " OR ".join(f"EXISTS (SELECT 1 FROM {table} WHERE {columns})" for columns in same)  # noqa: S608 - our own names
    trigger = f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} WHEN {taken}"
    return {"sqlite": (f"{trigger} BEGIN SELECT RAISE(ABORT, '{why}'); END",), "postgresql": ()}


def forbid_changes(table: Table, why: str, *keys: tuple[str, ...]) -> None:
    """Has the triggers created whenever SQLAlchemy creates the table. `keys` are its unique keys, each its columns.

    Migrations have frozen statements of their own: `chassis.store.migrations.chassis_tables`.
    """
    for by_dialect in (_no_change(table.name, why), _no_replacement(table.name, why, *keys)):
        for dialect, statements in by_dialect.items():
            for statement in statements:
                ddl: DDL = DDL(statement)  # type: ignore[no-untyped-call]
                event.listen(table, "after_create", ddl.execute_if(dialect=dialect))
