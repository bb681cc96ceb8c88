"""What pages behind one-time links share: the secret leaves the address, looking does nothing, guessing is limited."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from chassis.ids import new_id
from chassis.privacy.sealing import Keyring, make_keys
from contracts.commands.evaluation import Choice, FormPage, Item
from contracts.commands.matching import OfferFacts, OfferPage
from contracts.commands.notifications import AlertPage, ClientPage
from contracts.sealed import (
    AlertAnswer,
    ClientContact,
    EvaluationForm,
    OfferAnswer,
    SafeChannel,
    SafeContact,
    SafeHours,
    TherapyAnswer,
)
from contracts.vocabulary import (
    AgeBand,
    ClientGroup,
    ConcernCategory,
    DeclineReason,
    LinkState,
    ReferralId,
    Respondent,
    RiskLevel,
    Sessions,
    Severity,
    Work,
)
from tests.site.conftest import AT, Browser
from tests.site.test_languages import untranslated
from web.publisher.spool import Spool
from web.shared.languages import Translations
from web.site import catalogue
from web.site.enquiry import EnquiryUnavailable
from web.site.links import link

SECRET, OTHER, RIGHT = "s" * 22, "o" * 22, "r" * 22
CHOICES = tuple(Choice(value=value, label=label) for value, label in enumerate(("Never", "Sometimes", "Always")))
FORM = FormPage(
    state=LinkState.OPEN,
    respondent=Respondent.CLIENT,
    language="en",
    title="An invented form",
    introduction="Please think of the last week.",
    licence="Invented for a test",
    items=tuple(Item(code=f"q{number}", text=f"Question {number}?", choices=CHOICES) for number in (1, 2, 3)),
)
OFFER = OfferPage(
    state=LinkState.OPEN,
    facts=OfferFacts(
        client_group=ClientGroup.SURVIVOR,
        risk_level=RiskLevel.HIGHER,
        age_band=AgeBand.FROM_35,
        work=Work.INDIVIDUAL,
        language="cy",
        sessions=Sessions.IN_PERSON,
        distance_km=7.4,
        session_fee_pence=60_00,
        most_pence=20_00,
        subsidy_pence=40_00,
        expires_at=AT + timedelta(days=2),
    ),
)
ALERT = AlertPage(
    state=LinkState.OPEN,
    severity=Severity.IMMEDIATE,
    category=ConcernCategory.CHILD_AT_RISK,
    raised_at=AT,
    reference="9C28-SAU2-5",
    asked="Ann Invented",
)
CLIENT = ClientPage(
    state=LinkState.OPEN,
    is_known=True,
    number_ends="21",
    matched_on=AT.date() - timedelta(days=7),
)
CONTACT = ClientContact(
    referral_id=ReferralId(new_id()),
    reference="9C28-SAU2-5",
    name="Robin Invented",
    contact=SafeContact(
        channel=SafeChannel.TELEPHONE,
        hours=SafeHours.EVENING,
        telephone="01632 960123",
        email="robin@example.org",
        call_as="Sam from the library",
    ),
)
OPEN = {"form": FORM, "offer": OFFER, "alert": ALERT, "client": CLIENT}
ANSWERED_AT = {"form": "/form/all", "client": "/client/report"}
"""Where each is answered, if not on its first page."""
REPORTED = {"what": "contact_made", "day": "23", "month": "11", "year": "2026"}
KINDS: dict[str, tuple[str, type[Any], str]] = {
    "EvaluationReturned": ("evaluation", EvaluationForm, "form"),
    "OfferAnswered": ("matching", OfferAnswer, "offer"),
    "AlertAnswered": ("notifications", AlertAnswer, "alert"),
    "TherapyReported": ("notifications", TherapyAnswer, "client"),
}
PATHS = {
    "form": ("/form", "/form/all", "/form/item/1", "/form/check"),
    "offer": ("/offer", "/offer/decline"),
    "alert": ("/alert",),
    "client": ("/client", "/client/report"),
}
each_kind = pytest.mark.parametrize("kind", OPEN)


@dataclass
class Services:
    """Stand for the services that made the links. Every secret but SECRET and OTHER is unknown."""

    pages: dict[str, Any] = field(default_factory=lambda: dict(OPEN))
    asked: list[str] = field(default_factory=list)
    silent: bool = False
    codes: list[tuple[str, str]] = field(default_factory=list)
    contact: ClientContact | None = CONTACT

    def open_form(self, token: str, language: str) -> FormPage:
        return self._open("form", token, FormPage)

    def open_offer(self, token: str) -> OfferPage:
        return self._open("offer", token, OfferPage)

    def open_alert(self, token: str) -> AlertPage:
        return self._open("alert", token, AlertPage)

    def open_client(self, token: str, right: str | None) -> ClientPage:
        """Known is the browser in which the code was typed, or every one, as a test has it."""
        return self._open("client", token, ClientPage)

    def read_client(self, token: str, right: str | None) -> tuple[ClientPage, ClientContact | None]:
        return self.open_client(token, right), self.contact

    def send_client_code(self, token: str) -> ClientPage:
        self.codes.append((token, "sent"))
        return self.open_client(token, None)

    def enter_client_code(self, token: str, code: str, right: str) -> ClientPage:
        self.codes.append((code, right))
        page = self.open_client(token, right)
        return replace(page, is_known=code == "123456") if page.state is LinkState.OPEN else page

    def _open(self, kind: str, token: str, page: Any) -> Any:
        self.asked.append(token)
        if self.silent:
            raise EnquiryUnavailable
        return self.pages[kind] if token in (SECRET, OTHER) else page(state=LinkState.UNKNOWN)


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    for reader in ("intake", "evaluation", "matching", "notifications"):
        make_keys(tmp_path / "all-keys", reader)
    return tmp_path / "all-keys"


@pytest.fixture
def services() -> Services:
    return Services()


@pytest.fixture
def reader(browse: Callable[..., Browser], services: Services, monkeypatch: pytest.MonkeyPatch) -> Browser:
    """Somebody with a browser, who has a letter."""
    browser = browse()
    asked = ("open_form", "open_offer", "open_alert")
    for name in (*asked, "open_client", "read_client", "send_client_code", "enter_client_code"):
        monkeypatch.setattr(browser.site.enquiry, name, getattr(services, name))
    monkeypatch.setattr(link, "WAIT_SECONDS", 0.0)
    browser.client.cookies["client-right"] = RIGHT
    return browser


def sent(browser: Browser) -> list[Any]:
    """What lies in the spool, opened as its reader would."""
    found = []
    for one in Spool(browser.site.settings.spool).waiting():
        service, kind, _ = KINDS[one.routing_key]
        found.append(Keyring(browser.keys, service).open(kind, json.loads(one.body)["sealed"]))
    return found


@each_kind
@pytest.mark.parametrize("prefix", ["", "/cy"])
def test_the_first_look_moves_the_secret_out_of_the_address(
    reader: Browser, services: Services, kind: str, prefix: str
) -> None:
    answer = reader.client.get(f"{prefix}/{kind}/{SECRET}", follow_redirects=False)
    assert (answer.status_code, answer.headers["Location"]) == (303, f"{prefix}/{kind}")
    cookie = answer.headers["Set-Cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert services.asked == [], "it uses nothing up, and doesn't even look"
    page = reader.open(f"{prefix}/{kind}")
    assert page.status_code == 200
    assert SECRET not in page.text
    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["Referrer-Policy"] == "no-referrer"


def test_the_cookie_goes_over_https_alone_where_there_is_https(browse: Callable[..., Browser]) -> None:
    answer = browse(secure=True).client.get(f"/offer/{SECRET}", follow_redirects=False)
    assert answer.headers["Set-Cookie"].startswith("__Host-offer=")
    assert "; Secure" in answer.headers["Set-Cookie"]


@each_kind
def test_looking_sends_nothing(reader: Browser, kind: str) -> None:
    reader.open(f"/{kind}/{SECRET}")
    for path in PATHS[kind]:
        for _ in range(2):
            assert reader.open(path).status_code == 200, path
    assert sent(reader) == []


@each_kind
def test_without_the_link_there_is_nothing_to_see(reader: Browser, services: Services, kind: str) -> None:
    page = reader.open(f"/{kind}")
    assert page.status_code == 404
    assert "open the link again" in reader.text
    assert services.asked == []


@each_kind
def test_somebody_else_s_or_no_secret_reveals_nothing_and_guessing_is_limited(
    reader: Browser, services: Services, kind: str
) -> None:
    for number in range(reader.site.settings.questions_per_hour):
        page = reader.open(f"/{kind}/{number:022}")
        assert (page.status_code, "leads nowhere" in page.text) == (404, True)
    before = len(services.asked)
    page = reader.open(f"/{kind}/{SECRET}")
    assert page.status_code == 429
    assert len(services.asked) == before, "whoever guesses is not even told when they guess right"
    reader.clock.advance(timedelta(hours=1, seconds=1))
    assert reader.open(f"/{kind}/{SECRET}").status_code == 200


@each_kind
def test_who_has_a_link_may_look_as_often_as_they_like(reader: Browser, kind: str) -> None:
    for _ in range(2 * reader.site.settings.questions_per_hour):
        assert reader.open(f"/{kind}/{SECRET}").status_code == 200


@each_kind
def test_while_the_service_is_silent_the_page_says_so(reader: Browser, services: Services, kind: str) -> None:
    services.silent = True
    page = reader.open(f"/{kind}/{SECRET}")
    assert page.status_code == 503
    assert "Nothing is lost" in reader.text


@each_kind
def test_a_page_is_not_answered_by_the_cookie_of_another_link(reader: Browser, kind: str) -> None:
    reader.open(f"/{kind}/{SECRET}")
    path = ANSWERED_AT.get(kind, f"/{kind}")
    reader.open(path)
    page_of_first = reader.last
    reader.open(f"/{kind}/{OTHER}")
    reader.last = page_of_first
    reader.post(path)
    assert reader.last.status_code == 409
    assert "another link" in reader.text
    assert sent(reader) == []


@each_kind
def test_a_page_on_another_site_can_answer_nothing(reader: Browser, kind: str) -> None:
    reader.open(f"/{kind}/{SECRET}")
    path = ANSWERED_AT.get(kind, f"/{kind}")
    reader.open(path)
    hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', reader.last.text))
    reader.client.post(path, data=hidden, headers={"Sec-Fetch-Site": "cross-site"})
    reader.client.post(path, data={})
    assert sent(reader) == []


def test_leaving_quickly_forgets_the_link_and_what_was_chosen(reader: Browser) -> None:
    reader.open(f"/form/{SECRET}")
    reader.open("/form/item/1")
    reader.post("/form/item/1", q1="2")
    assert len(reader.site.sessions) == 1
    reader.client.get("/exit", follow_redirects=False)
    assert len(reader.site.sessions) == 0
    assert "form" not in dict(reader.client.cookies)


def test_a_form_is_filled_in_one_question_at_a_time(reader: Browser) -> None:
    reader.open(f"/form/{SECRET}")
    assert "An invented form" in reader.text
    reader.open("/form/item/1")
    reader.post("/form/item/1", q1="2")
    assert reader.path == "/form/item/2"
    reader.post("/form/item/2", q2="")
    reader.post("/form/item/3", q3="0")
    assert reader.path == "/form/check"
    assert "Question 1? Always Change Question 1? Question 2? Left out" in reader.text
    reader.open("/form/item/1?change=1")
    reader.post("/form/item/1", q1="1")
    assert reader.path == "/form/check"
    reader.post("/form/check")
    (form,) = sent(reader)
    assert (form.token, [(one.item, one.value) for one in form.answers]) == (SECRET, [("q1", 1), ("q3", 0)])
    assert "We have it" in reader.text
    assert len(reader.site.sessions) == 0


def test_a_form_is_filled_in_on_one_page(reader: Browser) -> None:
    reader.open(f"/form/{SECRET}")
    reader.open("/form/all")
    reader.post("/form/all", q1="0", q2="9", q3="")
    (form,) = sent(reader)
    assert [(one.item, one.value) for one in form.answers] == [("q1", 0)], "what can't be chosen is no answer"


def test_an_answer_that_is_taken_meanwhile_is_shown_at_once(
    reader: Browser, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link, "WAIT_SECONDS", 20.0)
    publish = reader.site.publisher.answer_offer

    def taken(answer: OfferAnswer) -> Any:
        services.pages["offer"] = OfferPage(state=LinkState.ANSWERED, accepted=True)
        return publish(answer)

    monkeypatch.setattr(reader.site.publisher, "answer_offer", taken)
    reader.open(f"/offer/{SECRET}")
    reader.post("/offer")
    assert "You have accepted" in reader.text


def test_an_offer_shows_what_it_is_judged_by(reader: Browser) -> None:
    reader.open(f"/offer/{SECRET}")
    for fact in (
        "A survivor", "35 to 44", "Level of risk Higher", "One to one", "Welsh", "In person, about 7 km from you",
        "Your fee £60 a session", "Paid by a fund £40 a session", "The client can pay up to £20 a session",
        "Please answer by 10:00, Wednesday 25 November 2026",
    ):  # fmt: skip
        assert fact in reader.text, fact


def test_an_offer_is_declined_with_a_reason(reader: Browser) -> None:
    reader.open(f"/offer/{SECRET}")
    reader.open("/offer/decline")
    assert reader.post("/offer/decline").status_code == 422
    assert "Choose why you decline" in reader.text
    reader.post("/offer/decline", reason="no_room")
    (answer,) = sent(reader)
    assert answer == OfferAnswer(token=SECRET, accepted=False, reason=DeclineReason.NO_ROOM)


@pytest.mark.parametrize("day", [("", "", ""), ("23", "11", "2026"), ("30", "2", "2027"), ("1", "1", "2029")])
def test_who_is_away_says_until_when(reader: Browser, day: tuple[str, str, str]) -> None:
    reader.open(f"/offer/{SECRET}")
    reader.open("/offer/decline")
    typed = dict(zip(("day", "month", "year"), day, strict=True))
    assert reader.post("/offer/decline", reason="away", **typed).status_code == 422
    assert "Enter the day" in reader.text
    reader.post("/offer/decline", reason="away", day="14", month="1", year="2027")
    (answer,) = sent(reader)
    assert answer.until.isoformat() == "2027-01-14"


def test_an_alert_is_taken_in_hand_by_the_button(reader: Browser) -> None:
    reader.open(f"/alert/{SECRET}")
    for fact in ("9C28-SAU2-5", "Immediate", "A child may be at risk", "You go on record as Ann Invented"):
        assert fact in reader.text, fact
    reader.post("/alert")
    assert sent(reader) == [AlertAnswer(token=SECRET)]


STATES = (LinkState.ANSWERED, LinkState.EXPIRED, LinkState.WITHDRAWN)
CLOSED: dict[str, list[Any]] = {
    "form": [FormPage(state=one, respondent=Respondent.CLIENT) for one in STATES],
    "offer": [
        OfferPage(state=LinkState.ANSWERED, accepted=False),
        OfferPage(state=LinkState.EXPIRED),
        OfferPage(state=LinkState.WITHDRAWN),
    ],
    "alert": [
        AlertPage(state=LinkState.ANSWERED, acknowledged_by="Jo Made-Up"),
        AlertPage(state=LinkState.EXPIRED),
        AlertPage(state=LinkState.WITHDRAWN),
    ],
    "client": [ClientPage(state=one) for one in STATES],
}


@each_kind
@pytest.mark.parametrize("number", range(3))
def test_a_second_answer_is_not_sent_and_says_why(reader: Browser, services: Services, kind: str, number: int) -> None:
    reader.open(f"/{kind}/{SECRET}")
    path = ANSWERED_AT.get(kind, f"/{kind}")
    reader.open(path)
    services.pages[kind] = CLOSED[kind][number]
    reader.post(path)
    assert reader.last.status_code == 409
    assert sent(reader) == []
    shown = {
        "form": ("already answered", "time for this is over", "don’t ask this any more"),
        "offer": ("already answered", "time for this offer is over", "taken back"),
        "alert": ("already answered Jo Made-Up has this in hand", "too old", "not on duty for this any more"),
        "client": ("work with this client has ended", "too old", "nothing to see here any more"),
    }
    assert shown[kind][number] in reader.text
    assert reader.open(f"/{kind}/{SECRET}").status_code == 200, "the link shows the outcome"


def test_a_form_without_wording_says_how_to_answer_by_telephone(reader: Browser, services: Services) -> None:
    services.pages["form"] = FormPage(state=LinkState.OPEN, respondent=Respondent.CLIENT)
    for path in (f"/form/{SECRET}", "/form/item/1", "/form/all", "/form/check"):
        reader.open(path)
        assert "Please call us on 01632 960 001" in reader.text


def test_a_score_or_what_a_choice_counts_for_is_never_in_words(reader: Browser) -> None:
    for path in (f"/form/{SECRET}", "/form/all", "/form/check"):
        reader.open(path)
        assert not re.search(r"score|points|\b\d+ of \d+ points", reader.text)


@pytest.fixture
def lines(capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> Iterator[Callable[[], str]]:
    """Everything that is logged or written to the terminal."""
    caplog.set_level(logging.DEBUG)

    def written() -> str:
        out, err = capfd.readouterr()
        ours = (one for one in caplog.records if not one.name.startswith("http"))  # the test's own client
        return out + err + " ".join(f"{one.getMessage()} {vars(one)}" for one in ours)

    return written


@each_kind
def test_no_secret_is_in_any_log(reader: Browser, services: Services, kind: str, lines: Callable[[], str]) -> None:
    reader.open(f"/{kind}/{SECRET}")
    path = ANSWERED_AT.get(kind, f"/{kind}")
    reader.open(path)
    reader.post(path, **(REPORTED if kind == "client" else {}))
    services.silent = True
    reader.open(f"/{kind}/{SECRET}")
    reader.client.put(f"/{kind}/{SECRET}")
    written = lines()
    assert SECRET not in written
    assert "submission_id" in written, "it is written that something was sent"


def test_what_a_link_s_pages_say_goes_through_gettext(reader: Browser) -> None:
    texts = {str(one.id): f"«{one.id}»" for one in catalogue.template() if one.id}
    reader.site.renderer._catalogues["cy"] = Translations(texts)
    of_the_form = {FORM.title, FORM.introduction, FORM.licence, *(one.text for one in FORM.items)}
    of_the_client = {"Robin Invented", "01632 960123", "Sam from the library", "English"}
    known = of_the_form | of_the_client | {one.label for one in CHOICES} | {"Welsh", "Ann Invented", "9C28-SAU2-5"}
    for kind, paths in PATHS.items():
        reader.open(f"/cy/{kind}/{SECRET}")
        for path in paths:
            reader.open(f"/cy{path}")
            assert set(untranslated(reader.last.text)) <= known, path
