"""How codes are written in messages to the charity's own people. A test checks that every value has a label.

The labels in `contracts.labels` are for the clients themselves, and say "you".
"""

from __future__ import annotations

from collections.abc import Mapping

from contracts.vocabulary import (
    AlertStep,
    ClientGroup,
    ConcernCategory,
    FailureReason,
    MatchEndReason,
    Route,
    Severity,
    StallReason,
    TherapyReport,
)
from services.notifications.domain.templates import Template

SEVERITY: Mapping[str, str] = {
    Severity.IMMEDIATE: "immediate",
    Severity.URGENT: "urgent",
    Severity.ADVISORY: "for you to know",
}
CATEGORY: Mapping[str, str] = {
    ConcernCategory.CHILD_AT_RISK: "a child may be at risk",
    ConcernCategory.ADULT_AT_RISK: "an adult who cannot protect themselves may be at risk",
    ConcernCategory.PERSON_AT_RISK: "a child, or an adult who cannot protect themselves, may be at risk",
    ConcernCategory.RISK_TO_SELF: "the client may not be safe themselves",
    ConcernCategory.YOUNG_CLIENT: "the client is under 18",
}
GROUP: Mapping[str, str] = {
    ClientGroup.AT_RISK: "somebody worried about what they might do",
    ClientGroup.OFFENDED: "somebody worried about what has happened",
    ClientGroup.IN_PRISON: "somebody in prison",
    ClientGroup.FAMILY: "a partner or relative",
    ClientGroup.SURVIVOR: "a survivor",
    ClientGroup.YOUNG_PERSON: "a young person",
}
ROUTE: Mapping[str, str] = {
    Route.SELF: "the person themselves",
    Route.GUARDIAN: "a parent or guardian",
    Route.FAMILY_OR_FRIEND: "family or a friend",
    Route.PROBATION: "probation",
    Route.SOCIAL_SERVICES: "social services",
    Route.GP: "a GP",
    Route.SOLICITOR: "a solicitor",
    Route.POLICE: "the police",
    Route.OTHER_PROFESSIONAL: "another professional",
}
STALLED: Mapping[str, str] = {
    StallReason.NOBODY_QUALIFIED: "no therapist with the right training has room",
    StallReason.NOBODY_NEAR: "no therapist is near enough",
    StallReason.NOBODY_AFFORDABLE: "no therapist costs as little as the client can pay",
    StallReason.NOBODY_WITH_ROOM: "no therapist has room",
    StallReason.ALL_DECLINED: "everybody who was asked has declined",
}
WHAT_HELPS: Mapping[str, str] = {
    StallReason.NOBODY_QUALIFIED: (
        "Please ask therapists with that training when they have room again, or find another."
    ),
    StallReason.NOBODY_NEAR: "Please ask the client whether they can travel further or meet online, and record it.",
    StallReason.NOBODY_AFFORDABLE: "Please ask the client about help with the cost, or a therapist about their fee.",
    StallReason.NOBODY_WITH_ROOM: "Please ask therapists near the client when they have room again.",
    StallReason.ALL_DECLINED: "Please read why they declined, and ask somebody yourself.",
}
FAILED: Mapping[str, str] = {
    FailureReason.NO_ADDRESS: "there is no address for it",
    FailureReason.REJECTED: "the address was refused",
    FailureReason.UNREACHABLE: "every attempt to hand it over has failed",
    FailureReason.BOUNCED: "it came back",
}
TOPIC: Mapping[str, str] = {
    Template.REQUEST_RECEIVED: "that the request has come",
    Template.CONSENT_NEEDED: "that we may only look for a therapist once they agree to it",
    Template.CONTACT_CODE: "a code for a new contact that the client named",
    Template.CONTACT_MOVED: "that they are reached in another way now",
    Template.MATCHED: "that a therapist has agreed to see them",
    Template.SUBSIDY_APPROVED: "that there is help with the cost",
    Template.SUBSIDY_WAITING: "that they wait for help with the cost",
    Template.SUBSIDY_DECLINED: "that we can't add to what they can pay",
    Template.SIGNPOSTED: "that another service can do more for them",
    Template.WITHDRAWAL_CONFIRMED: "that the request has been taken back",
    Template.REQUEST_GOES_ON: "that the request goes on",
    Template.CLIENT_EVALUATION: "some questions, if they would like to answer them",
    Template.PERSONAL_MESSAGE: "what a colleague has written to them: it stands with the notes",
    Template.OFFER: "an offer to a therapist",
    Template.OFFER_WITHDRAWN: "that an offer has been taken back",
    Template.INTRODUCTION: "a therapist's introduction to their client",
    Template.CLIENT_CODE: "a code for a therapist",
    Template.CONTACT_CHANGED: "that a client is reached in another way now",
    Template.THERAPIST_EVALUATION: "a form for a therapist",
    Template.MEMBERSHIP_STARTED: "a therapist's membership fee",
    Template.MEMBERSHIP_RENEWED: "a therapist's membership fee for the next year",
    Template.MEMBERSHIP_REMINDER: "a membership fee that is still to be paid",
    Template.MEMBERSHIP_LAPSED: "that a membership has lapsed",
    Template.REFERRAL_FEE_CHARGED: "a therapist's referral fee",
    Template.REFERRAL_FEE_CREDITED: "that a referral fee was given back",
    Template.FEE_CREDIT_REVERSED: "that a referral fee is owed after all",
    Template.PAYMENT_RECEIVED: "that a payment has arrived",
    Template.PAYMENT_REVERSED: "that a payment is no longer on our books",
    Template.SUBSIDY_ASSIGNED: "help with the cost of a client's sessions, to their therapist",
    Template.THERAPIST_SUSPENDED: "that a therapist gets no new offers",
    Template.THERAPIST_REINSTATED: "that a therapist gets offers again",
}
"""What a message tells whom, for somebody who is to say it by telephone, or to look after it."""
REPORTED: Mapping[str, str] = {
    TherapyReport.CONTACT_MADE: "they have made contact",
    TherapyReport.FIRST_SESSION: "they have met",
    TherapyReport.NOT_ATTENDED: "they never met",
    TherapyReport.ENDED: "the work has ended",
}
PARTED: Mapping[str, str] = {
    MatchEndReason.COMPLETED: "it is completed",
    MatchEndReason.CLIENT_UNHAPPY: "the client would like to see somebody else",
    MatchEndReason.NOT_ATTENDED: "the client never came",
    MatchEndReason.WITHDRAWN: "the request was taken back",
}
STEP: Mapping[str, str] = {
    AlertStep.DUTY_LEAD: "safeguarding lead on duty",
    AlertStep.DEPUTY: "deputy",
    AlertStep.TRUSTEE: "trustee",
}

FILTERS: Mapping[str, Mapping[str, str]] = {
    "severity": SEVERITY,
    "category": CATEGORY,
    "group": GROUP,
    "route": ROUTE,
    "stalled": STALLED,
    "what_helps": WHAT_HELPS,
    "failed": FAILED,
    "topic": TOPIC,
    "reported": REPORTED,
    "parted": PARTED,
    "step": STEP,
}
"""By the name that templates call them by."""
