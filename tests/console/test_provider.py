"""Signing in at an OpenID provider: a small real one, on a port of this machine."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from contracts.permissions import Role
from tests.console.conftest import ORIGIN, Browser, House
from tests.console.test_signing_in import ADA
from web.shared.accounts.application.provider import Provider
from web.shared.accounts.domain.vocabulary import State

BEN = "ben@example.org"


@dataclass
class SmallProvider:
    """Signs in whoever comes, as whom its claims say."""

    issuer: str = ""
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, auto_kid=True))
    claims: dict[str, Any] = field(default_factory=dict)
    asked: dict[str, Any] = field(default_factory=dict)

    def authorize(self, url: str) -> str:
        """Where the browser is sent back to."""
        self.asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        return f"{urlsplit(self.asked['redirect_uri']).path}?code=the-code&state={self.asked['state']}"

    def answer(self, path: str, form: dict[str, str], authorization: str) -> dict[str, Any]:
        if path == "/.well-known/openid-configuration":
            names = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "keys"}
            return {"issuer": self.issuer, **{name: f"{self.issuer}/{at}" for name, at in names.items()}}
        if path == "/keys":
            return {"keys": [self.key.as_dict(private=False)]}
        assert path == "/token"
        assert authorization == "Basic " + base64.b64encode(b"console:secret").decode()
        assert form["code"] == "the-code"
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        assert base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == self.asked["code_challenge"]
        now = int(time.time())
        claims = {
            "iss": self.issuer, "aud": "console", "sub": "ben-1", "nonce": self.asked["nonce"], "iat": now,
            "exp": now + 60, "email": BEN, "email_verified": True, "name": "Ben Example",
            "groups": ["trustees", "money", "admins"], "amr": ["pwd", "mfa"], **self.claims,
        }  # fmt: skip
        return {"id_token": jwt.encode({"alg": "RS256", "kid": self.key.kid}, claims, self.key)}


@pytest.fixture(scope="module")
def served() -> Iterator[SmallProvider]:
    provider = SmallProvider()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer({})

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            self._answer({name: values[0] for name, values in parse_qs(body).items()})

        def _answer(self, form: dict[str, str]) -> None:
            body = json.dumps(provider.answer(self.path, form, self.headers.get("Authorization", ""))).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    provider.issuer = f"http://127.0.0.1:{server.server_port}"
    yield provider
    server.shutdown()


@pytest.fixture
def op(served: SmallProvider) -> SmallProvider:
    served.claims = {}
    return served


@pytest.fixture
def federated(house: House, op: SmallProvider) -> House:
    provider = Provider(
        issuer=op.issuer,
        client_id="console",
        client_secret="secret",
        redirect_uri=f"{ORIGIN}/sign-in/provider/back",
        roles={"trustees": Role.TRUSTEE, "money": Role.FINANCE, "admins": Role.ADMINISTRATOR},
    )
    object.__setattr__(house.accounts, "provider", provider)
    return house


def come_back(house: House, op: SmallProvider, browser: Browser | None = None) -> Browser:
    """Goes to the provider and back."""
    browser = browser or house.browse()
    fields = {"csrf": browser.token_for_forms()}
    left = browser.client.post("/sign-in/provider", data=fields, follow_redirects=False)
    assert left.headers["Location"].startswith(op.issuer)
    browser.open(op.authorize(left.headers["Location"]))
    return browser


def test_somebody_new_gets_the_roles_of_their_groups_and_is_never_an_administrator(
    federated: House, op: SmallProvider
) -> None:
    federated.first_administrator()
    ben = come_back(federated, op)
    assert ben.path == "/account", ben.text
    with federated.accounts.reading() as work:
        found = work.accounts.find_by_email(BEN)
    assert found
    assert found.roles == {Role.TRUSTEE}
    assert {grant.role for grant in found.grants} == {Role.TRUSTEE, Role.FINANCE}  # the latter waits to be confirmed


def test_without_the_providers_second_factor_ours_is_asked_for(federated: House, op: SmallProvider) -> None:
    op.claims = {"amr": ["pwd"]}
    ben = come_back(federated, op)
    assert ben.path == "/set-up/factor"
    ben.add_app()
    again = come_back(federated, op)
    assert again.path == "/sign-in/code"


def test_whoever_has_no_password_here_proves_who_they_are_at_the_provider(federated: House, op: SmallProvider) -> None:
    ben = come_back(federated, op)
    assert "prompt" not in op.asked
    federated.clock.advance(timedelta(minutes=31))
    ben.open("/account/password")
    assert ben.path == "/sign-in/again"
    come_back(federated, op, ben)
    assert op.asked["prompt"] == "login"
    assert ben.open("/account/password").url.path == "/account/password"


def test_an_account_with_a_password_is_not_taken_over(federated: House, op: SmallProvider) -> None:
    federated.first_administrator()
    op.claims = {"email": ADA, "sub": "mallory"}
    assert come_back(federated, op).last.status_code == 403


def test_whoever_was_invited_may_come_by_the_provider(federated: House, op: SmallProvider) -> None:
    federated.invite(federated.first_administrator(), BEN)
    op.claims = {"sub": "ben-2"}
    assert come_back(federated, op).path == "/account"
    with federated.accounts.reading() as work:
        found = work.accounts.find_by_email(BEN)
    assert found
    assert found.account.state is State.ACTIVE


@pytest.mark.parametrize(
    "forged",
    [{"iss": "https://evil.example.org"}, {"aud": "another"}, {"nonce": "another"}, {"exp": 1}, {"sub": None},
     {"email_verified": False}, {"email_verified": None}],
    ids=str,
)  # fmt: skip
def test_a_token_that_isnt_for_us_signs_nobody_in(federated: House, op: SmallProvider, forged: dict[str, Any]) -> None:
    op.claims = forged
    browser = come_back(federated, op)
    assert browser.last.status_code == 503
    assert browser.open("/account").url.path == "/sign-in"


def test_a_token_signed_by_another_key_signs_nobody_in(federated: House, op: SmallProvider) -> None:
    right, op.key = op.key, RSAKey.generate_key(2048, auto_kid=True)
    published = right.as_dict(private=False)
    answer = op.answer
    op.answer = lambda path, *given: {"keys": [published]} if path == "/keys" else answer(path, *given)  # type: ignore[method-assign]
    try:
        assert come_back(federated, op).last.status_code == 503
    finally:
        op.key = right
        del op.answer


def test_only_the_browser_that_went_there_comes_back(federated: House, op: SmallProvider) -> None:
    """Else somebody could be signed in as another, and what they do would be on the other's record."""
    mallory = federated.browse()
    left = mallory.client.post("/sign-in/provider", data={"csrf": mallory.token_for_forms()}, follow_redirects=False)
    victim = federated.browse()
    fields = {"csrf": victim.token_for_forms()}
    victim.client.post("/sign-in/provider", data=fields, follow_redirects=False)  # they have begun, too
    victim.open(op.authorize(left.headers["Location"]))
    assert victim.last.status_code == 400
    assert victim.open("/account").url.path == "/sign-in"


def test_whoever_has_left_doesnt_come_back_by_the_provider(federated: House, op: SmallProvider) -> None:
    ada = federated.first_administrator()
    come_back(federated, op)
    path = f"/people/{federated.id_of(BEN)}/lock"
    ada.open(path)
    ada.post(path)
    assert come_back(federated, op).last.status_code == 403
