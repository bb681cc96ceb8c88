"""The values that each template may use, with invented ones to preview it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.notifications.domain.templates import Recipient, StandIn, Template

REFERENCE = "7KQ2-M9XH-4"
_ID = "0192e4a0-0000-7000-8000-000000000000"

_CALL_US = "01632 960001"

_CLIENT: Mapping[str, Any] = {
    "reference": REFERENCE,
    "call_us": _CALL_US,
    "sender_name": "Leeward",
    "status_url": "https://forms.example.org/s",
    "was_written_for": False,
    "is_client_reached": True,
}
_THERAPIST: Mapping[str, Any] = {
    "name": "Sam Pretend",
    "call_us": _CALL_US,
    "sender_name": "Leeward",
    "portal_url": "https://portal.example.org",
}
_STAFF: Mapping[str, Any] = {
    "reference": REFERENCE,
    "referral_id": _ID,
    "concern_id": _ID,
    "console_url": "https://console.example.org",
}

_ACCOUNT = {"name": "Sam Pretend", "about": "Robin Pretend", "sender_name": "Leeward"}
_FORM_LINK = {"form_link": "https://forms.example.org/form/link", "reminder": 0}
_FEE = {"invoice_id": _ID, "amount_pence": 50_00}
_YEAR = {**_FEE, "from_credit_pence": 0, "starts_on": "2026-11-23", "ends_on": "2027-11-22"}
_ALERT = {
    "severity": "immediate",
    "category": "child_at_risk",
    "raised_at": "2026-11-23T10:00:00+00:00",
    "link": "https://forms.example.org/alert/link",
    "is_forgotten": False,
    "is_test": False,
}
_INTRODUCED = {"reference": REFERENCE, "link": "https://forms.example.org/client/link", "days": 14}

_OWN: Mapping[Template, Mapping[str, Any]] = {
    Template.SUBSIDY_APPROVED: {"pence_per_session": 45_00, "sessions": 12},
    Template.REQUEST_RECEIVED: {"client_agrees": True},
    Template.REQUEST_ARRIVED: {"group": "family", "route": "self", "needs_safeguarding_lead": False},
    Template.REQUEST_UNREADABLE: {"submission_id": _ID, "reason": "unsealed", "field": ""},
    Template.AGREEMENT_AWAITED: {"reason": "consent_to_pass_on"},
    Template.THERAPIST_REPORTED: {"match_id": _ID, "what": "ended", "on": "", "reason": "completed"},
    Template.CONTACT_CODE: {"code": "123456", "expires_at": "2026-11-23T10:30:00+00:00"},
    Template.CONTACT_MOVED: {"code": None},
    Template.NEW_CONTACT_NAMED: {"settled": 0, "whose": "client"},
    Template.ANOTHER_WANTED: {"match_id": _ID},
    Template.CONTACT_CHANGED: _INTRODUCED,
    Template.SUBSIDY_WAITING: {"reason": "no_money"},
    Template.CLIENT_EVALUATION: _FORM_LINK,
    Template.PERSONAL_MESSAGE: {"words": "We tried to call you, as you asked.\n\nWhen is a good time?"},
    Template.OFFER: {
        "offer_id": _ID,
        "expires_at": "2026-11-25T10:00:00+00:00",
        "link": "https://forms.example.org/offer/link",
    },
    Template.OFFER_WITHDRAWN: {"offer_id": _ID},
    Template.INTRODUCTION: {**_INTRODUCED, "again": False},
    Template.CLIENT_CODE: {"code": "123456", "minutes": 10, "call_us": _CALL_US},
    Template.THERAPIST_EVALUATION: {**_FORM_LINK, "stage": "start"},
    Template.MEMBERSHIP_STARTED: _YEAR,
    Template.MEMBERSHIP_REMINDER: {"invoice_id": _ID, "outstanding_pence": 50_00, "lapses_on": "2026-12-24"},
    Template.MEMBERSHIP_RENEWED: _YEAR,
    Template.MEMBERSHIP_LAPSED: {"invoice_id": _ID, "lapsed_on": "2026-11-23"},
    Template.REFERRAL_FEE_CHARGED: {**_FEE, "from_credit_pence": 10_00},
    Template.REFERRAL_FEE_CREDITED: {**_FEE, "credit_note_id": _ID, "reason": "not_attended"},
    Template.FEE_CREDIT_REVERSED: {**_FEE, "credit_note_id": _ID},
    Template.PAYMENT_RECEIVED: {**_FEE, "outstanding_pence": 10_00, "credit_pence": 0},
    Template.PAYMENT_REVERSED: {**_FEE, "reason": "returned_by_bank"},
    Template.SUBSIDY_ASSIGNED: {
        "reference": REFERENCE,
        "pence_per_session": 25_00,
        "sessions": 10,
        "ends_on": "2027-03-31",
        "begin_by": "2027-02-21",
    },
    Template.THERAPIST_SUSPENDED: {"reason": "insurance_expired"},
    Template.THERAPIST_REINSTATED: {"reason": "insurance_expired"},
    Template.MATCHING_STALLED: {"reason": "nobody_near", "waiting_since": "2026-11-16T10:00:00+00:00"},
    Template.THERAPIST_NOT_ANSWERING: {"therapist_id": _ID, "offers_expired": 3},
    Template.ASSESSMENT_OVERDUE: {
        "due_at": "2026-11-25T10:00:00+00:00",
        "taken_up": True,
        "needs_safeguarding_lead": False,
    },
    Template.ERASURE_OVERDUE: {"erased_at": "2026-11-23T10:00:00+00:00", "waiting_for": "billing, evaluation"},
    Template.ATTENDANCE_UNRECORDED: {"match_id": _ID, "matched_on": "2026-10-24"},
    Template.SUBSIDY_TO_LOOK_AT: {"reason": "area_to_be_confirmed"},
    Template.MESSAGE_FAILED: {"message_id": _ID, "failed": "matched", "reason": "rejected"},
    Template.READINGS_STOPPED: {"account_id": _ID, "stopped_at": "2026-11-23T10:00:00+00:00", "where": "console"},
    Template.ROTA_GAP: {"gaps": "duty_lead:2026-12-25,deputy:2026-12-25,duty_lead:2026-12-28"},
    Template.STAFF_LINK: {
        **_ACCOUNT,
        "link": "https://console.example.org/link/secret",
        "renews": False,
        "expires_at": "2026-11-25T10:00:00+00:00",
    },
    Template.STAFF_TEST: {**_ACCOUNT, "code": "123456"},
    Template.STAFF_TOLD: {**_ACCOUNT, "matter": "role_granted", "role": "assessor", "is_own": False},
    Template.SAFEGUARDING_ALERT: {**_ALERT, "step": "duty_lead"},
}

_PUBLIC: Mapping[str, Any] = {
    "reference": REFERENCE,
    "link": "https://forms.example.org/s",
    "call_us": _CALL_US,
    "sender_name": "Alex",
}

_STAND_INS: Mapping[StandIn, Mapping[str, Any]] = {
    StandIn.DISCREET: _PUBLIC,
    StandIn.CLIENT_TEXT: _PUBLIC,
    StandIn.ALERT_TEXT: {**_STAFF, **_ALERT, "step": "duty_lead"},
    StandIn.DIGEST: {
        "items": [
            {"subject": "A referral has been waiting for long", "body": "A person should look."},
            {"subject": "A message could not be sent", "body": "Somebody should be told by a person instead."},
        ]
    },
    StandIn.STAFF_CALL: {
        "is_writer": False,
        "reference": REFERENCE,
        "topic": "matched",
        "way": "telephone",
        "hours": "evening",
        "may_leave_message": False,
        "call_as": "Sam from the library",
        "discreet": True,
        "letter": "There is good news about your request.",
        "console_url": "https://console.example.org",
    },
}


def _values_of(template: Template) -> Mapping[str, Any]:
    recipient = template.recipient
    by_recipient: Mapping[Recipient, Mapping[str, Any]] = {
        Recipient.CLIENT: _CLIENT,
        Recipient.THERAPIST: _THERAPIST,
        Recipient.STAFF: _ACCOUNT,
    }
    common = by_recipient.get(recipient or Recipient.OFFICE, _STAFF)
    return {**common, **_OWN.get(template, {})}


SAMPLES: Mapping[str, Mapping[str, Any]] = {
    **{template.value: _values_of(template) for template in Template},
    **{wording: _values_of(template) for template in Template if (wording := template.writers_wording)},
    **{name.value: values for name, values in _STAND_INS.items()},
}
"""By the template's name."""

KNOWN = {name: frozenset(values) for name, values in SAMPLES.items()}
WITHOUT_SUBJECT = frozenset({StandIn.CLIENT_TEXT.value, StandIn.ALERT_TEXT.value, Template.CLIENT_CODE.value})
