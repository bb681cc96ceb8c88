"""The chassis's small tables without rowids and without an index that only the daily forgetting used."""

from __future__ import annotations

from typing import Any

from alembic import op

revision = "0003"
down_revision = "0002"

TABLES = ("inbox", "subject_sequence", "story")


def upgrade() -> None:
    op.drop_index(op.f("ix_inbox_handled_at"), table_name="inbox")
    _rebuild({"sqlite_with_rowid": False})


def downgrade() -> None:
    _rebuild({})
    op.create_index(op.f("ix_inbox_handled_at"), "inbox", ["handled_at"], unique=False)


def _rebuild(options: dict[str, Any]) -> None:
    if op.get_bind().dialect.name != "sqlite":
        return
    for table in TABLES:
        with op.batch_alter_table(table, recreate="always", table_kwargs=options):
            pass
