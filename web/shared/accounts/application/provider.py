"""Signing in at an OpenID provider (authorization code flow with PKCE), where one is configured.

The provider says who somebody is and in which groups; a group stands for a role. It makes no administrators, and a role
that reveals personal data or moves money is confirmed by a second person here, too.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import httpx2
from email_validator import validate_email
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from contracts.permissions import Role
from web.shared.accounts.domain.sessions import RECENT

TIMEOUT_SECONDS = 10.0
ALGORITHMS = ["RS256", "ES256", "PS256", "EdDSA"]
SECOND_FACTORS = frozenset({"mfa", "otp", "hwk", "swk", "sms", "pop"})
"""Values of `amr` (RFC 8176) that say that more than a password was asked for."""


class ProviderFailed(Exception):
    """The provider can't be reached, or its answer isn't what it should be."""


@dataclass(frozen=True)
class Claims:
    """What a provider says of somebody. `ago` is how long ago it asked who they are; None if it doesn't say."""

    subject: str
    email: str
    name: str
    groups: frozenset[str]
    has_second_factor: bool
    ago: timedelta | None


@dataclass(frozen=True)
class Started:
    """A sign-in that has begun: where the browser goes, and what has to come back with it."""

    url: str
    state: str
    nonce: str
    verifier: str


@dataclass
class Provider:
    """One OpenID provider. `roles` maps its groups to roles."""

    issuer: str
    client_id: str
    client_secret: str
    redirect_uri: str
    roles: Mapping[str, Role]
    name: str = "your organisation"
    _metadata: Mapping[str, Any] = field(default_factory=dict)

    def start(self, *, again: bool) -> Started:
        """`again`: the provider is to ask who it is, also if it knows them already. Raises ProviderFailed.

        Whoever has the browser can take that out of the address, and so what counts is when the provider says that it
        asked: `max_age` has it say so.
        """
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        asked = {
            "response_type": "code", "client_id": self.client_id, "redirect_uri": self.redirect_uri,
            "scope": "openid email profile", "state": state, "nonce": nonce,
            "code_challenge": challenge, "code_challenge_method": "S256",
            "max_age": round(RECENT.total_seconds()),
        }  # fmt: skip
        asked |= {"prompt": "login"} if again else {}
        return Started(f"{self._endpoint('authorization_endpoint')}?{urlencode(asked)}", state, nonce, verifier)

    def finish(self, code: str, *, nonce: str, verifier: str) -> Claims:
        """Who has signed in, for the code that the browser came back with. Raises ProviderFailed."""
        form = {
            "grant_type": "authorization_code", "code": code, "redirect_uri": self.redirect_uri,
            "code_verifier": verifier,
        }  # fmt: skip
        answer = self._ask(
            "POST", self._endpoint("token_endpoint"), data=form, auth=(self.client_id, self.client_secret)
        )
        keys = self._ask("GET", self._endpoint("jwks_uri"))
        try:
            claims = jwt.decode(answer["id_token"], KeySet.import_key_set(keys), algorithms=ALGORITHMS).claims
            self._check(claims, nonce)
            return _read(claims)
        except (JoseError, KeyError, TypeError, ValueError):
            raise ProviderFailed from None

    def roles_of(self, groups: frozenset[str]) -> frozenset[Role]:
        """The roles that these groups stand for; administrators are made by administrators."""
        return frozenset(role for group, role in self.roles.items() if group in groups) - {Role.ADMINISTRATOR}

    def _check(self, claims: Mapping[str, Any], nonce: str) -> None:
        """Raises JoseError."""
        registry = jwt.JWTClaimsRegistry(
            leeway=30,
            iss={"essential": True, "value": self.issuer},
            aud={"essential": True, "value": self.client_id},
            nonce={"essential": True, "value": nonce},
            exp={"essential": True},
            sub={"essential": True},
        )
        registry.validate(dict(claims))

    def _endpoint(self, name: str) -> str:
        """Raises ProviderFailed."""
        if not self._metadata:
            self._metadata = self._ask("GET", f"{self.issuer.rstrip('/')}/.well-known/openid-configuration")
            if self._metadata.get("issuer") != self.issuer:
                self._metadata = {}
                raise ProviderFailed
        try:
            return str(self._metadata[name])
        except KeyError:
            raise ProviderFailed from None

    def _ask(self, method: str, url: str, **options: Any) -> Any:
        try:
            answer = httpx2.request(method, url, timeout=TIMEOUT_SECONDS, **options)
            answer.raise_for_status()
            content = answer.json()
        except (httpx2.HTTPError, ValueError):
            raise ProviderFailed from None
        if not isinstance(content, dict):
            raise ProviderFailed
        return content


def _read(claims: Mapping[str, Any]) -> Claims:
    """Raises KeyError, ValueError. An e-mail address counts only if the provider has verified it, and of a name what
    stays in its line."""
    if claims.get("email_verified") is not True:
        raise ValueError("the e-mail address isn't verified")
    email, groups = str(claims["email"]), claims.get("groups", [])
    validate_email(email, check_deliverability=False, test_environment=True)
    name = "".join(character for character in str(claims.get("name", "")) if character.isprintable()).strip()
    return Claims(
        subject=str(claims["sub"])[:255],
        email=email,
        name=(name or email)[:120],
        groups=frozenset(str(group) for group in groups) if isinstance(groups, list) else frozenset(),
        has_second_factor=bool(SECOND_FACTORS & set(claims.get("amr") or ())),
        ago=_ago(claims.get("auth_time")),
    )


def _ago(auth_time: Any) -> timedelta | None:
    """By the machine's own time, as the rest of the token."""
    if not isinstance(auth_time, int | float):
        return None
    return timedelta(seconds=max(0, min(time.time() - auth_time, RECENT.total_seconds())))
