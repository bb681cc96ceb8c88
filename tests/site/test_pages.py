"""The pages over HTTP, with a broker that is away: what they say, keep and send."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from chassis.privacy.sealing import Keyring
from contracts.reference import reference_for
from contracts.sealed import Credentials
from contracts.vocabulary import SubmissionId
from tests.site.conftest import Browser
from web.publisher.spool import Spool
from web.shared.bodies import MOST_BODY_BYTES
from web.shared.forms.loader import read_definitions
from web.site.app import PAGES

ROUTES = list(read_definitions())
PASSPHRASE = "harbour lantern quiet"
WORDS = "planted words"
WITHOUT_SESSION = ("/", "/request", "/withdraw", "/safety", "/privacy", "/accessibility", "/closed", "/nowhere")


ANSWERS: dict[str, Any] = {
    "writer_name": "Sam", "prison_name": "HMP Example", "prison_address": "Newport", "who_writes": "self",
    "profession": "gp", "client_group": "at_risk", "client_agrees": "yes", "agreed_how": "in_person",
    "agreed_therapist": "no",
    "writer_contact_way": "post", "writer_address": "1 Invented Street", "writer_say_who": "yes",
    "relationship": "partner", "adult": "yes",
    "self_verification": "yes", "help_wanted": ["one_to_one", "couple"], "concern": WORDS,
}  # fmt: skip


@pytest.mark.parametrize("path", WITHOUT_SESSION)
@pytest.mark.parametrize("prefix", ["", "/cy"], ids=["english", "welsh"])
def test_every_page_carries_what_leaves_no_trace(browser: Browser, prefix: str, path: str) -> None:
    answer = browser.open(prefix + path)
    headers = answer.headers
    nonces = set(re.findall(r'<script [^>]*nonce="([^"]+)"', answer.text))
    assert headers["Cache-Control"] == "no-store"
    assert "noindex" in headers["X-Robots-Tag"]
    assert headers["Referrer-Policy"] == "no-referrer"
    policy = re.sub(r"'nonce-[^']{20,}'", "'nonce-…'", headers["Content-Security-Policy"])
    assert policy == (
        "default-src 'none'; script-src 'self' 'nonce-…'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    )
    assert len(nonces) <= 1
    assert all(f"'nonce-{nonce}'" in headers["Content-Security-Policy"] for nonce in nonces)
    assert f'<html lang="{prefix.removeprefix("/") or "en"}">' in answer.text


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("prefix", ["", "/cy"], ids=["english", "welsh"])
def test_every_step_is_shown_and_sent_in_both_languages(browser: Browser, route: str, prefix: str) -> None:
    browser.open(f"{prefix}/")
    browser.post(f"{prefix}/", route=route)
    browser.post(f"{prefix}/leaving")
    needed = {"confidentiality_understood": "yes", "consent_processing": "yes", "postcode": "np204ur",
              "contact_way": "i_call", "passphrase": PASSPHRASE} | ANSWERS  # fmt: skip
    titles = set()
    told_all = False
    while browser.path != f"{prefix}/check" or not told_all:
        if browser.path == f"{prefix}/check":
            told_all = True
            browser.open(str(browser.topic()))
        titles.add(re.search(r"<title>([^<]*)</title>", browser.last.text)[1])  # type: ignore[index]
        names = set(re.findall(r'name="([a-z_-]+)"', browser.last.text))
        browser.post(browser.path, **{name: value for name, value in needed.items() if name in names})
        assert browser.last.status_code == 200, browser.text
    neutral = re.compile(r"(Step|Page|Cam|Tudalen) [0-9]+ (of|o) [0-9]+")
    assert all(neutral.fullmatch(title) for title in titles), "a title tells nobody what it is about"
    assert browser.last.headers["Cache-Control"] == "no-store"
    browser.post(browser.path)
    (sent,) = browser.submissions()
    assert (sent.definition, sent.postcode, sent.language) == (route, "NP20 4UR", prefix.removeprefix("/") or "en")


def test_the_confirmation_shows_the_reference_of_what_was_sent(browser: Browser) -> None:
    browser.begin()
    browser.fill_in(concern=WORDS)
    browser.post("/check")
    assert browser.path == "/done"
    (spooled,) = Spool(browser.site.settings.spool).waiting()
    assert reference_for(SubmissionId(UUID(spooled.message_id))) in browser.text
    assert WORDS not in spooled.body
    assert browser.submissions()[0].concern == WORDS


def test_the_limits_of_confidentiality_and_emergencies_come_first_and_again_at_the_end(browser: Browser) -> None:
    told = ("There is one limit.", "Call 999", "116 123", "0800 1111", "0808 1000 900", "0808 800 5000", "NHS 111")
    browser.begin()
    assert browser.path == "/step/1"
    assert [words for words in told if words not in browser.text] == []
    browser.fill_in()
    browser.post("/check")
    assert [words for words in told if words not in browser.text] == []


def test_what_was_sent_is_no_longer_kept_here(browser: Browser) -> None:
    browser.begin()
    browser.fill_in(concern=WORDS)
    browser.post("/check")
    for path in ("/check", "/step/3", "/done"):
        assert browser.open(path).url.path == "/done"
        assert WORDS not in browser.last.text
    with browser.site.sessions.open(browser.client.cookies["visit"]) as session:
        assert session is not None
        assert (session.answers, session.agreed_at) == ({}, {})


def test_many_submissions_at_once_send_one(browser: Browser) -> None:
    browser.begin()
    browser.fill_in()
    csrf = re.findall(r'name="csrf" value="([^"]+)"', browser.last.text)[0]
    with ThreadPoolExecutor(8) as pool:
        sent = list(pool.map(lambda _: browser.client.post("/check", data={"csrf": csrf}), range(8)))
    assert {answer.url.path for answer in sent} == {"/done"}
    assert len(browser.submissions()) == 1


def test_a_change_comes_straight_back(browser: Browser) -> None:
    browser.begin()
    browser.fill_in(concern=WORDS)
    link = re.findall(r'href="(/step/[0-9]+\?change=1)#concern"', browser.last.text)[0]
    browser.open(link)
    browser.post(link.partition("?")[0], concern="Other words")
    assert browser.path == "/check"
    assert "Other words" in browser.text


def test_a_change_that_asks_for_more_asks_only_for_that(browser: Browser) -> None:
    browser.begin()
    browser.fill_in()
    link = re.findall(r'href="(/step/[0-9]+\?change=1)#contact_way"', browser.last.text)[0]
    browser.open(link)
    browser.post(link.partition("?")[0], contact_way="email")
    browser.post(browser.path, email=" robin@example.org ", hours="evening", say_who="no")
    assert browser.path == "/check"
    browser.post("/check")
    contact = browser.submissions()[0].contact
    assert (contact.channel, contact.email, contact.hours, contact.discreet) == (
        "email", "robin@example.org", "evening", True,
    )  # fmt: skip


def test_nobody_jumps_over_a_question(browser: Browser) -> None:
    browser.begin()
    assert browser.open("/step/20").url.path == "/step/1"
    assert browser.open("/check").url.path == "/step/1"
    assert browser.open("/done").url.path == "/step/1"


def test_leaving_quickly_is_explained_before_the_first_question(browser: Browser) -> None:
    browser.open("/")
    assert browser.post("/", route="self").url.path == "/leaving"
    assert browser.open("/step/1").url.path == "/leaving"


def test_errors_stand_in_the_title_above_and_at_the_field(browser: Browser) -> None:
    browser.begin()
    answer = browser.post("/step/1")
    assert answer.status_code == 422
    assert "<title>Error: Step 1 of 7</title>" in answer.text
    assert 'href="#confidentiality_understood"' in answer.text
    assert answer.text.count("Tick the box to say that you have read this") == 2
    assert 'aria-invalid="true"' in answer.text


def test_what_was_typed_wrongly_is_shown_again(browser: Browser) -> None:
    browser.begin()
    browser.fill_in()
    link = re.findall(r'href="(/step/[0-9]+)\?change=1#postcode"', browser.last.text)[0]
    browser.open(link)
    answer = browser.post(link, postcode='nowhere "<b>')
    assert answer.status_code == 422
    assert "nowhere &#34;&lt;b&gt;" in answer.text


def test_a_form_from_elsewhere_is_not_taken(browser: Browser) -> None:
    browser.begin()
    browser.client.post("/step/1", data={"confidentiality_understood": "yes", "csrf": "guessed"})
    assert browser.open("/step/2").url.path == "/step/1"
    browser.fill_in()
    browser.client.post("/check", data={"csrf": "guessed"})
    assert browser.submissions() == []
    answer = browser.client.post(
        "/withdraw", data={"reference": "9C28-SAU2-5", "passphrase": "x"}, headers={"Sec-Fetch-Site": "cross-site"}
    )
    assert answer.url.path == "/"
    assert len(Spool(browser.site.settings.spool)) == 0


def test_a_session_ends_by_itself_and_says_so(browser: Browser) -> None:
    browser.begin()
    browser.fill_in(concern=WORDS)
    browser.clock.advance(timedelta(minutes=29))
    assert browser.open("/check").url.path == "/check"
    browser.clock.advance(timedelta(minutes=30))
    assert browser.open("/check").url.path == "/closed"
    assert "This page is closed" in browser.text
    assert len(browser.site.sessions) == 0


def test_whoever_is_still_there_keeps_the_session(browser: Browser) -> None:
    browser.begin()
    csrf = re.findall(r'data-csrf="([^"]+)"', browser.last.text)[0]
    for _ in range(4):
        browser.clock.advance(timedelta(minutes=25))
        assert browser.client.post("/stay", data={"csrf": csrf}).status_code == 204
    assert browser.open("/step/1").url.path == "/step/1"


def test_leaving_forgets_everything(browser: Browser) -> None:
    browser.begin()
    answer = browser.client.get("/exit", follow_redirects=False)
    assert (answer.status_code, answer.headers["Location"]) == (303, "http://neutral.example.org/")
    assert answer.headers["Cache-Control"] == "no-store"
    assert len(browser.site.sessions) == 0
    for path in ("/", "/step/1", "/request"):
        assert "There is nothing to see here" in browser.open(path).text
        assert not re.search(r"erased|closed|begun|Leeward", browser.text), "nothing of anything having been there"
    assert "Ask for help" in browser.open("/again").text


def test_what_is_kept_in_memory_cannot_be_read_there(browser: Browser) -> None:
    browser.begin()
    browser.fill_in(concern=WORDS)
    (kept,) = browser.site.sessions._stored.values()
    assert WORDS.encode() not in kept.content
    assert browser.client.cookies["visit"] not in browser.site.sessions._stored


@pytest.mark.parametrize(
    ("settings", "fields", "codes"),
    [
        ({}, {}, ()),
        ({}, {"website": "http://example.org"}, ("honeypot",)),
        ({"least_time": timedelta(seconds=20)}, {}, ("too_fast",)),
        ({"sends_per_hour": 0}, {}, ("too_many",)),
    ],
)
def test_what_looks_like_spam_is_sent_with_a_mark(
    browse: Callable[..., Browser], settings: dict[str, Any], fields: dict[str, str], codes: tuple[str, ...]
) -> None:
    browser = browse(**settings)
    browser.begin()
    browser.fill_in()
    browser.post("/check", **fields)
    assert browser.path == "/done"
    assert browser.submissions()[0].suspected == codes


def test_too_much_is_refused_clearly(browser: Browser) -> None:
    browser.begin()
    answer = browser.post("/step/1", confidentiality_understood="x" * MOST_BODY_BYTES)
    assert answer.status_code == 413
    assert "more than we can take" in answer.text
    answer = browser.client.post("/step/1", content="&".join(f"a{n}=1" for n in range(300)).encode())
    assert answer.status_code == 413


@pytest.mark.parametrize("path", ["/", "/step/1", "/request", "/withdraw", "/check", "/stay"])
@pytest.mark.parametrize(
    "content", [b"", b"\xff\xfe=%ZZ&a", b"route=self&route=%00", b"{}", b"reference=" + b"9" * 5000]
)
def test_nonsense_never_breaks_a_page(browser: Browser, path: str, content: bytes) -> None:
    browser.begin()
    assert browser.client.post(path, content=content).status_code < 500


def test_what_breaks_is_said_kindly_and_logged_without_a_word_of_theirs(
    browser: Browser, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    browser.begin()
    browser.fill_in(concern=WORDS)

    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, WORDS)

    monkeypatch.setattr(browser.site.publisher, "request_help", full)
    answer = browser.post("/check")
    assert answer.status_code == 500
    assert "it has not been sent" in answer.text
    monkeypatch.undo()
    assert browser.open("/check").url.path == "/check", "and nothing that was written is lost"
    out = capfd.readouterr()
    assert WORDS not in out.out + out.err


def test_taking_back_sends_reference_and_words_sealed(browser: Browser) -> None:
    browser.open("/withdraw")
    browser.post("/withdraw", reference=" 9c28 sau2 5 ", passphrase=PASSPHRASE)
    assert "Thank you for telling us" in browser.text
    (spooled,) = Spool(browser.site.settings.spool).waiting()
    assert spooled.routing_key == "WithdrawalRequested"
    sealed = json.loads(spooled.body)["sealed"]
    assert Keyring(browser.keys, "intake").open(Credentials, sealed) == Credentials(
        reference="9C28-SAU2-5", passphrase=PASSPHRASE
    )


@pytest.mark.parametrize(
    ("reference", "words", "said"),
    [
        ("", "x", "Enter your reference"),
        ("9C28-SAU2-6", "x", "seems to be mistyped"),
        ("9C28-SAU2-5", "", "Enter the words that you chose"),
    ],
)
@pytest.mark.parametrize("path", ["/request", "/withdraw"])
def test_a_slip_in_the_reference_is_found_at_once(
    browser: Browser, path: str, reference: str, words: str, said: str
) -> None:
    browser.open(path)
    answer = browser.post(path, reference=reference, passphrase=words)
    assert answer.status_code == 422
    assert said in browser.text
    assert len(Spool(browser.site.settings.spool)) == 0


def test_where_nobody_can_look_that_is_said_neutrally(browser: Browser) -> None:
    browser.open("/request")
    browser.post("/request", reference="9C28-SAU2-5", passphrase=PASSPHRASE)
    assert "We can’t look right now" in browser.text


def test_guessing_is_slow_from_anywhere(browse: Callable[..., Browser]) -> None:
    browser = browse(questions_per_hour=3)
    asked = {"reference": "9C28-SAU2-5", "passphrase": "guess"}
    browser.open("/request")
    assert [browser.post("/request", **asked).status_code for _ in range(5)] == [200, 200, 200, 429, 429]
    browser.clock.advance(timedelta(hours=1))
    browser.open("/request")
    assert browser.post("/request", **asked).status_code == 200


def test_the_less_prominent_exit_is_for_those_it_might_frighten_off(browser: Browser) -> None:
    browser.begin("professional")
    assert 'class="leave leave-quiet"' in browser.last.text
    browser.begin("survivor")
    assert 'class="leave"' in browser.last.text


def test_every_address_is_neutral() -> None:
    telling = re.compile(r"abuse|offen|sex|harm|help|survivor|prison|risk")
    assert [path for path, _, _ in PAGES if telling.search(path)] == []
