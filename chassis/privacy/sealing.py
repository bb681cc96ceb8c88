"""Sealing: encrypting data for a single reader, as a JWE (RFC 7516) to that reader's public key.

ECDH-ES+A256KW wraps the key, A256GCM encrypts. Keys are P-256 JWKs in files: `<reader>.public.json` for everyone who
seals, `<reader>.private.json` (a JWK set, newest first) for the reader alone. The JWE's `kid` says which key of a
reader it was sealed to, so that keys can be replaced while sealed messages are under way.

The registry allows only these algorithms, no compression (so that a small message can't expand to a large one), and
nothing longer than about 64 KiB.
"""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

from joserfc import jwe
from joserfc.jwk import ECKey, KeySet

from contracts.shape import InvalidShape, Shape

ALGORITHM, ENCRYPTION = "ECDH-ES+A256KW", "A256GCM"
MAX_KEY_ID = 128
REGISTRY = jwe.JWERegistry(algorithms=[ALGORITHM, ENCRYPTION])

ShapeT = TypeVar("ShapeT", bound=Shape)


class Unopenable(ValueError):
    """Not a JWE, or not sealed to this reader, or altered on the way."""


class NoKey(LookupError):
    """A key file is missing; the message says where it was expected and how to make it."""


class Keyring:
    """Seals to any reader whose public key lies in `folder`, and opens what was sealed to `reader`."""

    def __init__(self, folder: Path, reader: str | None = None) -> None:
        self._folder = folder
        self._public: dict[str, ECKey] = {}
        self._private = _read_private(folder, reader) if reader else None
        if reader and self._private:  # a reader needs no file to seal to itself
            self._public[reader] = _newest(self._private)

    def seal(self, reader: str, shape: Shape) -> str:
        """The shape as a compact JWE that only `reader` can open. Raises NoKey."""
        if reader not in self._public:
            self._public[reader] = ECKey.import_key(json.loads(_read(self._folder, f"{reader}.public.json")))
        key = self._public[reader]
        header = {"alg": ALGORITHM, "enc": ENCRYPTION, "kid": key.kid, "typ": "JWE"}
        return jwe.encrypt_compact(header, shape.encode(), key, registry=REGISTRY)

    def open(self, kind: type[ShapeT], sealed: str) -> ShapeT:
        """Opens what was sealed to this reader. Raises Unopenable, or InvalidShape for its content."""
        if self._private is None:
            raise NoKey("this service has no private key to open anything with")
        try:
            content = jwe.decrypt_compact(sealed, self._private, registry=REGISTRY).plaintext
        except Exception:
            # Not only JoseError: altered data makes the library raise many errors (a KeyError for an unknown curve,
            # say), and retrying helps with none of them.
            raise Unopenable("not sealed to this reader, or altered on the way") from None
        return read_content(kind, content)


def key_of(sealed: str) -> str | None:
    """The id of the key that something is sealed to, from its header; None if it names none, or is no JWE."""
    try:
        kid = json.loads(b64decode(sealed.split(".", 1)[0] + "==", altchars=b"-_"))["kid"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return kid if isinstance(kid, str) and kid.isascii() and kid.isprintable() and len(kid) <= MAX_KEY_ID else None


def read_content(kind: type[ShapeT], content: bytes | None) -> ShapeT:
    """The shape inside a JWE that was opened. Raises InvalidShape.

    It uses the standard library's JSON, which accepts half a surrogate pair, so that the shape can name the field that
    holds it; orjson would refuse the whole.
    """
    try:
        data = json.loads(content or b"")
    except (ValueError, RecursionError):
        raise InvalidShape(kind.__name__, {"sealed": ["Not JSON inside, or nested too deeply."]}) from None
    return kind.from_json(data)


def make_keys(folder: Path, reader: str) -> None:
    """Makes a new key pair for a reader; older private keys are kept, so that what is under way can still be opened."""
    folder.mkdir(parents=True, exist_ok=True)
    key = ECKey.generate_key("P-256", private=True, auto_kid=True)
    private = folder / f"{reader}.private.json"
    older = json.loads(private.read_text())["keys"] if private.exists() else []
    write_key_file(private, {"keys": [key.as_dict(private=True), *older]}, mode=0o600)
    write_key_file(folder / f"{reader}.public.json", key.as_dict(private=False), mode=0o644)


def write_key_file(path: Path, content: Mapping[str, object], *, mode: int) -> None:
    replacement = path.with_suffix(".new")
    replacement.touch(mode=mode)
    replacement.write_text(json.dumps(content, indent=2))
    replacement.replace(path)


def _newest(keys: KeySet) -> ECKey:
    key = keys.keys[0]
    assert isinstance(key, ECKey)
    return key


def _read_private(folder: Path, reader: str) -> KeySet:
    return KeySet.import_key_set(json.loads(_read(folder, f"{reader}.private.json")))


def _read(folder: Path, name: str) -> str:
    path = folder / name
    if not path.is_file():
        raise NoKey(f"{path} is missing; `leeward keys make` makes it")
    return path.read_text()
