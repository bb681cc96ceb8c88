"""The wording of every message."""

from __future__ import annotations

import re
from typing import Any

import pytest
from jinja2 import UndefinedError

from contracts.sealed import ClientContact, SafeChannel, SafeContact
from contracts.vocabulary import ReferralId, Stage, SuspensionReason
from services.notifications.domain.templates import Recipient, Template
from services.notifications.gateways.wording import FOLDER, render
from services.notifications.handlers.letters import STAFF_CALL
from tests.unit.notifications.conftest import EMAIL, TELEPHONE

TELLING = re.compile(
    r"therap|counsel|treat|abus|offen[cd]|sex|porn|child|victim|survivor|perpetrat|crim|police|prison|probation|"
    r"risk|charity|leeward|subsid|session|referr|safeguard|suicid|samaritan|mental|illness|clinic|withdraw",
    re.IGNORECASE,
)
"""Words by which somebody who reads over a shoulder could tell, or guess, what it is about."""

GRAPHIC = re.compile(r"abus|rape|assault|indecent|porn|paedo|offender|perpetrator|victim", re.IGNORECASE)

CONTACTS = [EMAIL, TELEPHONE, *(SafeContact(channel=channel) for channel in SafeChannel)]


EVERYTHING: dict[str, Any] = {
    "reference": "7KQ2-M9XH-4",
    "discreet": True,
    "sender_name": "Alex",
    "name": "Sam Pretend",
    "status_url": "https://forms.example.org/s",
    "portal_url": "https://portal.example.org",
    "console_url": "https://console.example.org",
    "form_link": "https://forms.example.org/f/made-up",
    "pence_per_session": 45_00,
    "sessions": "12",
    "stage": "start",
    "reason": "complaint",
    "work": "individual",
    "distance_km": 7,
    "expires_at": "2026-11-25T10:00:00+00:00",
    "waiting_since": "2026-11-16T10:00:00+00:00",
    "due_at": "2026-11-25T10:00:00+00:00",
    "taken_up": True,
    "needs_safeguarding_lead": False,
    "raised_at": "2026-11-23T10:00:00+00:00",
    "starts_on": "2026-11-23",
    "ends_on": "2027-11-22",
    "lapsed_on": "2026-11-23",
    "amount_pence": 50_00,
    "severity": "immediate",
    "category": "child_at_risk",
    "failed": "matched",
    "topic": "matched",
    **{f"{name}_id": "made-up" for name in ("offer", "invoice", "credit_note", "message", "referral", "concern")},
}
"""Something for everything that any template may ask for."""


def values(referral_id: ReferralId, **more: Any) -> dict[str, Any]:
    client = ClientContact(referral_id=referral_id, reference="7KQ2-M9XH-4", name="Robin", contact=EMAIL)
    return {**EVERYTHING, "client": client, **more}


def test_there_is_a_text_for_every_template_and_no_other() -> None:
    assert {path.stem for path in FOLDER.glob("*.txt")} == {*Template, STAFF_CALL}


@pytest.mark.parametrize("name", [*Template, STAFF_CALL])
def test_every_text_has_a_subject_and_reads_as_plain_text(referral_id: ReferralId, name: str) -> None:
    for discreet in (True, False):
        text = render(name, values(referral_id, discreet=discreet))
        assert text.subject
        assert "\n" not in text.subject
        assert text.body.strip()
        assert "{" not in text.body
        assert "<" not in text.body
        assert "\n\n\n" not in text.body


@pytest.mark.parametrize("name", [*Template, STAFF_CALL])
def test_no_message_is_graphic(referral_id: ReferralId, name: str) -> None:
    text = render(name, values(referral_id, discreet=False))
    assert not GRAPHIC.search(text.subject + text.body)


@pytest.mark.parametrize("name", [one for one in Template if one.recipient is Recipient.CLIENT])
def test_a_discreet_message_has_no_telling_word_and_no_amount(referral_id: ReferralId, name: Template) -> None:
    text = render(name, values(referral_id, discreet=True))
    assert TELLING.findall(text.subject + "\n" + text.body) == []
    assert "£" not in text.body
    assert "7KQ2-M9XH-4" in text.subject + text.body


@pytest.mark.parametrize("name", [one for one in Template if one.recipient is Recipient.CLIENT])
def test_a_client_s_name_is_in_no_message_to_them(referral_id: ReferralId, name: Template) -> None:
    for discreet in (True, False):
        text = render(name, values(referral_id, discreet=discreet))
        assert "Robin" not in text.subject + text.body


@pytest.mark.parametrize("name", [one for one in [*Template, STAFF_CALL] if one is not Template.INTRODUCTION])
def test_only_an_introduction_tells_who_a_client_is(referral_id: ReferralId, name: str) -> None:
    text = render(name, values(referral_id))
    assert "Robin" not in text.subject + text.body


@pytest.mark.parametrize("stage", list(Stage))
def test_there_are_words_for_every_stage(referral_id: ReferralId, stage: Stage) -> None:
    assert "(as" in (text := render(Template.THERAPIST_EVALUATION, values(referral_id, stage=stage.value)).body) or (
        "(under way" in text or "(some time" in text
    )


@pytest.mark.parametrize("reason", list(SuspensionReason))
def test_there_are_words_for_every_suspension(referral_id: ReferralId, reason: SuspensionReason) -> None:
    for template in (Template.THERAPIST_SUSPENDED, Template.THERAPIST_REINSTATED):
        with_reason = render(template, values(referral_id, reason=reason.value)).body
        assert "_" not in with_reason
        assert "because ." not in with_reason


@pytest.mark.parametrize("contact", CONTACTS)
def test_an_introduction_reads_well_whatever_the_client_gave(referral_id: ReferralId, contact: SafeContact) -> None:
    client = ClientContact(referral_id=referral_id, reference="7KQ2-M9XH-4", contact=contact)
    text = render(Template.INTRODUCTION, values(referral_id, client=client)).body
    assert "None" not in text
    assert "not given" in text


def test_links_that_are_not_set_up_are_left_out(referral_id: ReferralId) -> None:
    nowhere = values(referral_id, status_url=None, portal_url=None, console_url=None)
    for name in (Template.REQUEST_RECEIVED, Template.OFFER, Template.SAFEGUARDING_ALERT):
        assert "None" not in render(name, nowhere).body


def test_a_value_that_is_missing_is_an_error_and_not_a_gap(referral_id: ReferralId) -> None:
    with pytest.raises(UndefinedError):
        render(Template.OFFER, {"name": "Sam"})
