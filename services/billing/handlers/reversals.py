"""What is taken back: once, by somebody, with a reason, and never out of the books."""

from __future__ import annotations

from contracts.commands.billing import ReversalView
from services.billing.store import Reversal


def reversal_view(reversal: Reversal, *, changed: bool) -> ReversalView:
    return ReversalView(reversed_at=reversal.at, reversed_by=reversal.by, reason=reversal.reason, changed=changed)
