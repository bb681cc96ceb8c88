"""What people send that no page of ours would, some of whom mean harm: it is refused with words, and nothing breaks."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import uuid4

from chassis.access import tokens
from chassis.access.actor import Person, SignIn
from chassis.access.tokens import Signer
from contracts.permissions import CEILINGS, FrontEnd, Role
from tests.console import test_work
from tests.console.conftest import Browser, House
from tests.console.test_details import signed_in
from tests.console.test_work import filled_in, shown
from tests.support.story import Story
from web.console.services import Services

house_at_work, story = test_work.house_at_work, test_work.story
NOBODY = "00000000-0000-0000-0000-000000000000"
AFTERS = (f"x~{NOBODY}", f"2026-01-01T00:00:00~{NOBODY}", f"0001-01-01T00:00:00Z~{NOBODY}", f"%00~{NOBODY}", "~")


def sent(browser: Browser, path: str, **fields: Any) -> Browser:
    """Posts what a page of ours might not hold."""
    browser.last = browser.client.post(path, data={"csrf": browser.token_for_forms(), **fields})
    return browser


def asked(house: House, story: Story) -> tuple[Browser, str]:
    """Somebody with all roles, signed in just now, and the page of a referral."""
    eva = signed_in(house, Role.MATCHING, Role.SAFEGUARDING_LEAD, Role.FINANCE)
    story.ask_for_help()
    page = f"/referrals/{story.referral_id}"
    shown(eva, page, "Take it up")
    return eva, page


def test_nothing_that_is_mistyped_or_forged_breaks_a_page(house_at_work: House, story: Story) -> None:
    eva, page = asked(house_at_work, story)
    for after in AFTERS:
        assert eva.open(f"/work/new_requests?after={after}").status_code == 200, after
    assert "has changed" in sent(eva, f"{page}/assign", to="nobody", instead_of="garbage").text
    for concern in ("garbage", ""):
        sent(eva, "/before-you-open", do="take", concern=concern)
        assert eva.last.status_code == 200
    sent(eva, f"{page}/hold", reason="information_awaited", seen="999999")
    assert "done=step" in str(eva.last.url), eva.text
    for step, fields in (("end_match", {"reason": "completed"}), ("never_attended", {})):
        sent(eva, f"{page}/{step}", **fields)
        assert "no match that this could be about" in eva.text
    for day in ("0001-01-01", "9999-12-31", "x"):
        assert "Write a day of the years" in sent(eva, f"{page}/first_session", attended_on=day).text
        assert "Write a day of the years" in sent(eva, "/funds/open", starts_on=day).text
    assert "Say on which day" in sent(eva, f"{page}/first_session", attended_on="").text


def test_what_nobody_sees_in_pasted_words_is_left_out(house_at_work: House, story: Story) -> None:
    eva, page = asked(house_at_work, story)
    sent(eva, f"{page}/note", kind="call", text="pasted\x00\x07\u202e\u2066 words")
    assert eva.path == page, eva.text
    sent(eva, f"{page}/record", reason="assessment")
    assert "pasted words" in eva.text
    sent(eva, f"{page}/note", kind="call", text="x" * 5001)
    assert "at most 5,000 characters" in eva.text


def test_what_belongs_to_another_referral_is_not_shown_or_changed_as_of_this_one(
    house_at_work: House, story: Story
) -> None:
    eva, other = asked(house_at_work, story)
    shown(eva, f"{other}/messages", "Request received")
    (message, *_) = re.findall(rf'href="{other}(/messages/[0-9a-f-]+)"', eva.last.text)
    filled_in(eva, f"{other}/concern", severity="immediate", category="child_at_risk")
    shown(eva, other, "Nobody has it in hand yet")
    (concern,) = set(re.findall(rf'"{other}(/concerns/[0-9a-f-]+)/acknowledge"', eva.last.text))
    reference = str(story.receipt.reference)
    story.ask_for_help()
    page = f"/referrals/{story.referral_id}"
    shown(eva, page, "Take it up")
    filled_in(eva, f"{other}/link", reference=str(story.receipt.reference), kind="partner", reason="said_by_client")
    (link,) = re.findall(rf'href="{other}(/links/[0-9a-f-]+)"', eva.last.text)
    story.ask_for_help()
    page = f"/referrals/{story.referral_id}"
    shown(eva, page, "Take it up")

    assert "no such message" in eva.open(page + message).text
    assert sent(eva, page + link, reason="linked_in_error").last.status_code == 409
    assert eva.open(page + concern).status_code == eva.open(f"{page}{concern}/outcome").status_code == 404
    for act in ("acknowledge", "outcome", "reasons"):
        sent(eva, f"{page}{concern}/{act}", outcome="no_further_action", reason="planted words")
        assert eva.last.status_code == 404, act
        assert reference not in eva.text
    assert "Nobody has it in hand yet" in shown(eva, other, reference).text
    assert eva.open(f"{page}/forms/{NOBODY}").status_code == 404
    assert eva.open(other + message).status_code == 200
    assert "kept apart from nobody" in sent(eva, other + link, reason="linked_in_error").text


def test_who_handles_a_linked_referral_writes_and_reads_nothing(house_at_work: House, story: Story) -> None:
    eva, page = asked(house_at_work, story)
    filled_in(eva, f"{page}/concern", severity="immediate", category="child_at_risk")
    shown(eva, page, "Nobody has it in hand yet")
    (concern,) = set(re.findall(rf'"{page}(/concerns/[0-9a-f-]+)/acknowledge"', eva.last.text))
    sent(eva, f"{page}{concern}/acknowledge")
    sent(eva, f"{page}{concern}/outcome", outcome="no_further_action", reason="planted words")
    assert "planted words" in sent(eva, f"{page}{concern}/reasons").text
    reference = str(story.receipt.reference)
    story.ask_for_help()
    own = f"/referrals/{story.referral_id}"
    shown(eva, own, "Take it up")
    filled_in(eva, f"{own}/link", reference=reference, kind="partner", reason="said_by_client")
    sent(eva, f"{own}/take_up")
    for path in (f"{concern}/reasons", "/write", "/find_place"):
        sent(eva, page + path, words="Hello", postcode="NP20")
        assert "leave this one to a colleague" in eva.text, path
        assert "planted words" not in eva.text
    eva.open(f"{page}/messages")
    assert "Personal message" not in eva.text, "it was not sent before it was refused"


def test_a_form_that_is_sent_many_times_at_once_is_done_once(house_at_work: House, story: Story) -> None:
    eva, page = asked(house_at_work, story)
    fields = {"csrf": eva.token_for_forms(), "command_id": str(uuid4())}

    def send(_: int) -> int:
        return int(eva.client.post(f"{page}/take_up", data=fields, follow_redirects=False).status_code)

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(send, range(8))) == {303}


def test_what_was_signed_before_another_sending_that_came_first_is_signed_anew(
    house_at_work: House, story: Story
) -> None:
    story.ask_for_help()
    behind = iter([timedelta(0), timedelta(seconds=-5), timedelta(seconds=1)])
    signer = Signer(story.system.workspace.keys, FrontEnd.CONSOLE, clock=lambda: tokens.now() + next(behind))
    services = Services(story.system.amqp_uri, signer)
    eva = Person(
        name=str(uuid4()),
        permissions=frozenset(CEILINGS[FrontEnd.CONSOLE]),
        signed_in=SignIn(at=tokens.now(), factor="code"),
    )
    command_id = uuid4()
    told = [services.give(eva, "intake", "take_up", command_id=command_id, referral_id=story.referral_id) for _ in "12"]
    services.close()
    assert told[0] == told[1]
