"""The console's tables: accounts of staff, beside what every store of the chassis has."""

from __future__ import annotations

from chassis.store.tables import new_metadata
from web.shared.accounts.store.tables import account_tables

metadata = new_metadata()

accounts = account_tables(metadata)
