"""Who may see which page. Every route says it, and what isn't said is nobody's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from contracts.permissions import Permission
from web.shared.accounts.domain.grants import may_confirm
from web.shared.accounts.domain.sessions import SignedIn

if TYPE_CHECKING:
    from web.shared.staff.visit import Visit

View = Callable[["Visit"], Response]


class Door(StrEnum):
    """Pages that stand on no permission."""

    ANYBODY = "anybody"
    HALF_SIGNED_IN = "half_signed_in"
    """Who has given their password, and is asked for the second factor."""
    ADDS_FACTOR = "adds_factor"
    """Who has no second factor yet, or is signed in."""
    SIGNED_IN = "signed_in"
    CONFIRMS_ROLES = "confirms_roles"
    """Who may be the second person that confirms a role."""


Need = Door | Permission

GET, POST, FORM = ("GET",), ("POST",), ("GET", "POST")


@dataclass(frozen=True)
class Page:
    """A row of the table of pages.

    `recent`: who it is has to have been proved within RECENT_MINUTES. `back`: where somebody goes on who had to prove
    it before a button worked, where a page that can be shown goes on itself, and from where it was refused.
    """

    path: str
    methods: tuple[str, ...]
    view: View
    need: Need
    recent: bool = False
    back: str | None = None

    def back_of(self, params: Mapping[str, Any]) -> str | None:
        return self.back.format(**params) if self.back else None


def may_open(need: Need, who: SignedIn) -> bool:
    """Whether somebody who is signed in fully may open a page."""
    match need:
        case Permission():
            return need in who.permissions
        case Door.CONFIRMS_ROLES:
            return may_confirm(who.roles)
        case Door.HALF_SIGNED_IN:
            return False
        case _:
            return True
