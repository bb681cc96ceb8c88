"""Stylesheets, scripts and images: shared ones and a front-end's own, under one address."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cache
from pathlib import Path

from starlette.responses import Response
from starlette.staticfiles import StaticFiles

SHARED = Path(__file__).parent / "static"


class Assets(StaticFiles):
    """The files of these folders, cached for ever by browsers: their addresses change with their content."""

    def __init__(self, *folders: Path) -> None:
        super().__init__(directory=folders[0])
        self.all_directories = list(folders)

    def file_response(self, *arguments: object, **named: object) -> Response:
        response = super().file_response(*arguments, **named)  # type: ignore[arg-type]
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return response


def addresses(*folders: Path) -> Callable[[str], str]:
    """A function from a file's name to its address."""

    @cache
    def address(name: str) -> str:
        path = next(folder / name for folder in folders if (folder / name).exists())
        return f"/static/{name}?v={hashlib.sha256(path.read_bytes()).hexdigest()[:10]}"

    return address
