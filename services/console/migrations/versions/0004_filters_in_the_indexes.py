"""What lists are filtered by is in the indexes that order them."""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"

DUE, SINCE = "ix_queue_item_by_due", "ix_queue_item_by_since"
ORDERED = {DUE: ["queue", "due_by", "subject_id"], SINCE: ["queue", "since", "subject_id"]}
FILTERED = {
    DUE: [*ORDERED[DUE], "assigned_to", "client_group", "risk_level"],
    SINCE: [*ORDERED[SINCE], "due_by", "assigned_to", "client_group", "risk_level"],
}


def upgrade() -> None:
    _index(FILTERED)


def downgrade() -> None:
    _index(ORDERED)


def _index(columns: dict[str, list[str]]) -> None:
    for name, indexed in columns.items():
        op.drop_index(name, "queue_item")
        op.create_index(name, "queue_item", indexed)
