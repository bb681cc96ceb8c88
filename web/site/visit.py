"""One request, as the pages see it, and what they answer with."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from web.site.languages import ENGLISH, LANGUAGES
from web.site.site import Site

LEFT = "left"
LEFT_SECONDS = 300
"""For so long after somebody has left in a hurry, Back shows an empty page."""


@dataclass
class Visit:
    """A request with its form already read. `who` is the network address, for limits only."""

    site: Site
    method: str
    path: str
    language: str
    fields: Mapping[str, Sequence[str]]
    query: Mapping[str, str]
    params: Mapping[str, Any]
    cookies: Mapping[str, str]
    who: str
    from_elsewhere: bool
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
        return HTMLResponse(html, status, {"Content-Language": self.language})

    def go_to(self, path: str) -> Response:
        """Another page, in the same language."""
        return RedirectResponse(path if self.language == ENGLISH else f"/{self.language}{path}", 303)

    def remember(self, response: Response, token: str) -> Response:
        """Ties the session to the browser until it is closed."""
        response.set_cookie(self.cookie_name, token, httponly=True, samesite="strict", secure=self.site.settings.secure)
        return response

    def forget(self, response: Response) -> Response:
        """Ends the session, here and in the browser."""
        self.site.sessions.end(self.token)
        response.delete_cookie(self.cookie_name, httponly=True, samesite="strict", secure=self.site.settings.secure)
        return response


def visit_of(site: Site, request: Request, fields: Mapping[str, Sequence[str]]) -> Visit:
    path, language = request.url.path, ENGLISH
    for one in LANGUAGES:
        if path == f"/{one}" or path.startswith(f"/{one}/"):
            path, language = path[len(one) + 1 :] or "/", one
    return Visit(
        site=site,
        method=request.method,
        path=path,
        language=language,
        fields=fields,
        query=request.query_params,
        params=request.path_params,
        cookies=request.cookies,
        who=request.client.host if request.client else "",
        from_elsewhere=request.headers.get("sec-fetch-site", "none") not in ("same-origin", "none"),
    )
