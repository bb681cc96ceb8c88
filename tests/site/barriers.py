"""What keeps people from using a page: axe's rules, and a page that is wider than its window."""

from __future__ import annotations

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

FITS = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
SIZES = (("320 px", 320, "100%"), ("200 % zoom", 640, "100%"), ("200 % text", 1280, "200%"))

OPTIONS = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "resultTypes": ["violations"],  # every rule runs, but what passes is not described element by element
}


def look_for_barriers(page: Page) -> None:
    """WCAG 2.2 at level AA, and what axe calls best practice; then whether it has to be scrolled sideways."""
    results = Axe().run(page, options=OPTIONS)
    assert results.violations_count == 0, results.generate_report()
    assert scrolls_sideways(page) == [], page.url


def scrolls_sideways(page: Page) -> list[str]:
    """In which of these sizes the page is wider than its window."""
    before, found = page.viewport_size, []
    for name, width, text in SIZES:
        page.set_viewport_size({"width": width, "height": 700})
        if not page.evaluate(f"document.documentElement.style.fontSize = '{text}'; {FITS}"):
            found.append(name)
    page.evaluate("document.documentElement.style.fontSize = ''")
    if before:
        page.set_viewport_size(before)
    return found


def what_it_says(page: Page) -> str:
    """A page by its words: two that say the same are looked at once."""
    return page.locator("body").inner_text()
