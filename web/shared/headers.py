"""What every answer of a front-end carries in its headers."""

from __future__ import annotations

from collections.abc import Mapping


def content_security_policy(nonce: str | None = None) -> str:
    """A policy that allows nothing from other origins. `nonce` marks a page's one script; None if it has none."""
    scripts = f"'self' 'nonce-{nonce}'" if nonce else "'self'"
    return (
        f"default-src 'none'; script-src {scripts}; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    )


def common_headers(*, secure: bool) -> Mapping[str, str]:
    """The headers of every response that doesn't set its own. `secure`: it is asked for by HTTPS."""
    headers = {
        "Cache-Control": "no-store",
        "Content-Security-Policy": content_security_policy(),
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "X-Robots-Tag": "noindex, nofollow, noarchive",
    }
    if secure:
        headers["Strict-Transport-Security"] = "max-age=31536000"
    return headers
