"""What each template may ask for, with invented values to preview it with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from contracts.sealed import ClientContact, SafeChannel, SafeContact, SafeHours
from contracts.vocabulary import ReferralId
from services.notifications.domain.templates import Recipient, StandIn, Template

REFERENCE = "7KQ2-M9XH-4"
_ID = "0192e4a0-0000-7000-8000-000000000000"
_CONTACT = SafeContact(
    channel=SafeChannel.TELEPHONE, hours=SafeHours.EVENING, telephone="01632 960123", call_as="Sam from the library"
)

_CLIENT: Mapping[str, Any] = {
    "reference": REFERENCE,
    "sender_name": "Leeward",
    "status_url": "https://forms.example.org/s",
}
_THERAPIST: Mapping[str, Any] = {
    "name": "Sam Pretend",
    "sender_name": "Leeward",
    "portal_url": "https://portal.example.org",
}
_STAFF: Mapping[str, Any] = {"referral_id": _ID, "concern_id": _ID, "console_url": "https://console.example.org"}

_FORM_LINK = {"form_link": "https://forms.example.org/f/made-up"}
_FEE = {"invoice_id": _ID, "amount_pence": 50_00}
_YEAR = {**_FEE, "starts_on": "2026-11-23", "ends_on": "2027-11-22"}
_ALERT = {"severity": "immediate", "category": "child_at_risk", "raised_at": "2026-11-23T10:00:00+00:00"}
_INTRODUCED = ClientContact(
    referral_id=ReferralId(UUID(_ID)), reference=REFERENCE, name="Robin Invented", contact=_CONTACT
)

_OWN: Mapping[Template, Mapping[str, Any]] = {
    Template.SUBSIDY_APPROVED: {"pence_per_session": 45_00, "sessions": 12},
    Template.CLIENT_EVALUATION: _FORM_LINK,
    Template.OFFER: {
        "offer_id": _ID,
        "expires_at": "2026-11-25T10:00:00+00:00",
        "work": "individual",
        "sessions": "in_person",
        "distance_km": 7,
    },
    Template.OFFER_WITHDRAWN: {"offer_id": _ID},
    Template.INTRODUCTION: {"client": _INTRODUCED},
    Template.THERAPIST_EVALUATION: {**_FORM_LINK, "stage": "start"},
    Template.MEMBERSHIP_STARTED: _YEAR,
    Template.MEMBERSHIP_RENEWED: _YEAR,
    Template.MEMBERSHIP_LAPSED: {"invoice_id": _ID, "lapsed_on": "2026-11-23"},
    Template.REFERRAL_FEE_CHARGED: _FEE,
    Template.REFERRAL_FEE_CREDITED: {**_FEE, "credit_note_id": _ID},
    Template.PAYMENT_RECEIVED: _FEE,
    Template.THERAPIST_SUSPENDED: {"reason": "insurance_expired"},
    Template.THERAPIST_REINSTATED: {"reason": "insurance_expired"},
    Template.MATCHING_STALLED: {"reason": "nobody_near", "waiting_since": "2026-11-16T10:00:00+00:00"},
    Template.ASSESSMENT_OVERDUE: {
        "due_at": "2026-11-25T10:00:00+00:00",
        "taken_up": True,
        "needs_safeguarding_lead": False,
    },
    Template.ERASURE_OVERDUE: {"erased_at": "2026-11-23T10:00:00+00:00", "waiting_for": "billing, evaluation"},
    Template.MESSAGE_FAILED: {"message_id": _ID, "failed": "matched", "reason": "rejected"},
    Template.ROTA_GAP: {"gaps": "duty_lead:2026-12-25,deputy:2026-12-25,duty_lead:2026-12-28"},
    Template.SAFEGUARDING_ALERT: {**_ALERT, "step": "duty_lead"},
}

_STAND_INS: Mapping[StandIn, Mapping[str, Any]] = {
    StandIn.DISCREET: {"reference": REFERENCE, "link": "https://forms.example.org/s", "sender_name": "Alex"},
    StandIn.CLIENT_TEXT: {"reference": REFERENCE, "link": "https://forms.example.org/s", "sender_name": "Alex"},
    StandIn.ALERT_TEXT: {**_STAFF, **_ALERT, "step": "duty_lead"},
    StandIn.DIGEST: {
        "items": [
            {"subject": "A referral has been waiting for long", "body": "A person should look."},
            {"subject": "A message could not be sent", "body": "Somebody should be told by a person instead."},
        ]
    },
    StandIn.STAFF_CALL: {
        "reference": REFERENCE,
        "topic": "matched",
        "way": "telephone",
        "hours": "evening",
        "may_leave_message": False,
        "call_as": "Sam from the library",
        "discreet": True,
        "console_url": "https://console.example.org",
    },
}


def _values_of(template: Template) -> Mapping[str, Any]:
    recipient = template.recipient
    common = {Recipient.CLIENT: _CLIENT, Recipient.THERAPIST: _THERAPIST}.get(recipient or Recipient.OFFICE, _STAFF)
    return {**common, **_OWN.get(template, {})}


SAMPLES: Mapping[str, Mapping[str, Any]] = {
    **{template.value: _values_of(template) for template in Template},
    **{name.value: values for name, values in _STAND_INS.items()},
}
"""By the template's name."""

KNOWN = {name: frozenset(values) for name, values in SAMPLES.items()}
TEXTS = frozenset({StandIn.CLIENT_TEXT.value, StandIn.ALERT_TEXT.value})
