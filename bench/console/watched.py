"""A page of a queue in a real browser, which notes when each of its rows is seen to change."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from playwright.sync_api import Page, sync_playwright

from bench.console.office import Office
from tests.support.chromium import ARGUMENTS, find

MARK = "For the safeguarding lead first"
"""What a row says, or doesn't, and by that shows which of two events it has taken in."""

_NOTE = f"""() => {{
  const says = (row) => row.textContent.includes("{MARK}");
  const rows = () => [...document.querySelectorAll("tr[data-key]")];
  const known = new Map(rows().map((row) => [row.dataset.key, says(row)]));
  window.noted = [];
  new MutationObserver(() => {{
    const at = performance.timeOrigin + performance.now();
    for (const row of rows()) {{
      const now = says(row);
      if (known.get(row.dataset.key) !== now) window.noted.push([row.dataset.key, now, at / 1000]);
      known.set(row.dataset.key, now);
    }}
  }}).observe(document.getElementById("items"), {{ subtree: true, childList: true, characterData: true }});
  return Object.fromEntries(known);
}}"""


@dataclass(frozen=True)
class Change:
    """A row, whether it says MARK, and since when, in seconds of the machine's clock: published, or seen."""

    key: str
    marked: bool
    at: float


@contextmanager
def watched(office: Office, path: str) -> Iterator[tuple[Page, dict[str, bool]]]:
    """The page, and by key which of its rows say MARK."""
    name, value = office.cookie_pair
    executable = find()
    if executable is None:
        raise RuntimeError("Chromium is not installed: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=ARGUMENTS)
        try:
            context = browser.new_context()
            context.add_cookies([{"name": name, "value": value, "url": office.address}])
            page = context.new_page()
            page.goto(f"{office.address}{path}")
            yield page, page.evaluate(_NOTE)
        finally:
            browser.close()


def seen_by(page: Page) -> list[Change]:
    return [Change(*one) for one in page.evaluate("() => window.noted")]


def delays(published: Sequence[Change], seen: Sequence[Change]) -> list[float]:
    """Seconds from each that was published until it was seen; infinite for what never was.

    What was undone before anybody could see it is counted from the first to what followed it.
    """
    found = []
    for change in published:
        since = [
            one.at for one in seen if one.key == change.key and one.at >= change.at and one.marked == change.marked
        ]
        found.append(min(since) - change.at if since else float("inf"))
    return found
