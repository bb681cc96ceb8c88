"""Lists as somebody wants to see them again: an address of ours, under a name of their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from web.shared.accounts.domain.refusals import NameOfViewTaken, TooManyViews

MOST_VIEWS, LONGEST_NAME, LONGEST_PATH = 20, 60, 500


@dataclass(frozen=True)
class SavedView:
    """`path` is the page with its query; it is the owner's alone."""

    id: UUID
    account_id: UUID
    name: str
    path: str
    saved_at: datetime


def check_may_save(name: str, has: Sequence[SavedView]) -> None:
    """Raises NameOfViewTaken, TooManyViews."""
    if any(view.name.casefold() == name.casefold() for view in has):
        raise NameOfViewTaken
    if len(has) >= MOST_VIEWS:
        raise TooManyViews
