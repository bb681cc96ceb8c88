"""Requests that came by telephone or letter, on the staff's pages."""

from __future__ import annotations

import re
from typing import Any

import pytest

from chassis.rpc import NoAnswer
from contracts.permissions import Role
from tests.console import test_attacks, test_work
from tests.console.conftest import Browser, House
from tests.console.test_duplicates import assessor
from tests.console.test_work import filled_in, shown
from tests.support.story import Story
from web.shared.forms.loader import read_definitions

house_at_work, story = test_work.house_at_work, test_work.story
ada, somebody = test_attacks.ada, test_attacks.somebody
FORM = "/requests/new/self"
NEEDED: dict[str, Any] = {
    "confidentiality_understood": "yes", "consent_processing": "yes", "postcode": "NP20 4UR",
    "contact_way": "email", "passphrase": "harbour lantern quiet",
}  # fmt: skip


@pytest.fixture
def eva(somebody: Any) -> Browser:
    browser: Browser = somebody(Role.ASSESSOR)
    return browser


@pytest.mark.parametrize("route", sorted(read_definitions()))
def test_every_form_is_on_one_page(eva: Browser, route: str) -> None:
    assert f'href="/requests/new/{route}"' in eva.open("/requests/new").text
    eva.open(f"/requests/new/{route}")
    assert eva.last.status_code == 200
    ids = re.findall(r' id="([^"]+)"', eva.last.text)
    assert len(ids) == len(set(ids))
    eva.post(f"/requests/new/{route}")
    assert "There is a problem" in eva.text
    targets = set(re.findall(r'<li><a href="#([^"]+)"', eva.last.text))
    assert "came-by-telephone" in targets
    assert targets <= set(re.findall(r' id="([^"]+)"', eva.last.text))


def test_an_unknown_form_leads_to_those_that_there_are(eva: Browser) -> None:
    eva.open("/requests/new/nobody")
    assert eva.path == "/requests/new"


def test_what_was_typed_stays_and_what_follows_is_asked_before_it_is_sent(eva: Browser) -> None:
    eva.open(FORM)
    eva.post(FORM, **{**NEEDED, "postcode": "nowhere", "contact_way": "", "concern": "planted <words>"})
    assert "Choose how it came." in eva.text
    assert 'value="nowhere"' in eva.last.text
    assert "planted &lt;words&gt;" in eva.last.text
    eva.post(FORM, **{**NEEDED, "came-by": "letter"})
    assert "Nothing is sent yet" in eva.text
    assert '<li><a href="#email">' in eva.last.text
    assert re.search(r'value="letter"[^>]* checked', eva.last.text)
    eva.post(FORM, **{**NEEDED, "came-by": "letter", "email": "not-an-address"})
    assert "There is a problem" in eva.text
    assert 'value="not-an-address"' in eva.last.text


def test_it_can_be_checked_without_being_sent(eva: Browser) -> None:
    eva.open(FORM)
    eva.post(FORM, **{**NEEDED, "contact_way": "i_call", "came-by": "telephone", "only-check": "yes"})
    assert "It is not sent yet" in eva.text
    assert 'value="NP20 4UR"' in eva.last.text


def test_where_intake_is_away_it_can_be_sent_again_with_all_that_was_typed(
    eva: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object, **__: object) -> None:
        raise NoAnswer

    monkeypatch.setattr("web.console.services.Services.ask", away)
    eva.open(FORM)
    eva.post(FORM, **{**NEEDED, "contact_way": "i_call", "came-by": "telephone"})
    assert eva.last.status_code == 503
    assert "never done twice" in eva.text
    assert 'name="postcode" value="NP20 4UR"' in eva.last.text


def test_a_request_is_typed_in_and_reference_and_words_are_shown_once(house_at_work: House, story: Story) -> None:
    eva = assessor(house_at_work)
    shown(eva, "/", "Type in a request")
    given = {**NEEDED, "came-by": "telephone", "contact_way": "i_call", "name": "Robin Planted"}
    filled_in(eva, FORM, **given)
    sent = eva.last.request.content
    assert "The request is taken in" in eva.text
    assert "harbour lantern quiet" in eva.text
    (page,) = set(re.findall(r'href="(/referrals/[0-9a-f-]{36})"', eva.last.text))
    (reference,) = re.findall(r"<strong>([0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z])</strong>", eva.last.text)
    assert eva.last.headers["refresh"] == f"300; url={page}"
    eva.last = eva.client.post(FORM, content=sent, headers={"content-type": "application/x-www-form-urlencoded"})
    assert reference in eva.text, "sent twice it is the same"

    shown(eva, page, "Request received , by Eva: Telephone")
    assert reference in eva.text
    assert "Planted" not in eva.last.text
    filled_in(eva, f"{page}/record", reason="assessment")
    assert "Robin Planted" in eva.text
    assert "You told us By telephone" in eva.text, "how they agreed"
