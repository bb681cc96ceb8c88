"""Where a request stands, asked by the site of a real intake, and taking it back."""

from __future__ import annotations

from collections.abc import Callable

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
