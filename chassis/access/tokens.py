"""Tokens: with each command a front-end says who gives it, signed with the front-end's own key.

A token is a JWS (RFC 7515, compact) by Ed25519 (RFC 9864) over a `CommandToken` in JSON. It is good for one command
with exactly these arguments, at one service, for a minute. It travels in the header `nameko.auth_token`, where nameko's
own clients put `auth_token` of their context data.

Keys lie in files: `<front-end>.signing.json` (a JWK set, the newest first) for the front-end alone, and the public
parts in `signers/<front-end>.json` for all services. Two are good at a time, so that a key can be replaced while tokens
of the older one are on their way.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import orjson
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, OKPKey

from chassis.access.actor import Actor, Person, SignIn
from chassis.privacy.sealing import NoKey, write_key_file
from contracts.permissions import CEILINGS, FrontEnd, Permission
from contracts.refused import Refused
from contracts.token import CommandToken

ALGORITHM, KIND = "Ed25519", "leeward-command"
REGISTRY = jws.JWSRegistry(algorithms=[ALGORITHM])
HEADER = "nameko.auth_token"

LIFE = timedelta(minutes=1)
"""How long a token is good for."""
CLOCK_TOLERANCE = timedelta(seconds=30)
"""How much a front-end's clock may be ahead of, or behind, a service's."""
KEYS_IN_FORCE = 2
SIGNERS = "signers"
"""The folder of the public keys, which services read again when a key is replaced."""
MAX_TOKEN = 16_384
RELOAD_SECONDS, KNOWN_FOR_SECONDS = 5.0, 60.0
"""How often at most key files are read again because of a key that isn't known, and for how long one that is known is
good without: one that was taken away must not stay."""

SystemTime = Callable[[], datetime]


class TokenNotValid(Refused):
    """The token doesn't stand for this command. `reason` says in a code why, for the record."""

    def __init__(self, message: str, *, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


class TokenExpired(TokenNotValid):
    """The token is older than a minute, or comes from a clock that is wrong."""


def now() -> datetime:
    """The machine's own time: not the clock of the rules, which a demonstration moves by months for services alone."""
    return datetime.now(UTC)


class Signer:
    """Signs commands with the key of one front-end, at whose side `folder` lies. Raises NoKey."""

    def __init__(self, folder: Path, front_end: FrontEnd, *, clock: SystemTime = now) -> None:
        path = folder / f"{front_end}.signing.json"
        if not path.is_file():
            raise NoKey(f"{path} is missing; `leeward keys make` makes it")
        self._front_end, self._clock = front_end, clock
        self._key = OKPKey.import_key(json.loads(path.read_text())["keys"][0])

    def sign(
        self, person: Person, service: str, command: str, fields: Mapping[str, Any], command_id: UUID | None = None
    ) -> str:
        """A token for one command. The same `command_id` says that it is the same command, sent again."""
        token = CommandToken(
            front_end=self._front_end,
            audience=service,
            command=command,
            command_id=command_id or uuid4(),
            digest=digest_of(fields),
            person=person.name,
            permissions=tuple(sorted(person.permissions)),
            signed_in_at=person.signed_in.at,
            factor=person.signed_in.factor,
            therapist_id=person.therapist_id,
            confirmed_by=person.confirmed_by,
            signed_at=self._clock(),
        )
        header = {"alg": ALGORITHM, "typ": KIND, "kid": self._key.kid}
        return jws.serialize_compact(header, token.encode(), self._key, registry=REGISTRY)


class Verifier:
    """Checks tokens for one service against the public keys in `folder`."""

    def __init__(self, folder: Path | None, service: str, *, clock: SystemTime = now) -> None:
        self._folder, self._service, self._clock = folder, service, clock
        self._keys: dict[str, tuple[FrontEnd, OKPKey]] = {}
        self._loaded_at = float("-inf")

    def verify(self, token: str, command: str, fields: Mapping[str, Any]) -> Actor:
        """The actor whom a token vouches for, within the ceiling of its front-end. Raises TokenNotValid."""
        claims = self._open(token)
        if claims.audience != self._service:
            raise TokenNotValid("The token was signed for another service.", reason="other_audience")
        if claims.command != command:
            raise TokenNotValid("The token was signed for another command.", reason="other_command")
        if not _is_digest(claims.digest, fields):
            raise TokenNotValid("The token was signed for other arguments.", reason="other_arguments")
        age = self._clock() - claims.signed_at
        if not -CLOCK_TOLERANCE <= age <= LIFE + CLOCK_TOLERANCE:
            raise TokenExpired("The token is too old, or a clock is wrong. Please try again.", reason="expired")
        return _actor(claims)

    def _open(self, token: str) -> CommandToken:
        if len(token) > MAX_TOKEN:
            raise TokenNotValid("The token can't be read.", reason="unreadable")
        try:
            signed = jws.extract_compact(token.encode())
            front_end, key = self._key(str(signed.protected.get("kid")))
            if not jws.validate_compact(signed, key, registry=REGISTRY):
                raise TokenNotValid("The token was altered on its way.", reason="altered")
            claims = CommandToken.from_json(orjson.loads(signed.payload))
        except (JoseError, ValueError, KeyError, TypeError, RecursionError):
            raise TokenNotValid("The token can't be read.", reason="unreadable") from None
        if signed.protected.get("typ") != KIND or claims.front_end is not front_end:
            raise TokenNotValid("The token was signed with another front-end's key.", reason="other_key")
        return claims

    def _key(self, key_id: str) -> tuple[FrontEnd, OKPKey]:
        lasts = KNOWN_FOR_SECONDS if key_id in self._keys else RELOAD_SECONDS
        if time.monotonic() > self._loaded_at + lasts:
            self._keys, self._loaded_at = dict(_public_keys(self._folder)), time.monotonic()
        if key_id not in self._keys:
            raise TokenNotValid("The token was signed with a key that isn't known here.", reason="unknown_key")
        return self._keys[key_id]


def _actor(claims: CommandToken) -> Actor:
    given = {permission for permission in Permission if permission in claims.permissions}
    person = Person(
        name=claims.person,
        permissions=CEILINGS[claims.front_end] & given,
        signed_in=SignIn(at=claims.signed_in_at, factor=claims.factor),
        therapist_id=claims.therapist_id,
        confirmed_by=claims.confirmed_by,
    )
    return Actor(
        front_end=claims.front_end,
        person=person,
        command_id=claims.command_id,
        signed_at=claims.signed_at,
        digest=claims.digest,
    )


def digest_of(fields: Mapping[str, Any]) -> str:
    """The SHA-256, in hex, of a command's arguments: as JSON with sorted keys, without spaces, in UTF-8."""
    return hashlib.sha256(orjson.dumps(fields, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _is_digest(digest: str, fields: Mapping[str, Any]) -> bool:
    try:
        return digest == digest_of(fields)
    except TypeError:  # half a character or a huge number, which came in as JSON and which nobody can have signed
        return False


def make_signing_key(folder: Path, front_end: FrontEnd) -> None:
    """Makes a new key for a front-end. Tokens of the key before are still good; those of older ones no longer."""
    private, public = folder / f"{front_end}.signing.json", folder / SIGNERS / f"{front_end}.json"
    public.parent.mkdir(parents=True, exist_ok=True)
    older = json.loads(private.read_text())["keys"] if private.exists() else []
    new = OKPKey.generate_key("Ed25519", private=True, auto_kid=True)
    keys = [new, *(OKPKey.import_key(key) for key in older)][:KEYS_IN_FORCE]
    write_key_file(public, {"keys": [key.as_dict(private=False) for key in keys]}, mode=0o644)
    write_key_file(private, {"keys": [key.as_dict(private=True) for key in keys]}, mode=0o600)


def _public_keys(folder: Path | None) -> Iterator[tuple[str, tuple[FrontEnd, OKPKey]]]:
    """The keys in force of all front-ends, by their ids."""
    for front_end in FrontEnd:
        path = folder / SIGNERS / f"{front_end}.json" if folder else None
        if path and path.is_file():
            for key in KeySet.import_key_set(json.loads(path.read_text())).keys:
                if isinstance(key, OKPKey) and key.kid:
                    yield key.kid, (front_end, key)
