"""What somebody does about their request themselves, on the pages of the site, asked of a real system."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest

from tests.site.conftest import Browser
from tests.support.bus import Tap, eventually
from tests.support.samples import PASSPHRASE, consents
from tests.support.story import Story, text_of
from tests.support.system import System


@pytest.fixture
def story(system: System) -> Iterator[Story]:
    with Tap(system.amqp_uri, ["intake", "matching", "notifications"]) as tap:
        yield Story(system, tap)


@pytest.fixture
def browser(system: System, browse: Callable[..., Browser]) -> Browser:
    return browse(amqp_uri=system.amqp_uri, enquiry_amqp_uri=system.amqp_uri, keys=system.workspace.keys)


def look_up(browser: Browser, story: Story, passphrase: str = PASSPHRASE) -> None:
    browser.open("/request")
    browser.post("/request", reference=str(story.receipt.reference), passphrase=passphrase)


def post(browser: Browser, path: str, **fields: str) -> str:
    """As the page's own form does. Gives what the page after it says."""
    page = browser.open(path).text
    found = re.search(r'name="link" value="([0-9a-f]+)"', page)
    assert found, path
    browser.post(path, link=found[1], **fields)
    return browser.text


def name_contact(browser: Browser, **answers: str) -> str:
    """Answers the questions about a new contact, one a page. Gives what the last page says."""
    said = ""
    for name, answer in answers.items():
        said = post(browser, "/request/contact" if name == "way" else f"/request/contact/{name}", **{name: answer})
    return said


def code_sent_to(story: Story, address: str) -> str:
    found = re.search(r"your code is ([0-9]{6})\b", text_of(story.letters_to(address)[-1]))
    assert found
    return found[1]


def told_to_office(story: Story, words: str) -> bool:
    """Whether the office was written to about this request in these words."""

    def found() -> bool:
        letters = map(text_of, story.letters_to("office@example.org"))
        return any(str(story.receipt.reference) in one and words in one for one in letters)

    return bool(eventually(found, f"the office is told {words!r}"))


def test_somebody_is_reached_in_a_new_way_after_a_code(story: Story, browser: Browser) -> None:
    story.ask_for_help()
    look_up(browser, story)
    assert browser.path == "/request/standing"
    assert "Where it stands We have your request." in browser.text
    assert "Since " in browser.text
    assert "At the latest by " in browser.text
    new = f"{story.receipt.reference}@example.org".lower()
    said = name_contact(browser, way="email", email=new, hours="any", who="no", name="", old="no")
    assert browser.path == "/request/code", said
    assert "@" not in said
    story.letter_to(new, "your code is")
    code = code_sent_to(story, new)
    wrong = f"{(int(code) + 1) % 1_000_000:06}"
    assert "That is not the code" in post(browser, "/request/code", code=wrong)
    assert "Enter the six digits" in post(browser, "/request/code", code="12")
    assert "From now on we reach you in the new way" in post(browser, "/request/code", code=f"{code[:3]} {code[3:]}")
    assert "robin" not in browser.last.text.lower()
    story.tap.wait_for("ContactReleased", lambda one: one.data["referral_id"] == story.referral_id)
    assert told_to_office(story, "Nothing goes to")


def test_what_is_missing_is_named_and_nothing_is_lost(story: Story, browser: Browser) -> None:
    story.ask_for_help()
    look_up(browser, story)
    assert "Choose how it is safe to reach you" in post(browser, "/request/contact")
    name_contact(browser, way="text")
    assert "Enter a telephone number" in post(browser, "/request/contact/mobile", mobile="\u202e")
    assert browser.last.status_code == 422
    name_contact(browser, mobile="01632 960 456")
    assert browser.path == "/request/contact/mobile", "a landline takes no text messages"
    assert 'value="01632 960 456"' in browser.last.text
    name_contact(browser, mobile="07700 900456", hours="evening", who="no", name="Sam\u202e")
    assert "Say whether the way that we had before is still safe" in post(browser, "/request/contact/old")
    browser.open("/request/contact/name")
    assert 'value="Sam"' in browser.last.text


def test_another_way_is_asked_for_what_it_needs_and_nothing_is_skipped(story: Story, browser: Browser) -> None:
    story.ask_for_help()
    look_up(browser, story)
    browser.open("/request/contact/old")
    assert browser.path == "/request/contact", "one after the other"
    name_contact(browser, way="email", email="robin.new@example.org", hours="any", who="yes")
    assert browser.path == "/request/contact/old", "nobody asks whom we should say is writing"
    name_contact(browser, way="post")
    assert browser.path == "/request/contact/address"
    browser.open("/request/contact/old")
    assert browser.path == "/request/contact/address"
    said = name_contact(browser, address="1 Invented Road\nNewport", who="yes", old="no")
    assert "one of us makes sure that it is yours and safe" in said


def test_somebody_agrees_and_takes_the_request_back(story: Story, browser: Browser) -> None:
    story.ask_for_help(consents=consents(pass_to_therapist=False))
    story.assess()
    story.heard("ReferralHeld")
    look_up(browser, story)
    assert "Without it we can’t ask anybody" in browser.text
    assert "Thank you. We go on with it." in post(browser, "/request/agree")
    story.heard("ReferralResumed")
    assert "Thank you for telling us" in post(browser, "/request/take-back")
    story.heard("ReferralWithdrawn")
    browser.open("/request/standing")
    assert browser.path == "/request", "what was typed is forgotten"


def test_nothing_is_done_for_who_did_not_type_the_words_or_posts_from_elsewhere(story: Story, browser: Browser) -> None:
    story.ask_for_help()
    for page in ("standing", "contact", "code", "another", "agree", "take-back"):
        browser.open(f"/request/{page}")
        assert browser.path == "/request"
    look_up(browser, story, "not the words")
    assert "We don’t find this" in browser.text
    look_up(browser, story)
    browser.post("/request/take-back", link="0" * 32)
    assert browser.path == "/request"
    browser.open("/request/standing")
    assert "Take the request back" in browser.text, "it still stands"


def test_what_is_typed_is_gone_with_the_visit(story: Story, browser: Browser) -> None:
    story.ask_for_help()
    look_up(browser, story)
    browser.open("/exit")
    browser.client.cookies.delete("left")
    browser.open("/request/standing")
    assert browser.path == "/request"


def test_a_contact_that_takes_no_code_is_left_to_a_person(story: Story, browser: Browser) -> None:
    story.ask_for_help()
    look_up(browser, story)
    typed = {"telephone": "01632 960 456", "hours": "any", "message": "no", "who": "no", "name": "Sam"}
    said = name_contact(browser, way="telephone", **typed, old="no")
    assert "one of us makes sure that it is yours and safe" in said
    assert "01632" not in said.replace("01632 960 001", ""), "but for our own number"
    assert told_to_office(story, f"leeward referral new-contact {story.receipt.reference}")
