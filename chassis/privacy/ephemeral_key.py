"""A key pair for one answer: it lives as long as whoever asks waits, and is never written down.

The public half travels with the question, so an answer can be sealed to whoever asks without a key being kept anywhere.
Who may ask at all is decided by the broker's users; see `chassis.bus.permissions`.
"""

from __future__ import annotations

import json

from joserfc import jwe
from joserfc.jwk import ECKey

from chassis.privacy.sealing import ALGORITHM, ENCRYPTION, REGISTRY, ShapeT, Unopenable, read_content
from contracts.commands.subject import MOST_SEALED_CHARACTERS
from contracts.shape import Shape


class AnswerRegistry(jwe.JWERegistry):
    """What may be opened here: much longer than a message, since all that is held about somebody is one answer."""

    max_ciphertext_length = MOST_SEALED_CHARACTERS


ANSWERS = AnswerRegistry(algorithms=[ALGORITHM, ENCRYPTION])


class NotAKey(ValueError):
    """What came with the question is no public key of this kind."""


class OneTimeKey:
    """Opens what was sealed to `public`."""

    def __init__(self) -> None:
        self._key = ECKey.generate_key("P-256", private=True, auto_kid=True)
        self.public = json.dumps(self._key.as_dict(private=False))

    def open(self, kind: type[ShapeT], sealed: str) -> ShapeT:
        """Raises Unopenable, or InvalidShape for what lies inside."""
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
