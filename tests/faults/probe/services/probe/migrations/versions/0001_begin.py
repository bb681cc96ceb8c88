"""Whatever the store and this version of the chassis need: the probe has no history to keep."""

from __future__ import annotations

from alembic import op
from services.probe.store import balances, metadata

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    metadata.create_all(op.get_bind())
    op.bulk_insert(balances, [{"account": account, "pence": 0} for account in ("fees", "debtors")])
