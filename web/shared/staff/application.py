"""One application for people with accounts, as its pages find it: the staff's console, or the therapists' portal."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chassis.clock import Clock
from web.shared import assets, rendering
from web.shared.accounts.application.ground import Accounts
from web.shared.accounts.domain.sessions import SignedIn
from web.shared.accounts.pages.words import NAMES
from web.shared.languages import ENGLISH, Translator
from web.shared.staff.access import Need, may_open

if TYPE_CHECKING:
    from web.shared.staff.visit import Visit

HERE = Path(__file__).parent
ACCOUNTS = HERE.parent / "accounts"
TEMPLATES = (rendering.SHARED, HERE / "templates", ACCOUNTS / "templates")
STATIC = (assets.SHARED, HERE / "static", ACCOUNTS / "static")


@dataclass(frozen=True)
class Tab:
    """An entry of the navigation; shown to whoever may open the page that it leads to."""

    path: str
    title: str
    need: Need


@dataclass(frozen=True)
class Unanswered:
    """How many safeguarding concerns nobody has in hand, the page of the one to begin with, and that of all."""

    number: int = 0
    first: str = ""
    every: str = ""


class Pages:
    """Renders an application's pages, in English."""

    def __init__(self, *own_templates: Path, own_static: Sequence[Path] = (), values: Mapping[str, Any]) -> None:
        self.static = (*STATIC, *own_static)
        self._environment = rendering.environment(*TEMPLATES, *own_templates)
        self._environment.globals.update(asset=assets.addresses(*self.static), language=ENGLISH, **{**NAMES, **values})

    @staticmethod
    def moment(at: datetime) -> str:
        """As templates write a time."""
        return rendering.moment(at, Translator(ENGLISH, None))

    def page(self, template: str, **values: Any) -> str:
        translator = Translator(ENGLISH, None)
        return self._environment.get_template(template).render(
            _=translator,
            plain=translator.plain,
            url=lambda to: to,
            moment=self.moment,
            **values,
        )


@dataclass(frozen=True)
class Application:
    """`name` is that of its cookies, since cookies know no ports: two applications on one host have two."""

    name: str
    title: str
    accounts: Accounts
    pages: Pages
    clock: Clock
    secure: bool
    request_time: timedelta
    tabs: tuple[Tab, ...] = ()
    changes: Tab | None = None
    """The stream that tells open pages what has changed, for whoever may open it."""
    of_me: tuple[Tab, ...] = ()
    """Pages about whoever is signed in, which the page of their account leads to."""
    of_people: tuple[Tab, ...] = ()
    """Pages about everybody with an account."""
    of_account: tuple[Tab, ...] = ()
    """Pages about one account, whose identifier stands in their paths as `{account}`."""
    alerts: Callable[[Visit], Unanswered | None] = lambda visit: Unanswered()
    """The safeguarding concerns that nobody has in hand, for whoever is to see that on every page; None: not known."""

    def may_open(self, tab: Tab, who: SignedIn | None) -> bool:
        return who is not None and may_open(tab.need, who)

    def cookie(self, purpose: str = "") -> str:
        """The name of a cookie: the session's, or one for another purpose."""
        name = f"{self.name}-{purpose}" if purpose else self.name
        return f"__Host-{name}" if self.secure else name
