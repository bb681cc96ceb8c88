"""Which secret keys lie in a folder and can be read from here: in production one's own alone."""

from __future__ import annotations

import os
from pathlib import Path

PRIVATE_SUFFIX, SIGNING_SUFFIX = ".private.json", ".signing.json"
"""Of a reader's private key (`chassis.privacy.sealing`), and of a front-end's signing key (`chassis.access.tokens`)."""


def readable_keys(folder: Path | None, suffix: str) -> tuple[str, ...]:
    """Whose keys of this kind can be read; none without a folder."""
    found = sorted(folder.glob(f"*{suffix}")) if folder else []
    return tuple(path.name.removesuffix(suffix) for path in found if os.access(path, os.R_OK))
