"""A key pair for a single answer. It exists only while the caller waits, and is never stored.

The public key is sent with the command, so that the answer can be sealed to the caller without any stored key. The
broker's permissions decide who may give the command at all; see `chassis.bus.permissions`.
"""

from __future__ import annotations

import json

from joserfc import jwe
from joserfc.jwk import ECKey

from chassis.privacy.sealing import ALGORITHM, ENCRYPTION, REGISTRY, ShapeT, Unopenable, read_content
from contracts.commands.subject import MOST_SEALED_CHARACTERS
from contracts.shape import Shape


class AnswerRegistry(jwe.JWERegistry):
    """The limits for opening an answer: it may be much longer than a message, since one answer holds all data about a
    person."""

    max_ciphertext_length = MOST_SEALED_CHARACTERS


ANSWERS = AnswerRegistry(algorithms=[ALGORITHM, ENCRYPTION])


class NotAKey(ValueError):
    """What the caller sent is no public key of this kind."""


class OneTimeKey:
    """A new key pair. `public` is the public key as a JWK, in JSON; `open` opens what was sealed to it."""

    def __init__(self) -> None:
        self._key = ECKey.generate_key("P-256", private=True, auto_kid=True)
        self.public = json.dumps(self._key.as_dict(private=False))

    def open(self, kind: type[ShapeT], sealed: str) -> ShapeT:
        """Opens what was sealed to this key. Raises Unopenable, or InvalidShape for its content."""
        try:
            content = jwe.decrypt_compact(sealed, self._key, registry=ANSWERS).plaintext
        except Exception:  # see `chassis.privacy.sealing.Keyring.open`
            raise Unopenable("not sealed to this key, or altered on the way") from None
        return read_content(kind, content)


def seal_to(public: str, shape: Shape) -> str:
    """The shape as a compact JWE to a public key. Raises NotAKey."""
    try:
        key = ECKey.import_key(json.loads(public))
    except Exception:
        raise NotAKey("a P-256 public key as a JWK is needed to seal the answer to") from None
    if key.is_private or key.curve_name != "P-256":
        raise NotAKey("a P-256 public key as a JWK is needed to seal the answer to")
    header = {"alg": ALGORITHM, "enc": ENCRYPTION, "typ": "JWE"}
    return jwe.encrypt_compact(header, shape.encode(), key, registry=REGISTRY)
