"""From the public site to the end of therapy by browsers alone: whoever asks for help, staff, and the therapist."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime

import pytest
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import Page, expect

from chassis.ids import new_id
from contracts.london import LONDON
from tests.console import test_live
from tests.console.test_browser import chromium, person
from tests.console.test_live import Desk
from tests.console.test_therapists import ADMISSION
from tests.site import running
from tests.site.conftest import elsewhere
from tests.site.running import Person
from tests.site.test_browser_links import Linked, link_in, linked
from tests.support.story import Story
from tests.support.system import System

__all__ = ["chromium", "elsewhere", "linked", "person"]
desk, story = test_live.desk, test_live.story


@pytest.fixture
def system(linked: Linked) -> System:
    return linked.system


@pytest.fixture
def visit(chromium: Chromium, linked: Linked) -> Iterator[Callable[[], Person]]:
    """Somebody at the public site."""
    contexts = []

    def come() -> Person:
        contexts.append(chromium.new_context(viewport={"width": 390, "height": 844}))
        contexts[-1].set_default_timeout(20_000)
        return Person(contexts[-1], linked.site)

    yield come
    for context in contexts:
        context.close()


class Office:
    """Somebody of the charity, at the console."""

    def __init__(self, page: Page, address: str) -> None:
        self.page, self.address = page, address

    def open(self, path: str) -> None:
        self.page.goto(f"{self.address}{path}")

    def press(self, words: str) -> None:
        with self.page.expect_navigation():
            self.page.get_by_role("button", name=words, exact=True).click()

    def follow(self, words: str) -> None:
        with self.page.expect_navigation():
            self.page.get_by_role("link", name=words, exact=True).click()

    def fill(self, **fields: str | list[str]) -> None:
        """Types, or ticks what is to be chosen, by the names of fields."""
        for name, values in fields.items():
            field = self.page.locator(f"main [name={name}]")
            if field.first.get_attribute("type") in ("radio", "checkbox"):
                for value in [values] if isinstance(values, str) else values:
                    self.page.check(f"main [name={name}][value={value}]")
            else:
                field.fill(str(values))

    def sees(self, words: str) -> None:
        """The page says so by itself, sooner or later."""
        expect(self.page.locator("main")).to_contain_text(words, timeout=20_000)


def test_somebody_asks_for_help_and_is_seen_until_the_end(
    desk: Desk,
    linked: Linked,
    person: Callable[..., Page],
    visit: Callable[[], Person],
    story: Story,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Letters are read where they were delivered; everything else is seen and done on pages."""
    office = Office(person(), desk.address)
    desk.sign_in_first(office.page)
    therapists = f"thea-{new_id()}@example.org"
    office.open("/therapists/admit")
    office.fill(**{**ADMISSION, "email": therapists})
    office.press("Admit them")
    office.sees("The therapist is admitted")

    monkeypatch.setitem(running.CHOSEN, "consent_therapist", "yes")
    client = visit()
    client.walk_to("self", "/done")
    reference = client.page.locator(".reference").inner_text()

    take_up_and_assess(office, reference)
    office.sees("Offered to a therapist")
    therapist = visit()
    therapist.open(link_in(story.letter_to(therapists, "Would you have room"), linked.site))
    therapist.go_on()
    assert "You have accepted" in therapist.says()

    office.sees("Matched since")
    office.page.reload()
    office.follow("Record the first session")
    office.fill(attended_on=f"{datetime.now(LONDON):%Y-%m-%d}")
    office.press("Record it")
    office.sees("The first session is recorded")
    office.sees("In therapy")
    office.page.reload()
    office.follow("End the match")
    office.fill(reason="completed")
    office.press("End it")
    office.sees("Therapy ended")

    client.open("/request")
    client.page.fill("[name=reference]", reference)
    client.page.fill("[name=passphrase]", running.PASSPHRASE)
    client.go_on()
    assert "Your request is closed" in client.says()


def take_up_and_assess(office: Office, reference: str) -> None:
    office.open("/work/new_requests?order=newest")
    office.follow(reference)
    office.press("Take it up")
    office.sees("Being assessed")
    office.page.reload()
    office.follow("Assess")
    office.fill(risk_level="lower", competence="lower", work="individual", aspect_social="Invented words.")
    office.press("Save the assessment")
    office.sees("The assessment is saved")
