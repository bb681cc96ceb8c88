"""The wording of every message."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from jinja2 import UndefinedError

from contracts.vocabulary import (
    AlertStep,
    ClientGroup,
    ConcernCategory,
    FailureReason,
    Route,
    Severity,
    Stage,
    StallReason,
    SuspensionReason,
)
from services.notifications.domain.templates import Recipient, StandIn, Template
from services.notifications.gateways import staff_labels
from services.notifications.gateways.samples import KNOWN, REFERENCE, SAMPLES, WITHOUT_SUBJECT
from services.notifications.gateways.templates import InvalidTemplates, Templates, Text
from services.notifications.settings import TEMPLATES
from tests.unit.notifications.conftest import WORDING

TELLING = re.compile(
    r"therap|counsel|treat|abus|offen[cd]|sex|porn|child|victim|survivor|perpetrat|crim|police|prison|probation|"
    r"risk|charity|leeward|subsid|session|referr|safeguard|suicid|samaritan|mental|illness|clinic|withdraw|"
    r"rhyw\b|plentyn|trosedd|heddlu|carchar|elusen|cwnsel|cymhorthdal|triniaeth|dioddef",
    re.IGNORECASE,
)
"""Words by which somebody who reads over a shoulder could tell, or guess, what it is about."""

GRAPHIC = re.compile(r"abus|rape|assault|indecent|porn|paedo|offender|perpetrator|victim|trais", re.IGNORECASE)

LANGUAGES = ("en", "cy")
SHOWN_IN_PUBLIC = (StandIn.DISCREET, StandIn.CLIENT_TEXT)


class Page(HTMLParser):
    """What an HTML page shows, and what it would load or lead to."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.text: list[str] = []
        self.tags: list[str] = []
        self.links: list[str | None] = []
        self.loads: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        found = dict(attrs)
        if tag == "a":
            self.links.append(found.get("href"))
        self.loads += [name for name in found if name in ("src", "srcset", "background", "data", "onclick")]

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def render(name: str, language: str = "en", **more: Any) -> Text:
    return WORDING.render(name, {**SAMPLES[name], **more}, language=language)


def words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", text)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", SAMPLES)
def test_every_text_reads_as_plain_text_and_has_a_subject_if_it_is_an_e_mail(name: str, language: str) -> None:
    text = render(name, language)
    assert bool(text.subject) is (name not in WITHOUT_SUBJECT)
    assert "\n" not in text.subject
    assert text.body.strip()
    assert not re.search(r"[{<]|\n\n\n|None", text.body)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", SAMPLES)
def test_every_page_says_what_its_text_says_and_loads_nothing(name: str, language: str) -> None:
    text = render(name, language)
    page = Page(WORDING.page(text))
    # The subject is the page's title.
    assert words(" ".join(page.text)) == words(f"{text.subject} {text.body}")
    assert page.loads == []
    assert not {"img", "script", "link", "iframe", "style", "form"} & set(page.tags)
    assert page.links == re.findall(r"https?://\S+", text.body)


def test_a_page_shows_what_it_is_given_and_does_not_obey_it() -> None:
    name = "<img src=x onerror=alert(1)> & </p><script>"
    page = Page(WORDING.page(render(Template.OFFER, sender_name=name)))
    assert any(name in text for text in page.text)
    assert not {"img", "script"} & set(page.tags)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", SAMPLES)
def test_no_message_is_graphic(name: str, language: str) -> None:
    text = render(name, language)
    assert not GRAPHIC.search(text.subject + text.body)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", SHOWN_IN_PUBLIC)
def test_what_others_may_see_is_a_reference_and_a_link_without_a_telling_word(name: StandIn, language: str) -> None:
    text = render(name, language)
    assert TELLING.findall(text.subject + "\n" + text.body) == []
    assert "£" not in text.body
    assert REFERENCE in text.body
    assert text.body.count("https://") == 1
    assert set(SAMPLES[name]) == {"reference", "link", "call_us", "sender_name"}
    assert SAMPLES[name]["call_us"] in text.body
    without = render(name, language, link=None).body
    assert "https://" not in without
    assert TELLING.findall(without) == []


NOWHERE: Mapping[str, None] = {"link": None, "form_link": None, "status_url": None, "portal_url": None}
TO_PEOPLE_OUTSIDE = sorted(
    {*SHOWN_IN_PUBLIC}
    | {one.value for one in Template if one.recipient in (Recipient.CLIENT, Recipient.THERAPIST)}
    | {one.writers_wording for one in Template if one.writers_wording}
)
TO_STAFF = sorted(set(SAMPLES) - set(TO_PEOPLE_OUTSIDE) - {StandIn.DIGEST})


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", TO_PEOPLE_OUTSIDE)
def test_every_message_says_how_to_get_back_to_us_where_there_is_no_page_at_all(name: str, language: str) -> None:
    values = {key: value for key, value in NOWHERE.items() if key in KNOWN[name]}
    text = render(name, language, **values).body
    assert SAMPLES[name]["call_us"] in text
    assert "https://" not in text


@pytest.mark.parametrize("console_url", [None, "https://console.example.org"])
@pytest.mark.parametrize("name", TO_STAFF)
def test_staff_are_told_in_words_and_asked_to_do_something(name: str, console_url: str | None) -> None:
    text = render(name, console_url=console_url)
    commands = re.compile(r"leeward [a-z]+ .*")
    codes = re.findall(r"\b[a-z]+_[a-z_]+\b", commands.sub("", text.body))
    assert codes == []
    assert re.search(r"\b[Pp]lease\b", text.body)


@pytest.mark.parametrize(
    ("name", "codes"),
    [
        ("severity", Severity),
        ("category", ConcernCategory),
        ("group", ClientGroup),
        ("route", Route),
        ("stalled", StallReason),
        ("what_helps", StallReason),
        ("failed", FailureReason),
        ("step", AlertStep),
        ("topic", [one for one in Template if one.recipient in (Recipient.CLIENT, Recipient.THERAPIST)]),
    ],
)
def test_staff_have_words_for_every_code(name: str, codes: Iterable[str]) -> None:
    assert set(staff_labels.FILTERS[name]) == {str(code) for code in codes}


@pytest.mark.parametrize(
    "name", [one for one in TO_PEOPLE_OUTSIDE if "sender_name" in KNOWN[one] and "name" not in KNOWN[one]]
)
def test_whatever_clients_and_writers_get_is_there_in_welsh(name: str) -> None:
    assert render(name, "cy").language == "cy"


@pytest.mark.parametrize("name", SAMPLES)
def test_no_letter_tells_who_a_client_is(name: str) -> None:
    assert "client" not in KNOWN[name]
    assert KNOWN[name] & {"name", "email", "telephone", "address"} <= {"name"}
    if name in {one for one in Template if one.recipient is Recipient.CLIENT} | set(StandIn):
        assert "name" not in KNOWN[name]


@pytest.mark.parametrize("name", [Template.INTRODUCTION, Template.CONTACT_CHANGED])
def test_an_introduction_that_was_queued_before_there_were_links_asks_to_be_rung(name: Template) -> None:
    text = render(name, link=None).body
    assert "Please call us" in text
    assert "None" not in text


@pytest.mark.parametrize("stage", list(Stage))
def test_there_are_words_for_every_stage(stage: Stage) -> None:
    text = render(Template.THERAPIST_EVALUATION, stage=stage.value).body
    assert re.search(r"\((as|under way|some time)", text)


@pytest.mark.parametrize("reason", list(SuspensionReason))
def test_there_are_words_for_every_suspension(reason: SuspensionReason) -> None:
    for template in (Template.THERAPIST_SUSPENDED, Template.THERAPIST_REINSTATED):
        with_reason = render(template, reason=reason.value).body
        assert "_" not in with_reason
        assert "because ." not in with_reason


def test_links_that_are_not_set_up_are_left_out() -> None:
    nowhere = {"status_url": None, "portal_url": None, "console_url": None}
    for name in (Template.REQUEST_RECEIVED, Template.OFFER, Template.SAFEGUARDING_ALERT, StandIn.ALERT_TEXT):
        assert "None" not in render(name, **nowhere).body


def test_a_value_that_is_missing_is_an_error_and_not_a_gap() -> None:
    with pytest.raises(UndefinedError):
        WORDING.render(Template.OFFER, {"name": "Sam"})


def test_welsh_is_spoken_where_it_is_there_with_its_own_names_of_days(tmp_path: Path) -> None:
    text = render(Template.MATCHED, "cy")
    assert text.language == "cy"
    assert "mae therapydd wedi cytuno i'ch gweld" in text.body
    wording = copied(tmp_path, {"cy/offer.txt": "Subject: Cynnig\n\nErbyn {{ expires_at | moment }}.\n"})
    offered = wording.render(Template.OFFER, SAMPLES[Template.OFFER], language="cy")
    assert offered.body == "Erbyn Dydd Mercher 25 Tachwedd 2026 am 10:00.\n"


def test_what_is_not_there_in_welsh_goes_out_in_english_and_says_so_in_both() -> None:
    text = render(Template.OFFER, "cy")
    assert text.language == "en"
    first = text.body.splitlines()[0]
    assert "ar gael yn Gymraeg" in first
    assert "not available in Welsh" in first
    assert text.body.endswith(render(Template.OFFER).body)


def test_a_language_that_nothing_is_there_in_is_written_to_in_english() -> None:
    assert render(Template.MATCHED, "pl") == render(Template.MATCHED)


def copied(folder: Path, changes: Mapping[str, str | None]) -> Templates:
    shutil.copytree(TEMPLATES, folder / "templates")
    for name, content in changes.items():
        path = folder / "templates" / name
        path.unlink() if content is None else path.write_text(content)
    return Templates(folder / "templates", KNOWN, texts=WITHOUT_SUBJECT)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"en/offer.txt": None}, "en/offer.txt is missing"),
        ({"en/offer.txt": "Subject: x\n\n{{ nobody }}"}, "en/offer.txt asks for nobody, which it is not given"),
        ({"cy/matched.txt": "Subject: x\n\n{{ name }}"}, "cy/matched.txt asks for name"),
        ({"en/offer.txt": "Subject: x\n\n{% if %}"}, "en/offer.txt, line 3"),
        ({"en/offer.txt": "Dear {{ name }}"}, "does not begin with 'Subject: '"),
        ({"en/offers.txt": "Subject: x\n\nx"}, "en/offers.txt is a template that nothing uses"),
        ({"layout.html": "{% for %}"}, "layout.html can't be read"),
        ({"layout.html": None}, "layout.html can't be read"),
    ],
)
def test_names_the_template_that_is_wrong(tmp_path: Path, changes: dict[str, str | None], said: str) -> None:
    with pytest.raises(InvalidTemplates, match=re.escape(said)):
        copied(tmp_path, changes)


def test_another_wording_is_another_version(tmp_path: Path) -> None:
    wording = copied(tmp_path, {"en/matched.txt": "Subject: News\n\nSomething else.\n"})
    before, after = WORDING.versions(Template.MATCHED), wording.versions(Template.MATCHED)
    assert before["en"] != after["en"]
    assert before["cy"] == after["cy"]
    assert wording.versions(Template.OFFER) == WORDING.versions(Template.OFFER)


def leeward(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "leeward.cli", "templates", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def test_templates_are_listed_and_previewed_by_command(tmp_path: Path) -> None:
    listed = leeward("list").stdout
    assert all(name in listed for name in SAMPLES)
    out = tmp_path / "preview.html"
    shown = leeward("preview", "matched", "--language", "cy", "--html", "--out", str(out))
    assert (shown.returncode, shown.stdout) == (0, "")
    assert '<html lang="cy">' in out.read_text()
    assert "Mae rhywun wedi cytuno" in leeward("preview", "matched", "--language", "cy").stdout


def test_a_template_that_there_is_not_is_refused_by_name() -> None:
    refused = leeward("preview", "no_such_thing")
    assert refused.returncode == 2
    assert "no_such_thing" in refused.stderr
