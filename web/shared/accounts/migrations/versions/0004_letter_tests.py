"""Letters by which somebody tries out that letters arrive."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "letter_test",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("code_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("arrived_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_letter_test_account_id_account"),
        sa.PrimaryKeyConstraint("id", name="pk_letter_test"),
    )
    op.create_index("ix_letter_test_account_id", "letter_test", ["account_id"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_letter_test_account_id", table_name="letter_test")
    op.drop_table("letter_test")
