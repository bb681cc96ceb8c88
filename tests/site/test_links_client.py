"""The page of an introduction: how the client is reached, after a code, and what their therapist says of it."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from contracts.sealed import (
    SafeChannel,
    SafeContact,
    TherapyAnswer,
    WriterContact,
)
from contracts.vocabulary import (
    MatchEndReason,
    TherapyReport,
)
from tests.site.conftest import AT, Browser
from tests.site.test_links import CLIENT, CONTACT, REPORTED, RIGHT, SECRET, Services, keys, reader, sent, services
from web.site.links import link

__all__ = ["keys", "reader", "services"]


def test_an_introduction_shows_the_safe_way_alone(reader: Browser) -> None:
    reader.open(f"/client/{SECRET}")
    for fact in (
        "Reference 9C28-SAU2-5", "Name Robin Invented", "Telephone 01632 960123", "Leave a message No, never",
        "When 17:00 to 20:00", "Say that you are Sam from the library", "Please be discreet", "Contact made Not yet",
        "First session Not yet",
    ):  # fmt: skip
        assert fact in reader.text, fact
    assert "robin@example.org" not in reader.text
    assert "Robin" not in re.findall(r"<title>(.*)</title>", reader.last.text)[0]


@pytest.mark.parametrize(
    ("contact", "says"),
    [
        (SafeContact(channel=SafeChannel.EMAIL, email="robin@example.org"), "Write by e-mail to robin@example.org"),
        (SafeContact(channel=SafeChannel.POST, address="1 Invented Street\nNewport"), "1 Invented Street Newport"),
        (SafeContact(channel=SafeChannel.TEXT), "Send a text message to Not given: please ask us"),
        (SafeContact(channel=SafeChannel.CLIENT_CALLS), "They will call you. Please do not call or write."),
    ],
)
def test_an_introduction_says_each_way(reader: Browser, services: Services, contact: SafeContact, says: str) -> None:
    services.contact = replace(CONTACT, contact=contact)
    reader.open(f"/client/{SECRET}")
    assert says in reader.text


def test_what_goes_by_post_has_the_addressee_above_the_address(reader: Browser, services: Services) -> None:
    by_post = SafeContact(channel=SafeChannel.POST, address="HMP Invented\nInvented Road")
    services.contact = replace(CONTACT, contact=by_post, addressee="Robin Invented A0000AA")
    reader.open(f"/client/{SECRET}")
    assert "Write by post to Robin Invented A0000AA HMP Invented Invented Road" in reader.text
    services.contact = replace(
        services.contact, contact=replace(by_post, address="Robin Invented A0000AA\nHMP Invented")
    )
    reader.open("/client")
    assert "Write by post to Robin Invented A0000AA HMP Invented" in reader.text
    services.contact = replace(services.contact, contact=SafeContact(channel=SafeChannel.EMAIL, email="r@example.org"))
    reader.open("/client")
    assert "A0000AA" not in reader.text


def test_an_introduction_says_with_whom_to_speak_where_the_client_has_no_contact(
    reader: Browser, services: Services
) -> None:
    writer = WriterContact(name="Lee Parent", contact=SafeContact(channel=SafeChannel.EMAIL, email="lee@example.org"))
    services.contact = replace(CONTACT, contact=None, writer=writer)
    reader.open(f"/client/{SECRET}")
    assert "Speak with Lee Parent" in reader.text
    assert "lee@example.org" in reader.text
    services.contact = replace(CONTACT, contact=None, writer=None)
    reader.open("/client")
    assert "Not given: please ask us" in reader.text


@pytest.fixture
def stranger(reader: Browser, services: Services) -> Browser:
    """The same in a browser in which no code was typed yet."""
    services.pages["client"] = replace(CLIENT, is_known=False, matched_on=None)
    del reader.client.cookies["client-right"]
    return reader


def test_before_the_code_nothing_of_the_client_is_shown_and_looking_sends_none(
    stranger: Browser, services: Services
) -> None:
    stranger.open(f"/client/{SECRET}")
    stranger.open("/client/code")
    stranger.open("/client/report")
    assert stranger.path == "/client"
    assert "Robin" not in stranger.text
    assert "number ends in 21" in stranger.text
    assert services.codes == []
    stranger.post("/client/code")
    assert services.codes == [(SECRET, "sent")]


def test_the_code_opens_the_page_in_the_browser_in_which_it_was_typed(stranger: Browser, services: Services) -> None:
    services.pages["client"] = replace(services.pages["client"], code_until=AT + timedelta(minutes=10))
    stranger.open(f"/client/{SECRET}")
    assert "good until 10:10" in stranger.text
    assert stranger.post("/client", code="654321").status_code == 422
    assert "That is not the code" in stranger.text
    assert "client-right" not in stranger.client.cookies
    answer = stranger.client.post("/client", data={"link": handle(stranger), "code": "123456"}, follow_redirects=False)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/client")
    cookies = [one.lower() for one in answer.headers.get_list("Set-Cookie") if one.startswith("client-right=")]
    assert "httponly" in cookies[0]
    assert services.codes[-1] == ("123456", stranger.client.cookies["client-right"])


def handle(browser: Browser) -> str:
    (found,) = set(re.findall(r'name="link" value="([^"]*)"', browser.last.text))
    return str(found)


def test_after_too_many_codes_the_page_says_how_long_to_wait(stranger: Browser, services: Services) -> None:
    services.pages["client"] = replace(services.pages["client"], wait_until=AT + timedelta(minutes=10))
    stranger.open(f"/client/{SECRET}")
    assert "ask for a new code from 10:10" in stranger.text
    assert "Send me" not in stranger.text


def test_without_a_number_for_text_messages_the_page_says_to_ring_the_office(
    stranger: Browser, services: Services
) -> None:
    services.pages["client"] = replace(services.pages["client"], number_ends=None)
    stranger.open(f"/client/{SECRET}")
    assert "please call us on 01632 960 001, and we give you the code" in stranger.text
    assert "Send me" not in stranger.text
    stranger.post("/client", code="123456")
    assert services.codes[-1][0] == "123456"


@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        (REPORTED, {"what": TherapyReport.CONTACT_MADE, "on": AT.date()}),
        (REPORTED | {"what": "first_session"}, {"what": TherapyReport.FIRST_SESSION, "on": AT.date()}),
        ({"what": "not_attended"}, {"what": TherapyReport.NOT_ATTENDED}),
        (
            {"what": "ended", "why": "client_unhappy"},
            {"what": TherapyReport.ENDED, "reason": MatchEndReason.CLIENT_UNHAPPY},
        ),
    ],
)
def test_a_therapist_tells_how_it_goes_on(reader: Browser, chosen: dict[str, str], said: dict[str, Any]) -> None:
    reader.open(f"/client/{SECRET}")
    reader.open("/client/report")
    reader.post("/client/report", **chosen)
    assert sent(reader) == [TherapyAnswer(token=SECRET, right=RIGHT, **said)]
    assert "as soon as it is on record" in reader.text


@pytest.mark.parametrize(
    ("chosen", "says"),
    [
        ({}, "Choose what you would like to tell us"),
        ({"what": "contact_made"}, "Enter the day"),
        (REPORTED | {"day": "31"}, "Enter the day"),
        (REPORTED | {"day": "24"}, "That day is still to come"),
        (REPORTED | {"day": "15"}, "That is before you accepted"),
        ({"what": "ended"}, "Choose why it has ended"),
        ({"what": "ended", "why": "withdrawn"}, "Choose why it has ended"),
    ],
)
def test_what_can_not_be_so_gets_a_clear_error(reader: Browser, chosen: dict[str, str], says: str) -> None:
    reader.open(f"/client/{SECRET}")
    reader.open("/client/report")
    assert reader.post("/client/report", **chosen).status_code == 422
    assert says in reader.text
    assert sent(reader) == []


def test_what_is_known_is_not_asked_again(reader: Browser, services: Services) -> None:
    services.pages["client"] = replace(CLIENT, contact_made_on=AT.date(), first_session_on=AT.date())
    reader.open(f"/client/{SECRET}")
    assert "Contact made 23 November 2026 First session 23 November 2026" in reader.text
    reader.open("/client/report")
    assert set(re.findall(r'name="what" value="(\w+)"', reader.last.text)) == {"ended"}


def test_a_report_from_a_browser_that_is_known_no_more_is_not_sent_and_says_so(
    reader: Browser, services: Services
) -> None:
    reader.open(f"/client/{SECRET}")
    reader.open("/client/report")
    services.pages["client"] = replace(CLIENT, is_known=False)
    assert reader.post("/client/report", **REPORTED).status_code == 409
    assert "Nothing was sent" in reader.text
    assert sent(reader) == []


def test_what_came_of_a_report_is_shown_at_once(
    reader: Browser, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link, "WAIT_SECONDS", 20.0)
    publish = reader.site.publisher.report_therapy

    def taken(answer: TherapyAnswer) -> Any:
        services.pages["client"] = replace(CLIENT, contact_made_on=answer.on)
        return publish(answer)

    monkeypatch.setattr(reader.site.publisher, "report_therapy", taken)
    reader.open(f"/client/{SECRET}")
    reader.open("/client/report")
    reader.post("/client/report", **REPORTED)
    assert "Contact made 23 November 2026" in reader.text
