"""Signing in at an OpenID provider: a small real one, on a port of this machine."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from html import unescape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from contracts.permissions import Role
from tests.console.conftest import ORIGIN, Browser, House
from tests.console.test_signing_in import ADA
from web.shared.accounts.application import recovery
from web.shared.accounts.application.provider import Provider
from web.shared.accounts.domain.grants import RoleGrant
from web.shared.accounts.domain.vocabulary import GrantState, State

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
            "groups": ["trustees", "money", "admins"], "amr": ["pwd", "mfa"], "auth_time": now, **self.claims,
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
    house.first_administrator()
    return federate(house, op)


def federate(house: House, op: SmallProvider) -> House:
    provider = Provider(
        issuer=op.issuer,
        client_id="console",
        client_secret="secret",
        redirect_uri=f"{ORIGIN}/sign-in/provider/back",
        roles={"trustees": Role.TRUSTEE, "money": Role.FINANCE, "admins": Role.ADMINISTRATOR},
    )
    object.__setattr__(house.accounts, "provider", provider)
    return house


def signed_in_ada(house: House) -> Browser:
    """The administrator, at a browser of her own."""
    with house.accounts.reading() as work:
        found = work.accounts.find_by_email(ADA)
    assert found
    assert found.account.totp_secret
    ada = house.browse()
    ada.secret = house.accounts.cipher.decrypt(found.account.totp_secret, found.account.id)
    ada.sign_in(ADA)
    return ada


def act(house: House, action: str) -> None:
    """What the administrator does with Ben's account."""
    ada, path = signed_in_ada(house), f"/people/{house.id_of(BEN)}/{action}"
    ada.open(path)
    assert ada.post(path).status_code == 200


def come_back(house: House, op: SmallProvider, browser: Browser | None = None) -> Browser:
    """Goes to the provider and back."""
    browser = browser or house.browse()
    browser.open(op.authorize(leave(op, browser)))
    return browser


def leave(op: SmallProvider, browser: Browser) -> str:
    """The address at the provider where the browser is led."""
    left = browser.client.post("/sign-in/provider", data={"csrf": browser.token_for_forms()}, follow_redirects=False)
    assert left.status_code == 200, "a redirect would be stopped by form-action in Chromium"
    (to,) = re.findall(r'http-equiv="refresh" content="0; url=([^"]*)"', left.text)
    assert unescape(to).startswith(op.issuer)
    return unescape(to)


def test_somebody_new_gets_the_roles_of_their_groups_and_is_never_an_administrator(
    federated: House, op: SmallProvider
) -> None:
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
    op.claims = {"email": ADA, "sub": "mallory"}
    assert come_back(federated, op).last.status_code == 403


def test_whoever_was_invited_may_come_by_the_provider(federated: House, op: SmallProvider) -> None:
    federated.invite(signed_in_ada(federated), BEN)
    op.claims = {"sub": "ben-2"}
    assert come_back(federated, op).path == "/account"
    with federated.accounts.reading() as work:
        found = work.accounts.find_by_email(BEN)
    assert found
    assert found.account.state is State.ACTIVE


@pytest.mark.parametrize(
    "forged",
    [{"iss": "https://evil.example.org"}, {"aud": "another"}, {"nonce": "another"}, {"exp": 1}, {"sub": None},
     {"email_verified": False}, {"email_verified": None}, {"email": "no address"}, {"email": "a@example.org\nb"}],
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
    left = leave(op, federated.browse())
    victim = federated.browse()
    leave(op, victim)  # they have begun, too
    victim.open(op.authorize(left))
    assert victim.last.status_code == 400
    assert victim.open("/account").url.path == "/sign-in"


def test_whoever_has_left_doesnt_come_back_by_the_provider(federated: House, op: SmallProvider) -> None:
    come_back(federated, op)
    act(federated, "lock")
    assert come_back(federated, op).last.status_code == 403
    act(federated, "end")
    assert come_back(federated, op).last.status_code == 403
    op.claims = {"email": "ben.new@example.org"}  # which people change at many providers themselves
    assert come_back(federated, op).last.status_code == 403


def test_the_first_account_is_the_administrators(house: House, op: SmallProvider) -> None:
    """Whoever came before them would use up their link, and nobody could ever manage accounts."""
    link = recovery.first_link(house.accounts)
    federate(house, op)
    assert come_back(house, op).last.status_code == 403
    ada = house.browse()
    assert link
    ada.set_up(link, name="Ada Example", email=ADA)
    assert ada.open("/people").status_code == 200


@pytest.mark.parametrize(
    "at",
    [{"auth_time": int(time.time()) - 3_600}, {"auth_time": None}, {"auth_time": "now"}],
    ids=["old", "none", "odd"],
)
def test_a_sign_in_is_as_recent_as_the_provider_says(federated: House, op: SmallProvider, at: dict[str, Any]) -> None:
    """A browser that is left open could leave out `prompt` on the way there, and come back without anybody asked."""
    op.claims = at
    ben = come_back(federated, op)
    assert op.asked["max_age"] == "1800"
    assert ben.path == "/account"
    assert ben.open("/account/password").url.path == "/sign-in/again"
    come_back(federated, op, ben)
    assert ben.open("/account/password").url.path == "/sign-in/again"


def test_a_role_goes_with_the_group_that_gave_it(federated: House, op: SmallProvider) -> None:
    ben = come_back(federated, op)
    with federated.accounts.work() as work:
        person = work.accounts.find_by_email(BEN)
        assert person
        ada = work.accounts.find_by_email(ADA)
        assert ada
        own = RoleGrant(person.account.id, Role.OPERATOR, GrantState.EFFECTIVE, ada.account.id, work.now)
        work.accounts.add_grant(own)
    op.claims = {"groups": []}
    come_back(federated, op, ben)
    with federated.accounts.reading() as work:
        found = work.accounts.find_by_email(BEN)
    assert found
    assert found.roles == {Role.OPERATOR}
    assert [grant.role for grant in found.grants] == [Role.OPERATOR]


def test_a_name_from_the_provider_stays_in_its_line(federated: House, op: SmallProvider) -> None:
    op.claims = {"name": "Ben\r\nBcc: all@example.org\x00\u202e"}
    come_back(federated, op)
    with federated.accounts.reading() as work:
        found = work.accounts.find_by_email(BEN)
    assert found
    assert found.account.name == "BenBcc: all@example.org"
    op.claims = {"sub": "cat-1", "email": "cat@example.org", "name": "\n"}
    come_back(federated, op)
    with federated.accounts.reading() as work:
        found = work.accounts.find_by_email("cat@example.org")
    assert found
    assert found.account.name == "cat@example.org"
