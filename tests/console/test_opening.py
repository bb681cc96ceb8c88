"""Before you open: what is ready, what is missing, and what can't be known, each line looked up."""

from __future__ import annotations

import json
import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from chassis.privacy.sealing import Keyring
from contracts.permissions import Role
from contracts.sealed import StaffLetter
from tests.console import test_work
from tests.console.conftest import Browser, House
from tests.console.test_handover import make_effective
from tests.console.test_work import confirm_roles
from tests.support.story import Story

house_at_work, story = test_work.house_at_work, test_work.story
PAGE = "/before-you-open"


@pytest.fixture
def ada(house: House) -> Browser:
    return house.first_administrator()


def line(browser: Browser, name: str) -> str:
    """What the page says in one of its lines."""
    found = re.search(rf'<section id="{name}".*?</section>', browser.last.text, re.S)
    assert found, name
    return " ".join(re.sub(r"<[^>]+>", " ", found[0]).split())


def press(browser: Browser, **fields: str) -> None:
    """Sends one of the page's small forms."""
    browser.open(PAGE)
    csrf = browser.token_for_forms()
    (command_id, *_) = re.findall(r'name="command_id" value="([^"]+)"', browser.last.text)
    browser.last = browser.client.post(PAGE, data={"csrf": csrf, "command_id": command_id, **fields})


def code_of(house: House) -> str:
    """What is in the newest test letter, as notifications opens it."""
    outbox = house.accounts.database.tables.outbox
    sent = select(outbox.c.body).where(outbox.c.routing_key == "LetterTested").order_by(outbox.c.id.desc()).limit(1)
    with house.accounts.reading() as work:
        body = work.unit.session.execute(sent).scalar_one()
    letter = Keyring(house.settings.keys, "notifications").open(StaffLetter, json.loads(body)["sealed"])
    return letter.code or ""


def test_what_no_service_tells_cannot_be_known_and_what_is_known_here_is_said(house: House, ada: Browser) -> None:
    ada.open(PAGE)
    assert ada.last.status_code == 200
    for name in ("rota", "alert", "backup"):
        assert "Can’t be known now" in line(ada, name)
    assert "Missing" in line(ada, "services")
    assert "Safeguarding lead (at least 2)" in line(ada, "roles")
    assert "Secret keys of others can be read by: these pages." in line(ada, "keys")
    assert "4 of 8 are missing" in ada.text


def test_a_test_letter_is_said_to_have_arrived_by_its_code(house: House, ada: Browser) -> None:
    press(ada, do="letter")
    assert "A test letter is on its way to you." in ada.text
    code = code_of(house)
    press(ada, do="code", code=f"{(int(code) + 1) % 10**6:06}")
    assert "This is not the code" in ada.text
    cyd = house.join(ada, "cyd@example.org", Role.ADMINISTRATOR)
    press(cyd, do="code", code=code)
    assert "This code can’t be typed any more" in cyd.text, "it is somebody else's"
    press(ada, do="code", code=f"{code[:3]} {code[3:]}")
    assert "One arrived: Ada Example typed its code" in line(ada, "letter")


def test_a_code_is_tried_five_times_and_for_a_day(house: House, ada: Browser) -> None:
    press(ada, do="letter")
    code = code_of(house)
    for _ in range(5):
        press(ada, do="code", code="nonsense")
    press(ada, do="code", code=code)
    assert "This code can’t be typed any more" in ada.text
    press(ada, do="letter")
    code = code_of(house)
    house.clock.advance(timedelta(days=1))
    ada.sign_in("ada@example.org")
    press(ada, do="code", code=code)
    assert "This code can’t be typed any more" in ada.text


def test_a_letter_is_sent_once_however_often_its_form_is(house: House, ada: Browser) -> None:
    ada.open(PAGE)
    fields = {"csrf": ada.token_for_forms(), "command_id": "01932b5e-7c00-7000-8000-0000000000aa", "do": "letter"}
    for _ in range(2):
        assert ada.client.post(PAGE, data=fields).status_code == 200
    outbox = house.accounts.database.tables.outbox
    with house.accounts.reading() as work:
        rows = work.unit.session.execute(select(outbox.c.id).where(outbox.c.routing_key == "LetterTested")).all()
    assert len(rows) == 1


def test_whoever_is_on_duty_takes_a_test_alert_in_hand(house_at_work: House, story: Story) -> None:
    ada = house_at_work.first_administrator()
    eva = house_at_work.join(ada, "eva@example.org", Role.SAFEGUARDING_LEAD)
    confirm_roles(house_at_work, ada)
    house_at_work.join(ada, "lea@example.org", Role.SAFEGUARDING_LEAD)
    make_effective(house_at_work, "lea@example.org")
    ada.open(PAGE)
    assert "No test alert was sent yet." in line(ada, "alert")
    assert re.search(r"Nobody has \d+ of 42 turns", line(ada, "rota"))
    assert "No backup was restored here so far" in line(ada, "backup")
    assert "Every part of the system answers" in line(ada, "services")
    assert "Secret keys of others can be read by: Intake," in line(ada, "keys")
    assert "Can’t be known now" in line(ada, "site")
    press(ada, do="alert")
    assert "A test alert is on its way" in ada.text
    assert "Take the test in hand" not in ada.text, "an administrator may not"
    press(ada, do="alert")
    assert "A test alert is on its way already." in ada.text
    eva.open(PAGE)
    (concern,) = re.findall(r'name="concern" value="([^"]+)"', eva.last.text)
    press(eva, do="take", concern=concern)
    assert "Eva took one in hand" in line(eva, "alert")
    listed = story.system.rpc.call("notifications", "alerts", all=True, limit=1_000)
    assert concern not in {one["concern_id"] for one in listed}
    eva.open("/work/concerns")
    assert concern not in eva.last.text
