"""What codes are called on the staff's pages. A code without words of its own is its own words: `client_asked` is
"Client asked"."""

from __future__ import annotations

from enum import StrEnum

from contracts.commands.console import Order, WorkQueue
from contracts.commands.matching import Relaxation
from contracts.labels import WORDS
from contracts.vocabulary import AgeBand, ClientGroup
from web.shared.accounts.pages.words import NOTICES as ACCOUNT_NOTICES

QUEUES = {
    WorkQueue.NEW_REQUESTS: "New requests",
    WorkQueue.ASSESSMENTS: "Being assessed",
    WorkQueue.PAUSED: "On hold",
    WorkQueue.WAITING: "Waiting for a therapist",
    WorkQueue.OFFERS: "Offers out",
    WorkQueue.FIRST_SESSIONS: "First session not recorded",
    WorkQueue.CONCERNS: "Concerns",
}
EMPTY = {
    WorkQueue.NEW_REQUESTS: "No new request waits to be taken up.",
    WorkQueue.ASSESSMENTS: "Nobody is being assessed now.",
    WorkQueue.PAUSED: "Nothing is on hold.",
    WorkQueue.WAITING: "Nobody waits for a therapist.",
    WorkQueue.OFFERS: "No therapist has still to answer.",
    WorkQueue.FIRST_SESSIONS: "Every match has had its first session.",
    WorkQueue.CONCERNS: "No concern is open.",
}
ORDERS = {Order.DUE: "Due first", Order.LONGEST: "Longest waiting first", Order.NEWEST: "Newest first"}
STATES = {
    "received": "New request", "awaiting_assessment": "Being assessed", "assessed": "Assessed", "on_hold": "On hold",
    "matching": "Looking for a therapist", "offered": "Offered to a therapist", "matched": "Matched",
    "first_session_attended": "In therapy", "ended": "Therapy has ended", "withdrawn": "Withdrawn",
    "signposted": "Signposted", "closed": "Closed", "re_referred": "Referred again", "erased": "Erased",
}  # fmt: skip
STEPS = {
    "receive": "Request received", "take_up": "Taken up", "sign_off": "Signed off", "find_place": "Place put right",
    "assess": "Assessed", "signpost": "Signposted", "hold": "Put on hold", "resume": "Resumed",
    "record_consent": "Agreement recorded", "change_contact": "Contact changed", "change_needs": "Needs changed",
    "offer": "Offered to a therapist", "seek_on": "Looking on", "match": "Matched", "attend": "First session held",
    "not_begun": "No session after all", "ask_for_another": "Another therapist wanted", "part": "Parted from therapist",
    "end": "Therapy ended", "go_on": "Goes on after all", "close": "Closed", "withdraw": "Withdrawn",
    "merge": "Merged", "unmerge": "Un-merged", "undo": "Undone", "re_refer": "Referred again", "note": "Note",
    "erase": "Erased",
}  # fmt: skip
GROUPS: dict[str, str] = {
    ClientGroup.AT_RISK: "At risk of offending", ClientGroup.OFFENDED: "Has offended",
    ClientGroup.IN_PRISON: "In prison", ClientGroup.FAMILY: "Family", ClientGroup.SURVIVOR: "Survivor",
    ClientGroup.YOUNG_PERSON: "Young person",
}  # fmt: skip
RELAXATIONS = {
    Relaxation.FURTHER: "if they could travel 20 km further",
    Relaxation.ONLINE_TOO: "if they agreed to meet online, too",
    Relaxation.DEARER: "if a session could cost £10 more",
}
ASPECTS = {
    "risk": "Risk", "physical": "Physical", "relational": "Relationships", "psychological": "Psychological",
    "spiritual": "Spiritual", "social": "Social",
}  # fmt: skip
PUBLISHERS = {
    "intake": "Intake", "matching": "Matching", "billing": "Money", "notifications": "Messages",
    "evaluation": "Evaluation", "console": "Staff",
}  # fmt: skip
EXCLUSIONS: dict[str, str] = {
    "no_room": "No room", "suspended": "Suspended", "away": "Away", "competence": "Not the training it needs",
    "client_group": "Doesn’t take this group", "couple_work": "Doesn’t see couples", "age": "Not trained for this age",
    "language": "Not the language", "sex": "Another sex was asked for", "way_of_meeting": "Meets in another way",
    "too_far": "Too far", "not_accessible": "Not step-free", "fee_too_high": "Too dear",
    "kept_apart": "Kept apart from somebody they see", "asked_before": "Asked before",
}  # fmt: skip
_OWN: dict[str, str] = {
    **STATES, **GROUPS, **WORDS[AgeBand], **EXCLUSIONS, "gp": "GP", "nobodys": "Nobody’s", "self": "Themselves",
    "email": "E-mail", "operator": "Somebody at the command line",
}  # fmt: skip


def said(code: StrEnum | str | None) -> str:
    """A code in words."""
    if code is None or code == "":
        return "–"
    text = code.value if isinstance(code, StrEnum) else code
    return _OWN.get(text) or text.replace("_", " ").capitalize()


def event_name(name: str) -> str:
    """`TherapistMatched` as `Therapist matched`."""
    words = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name).strip()
    return words.capitalize()


def pounds(pence: int | None) -> str:
    if pence is None:
        return "–"
    return f"£{pence // 100}" if pence % 100 == 0 else f"£{pence / 100:.2f}"


NOTICES = {
    "taken_up": "You have taken it up. It is your work now.",
    "assigned": "Whose work it is has changed.",
    "assessed": "The assessment is saved, and a therapist is looked for.",
    "step": "It is done, and on record.",
    "concern": "The concern is raised, and the safeguarding lead is being told.",
    "acknowledged": "You have it in hand, and nobody else is told any more.",
    "outcome": "What was decided is on record.",
    "offered": "The therapist is being asked.",
    "first_session": "The first session is recorded.",
    "match_end": "The match has ended.",
}
"""What a page says on top after something was done, by the code in its address. What is listed follows in a moment."""

NAMES = {
    "said": said, "pounds": pounds, "event_name": event_name, "orders": ORDERS, "empty": EMPTY, "step_words": STEPS,
    "publishers": PUBLISHERS, "notices": ACCOUNT_NOTICES | NOTICES,
}  # fmt: skip
"""For templates."""
