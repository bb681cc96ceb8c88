"""Where a request stands, asked by the site of a real intake, and taking it back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from tests.site.conftest import Browser
from tests.site.test_pages import PASSPHRASE
from tests.support.bus import Tap
from tests.support.system import System


def test_a_request_is_sent_asked_after_and_taken_back(system: System, browse: Callable[..., Browser]) -> None:
    browser = browse(amqp_uri=system.amqp_uri, enquiry_amqp_uri=system.amqp_uri, keys=system.workspace.keys)
    with Tap(system.amqp_uri, ["intake"]) as tap:
        browser.begin()
        browser.fill_in()
        browser.post("/check")
        reference = browser.last.text.partition('class="reference">')[2].partition("<")[0]
        tap.wait_for("ReferralReceived")
        browser.open("/request")
        browser.post("/request", reference=reference.lower(), passphrase="wrong words")
        assert "We don’t find this" in browser.text
        browser.open("/request")
        browser.post("/request", reference=reference.lower(), passphrase=PASSPHRASE)
        assert "Where it stands We have your request." in browser.text
        browser.open("/withdraw")
        browser.post("/withdraw", reference=reference, passphrase=PASSPHRASE)
        tap.wait_for("ReferralWithdrawn")


def test_wrong_words_are_said_to_be_wrong_however_often_and_then_how_long_to_wait(
    system: System, browse: Callable[..., Browser]
) -> None:
    """Whoever takes a request back is never refused for the number of their questions."""
    browser = browse(
        amqp_uri=system.amqp_uri, enquiry_amqp_uri=system.amqp_uri, keys=system.workspace.keys, questions_per_hour=1
    )
    with Tap(system.amqp_uri, ["intake"]) as tap:
        browser.begin()
        browser.fill_in()
        browser.post("/check")
        reference = browser.last.text.partition('class="reference">')[2].partition("<")[0]
        tap.wait_for("ReferralReceived")

        def take_back(words: str) -> str:
            browser.open("/withdraw")
            browser.post("/withdraw", reference=reference, passphrase=words)
            return browser.text

        for _ in range(4):
            said = take_back("wrong words")
            assert "We don’t find this" in said
            assert "01632 960 001" in said
        assert "You can try again in 15 minutes" in take_back("wrong words")
        browser.clock.advance(timedelta(minutes=5))
        assert "You can try again in 10 minutes" in take_back(PASSPHRASE)
        for clock in (browser.clock, system.workspace.clock):
            clock.advance(timedelta(minutes=15))
        assert "We take your request back now" in take_back(PASSPHRASE.upper())
        tap.wait_for("ReferralWithdrawn")
