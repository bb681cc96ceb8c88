"""One HTTP request as the pages see it, and the responses they can give."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from web.shared.headers import content_security_policy
from web.shared.languages import ENGLISH
from web.shared.limits import network_of
from web.site.site import Site

LEFT = "left"
LEFT_SECONDS = 300
"""How long Back shows an empty page after a quick exit."""

REQUEST = "request"
LINKS = ("form", "offer", "alert", "client", "client-right", REQUEST)
"""The names of secrets that have a cookie each: the kinds of one-time links, the right earned by typing a code, and
a request that was looked up."""


@dataclass
class Visit:
    """A request with its form already read. `path` is where the page is, without the language, and holds nothing that
    the visitor chose; `who` is the address they come from, as `limits.network_of` counts it, for limits only."""

    site: Site
    method: str = "GET"
    path: str = "/"
    language: str = ENGLISH
    fields: Mapping[str, Sequence[str]] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    params: Mapping[str, Any] = field(default_factory=dict)
    cookies: Mapping[str, str] = field(default_factory=dict)
    who: str = ""
    from_elsewhere: bool = False
    nonce: str = field(default_factory=lambda: secrets.token_urlsafe(16))

    @property
    def token(self) -> str | None:
        return self.cookies.get(self.cookie_name)

    @property
    def cookie_name(self) -> str:
        return "__Host-visit" if self.site.settings.secure else "visit"

    @property
    def is_post(self) -> bool:
        return self.method == "POST"

    def first(self, name: str) -> str:
        """The field as it was typed, without spaces around it."""
        values = self.fields.get(name) or ("",)
        return values[0].strip()

    def page(self, template: str, *, status: int = 200, **values: Any) -> Response:
        html = self.site.renderer.page(template, language=self.language, path=self.path, nonce=self.nonce, **values)
        policy = content_security_policy(self.nonce)
        return HTMLResponse(html, status, {"Content-Language": self.language, "Content-Security-Policy": policy})

    def secret_of(self, link: str) -> str | None:
        """The secret of the link of this kind that was opened last."""
        return self.cookies.get(self._link_cookie(link))

    def remember_secret(self, response: Response, link: str, secret: str) -> Response:
        """Sets the cookie of a secret, for as long as a session lasts. That of a request ends with the browser, because
        somebody else may use it next. SameSite is `lax` because links in e-mails are followed from other sites."""
        response.set_cookie(
            self._link_cookie(link),
            secret,
            max_age=None if link == REQUEST else round(self.site.settings.session.total_seconds()),
            httponly=True,
            samesite="lax",
            secure=self.site.settings.secure,
        )
        return response

    def _link_cookie(self, link: str) -> str:
        return f"__Host-{link}" if self.site.settings.secure else link

    def go_to(self, path: str, *, language: str = "") -> Response:
        """Another page, in the same language unless another is named."""
        language = language or self.language
        return RedirectResponse(path if language == ENGLISH else f"/{language}{path}", 303)

    def remember(self, response: Response, token: str) -> Response:
        """Sets the session's cookie until the browser is closed."""
        response.set_cookie(self.cookie_name, token, httponly=True, samesite="strict", secure=self.site.settings.secure)
        return response

    def forget(self, response: Response) -> Response:
        """Ends the session, here and in the browser."""
        self.site.sessions.end(self.token)
        for link in LINKS:
            self.site.sessions.end(session_token_for(self.secret_of(link)))
            response.delete_cookie(
                self._link_cookie(link), httponly=True, samesite="lax", secure=self.site.settings.secure
            )
        response.delete_cookie(self.cookie_name, httponly=True, samesite="strict", secure=self.site.settings.secure)
        return response


def handle_of(secret: str) -> str:
    """A CSRF token for the page that a secret opens. It also rejects a page that was opened with another secret."""
    return hashlib.sha256(b"page:" + secret.encode()).hexdigest()[:32]


def session_token_for(secret: str | None) -> str | None:
    """The token of the session with the unsent answers behind a link, or None without a secret."""
    return f"draft:{secret}" if secret else None


def visit_of(site: Site, request: Request, *, language: str, path: str = "/") -> Visit:
    """The request as the pages see it. `path` must not come from the visitor, because links contain it."""
    return Visit(
        site=site,
        method=request.method,
        path=path,
        language=language,
        query=request.query_params,
        params=request.path_params,
        cookies=request.cookies,
        who=network_of(request.client.host) if request.client else "",
        from_elsewhere=request.headers.get("sec-fetch-site", "none") not in ("same-origin", "none"),
    )
