"""What codes are called on the staff's pages. A code without words of its own is its own words: `client_asked` is
"Client asked"."""

from __future__ import annotations

from datetime import date
from enum import StrEnum

from babel import Locale

from contracts.commands.console import Order, WorkQueue
from contracts.commands.intake import NoteKind
from contracts.commands.matching import Relaxation
from contracts.labels import WORDS
from contracts.sealed import SafeChannel, SafeHours
from contracts.vocabulary import AgeBand, ClientGroup, ConsentKind, Party, PlaceKind, Wish, Work
from web.shared.accounts.pages.words import NOTICES as ACCOUNT_NOTICES
from web.shared.forms.field_types import choices_of
from web.shared.texts import N_

QUEUES = {
    WorkQueue.CONCERNS: "Concerns",
    WorkQueue.NEW_REQUESTS: "New requests",
    WorkQueue.SPAM_REVIEW: "May be spam",
    WorkQueue.ASSESSMENTS: "Being assessed",
    WorkQueue.PAUSED: "On hold",
    WorkQueue.WAITING: "Waiting for a therapist",
    WorkQueue.OFFERS: "Offers out",
    WorkQueue.FIRST_SESSIONS: "First session not recorded",
}
EMPTY = {
    WorkQueue.NEW_REQUESTS: "No new request waits to be taken up.",
    WorkQueue.SPAM_REVIEW: "Nothing looks like spam.",
    WorkQueue.ASSESSMENTS: "Nobody is being assessed now.",
    WorkQueue.PAUSED: "Nothing is on hold.",
    WorkQueue.WAITING: "Nobody waits for a therapist.",
    WorkQueue.OFFERS: "No therapist has still to answer.",
    WorkQueue.FIRST_SESSIONS: "Every match has its first session on record, or time for it.",
    WorkQueue.CONCERNS: "No concern is open.",
}
ORDERS = {Order.DUE: "Due first", Order.LONGEST: "Longest waiting first", Order.NEWEST: "Newest first"}
STATES = {
    "in_review": "May be spam", "discarded": "Discarded as spam",
    "received": "New request", "awaiting_assessment": "Being assessed", "assessed": "Assessed", "on_hold": "On hold",
    "matching": "Looking for a therapist", "offered": "Offered to a therapist", "matched": "Matched",
    "first_session_attended": "In therapy", "ended": "Therapy has ended", "withdrawn": "Withdrawn",
    "signposted": "Signposted", "closed": "Closed", "re_referred": "Referred again", "erased": "Erased",
}  # fmt: skip
STEPS = {
    "receive": "Request received", "release": "Released: no spam", "discard": "Discarded as spam",
    "take_up": "Taken up", "sign_off": "Signed off", "find_place": "Place put right",
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
PUBLISHERS = {
    "intake": "Intake", "matching": "Matching", "billing": "Money", "notifications": "Messages",
    "evaluation": "Evaluation", "console": "Staff",
}  # fmt: skip
PLACES: dict[str, str] = {
    PlaceKind.AREA_UNKNOWN: "Only the first half of their postcode is known",
    PlaceKind.CROWN_DEPENDENCY: "They live in a Crown Dependency",
    PlaceKind.FORCES: "They have an address of the forces",
    PlaceKind.NOT_FOUND: "Where they live isn’t known",
}
"""What has to be found out of where somebody is."""

EXCLUSIONS: dict[str, str] = {
    "no_room": "No free place", "suspended": "Suspended", "away": "Away", "competence": "Not the training it needs",
    "client_group": "Doesn’t take this group", "couple_work": "Doesn’t see couples", "age": "Not trained for this age",
    "language": "Not the language", "sex": "Another sex was asked for", "way_of_meeting": "Meets in another way",
    "too_far": "Too far", "not_accessible": "Not step-free", "fee_too_high": "Too dear",
    "kept_apart": "Kept apart from somebody they see", "asked_before": "Asked before",
}  # fmt: skip
_OWN: dict[str, str] = {
    **STATES, **GROUPS, **WORDS[AgeBand], **EXCLUSIONS, **PLACES, "gp": "GP", "nobodys": "Nobody’s",
    "self": "Themselves", "email": "E-mail", "either": "In person or online", "outside_uk": "Outside the UK",
    "professionals_information": "What a professional told us", "clients_own_account": "What the client told us",
    "clients_wish": "The client’s wish", "childrens_services": "Children’s services",
    "by_guardian": "By their parent or guardian", "tried_out": "Somebody tried the form out",
    "keeping": "How long it is kept", "staff_call": "A call by one of us", "operator": "Somebody at the command line",
}  # fmt: skip


_OF_KIND: dict[type[StrEnum], dict[str, str]] = {
    ConsentKind: {
        ConsentKind.THIS_REQUEST: "To what somebody else wrote for them",
        ConsentKind.PASS_TO_THERAPIST: "That their details go to the therapist who says yes",
        ConsentKind.EVALUATION: "That we ask how things are going",
        ConsentKind.RESEARCH: "That their answers are used for research, without anything that tells who",
    },
    Party: {Party.CLIENT: "The client’s", Party.WRITER: "That of whoever wrote for them"},
    SafeChannel: {
        SafeChannel.EMAIL: "By e-mail", SafeChannel.TELEPHONE: "By telephone", SafeChannel.TEXT: "By text message",
        SafeChannel.POST: "By post", SafeChannel.CLIENT_CALLS: "Not at all: they call us",
    },
    SafeHours: {
        SafeHours.ANY: "At any time", SafeHours.MORNING: "In the morning", SafeHours.AFTERNOON: "In the afternoon",
        SafeHours.EVENING: "In the evening",
    },
    NoteKind: {
        NoteKind.CALL: "A telephone call", NoteKind.EMAIL: "An e-mail", NoteKind.WRITTEN: "What we wrote to them",
    },
    Work: {Work.INDIVIDUAL: "One to one", Work.PARTNER: "For a partner", Work.COUPLE: "For a couple, together"},
    Wish: {
        Wish.THERAPIST_SEX: "The therapist’s sex", Wish.THERAPY_LANGUAGE: "The language of therapy",
        Wish.INTERPRETER: "An interpreter", Wish.MOST_PER_SESSION: "The most they can pay for a session",
    },
}  # fmt: skip
"""Where a code alone says too little to whoever has to choose, or means something else elsewhere."""


def said(code: StrEnum | str | None) -> str:
    """A code in words."""
    if code is None or code == "":
        return "–"
    if isinstance(code, StrEnum) and code in (of_kind := _OF_KIND.get(type(code), {})):
        return of_kind[code]
    text = code.value if isinstance(code, StrEnum) else code
    return _OWN.get(text) or text.replace("_", " ").capitalize()


_BY = {
    "client": "the client", "matching": "the search for a therapist", "billing": "what was recorded of money",
    "rule": "a rule", "operator": "somebody at the command line",
}  # fmt: skip


def taken_by(who: str) -> str:
    """Who took a step that no account took, as it stands after "by"."""
    return _BY.get(who.partition(":")[0]) or said(who)


_EVENTS = {
    "TherapistOffered": "A therapist was chosen to be asked", "OfferDeclined": "A therapist said no",
    "OfferExpired": "A therapist didn’t answer in time", "OfferWithdrawn": "A therapist need not answer any more",
    "TherapistMatched": "A therapist said yes", "MatchEnded": "The match ended",
    "MatchEndUndone": "The match goes on after all", "MatchingStalled": "Nobody was found for now",
    "FirstSessionAttended": "A first session was recorded", "ReferralAssigned": "Became somebody’s work",
    "SafeguardingConcernRaised": "A concern was raised", "SafeguardingAlertSent": "Somebody was told of a concern",
    "SafeguardingAlertEscalated": "More people are told of a concern",
    "SafeguardingAlertAcknowledged": "A concern was taken in hand",
    "SafeguardingOutcomeRecorded": "It was decided about a concern",
    "EvaluationInvited": "Asked for a form", "EvaluationSubmitted": "A form came back",
    "EvaluationInvitationCancelled": "A form isn’t asked for any more",
    "EvaluationRiskFlagged": "An answer in a form says that somebody may be at risk",
    "SubsidyAssigned": "Help with the cost was set aside", "SubsidyApproved": "Help with the cost was approved",
    "SubsidyDeclined": "Help with the cost was declined", "SubsidyReleased": "Help with the cost was given back",
    "SubsidyResumed": "Help with the cost goes on", "SubsidyWaitlisted": "Waits for help with the cost",
}  # fmt: skip
"""Events whose own names say too little."""


def event_name(name: str) -> str:
    """`ReferralFeeCharged` as `Referral fee charged`."""
    if name in _EVENTS:
        return _EVENTS[name]
    words = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name).strip()
    return words.capitalize()


def pounds(pence: int | None) -> str:
    if pence is None:
        return "–"
    return f"£{pence // 100:,}" if pence % 100 == 0 else f"£{pence / 100:,.2f}"


NOTICES = {
    "taken_up": "You have taken it up. It is your work now.",
    "assigned": "Whose work it is has changed.",
    "assessed": "The assessment is saved, and a therapist is looked for.",
    "step": "It is done, and on record.",
    "note": "The note is kept, and colleagues see it with what somebody wrote.",
    "concern": "The concern is raised, and the safeguarding lead is being told.",
    "acknowledged": "You have it in hand, and nobody else is told any more.",
    "outcome": "What was decided is on record.",
    "offered": "The therapist is being asked.",
    "first_session": "The first session is recorded.",
    "match_end": "The match has ended.",
    "never_attended": "It is recorded that no session was held, and the fee is given back.",
    "consent": "What they agree to is on record.",
    "needs": "What they need is changed, and the search goes by it.",
    "contact": "From now on they are reached in the new way.",
    "contact_settled": "It is decided, and on record.",
    "place": "The place is put right.",
    "answers": "Thank you. The answers are on record.",
    "linked": "They are kept apart from now on.",
    "unlinked": "They are no longer kept apart.",
    "area_confirmed": "The area is confirmed.",
    "further_allowed": "They may have a further award when their turn comes.",
    "written": "Your message is on its way, as it is safe for them.",
    "written_discreetly": "They are asked to call us, and told nothing else. What you wrote stands with the notes.",
}
"""What a page says on top after something was done, by the code in its address. What is listed follows in a moment."""

LANGUAGES: dict[str, str] = {
    code: name for code, name in Locale("en").languages.items() if len(code) < 4 and code.isalpha()
}  # fmt: skip
"""What languages are called, by their codes, as Unicode's CLDR has it."""
LANGUAGE_CODES = {name.casefold(): code for code, name in LANGUAGES.items()} | {code: code for code in LANGUAGES}


def language(code: str) -> str:
    return LANGUAGES.get(code, code)


def day(on: date | None) -> str:
    """`Friday 4 December 2026`."""
    return f"{on:%A} {on.day} {on:%B %Y}" if on else "–"


POLICE_FORCE_AREAS = (
    "avon_and_somerset", "bedfordshire", "cambridgeshire", "cheshire", "city_of_london", "cleveland", "cumbria",
    "derbyshire", "devon_and_cornwall", "dorset", "durham", "dyfed_powys", "essex", "gloucestershire",
    "greater_manchester", "gwent", "hampshire_and_isle_of_wight", "hertfordshire", "humberside", "kent", "lancashire",
    "leicestershire", "lincolnshire", "merseyside", "metropolitan", "norfolk", "north_wales", "north_yorkshire",
    "northamptonshire", "northern_ireland", "northumbria", "nottinghamshire", "scotland", "south_wales",
    "south_yorkshire", "staffordshire", "suffolk", "surrey", "sussex", "thames_valley", "warwickshire", "west_mercia",
    "west_midlands", "west_yorkshire", "wiltshire",
)  # fmt: skip
"""As intake names them; a fund for an area of another name would pay for nobody."""


def area(code: str) -> str:
    """`devon_and_cornwall` as `Devon and Cornwall`."""
    return " ".join(word if word in ("and", "of") else word.capitalize() for word in code.split("_"))


AREA_CODES = {area(code).casefold(): code for code in POLICE_FORCE_AREAS}

_OWN |= {"cpd_missing": "CPD missing", "current": "Current", "membership": "Membership"}
NOTICES |= {
    "admitted": "The therapist is admitted, and can be asked from now on.",
    "admitted_before": "This therapist was admitted already. What you sent a second time was not taken.",
    "suspended": "The therapist is suspended, and is asked no more. Therapy in progress goes on.",
    "reinstated": "The suspension for this reason has ended.",
    "places": "How many more clients they can take is changed.",
    "therapist": "What we hold about the therapist is changed.",
    "staff_kept": "They can be put on the rota, and are reached in this way.",
    "duty_planned": "The turn is on the rota.",
    "duty_cancelled": "The turn is cancelled.",
    "leave_planned": "The leave is on the rota.",
    "fund_prepared": "The fund is prepared. It is opened when a colleague has confirmed it.",
    "fund_opened": "The fund is open.",
    "fund_declined": "The fund is not opened.",
    "view_saved": "The view is saved. You find it here.",
    "view_deleted": "The view is deleted.",
    "letter_sent": "A test letter is on its way to you. Type the code in it below.",
    "letter_arrived": "The letter arrived.",
    "alert_sent": "A test alert is on its way to whoever is on duty.",
    "test_taken": "The test alert is in hand, and nobody else is told any more.",
    "work_moved": "The work is moved.",
    "left": "The account has ended, and they are signed out everywhere.",
    "left_with_work": "The account has ended, and they are signed out everywhere. "
    "If they still have work, it can be moved from here.",
    "therapist_contact": "How the therapist is reached is changed.",
}

PARTS = (
    ("", "Overview", "see_referrals"), ("messages", "Messages", "see_messages"), ("forms", "Forms", "see_forms"),
    ("links", "Kept apart", "see_referrals"), ("duplicates", "Possible duplicates", "merge_requests"),
    ("money", "Money", "see_money"), ("looked", "Who looked", "check_audit_logs"),
)  # fmt: skip
"""The pages of one referral: address, title, and what their reader has to be allowed."""
_OWN |= {"name_and_birth": "Name and date of birth"}
NOTICES |= {
    "merged": "They are merged: the other one goes on for both.",
    "released": "It is released, and is among the new requests.",
    "discarded": "It is discarded, and erased in a week unless somebody releases it before.",
    "told_apart": "They are told apart, and are not suggested to be the same again.",
}

NAMES = {
    "parts": PARTS,
    "said": said, "pounds": pounds, "event_name": event_name, "orders": ORDERS, "empty": EMPTY, "step_words": STEPS,
    "publishers": PUBLISHERS, "notices": ACCOUNT_NOTICES | NOTICES, "language_called": language, "on_day": day,
    "area": area, "choices_of": choices_of, "N_": N_,
}  # fmt: skip
"""For templates."""
