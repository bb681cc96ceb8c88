"""The site in a real browser, on a real broker."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from contracts.sealed import SafeChannel
from leeward.broker import Node
from leeward.ports import free_ports
from tests.site.running import PASSPHRASE, TYPED, WORDS, Inbox, Person, RunningSite, neutral_site, running_site
from tests.support.bus import eventually
from tests.support.chromium import ARGUMENTS, ensure_installed
from tests.support.users import Guarded, import_definitions
from web.publisher.spool import Spool
from web.site.forms.reading import read_definitions

ROUTES = list(read_definitions())
each_route = pytest.mark.parametrize("route", ROUTES)
with_and_without_javascript = pytest.mark.parametrize("javascript", [True, False], ids=["javascript", "plain"])
PLAIN_PAGES = ("/", "/request", "/withdraw", "/safety", "/privacy", "/accessibility", "/nowhere", "/closed")
FITS = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    executable = ensure_installed()
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=executable, args=ARGUMENTS)
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def guarded(node: Node, tmp_path_factory: pytest.TempPathFactory) -> Guarded:
    """A broker on which the site has only the rights that it is given for good."""
    return import_definitions(node, "site", tmp_path_factory.mktemp("site-definitions"))


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[str]:
    with neutral_site() as address:
        yield address


@pytest.fixture(scope="module")
def running(
    guarded: Guarded, keys: Path, elsewhere: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningSite]:
    folder = tmp_path_factory.mktemp("site")
    with running_site(
        folder, amqp_uri=guarded.uri("web"), enquiry_uri=guarded.uri("enquiry"), keys=keys, exit_url=elsewhere
    ) as site:
        yield site


@pytest.fixture
def inbox(guarded: Guarded, keys: Path) -> Iterator[Inbox]:
    opened = Inbox(guarded.admin_uri, keys)
    opened.empty()
    yield opened
    opened.close()


@pytest.fixture
def person(chromium: Browser, running: RunningSite) -> Iterator[Callable[..., Person]]:
    """Somebody with a browser of their own; options are Playwright's for a new context."""
    contexts = []

    def come(site: RunningSite = running, **options: object) -> Person:
        context = chromium.new_context(**options)  # type: ignore[arg-type]
        context.set_default_timeout(20_000)
        contexts.append(context)
        return Person(context, site)

    yield come
    for context in contexts:
        context.close()


@pytest.fixture(scope="module")
def seen() -> set[str]:
    """Which pages were looked at for barriers already: the forms share most of them."""
    return set()


@with_and_without_javascript
@each_route
def test_a_request_goes_all_the_way_without_barriers(
    person: Callable[..., Person], inbox: Inbox, seen: set[str], route: str, javascript: bool
) -> None:
    somebody = person(java_script_enabled=javascript)
    for _ in somebody.walk(route):
        if javascript and somebody.questions() not in seen:
            seen.add(somebody.questions())
            look_for_barriers(somebody.page)
    assert somebody.path == "/done"
    (sent,) = inbox.take()
    assert (sent.definition, sent.definition_version) == (route, 1)
    assert (sent.postcode, sent.passphrase, sent.concern) == ("NP20 4UR", PASSPHRASE, WORDS)
    assert sent.contact.channel is (SafeChannel.POST if route == "in_prison" else SafeChannel.TELEPHONE)
    assert somebody.page.locator(".reference").inner_text().count("-") == 2
    assert WORDS not in somebody.site.log.read_text()


def look_for_barriers(page: Page) -> None:
    """WCAG 2.2 at level AA, and what axe calls best practice."""
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    results = Axe().run(page, options={"runOnly": tags})
    assert results.violations_count == 0, results.generate_report()


@pytest.mark.parametrize("path", PLAIN_PAGES)
@pytest.mark.parametrize("prefix", ["", "/cy"], ids=["english", "welsh"])
def test_no_plain_page_has_a_barrier_that_axe_finds(person: Callable[..., Person], prefix: str, path: str) -> None:
    somebody = person()
    somebody.open(prefix + path)
    look_for_barriers(somebody.page)


def test_an_error_takes_the_focus_and_leads_to_its_field(person: Callable[..., Person]) -> None:
    somebody = person()
    somebody.begin("self")
    somebody.go_on()
    somebody.go_on()
    assert somebody.page.title().startswith("Error: ")
    look_for_barriers(somebody.page)
    assert somebody.page.evaluate("document.activeElement.matches('[data-errors]')")
    somebody.page.locator("[data-errors] a").click()
    assert somebody.page.evaluate("document.activeElement.id") == "confidentiality_understood"


def test_the_whole_form_is_filled_in_by_keyboard_alone(person: Callable[..., Person], inbox: Inbox) -> None:
    somebody = person()
    page = somebody.page

    def focus() -> str:
        return str(page.evaluate("document.activeElement.name || document.activeElement.tagName"))

    def press_on_to(*wanted: str) -> str:
        for _ in range(40):
            page.keyboard.press("Tab")
            if focus() in wanted:
                return focus()
        raise AssertionError(f"the Tab key never reaches {wanted}")

    somebody.open("/")
    press_on_to("route")
    page.keyboard.press("Space")
    for _ in range(60):
        names = {one.get_attribute("name") for one in page.locator("main form [name]:not([type=hidden])").all()}
        for name in ("confidentiality_understood", "consent_processing"):
            if name in names:
                press_on_to(name)
                page.keyboard.press("Space")
        for name in names & {"postcode", "telephone", "passphrase"}:
            press_on_to(name)
            page.keyboard.type(TYPED[name])
        for name in names & {"contact_way", "hours", "may_leave_message", "say_who"}:
            press_on_to(name)
            page.keyboard.press("Space")
        press_on_to("BUTTON")
        with page.expect_navigation():
            page.keyboard.press("Enter")
        if somebody.path == "/done":
            break
    (sent,) = inbox.take()
    assert sent.contact.telephone == "01632960123"


def leaves_by_the_button(page: Page) -> None:
    page.locator(".leave a").click()


def leaves_by_shift(page: Page) -> None:
    for _ in range(3):
        page.keyboard.press("Shift")


@pytest.mark.parametrize(
    ("leaves", "javascript"),
    [(leaves_by_the_button, True), (leaves_by_the_button, False), (leaves_by_shift, True)],
    ids=["button", "button without javascript", "shift"],
)
def test_back_after_leaving_quickly_shows_nothing(
    person: Callable[..., Person], elsewhere: str, leaves: Callable[[Page], None], javascript: bool
) -> None:
    somebody = person(java_script_enabled=javascript)
    page = somebody.page
    page.goto("about:blank")
    somebody.walk_to("survivor", "/step/3")
    page.go_back()
    assert WORDS in page.content()
    leaves(page)
    page.wait_for_url(elsewhere)
    assert [cookie["name"] for cookie in page.context.cookies()] == ["left"]
    for _ in range(10):
        page.go_back()
        if page.url == "about:blank":
            break
        assert "This page is closed" in somebody.says() or "Sunny" in somebody.says()
        assert WORDS not in page.content()
        assert "Leeward" not in somebody.says()
    somebody.open("/again")
    somebody.open("/step/2")
    assert WORDS not in page.content()


def test_two_clicks_at_once_send_one_request(person: Callable[..., Person], inbox: Inbox) -> None:
    somebody = person()
    somebody.walk_to("self", "/check")
    page = somebody.page
    sends = """async () => {
      const form = document.querySelector("main form"), body = new URLSearchParams(new FormData(form));
      const answers = await Promise.all([1, 2, 3].map(() => fetch(form.action, {method: "POST", body})));
      return answers.map((one) => new URL(one.url).pathname);
    }"""
    assert page.evaluate(sends) == ["/done"] * 3
    somebody.go_on()
    reference = page.locator(".reference").inner_text()
    assert len(inbox.take()) == 1
    somebody.open("/check")
    assert page.locator(".reference").inner_text() == reference


def test_what_is_sent_while_the_broker_is_away_arrives_after_a_restart(
    person: Callable[..., Person], guarded: Guarded, inbox: Inbox, keys: Path, elsewhere: str, tmp_path: Path
) -> None:
    (nobody,) = free_ports(1)
    away = f"amqp://web:drama-web@127.0.0.1:{nobody}/"
    with running_site(tmp_path, amqp_uri=away, enquiry_uri=away, keys=keys, exit_url=elsewhere) as site:
        somebody = person(site)
        assert list(somebody.walk("self"))[-1] == "/done"
        assert len(Spool(site.spool)) == 1
        assert not any(WORDS in path.read_text() for path in tmp_path.rglob("*") if path.is_file())
        somebody.open("/request")
        somebody.page.fill("#reference", "9C28-SAU2-5")
        somebody.page.fill("#passphrase", PASSPHRASE)
        somebody.go_on()
        assert "We can’t look right now" in somebody.says()
    back = guarded.uri("web")
    with running_site(tmp_path, amqp_uri=back, enquiry_uri=away, keys=keys, exit_url=elsewhere) as site:
        (sent,) = inbox.take()
        assert sent.concern == WORDS
        eventually(lambda: len(Spool(site.spool)) == 0, "the spool is empty")


def scrolls_sideways(page: Page) -> list[str]:
    """In which of these sizes the page is wider than its window."""
    found = []
    for name, width, text in (("320 px", 320, "100%"), ("200 % zoom", 640, "100%"), ("200 % text", 1280, "200%")):
        page.set_viewport_size({"width": width, "height": 700})
        page.evaluate(f"document.documentElement.style.fontSize = '{text}'")
        if not page.evaluate(FITS):
            found.append(name)
    page.evaluate("document.documentElement.style.fontSize = ''")
    return found


@dataclass(frozen=True)
class Picture:
    name: str
    route: str
    path: str
    width: int


DOCS = Path(__file__).parent.parent.parent / "docs"
PICTURES = (Picture("site-first-question", "self", "/step/1", 900), Picture("site-contact", "family", "/step/19", 420))


@pytest.mark.parametrize(("prefix", "route"), [("", "family"), ("/cy", "self")], ids=["english", "welsh"])
def test_nothing_has_to_be_scrolled_sideways(person: Callable[..., Person], prefix: str, route: str) -> None:
    somebody = person()
    for path in PLAIN_PAGES:
        somebody.open(prefix + path)
        assert scrolls_sideways(somebody.page) == [], path
    for path in somebody.walk(route, prefix):
        assert scrolls_sideways(somebody.page) == [], path


def test_nothing_is_loaded_from_anybody_else(person: Callable[..., Person]) -> None:
    somebody = person()
    asked: list[str] = []
    complaints: list[str] = []
    somebody.page.on("request", lambda request: asked.append(request.url))
    somebody.page.on("console", lambda message: complaints.append(message.text))
    somebody.walk_to("self", "/step/4")
    assert {url for url in asked if not url.startswith(somebody.site.address)} == set()
    assert complaints == []


@pytest.mark.parametrize("picture", PICTURES, ids=lambda picture: picture.name)
def test_the_pictures_in_the_readme_show_what_the_site_says(person: Callable[..., Person], picture: Picture) -> None:
    """`LEEWARD_PICTURES=1` takes them anew. What a picture shows stands beside it as text."""
    somebody = person(viewport={"width": picture.width, "height": 900})
    somebody.walk_to(picture.route, picture.path)
    shown = somebody.page.inner_text("body")
    if os.environ.get("LEEWARD_PICTURES"):
        somebody.page.screenshot(path=DOCS / f"{picture.name}.png", full_page=True)
        (DOCS / f"{picture.name}.txt").write_text(shown + "\n")
    assert (DOCS / f"{picture.name}.txt").read_text().rstrip() == shown.rstrip()
    assert f"docs/{picture.name}.png" in (DOCS.parent / "README.md").read_text()
    assert (DOCS / f"{picture.name}.png").is_file()
