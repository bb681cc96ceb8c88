"""What the pages behind one-time links have in common: the secret, looking, guessing, and waiting for an outcome.

A link's first GET moves its secret into a cookie and uses nothing up. A GET never acts. Every page asks the service
that made the link what it may show, and that says only what this page is for.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from starlette.responses import Response

from contracts.vocabulary import LinkState
from web.site.enquiry import CantLook
from web.site.visit import Visit, handle_of

WAIT_SECONDS, LOOK_EVERY_SECONDS = 5.0, 0.15
SENT = "sent"
"""In an address: what was sent is on its way, and may not have arrived."""


class Opened(Protocol):
    """What a link opens."""

    @property
    def state(self) -> LinkState: ...


PageT = TypeVar("PageT", bound=Opened)


@dataclass(frozen=True)
class Link(Generic[PageT]):
    """One kind of link. `name` is that of its address and its cookie; `ask` asks the service that made it."""

    name: str
    ask: Callable[[Visit, str], PageT]

    def arrive(self, visit: Visit) -> Response:
        """The first GET: the secret goes out of the address."""
        return visit.remember_secret(visit.go_to(f"/{self.name}"), self.name, str(visit.params["token"]))

    def opens(self, view: Callable[[Visit, Asked[PageT]], Response]) -> Callable[[Visit], Response]:
        """A page behind this link, for whoever has its secret."""

        def look_and_view(visit: Visit) -> Response:
            secret = visit.secret_of(self.name)
            if not secret:
                return visit.page("link_closed.html", status=404)
            if visit.site.questions.is_used_up(f"from {visit.who}"):
                return visit.page("too_often.html", status=429)
            try:
                page = self.ask(visit, secret)
            except CantLook:
                return visit.page("link_away.html", status=503)
            if page.state is LinkState.UNKNOWN:
                visit.site.questions.is_exceeded(f"from {visit.who}")  # guessing is what is counted
                return visit.page("link_unknown.html", status=404)
            asked = Asked(self, secret, page)
            if visit.is_post and visit.first("link") != asked.handle:
                return visit.page("link_other.html", status=409)
            return visit.remember_secret(view(visit, asked), self.name, secret)

        return look_and_view


@dataclass(frozen=True)
class Asked(Generic[PageT]):
    """A link that was looked at: its secret, and what it opens."""

    link: Link[PageT]
    secret: str
    page: PageT

    @property
    def is_open(self) -> bool:
        return self.page.state is LinkState.OPEN

    @property
    def handle(self) -> str:
        return handle_of(self.secret)

    def sent(self, visit: Visit, *, until: Callable[[PageT], bool] = lambda _: False) -> Response:
        """After sending: waits a while until the service has it, and then shows what came of it.

        It has it when the link is open no more, or `until` says so of the page.
        """
        deadline = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < deadline and not self._is_there(visit, until):
            time.sleep(LOOK_EVERY_SECONDS)
        return visit.go_to(f"/{self.link.name}?{SENT}=1")

    def _is_there(self, visit: Visit, until: Callable[[PageT], bool]) -> bool:
        try:
            page = self.link.ask(visit, self.secret)
        except CantLook:
            return False
        return page.state is not LinkState.OPEN or until(page)


def was_sent(visit: Visit) -> bool:
    """Whether this page is shown to somebody who has just sent something."""
    return SENT in visit.query
