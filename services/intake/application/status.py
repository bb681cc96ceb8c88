"""Where a request stands, for whoever knows its reference and passphrase, and what they can do about it themselves."""

from __future__ import annotations

from datetime import datetime

from chassis.ports import UnitOfWork
from contracts.commands.intake import StatusAnswer
from contracts.sealed import Credentials
from contracts.vocabulary import ClientStep, ContactChangeState, HoldReason
from services.intake.application.records import decrypt_record
from services.intake.application.verification import is_own_reference
from services.intake.dependencies import Dependencies
from services.intake.domain.referral import Referral
from services.intake.domain.states import BEFORE_ASSESSMENT, FINISHED, IN_THERAPY, TRANSITIONS, State, Step
from services.intake.store import pending_contacts, referrals

READING = "We have your request. A person will read it, usually within two working days."

LOOKING = "We are looking for someone near you to talk to."

WORDS = {
    State.IN_REVIEW: READING,
    State.RECEIVED: READING,
    State.AWAITING_ASSESSMENT: "Somebody is reading your request now.",
    State.ASSESSED: LOOKING,
    State.ON_HOLD: "Your request is kept and nothing of it is lost. We go on with it as soon as we can.",
    State.MATCHING: LOOKING,
    State.OFFERED: "We have asked someone whether they can see you.",
    State.MATCHED: "Someone has agreed to see you and will get in touch in the way you asked.",
    State.FIRST_SESSION_ATTENDED: "You have begun to see someone. You can tell us at any time how it goes.",
    State.ENDED: "Your sessions have come to an end. You can ask again at any time.",
    State.SIGNPOSTED: "Another service fits better. We have told you which in the way you asked.",
    State.WITHDRAWN: "Your request was taken back. You can ask again at any time.",
    State.CLOSED: "Your request is closed. You can ask again at any time.",
    State.RE_REFERRED: "You have asked again since. Please look up that newer request.",
    State.DISCARDED: (
        "We took this for a message that nobody had written. If you wrote it, please call us: we still have it, and go "
        "on with it."
    ),
    State.ERASED: "We no longer hold what you told us. You can ask again at any time.",
}
"""What a client is told; nothing in it says what kind of help was asked for."""

SEARCH_NEXT = "When someone can see you, you hear from us. It may take some weeks, and we keep looking."

NEXT_WORDS = {
    **dict.fromkeys(
        (State.IN_REVIEW, State.RECEIVED), "A person reads what you sent, and you hear from us in the way you asked."
    ),
    State.AWAITING_ASSESSMENT: "When they have read it we look for the right person for you.",
    State.ASSESSED: SEARCH_NEXT,
    State.MATCHING: SEARCH_NEXT,
    State.OFFERED: "They answer within a few days. If they can’t, we ask somebody else.",
    State.MATCHED: "If you have heard nothing from them after a week, please call us.",
}

WAITING_FOR = {
    HoldReason.CONSENT_TO_PASS_ON: (
        "Before we look for someone we need your word that we may tell them how to reach you, and what they need to "
        "know. Without it we can’t ask anybody, and your request waits."
    ),
    HoldReason.CLIENT_HAS_NOT_AGREED: "We wait until the person you wrote for agrees. If they do, please tell us.",
    HoldReason.CLIENT_NOT_READY: "We wait until you would like to go on. Please call us when you do.",
    HoldReason.COURSE_WANTED: "Somebody tells you about the course or the group that you asked for.",
    HoldReason.INFORMATION_AWAITED: "We wait for something that we asked about.",
}
"""What comes next where it is on hold; of the other reasons a person speaks."""

WRITERS_WORDS = {
    State.ASSESSED: "We are looking for someone for the person you wrote for.",
    State.MATCHING: "We are looking for someone for the person you wrote for.",
    State.OFFERED: "We have asked someone whether they can see the person you wrote for.",
    State.MATCHED: "Someone has agreed to see the person you wrote for, and will get in touch.",
    State.FIRST_SESSION_ATTENDED: "The person you wrote for has begun to see someone.",
    State.ENDED: "The sessions have come to an end. You can ask again at any time.",
}
WRITERS_NEXT_WORDS = {
    State.AWAITING_ASSESSMENT: "When they have read it we look for the right person.",
    State.ASSESSED: "When someone is found, we tell you or them. It may take some weeks, and we keep looking.",
    State.MATCHING: "When someone is found, we tell you or them. It may take some weeks, and we keep looking.",
    State.MATCHED: "If neither of you has heard anything after a week, please call us.",
}
WRITERS_WAITING_FOR = {
    HoldReason.CONSENT_TO_PASS_ON: (
        "Before we look for someone we need the word of the person you wrote for that we may pass on how to reach "
        "them. Please ask them, and tell us what they say."
    ),
    HoldReason.CLIENT_NOT_READY: (
        "We wait until the person you wrote for would like to go on. Please call us when they do."
    ),
}
"""What is said otherwise to whoever wrote for somebody else: the words that open the page are theirs."""

TOLD_AS = {State.IN_REVIEW: State.RECEIVED}
"""Whoever asks isn't told that somebody wonders whether a machine wrote it."""

TOLD_OTHERWISE = {*WRITERS_WORDS, *WRITERS_NEXT_WORDS, State.ON_HOLD}

MONEY = "You wait for help with the cost. The list is served in order, and nothing else is held up by it."


def status_answer(
    unit: UnitOfWork[Dependencies], referral: Referral, typed: Credentials, change: ContactChangeState | None = None
) -> StatusAnswer:
    """The answer of the status page. `change` overrides the stored state of a contact change."""
    own = is_own_reference(referral, typed)
    found = pending_contacts.find_contact_change(unit.session, referral.id) if own else None
    is_writer = referral.state in TOLD_OTHERWISE and decrypt_record(unit, referral).written_by is not None
    return StatusAnswer(
        recognised=True,
        standing=TOLD_AS.get(referral.state, referral.state).value,
        words=_words(referral, is_writer=is_writer),
        next_words=_next_words(referral, is_writer=is_writer),
        also=MONEY if referral.waits_for_money and referral.state not in FINISHED else None,
        since=_since(unit, referral),
        by=referral.assess_by if referral.state in BEFORE_ASSESSMENT and unit.now < referral.assess_by else None,
        may=tuple(_possible(unit, referral, own=own)),
        contact_change=change or (found.state if found else None),
    )


def _words(referral: Referral, *, is_writer: bool) -> str:
    return (is_writer and WRITERS_WORDS.get(referral.state)) or WORDS[referral.state]


def _next_words(referral: Referral, *, is_writer: bool) -> str | None:
    if referral.state is State.ON_HOLD and referral.held_for:
        writers = WRITERS_WAITING_FOR.get(referral.held_for) if is_writer else None
        return writers or WAITING_FOR.get(referral.held_for)
    return (is_writer and WRITERS_NEXT_WORDS.get(referral.state)) or NEXT_WORDS.get(referral.state)


def _since(unit: UnitOfWork[Dependencies], referral: Referral) -> datetime:
    """Since when it has been in its present state."""
    since = referral.received_at
    state: State | None = None
    for step in referrals.history_of(unit.session, referral.id):
        if step.state is not state:
            state, since = step.state, step.taken_at
    return since


def _possible(unit: UnitOfWork[Dependencies], referral: Referral, *, own: bool) -> list[ClientStep]:
    may = []
    if own and referral.state in TRANSITIONS[Step.CHANGE_CONTACT].sources:
        may.append(ClientStep.CHANGE_CONTACT)
    if own and referral.state in IN_THERAPY:
        may.append(ClientStep.ASK_FOR_ANOTHER)
    if own and can_agree_to_pass_on(unit, referral):
        may.append(ClientStep.AGREE_TO_PASS_ON)
    if referral.state in TRANSITIONS[Step.WITHDRAW].sources:
        may.append(ClientStep.WITHDRAW)
    return may


def can_agree_to_pass_on(unit: UnitOfWork[Dependencies], referral: Referral) -> bool:
    """Whether the client themselves may agree to details being passed on; a writer can't agree for them."""
    waits = referral.state in TRANSITIONS[Step.RECORD_CONSENT].sources and not referral.may_pass_on
    return waits and decrypt_record(unit, referral).written_by is None
