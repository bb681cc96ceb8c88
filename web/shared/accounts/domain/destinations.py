"""Where somebody is led after signing in: a page of ours, and nothing else."""

from __future__ import annotations

import re

HOME = "/"
_PAGE = re.compile(r"/(?![/\\])[A-Za-z0-9/_.~%?&=+:,-]*\Z")


def safe_destination(wanted: str | None) -> str:
    """The page if it is one of this application, and HOME otherwise.

    Browsers read `//host`, `/\\host` and `/<tab>/host` as other hosts, and a line break would end a header: only plain
    characters are let through.
    """
    return wanted if wanted and len(wanted) <= 300 and _PAGE.match(wanted) else HOME
