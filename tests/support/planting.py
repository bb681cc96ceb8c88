"""Values that stand nowhere else, and the search for them in every form in which they might have leaked."""

from __future__ import annotations

import base64
import gzip
import urllib.parse
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

BASE64_OFFSETS = range(3)
"""Where in a group of three bytes a value may begin that was encoded along with what stands around it."""

SHORTEST = 7
"""Bytes of a form that is looked for: a shorter one stands somewhere by chance."""


@dataclass(frozen=True)
class Found:
    """A planted value that was found: the field it was typed into, in which form, and where. Never the value."""

    field: str
    form: str
    where: str


def forms_of(value: str) -> Iterator[tuple[str, bytes]]:
    """The value as bytes, plain and in every encoding that somebody may have put it through, with the name of each."""
    plain = value.encode()
    yield "plain", plain
    yield "lower case", value.lower().encode()
    yield "upper case", value.upper().encode()
    yield "JSON", value.encode("unicode_escape")
    yield "UTF-16", value.encode("utf-16-le")
    yield "UTF-16, the other way round", value.encode("utf-16-be")
    yield "hex", plain.hex().encode()
    yield "upper-case hex", plain.hex().upper().encode()
    yield "URL", urllib.parse.quote(value).encode()
    yield "quoted-printable", value.replace("=", "=3D").encode()
    for offset in BASE64_OFFSETS:
        # What stands at the ends of the group is mixed with its neighbours, so it is left out.
        encoded = base64.b64encode(b"\0" * offset + plain)
        whole = encoded[4 if offset else 0 : len(encoded) - 4]
        yield f"base64 at {offset}", whole
        yield f"URL-safe base64 at {offset}", whole.replace(b"+", b"-").replace(b"/", b"_")


class Planted:
    """What was typed into a form, by field."""

    def __init__(self, values: Mapping[str, str]) -> None:
        # Many forms of a value are the same bytes, which are looked for once: there is much to be searched.
        self._forms: dict[bytes, list[tuple[str, str]]] = {}
        for field, value in values.items():
            for form, wanted in forms_of(value):
                if len(wanted) >= SHORTEST:
                    self._forms.setdefault(wanted, []).append((field, form))

    def search(self, where: str, content: bytes) -> list[Found]:
        """Every planted value that stands in the content, in any form."""
        return [
            Found(field, form, where)
            for wanted, named in self._forms.items()
            if wanted in content
            for field, form in named
        ]

    def search_all(self, places: Iterable[tuple[str, bytes]]) -> list[Found]:
        return [found for where, content in places for found in self.search(where, content)]


def files_under(folder: Path, *, but: Iterable[Path] = ()) -> Iterator[tuple[str, bytes]]:
    """Every file's name and content, and what is compressed in it; not what lies under one of `but`."""
    left_out = tuple(but)
    for path in sorted(folder.rglob("*")):
        if any(path.is_relative_to(one) for one in left_out):
            continue
        name = str(path.relative_to(folder))
        yield f"the name of {name}", name.encode()
        if path.is_file():
            try:
                content = path.read_bytes()
            except FileNotFoundError:
                continue  # the broker had done with it
            yield name, content
            yield from _unpacked(name, content)


def _unpacked(name: str, content: bytes) -> Iterator[tuple[str, bytes]]:
    if content[:2] == b"\x1f\x8b":
        try:
            yield f"{name}, unpacked", gzip.decompress(content)
        except (OSError, EOFError, zlib.error):
            return
