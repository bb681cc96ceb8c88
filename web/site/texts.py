"""Marks a text for translation where it stands; it is translated when it is shown."""

from __future__ import annotations


def N_(text: str) -> str:  # noqa: N802
    """Gettext's name for "extract this, and translate it later"."""
    return text
