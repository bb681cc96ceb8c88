"""Decoys, which references that nobody has are tried against."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.create_table(
        "decoy",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("passphrase_mark", sa.LargeBinary(), nullable=False),
        sa.Column("passphrase_subject", sa.Uuid(), nullable=True),
        sa.Column("failed_passphrases", sa.Integer(), nullable=False),
        sa.Column("locked_until", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decoy")),
    )


def downgrade() -> None:
    op.drop_table("decoy")
