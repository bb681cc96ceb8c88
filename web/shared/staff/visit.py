"""One request as the pages of an application see it, and the answers they can give."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import urlencode
from uuid import UUID

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from web.shared.accounts.application import sessions
from web.shared.accounts.domain.accounts import Person
from web.shared.accounts.domain.destinations import HOME, safe_destination
from web.shared.accounts.domain.refusals import NoSuchAccount
from web.shared.accounts.domain.sessions import Session, SignedIn
from web.shared.headers import content_security_policy
from web.shared.staff.application import Application, Unanswered
from web.shared.staff.browsers import browser_of
from web.shared.staff.csrf import FIELD, csrf_token, is_genuine
from web.shared.staff.forms import StaffForm

FormT = TypeVar("FormT", bound=StaffForm)
NEXT, DONE = "next", "done"
"""Queries of pages: where somebody goes on after signing in, and what is said to have been done."""

FORMS, LINK, PROVIDER = "forms", "link", "provider"
"""Purposes of cookies besides the session's: for the forms of whoever has none, the secret of a one-time link, and what
has to come back from an OpenID provider."""


@dataclass
class Visit:
    """A request with its form already read. `path` is the page's own, and `target` is that with its query."""

    app: Application
    method: str = "GET"
    path: str = "/"
    query: Mapping[str, str] = field(default_factory=dict)
    fields: Mapping[str, Sequence[str]] = field(default_factory=dict)
    params: Mapping[str, Any] = field(default_factory=dict)
    cookies: Mapping[str, str] = field(default_factory=dict)
    browser: str = ""
    from_elsewhere: bool = False
    is_fragment: bool = False
    """Whether a page that is open asks for what is new, by its script, and nobody did anything."""
    session: Session | None = None
    person: Person | None = None
    nonce: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    _new_secret: str | None = None

    @property
    def target(self) -> str:
        """This page with its query, without what it only passes on."""
        rest = urlencode({name: value for name, value in self.query.items() if name not in (NEXT, DONE)})
        return safe_destination(f"{self.path}?{rest}" if rest else self.path)

    @property
    def is_post(self) -> bool:
        return self.method == "POST"

    @property
    def token(self) -> str | None:
        return self.cookies.get(self.app.cookie())

    @property
    def who(self) -> SignedIn | None:
        """Who is signed in, with both factors."""
        return sessions.signed_in(self.session, self.person) if self.session and self.person else None

    @property
    def me(self) -> SignedIn:
        """The same on a page that only they may open."""
        assert self.who is not None
        return self.who

    @property
    def now(self) -> Any:
        return self.app.clock.now()

    def find_session(self) -> None:
        """Looks up whose session it is, if the browser has one."""
        if found := sessions.find(self.app.accounts, self.token, is_used=not self.is_fragment):
            self.session, self.person = found

    def is_still_signed_in(self) -> bool:
        """Whether the session that this visit began with still stands."""
        return sessions.find(self.app.accounts, self.token, is_used=False) is not None

    def take_session(self, token: str) -> None:
        """Shows this page as of the session that has just begun."""
        self.cookies = {**self.cookies, self.app.cookie(): token}
        self.find_session()

    def first(self, name: str) -> str:
        values = self.fields.get(name) or ("",)
        return values[0].strip()

    def param_id(self, name: str) -> UUID:
        """An identifier in the address. Raises NoSuchAccount."""
        try:
            return UUID(str(self.params[name]))
        except ValueError:
            raise NoSuchAccount from None

    @property
    def next(self) -> str:
        """Where they wanted to go before they were asked to sign in: a page of ours."""
        return safe_destination(self.first(NEXT) or self.query.get(NEXT))

    @property
    def is_genuine(self) -> bool:
        """Whether the posted form is one that we showed to this browser."""
        return not self.from_elsewhere and is_genuine(self.first(FIELD), self._secret)

    @property
    def _secret(self) -> str | None:
        """What the tokens of forms stand on: the session's secret, or a cookie's of its own."""
        return self.token if self.session else self.cookies.get(self.app.cookie(FORMS))

    def form(self, kind: type[FormT], **values: Any) -> FormT:
        """A form with what was posted, or with these values."""
        posted = FormData([(name, one) for name, many in self.fields.items() for one in many])
        return kind(posted if self.is_post else None, meta={"csrf_context": self._secret_for_forms()}, **values)

    def page(self, template: str, *, status: int = 200, **values: Any) -> Response:
        html = self.app.pages.page(
            template,
            visit=self,
            frame=None,
            who=self.who,
            path=self.path,
            nonce=self.nonce,
            csrf=csrf_token(self._secret_for_forms()),
            tabs=self._tabs(),
            stream=self._stream(),
            alerts=self.app.alerts(self) if self.who else Unanswered(),
            **values,
        )
        response = HTMLResponse(html, status, {"Content-Security-Policy": content_security_policy(self.nonce)})
        if self._new_secret:
            self.set_cookie(response, FORMS, self._new_secret)
        return response

    def fragment(self, template: str, **values: Any) -> bytes:
        """What an open page takes of this one, where nothing of it is of this session or of who has it.

        The template extends `frame`, where there is one.
        """
        return self.app.pages.page(
            template, visit=self, frame="fragments.html", who=None, alerts=self.app.alerts(self), **values
        ).encode()

    def go_to(self, path: str, **query: str) -> Response:
        """Another page of ours."""
        wanted = {name: value for name, value in query.items() if value and not (name == NEXT and value == HOME)}
        return RedirectResponse(f"{path}?{urlencode(wanted)}" if wanted else path, 303)

    def signed_in(self, response: Response, token: str) -> Response:
        """Gives the browser its session, until it is closed or the session ends."""
        return self.set_cookie(response, "", token)

    def set_cookie(self, response: Response, purpose: str, value: str, *, seconds: int | None = None) -> Response:
        """SameSite is `lax` because links in letters, and OpenID providers, lead here from other sites."""
        response.set_cookie(
            self.app.cookie(purpose),
            value,
            max_age=seconds,
            httponly=True,
            samesite="lax",
            secure=self.app.secure,
        )
        return response

    def drop_cookie(self, response: Response, purpose: str = "") -> Response:
        response.delete_cookie(self.app.cookie(purpose), httponly=True, samesite="lax", secure=self.app.secure)
        return response

    def _secret_for_forms(self) -> str:
        """The secret behind this page's forms; the browser is given one if it has none."""
        if self._secret is None and self._new_secret is None:
            self._new_secret = secrets.token_urlsafe(32)
        return self._secret or self._new_secret or ""

    def _stream(self) -> str | None:
        changes = self.app.changes
        return changes.path if changes and self.app.may_open(changes, self.who) else None

    def _tabs(self) -> list[tuple[str, str, bool]]:
        """Path, title and whether it is this one, of the pages of the navigation that this person may open."""
        return [
            (tab.path, tab.title, self.path == tab.path) for tab in self.app.tabs if self.app.may_open(tab, self.who)
        ]


def visit_of(app: Application, request: Request, *, path: str) -> Visit:
    return Visit(
        app=app,
        method=request.method,
        path=path,
        query=request.query_params,
        params=request.path_params,
        cookies=request.cookies,
        browser=browser_of(request.headers.get("user-agent", "")),
        from_elsewhere=request.headers.get("sec-fetch-site", "none") not in ("same-origin", "none"),
        is_fragment="x-fragment" in request.headers,
    )
