"""Signed commands that were carried out, with their answers: a table of the chassis's, which every database has."""

from __future__ import annotations

from chassis.store.migrations import chassis_tables

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    chassis_tables.add_received_commands()


def downgrade() -> None:
    chassis_tables.drop_received_commands()
