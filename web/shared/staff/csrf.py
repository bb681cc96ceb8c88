"""Proof that a form was shown to whoever posts it: a digest of the secret in their cookie, which no other site sees."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

from wtforms.csrf.core import CSRF

FIELD = "csrf"


def csrf_token(secret: str) -> str:
    """The token for all forms that are shown under this secret. A new sign-in has a new secret, and new tokens."""
    return hmac.digest(secret.encode(), b"csrf", hashlib.sha256).hex()


def is_genuine(token: str, secret: str | None) -> bool:
    return bool(secret) and hmac.compare_digest(csrf_token(secret or "").encode(), token.encode(errors="replace"))


class SecretCSRF(CSRF):
    """Puts the token into WTForms' forms. Whether it is right is checked once for every POST, before any view."""

    def setup_form(self, form: Any) -> Any:
        self._secret: str = form.meta.csrf_context
        return super().setup_form(form)

    def generate_csrf_token(self, csrf_token_field: Any) -> str:
        return csrf_token(self._secret)

    def validate_csrf_token(self, form: Any, field: Any) -> None:
        return None
