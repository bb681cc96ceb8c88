"""A list's filters and pages, all of them in its address: filters can be taken away one by one, and a page is named by
the last row before it (keyset), so that a row that comes or goes meanwhile shifts nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

AFTER = "after"


@dataclass(frozen=True)
class Listing:
    """`filters` are those in use, by their name in the address: value and words. `before` is where this page begins,
    and `after` where the next one does; None at the end."""

    path: str
    filters: Mapping[str, tuple[str, str]]
    before: str
    after: str | None

    @property
    def chips(self) -> list[tuple[str, str]]:
        """Each filter's words, and the address without it."""
        return [(words, self._address(without=name)) for name, (_, words) in self.filters.items()]

    @property
    def here(self) -> str:
        """The list with its filters, from its first page on."""
        return self._address()

    @property
    def first(self) -> str | None:
        return self._address() if self.before else None

    @property
    def following(self) -> str | None:
        return self._address(after=self.after) if self.after else None

    def _address(self, *, without: str = "", after: str = "") -> str:
        query = {name: value for name, (value, _) in self.filters.items() if name != without}
        query |= {AFTER: after} if after else {}
        return f"{self.path}?{urlencode(query)}" if query else self.path
