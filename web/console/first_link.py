"""The one-time link for the first administrator, at every start until there is one. There is no default password."""

from __future__ import annotations

import sys
from pathlib import Path

from web.shared.accounts.application.ground import Accounts
from web.shared.accounts.application.recovery import first_link


def offer_first_link(accounts: Accounts, file: Path | None) -> None:
    """Writes the link into a file that only its owner reads, for `leeward up` to print; without one, prints it."""
    link = first_link(accounts)
    if file:
        file.unlink(missing_ok=True)
    if link and file:
        file.touch(mode=0o600)
        file.write_text(link + "\n")
    elif link:
        print(f"The first administrator sets up their account here, within 30 minutes: {link}", file=sys.stderr)  # noqa: T201
