"""Saving a list's filters under a name, and deleting them."""

from __future__ import annotations

from uuid import UUID

from web.shared.accounts.application.ground import Accounts
from web.shared.accounts.domain.saved_views import SavedView, check_may_save


def save(accounts: Accounts, account_id: UUID, *, name: str, path: str) -> None:
    """The same once more changes nothing. Raises NameOfViewTaken, TooManyViews."""
    with accounts.work() as work:
        has = work.saved_views.of(account_id)
        if any((view.name, view.path) == (name, path) for view in has):
            return
        check_may_save(name, has)
        work.saved_views.add(SavedView(work.unit.new_id(), account_id, name, path, work.now))


def delete(accounts: Accounts, account_id: UUID, view_id: UUID) -> None:
    with accounts.work() as work:
        work.saved_views.remove(account_id, view_id)
