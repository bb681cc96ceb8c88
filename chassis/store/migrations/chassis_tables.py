"""The history of the chassis's own tables, which every service's database has beside the service's own.

Each pair of functions is one step forward and back, called by a revision of every service. They are frozen: they build
what the step built when it was written, and import nothing that may change. A new step is a new pair.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

MOMENT = sa.DateTime(timezone=True)
WHY_AUDIT_STAYS = "audit entries are only ever added"


def add_story_and_attempts() -> None:
    """The events of each referral, and messages that were begun and not ended."""
    op.create_table(
        "attempt",
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("first_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("message_id", name="pk_attempt"),
    )
    op.create_table(
        "story",
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("type", sa.String(length=100), nullable=False),
        sa.Column("referral_id", sa.Uuid(), nullable=False),
        sa.Column("correlation_id", sa.Uuid(), nullable=False),
        sa.Column("causation_id", sa.Uuid(), nullable=True),
        sa.Column("emitted_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("event_id", name="pk_story"),
    )
    op.create_index("ix_story_correlation_id", "story", ["correlation_id"], unique=False)
    op.create_index("ix_story_referral_id", "story", ["referral_id"], unique=False)


def drop_story_and_attempts() -> None:
    op.drop_index("ix_story_referral_id", table_name="story")
    op.drop_index("ix_story_correlation_id", table_name="story")
    op.drop_table("story")
    op.drop_table("attempt")


def drop_rowids() -> None:
    """Small tables without rowids, and the inbox without an index that only the daily deletion used."""
    op.drop_index("ix_inbox_handled_at", table_name="inbox")
    _rebuild({"sqlite_with_rowid": False})


def restore_rowids() -> None:
    _rebuild({})
    op.create_index("ix_inbox_handled_at", "inbox", ["handled_at"], unique=False)


def add_audit_log() -> None:
    """The audit log, which the database itself refuses to change."""
    op.create_table(
        "audit_entry",
        sa.Column("sequence", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("who", sa.String(length=120), nullable=False),
        sa.Column("what", sa.String(length=40), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.String(length=64), nullable=True),
        sa.Column("previous", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("sequence", name="pk_audit_entry"),
    )
    op.create_index("ix_audit_entry_subject_id", "audit_entry", ["subject_id"], unique=False)
    forbid_changes("audit_entry", WHY_AUDIT_STAYS)


def drop_audit_log() -> None:
    op.drop_table("audit_entry")


def forbid_replacing_audit_entries() -> None:
    """SQLite's INSERT OR REPLACE deleted the old entry past the triggers."""
    forbid_replacement("audit_entry", WHY_AUDIT_STAYS, ("sequence",))


def allow_replacing_audit_entries() -> None:
    if _is_sqlite():
        op.execute("DROP TRIGGER audit_entry_no_replace")


def add_counted_from() -> None:
    """From when a timer counts, so that one set while the clock was ahead is told once that has been put right."""
    op.add_column("timer", sa.Column("counted_from", MOMENT, nullable=True))


def drop_counted_from() -> None:
    op.drop_column("timer", "counted_from")


def add_received_commands() -> None:
    """Signed commands that were carried out, with their answers."""
    op.create_table(
        "received_command",
        sa.Column("command_id", sa.Uuid(), nullable=False),
        sa.Column("who", sa.String(length=120), nullable=False),
        sa.Column("command", sa.String(length=60), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("signed_at", MOMENT, nullable=False),
        sa.Column("received_at", MOMENT, nullable=False),
        sa.Column("answer", sa.JSON(), nullable=True),
        sa.PrimaryKeyConstraint("command_id", name="pk_received_command"),
        sqlite_with_rowid=False,
    )


def drop_received_commands() -> None:
    op.drop_table("received_command")


def forbid_changes(table: str, why: str) -> None:
    """The database refuses to change or delete a row of this table."""
    if _is_sqlite():
        for change in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{change.lower()} BEFORE {change} ON {table}"
                f" BEGIN SELECT RAISE(ABORT, '{why}'); END"
            )
        return
    op.execute(
        f"CREATE OR REPLACE FUNCTION refuse_{table}_change() RETURNS trigger LANGUAGE plpgsql AS"
        f" $$ BEGIN RAISE EXCEPTION '{why}'; END $$"
    )
    op.execute(
        f"CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
        f" FOR EACH STATEMENT EXECUTE FUNCTION refuse_{table}_change()"
    )


def allow_changes(table: str) -> None:
    if _is_sqlite():
        for change in ("update", "delete"):
            op.execute(f"DROP TRIGGER {table}_no_{change}")
    else:
        op.execute(f"DROP TRIGGER {table}_no_change ON {table}")


def forbid_replacement(table: str, why: str, *keys: tuple[str, ...]) -> None:
    """SQLite refuses to replace a row, named by its rowid or by one of `keys`, each the columns of a unique key."""
    if not _is_sqlite():
        return
    same = [" AND ".join(f"{column} = NEW.{column}" for column in key) for key in (("rowid",), *keys)]
    taken = " OR ".join(f"EXISTS (SELECT 1 FROM {table} WHERE {columns})" for columns in same)  # noqa: S608 - our own names
    op.execute(
        f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} WHEN {taken}"
        f" BEGIN SELECT RAISE(ABORT, '{why}'); END"
    )


def allow_replacement(table: str) -> None:
    if _is_sqlite():
        op.execute(f"DROP TRIGGER {table}_no_replace")


def _is_sqlite() -> bool:
    return op.get_bind().dialect.name == "sqlite"


def _rebuild(options: dict[str, Any]) -> None:
    if not _is_sqlite():
        return
    for table in ("inbox", "subject_sequence", "story"):
        with op.batch_alter_table(table, recreate="always", table_kwargs=options):
            pass
