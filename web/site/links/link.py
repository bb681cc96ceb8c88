"""What the pages behind one-time links share: the secret's cookie, the query, limits on guessing, waiting for a result.

A link's first GET moves the secret from the address into a cookie and doesn't use the link up. A GET never changes
anything. Every page asks the service that made the link what it may show.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from starlette.responses import Response

from contracts.vocabulary import LinkState
from web.site.enquiry import EnquiryUnavailable
from web.site.visit import Visit, handle_of

WAIT_SECONDS, LOOK_EVERY_SECONDS = 5.0, 0.15
SENT = "sent"
"""A query parameter: the visitor has just sent something, which may not have arrived yet."""


class LinkPage(Protocol):
    """What a link opens."""

    @property
    def state(self) -> LinkState: ...


PageT = TypeVar("PageT", bound=LinkPage)


@dataclass(frozen=True)
class Link(Generic[PageT]):
    """One kind of link. `name` is its path and its cookie; `ask` queries the service that made it, by secret."""

    name: str
    ask: Callable[[Visit, str], PageT]

    def arrive(self, visit: Visit) -> Response:
        """The first GET: moves the secret from the address into a cookie."""
        return visit.remember_secret(visit.go_to(f"/{self.name}"), self.name, str(visit.params["token"]))

    def opens(self, view: Callable[[Visit, OpenedLink[PageT]], Response]) -> Callable[[Visit], Response]:
        """Decorates the view of a page behind this link: looks it up, and limits how often secrets can be guessed."""

        def look_and_view(visit: Visit) -> Response:
            secret = visit.secret_of(self.name)
            if not secret:
                return visit.page("link_closed.html", status=404)
            if visit.site.questions.is_used_up(f"from {visit.who}"):
                return visit.page("too_often.html", status=429)
            try:
                page = self.ask(visit, secret)
            except EnquiryUnavailable:
                return visit.page("link_away.html", status=503)
            if page.state is LinkState.UNKNOWN:
                visit.site.questions.record_hit(f"from {visit.who}")  # only wrong secrets count
                return visit.page("link_unknown.html", status=404)
            opened = OpenedLink(self, secret, page)
            if visit.is_post and visit.first("link") != opened.handle:
                return visit.page("link_other.html", status=409)
            return visit.remember_secret(view(visit, opened), self.name, secret)

        return look_and_view


@dataclass(frozen=True)
class OpenedLink(Generic[PageT]):
    """A link that was looked up: its secret, and what it opens."""

    link: Link[PageT]
    secret: str
    page: PageT

    @property
    def is_open(self) -> bool:
        return self.page.state is LinkState.OPEN

    @property
    def handle(self) -> str:
        return handle_of(self.secret)

    def after_sending(self, visit: Visit, *, until: Callable[[PageT], bool] = lambda _: False) -> Response:
        """The response after sending: waits up to WAIT_SECONDS until the service has it, then redirects to the result.

        The service has it when the link is no longer open, or `until` is true of its page.
        """
        deadline = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < deadline and not self._has_arrived(visit, until):
            time.sleep(LOOK_EVERY_SECONDS)
        return visit.go_to(f"/{self.link.name}?{SENT}=1")

    def _has_arrived(self, visit: Visit, until: Callable[[PageT], bool]) -> bool:
        try:
            page = self.link.ask(visit, self.secret)
        except EnquiryUnavailable:
            return False
        return page.state is not LinkState.OPEN or until(page)


def was_sent(visit: Visit) -> bool:
    """Whether this page is shown to somebody who has just sent something."""
    return SENT in visit.query
