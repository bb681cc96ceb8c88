"""Every state that a referral can be in, and every step between them.

`TRANSITIONS` is the whole of it; `docs/referral-states.md` is drawn from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    IN_REVIEW = "in_review"
    """Received, and a machine may have written it: a person looks before anything else is done."""
    RECEIVED = "received"
    AWAITING_ASSESSMENT = "awaiting_assessment"
    ASSESSED = "assessed"
    ON_HOLD = "on_hold"
    MATCHING = "matching"
    OFFERED = "offered"
    MATCHED = "matched"
    FIRST_SESSION_ATTENDED = "first_session_attended"
    ENDED = "ended"
    WITHDRAWN = "withdrawn"
    SIGNPOSTED = "signposted"
    CLOSED = "closed"
    RE_REFERRED = "re_referred"
    DISCARDED = "discarded"
    """A person found that nobody had asked for help."""
    ERASED = "erased"

    @property
    def words(self) -> str:
        return self.value.replace("_", " ")


class Step(StrEnum):
    RECEIVE = "receive"
    RELEASE = "release"
    DISCARD = "discard"
    TAKE_UP = "take_up"
    SIGN_OFF = "sign_off"
    FIND_PLACE = "find_place"
    ASSESS = "assess"
    SIGNPOST = "signpost"
    HOLD = "hold"
    RESUME = "resume"
    RECORD_CONSENT = "record_consent"
    CHANGE_CONTACT = "change_contact"
    CHANGE_NEEDS = "change_needs"
    OFFER = "offer"
    SEEK_ON = "seek_on"
    MATCH = "match"
    ATTEND = "attend"
    NOT_BEGUN = "not_begun"
    ASK_FOR_ANOTHER = "ask_for_another"
    PART = "part"
    END = "end"
    GO_ON = "go_on"
    CLOSE = "close"
    WITHDRAW = "withdraw"
    MERGE = "merge"
    UNMERGE = "unmerge"
    UNDO = "undo"
    RE_REFER = "re_refer"
    NOTE = "note"
    ERASE = "erase"

    @property
    def words(self) -> str:
        return self.value.replace("_", " ")


@dataclass(frozen=True)
class Transition:
    """From which states a step leads to which, and what triggers it.

    With several targets it is the state from before; with none the state stays as it is.
    """

    sources: frozenset[State]
    targets: frozenset[State]
    on: str
    """What takes it: a command of a person, or a fact that was heard."""
    by_person: bool = False
    usually: frozenset[State] = frozenset()
    """From where a fact leads as a rule. It may come to any other of the sources if the fact before it is late."""


UNASSESSED = frozenset({State.RECEIVED, State.AWAITING_ASSESSMENT})

UNREVIEWED = frozenset({State.IN_REVIEW, State.DISCARDED})
"""Nobody has found yet that a person wrote it, so its address may be anybody's."""

BEFORE_ASSESSMENT = UNASSESSED | {State.IN_REVIEW}

SEEKING = frozenset({State.ASSESSED, State.MATCHING, State.OFFERED})

IN_THERAPY = frozenset({State.MATCHED, State.FIRST_SESSION_ATTENDED})

FINISHED = frozenset(
    {State.WITHDRAWN, State.SIGNPOSTED, State.CLOSED, State.RE_REFERRED, State.DISCARDED, State.ERASED}
)

UNDER_WAY = frozenset(State) - FINISHED - {State.ENDED}

WITH_MATCHING = SEEKING | IN_THERAPY | {State.ON_HOLD}
"""Where matching may have something to say. What it says of one state may arrive before what it said of the last."""


def _person(sources: frozenset[State], *targets: State) -> Transition:
    return Transition(sources, frozenset(targets), on="a person's command", by_person=True)


TRANSITIONS: dict[Step, Transition] = {
    Step.RECEIVE: Transition(
        frozenset(),
        frozenset({State.RECEIVED, State.IN_REVIEW}),
        on="`HelpRequested`, or `re_refer`; with a mark of spam into review",
    ),
    Step.RELEASE: _person(frozenset({State.IN_REVIEW, State.DISCARDED}), State.RECEIVED),
    Step.DISCARD: _person(frozenset({State.IN_REVIEW}), State.DISCARDED),
    Step.TAKE_UP: _person(frozenset({State.RECEIVED}), State.AWAITING_ASSESSMENT),
    Step.SIGN_OFF: _person(UNASSESSED | {State.ON_HOLD}),
    Step.FIND_PLACE: _person(UNASSESSED | SEEKING | {State.ON_HOLD}),
    Step.ASSESS: _person(UNASSESSED, State.ASSESSED),
    Step.SIGNPOST: _person(UNASSESSED, State.SIGNPOSTED),
    Step.HOLD: _person(UNASSESSED | SEEKING, State.ON_HOLD),
    Step.RESUME: _person(frozenset({State.ON_HOLD}), *UNASSESSED, State.ASSESSED, State.MATCHING),
    Step.RECORD_CONSENT: _person(UNDER_WAY | {State.ENDED}),
    Step.CHANGE_CONTACT: _person(UNDER_WAY | {State.ENDED}),
    Step.CHANGE_NEEDS: _person(UNDER_WAY),
    Step.OFFER: Transition(
        WITH_MATCHING - {State.ON_HOLD},
        frozenset({State.OFFERED}),
        on="`TherapistOffered`",
        usually=frozenset({State.ASSESSED, State.MATCHING}),
    ),
    Step.SEEK_ON: Transition(
        WITH_MATCHING - {State.ON_HOLD, State.MATCHING},
        frozenset({State.MATCHING}),
        on="`OfferDeclined`, `OfferExpired`, `OfferWithdrawn`, `MatchingStalled`",
        usually=frozenset({State.ASSESSED, State.OFFERED}),
    ),
    Step.MATCH: Transition(
        WITH_MATCHING,
        frozenset({State.MATCHED}),
        on="`TherapistMatched`",
        usually=frozenset({State.OFFERED}),
    ),
    Step.ATTEND: Transition(
        frozenset({State.MATCHED}), frozenset({State.FIRST_SESSION_ATTENDED}), on="`FirstSessionAttended`"
    ),
    Step.NOT_BEGUN: Transition(
        frozenset({State.FIRST_SESSION_ATTENDED}),
        frozenset({State.MATCHED}),
        on="`SessionReversed`, where no session is left",
    ),
    Step.ASK_FOR_ANOTHER: Transition(IN_THERAPY, frozenset(), on="`change_by_client`: a person talks to them first"),
    Step.PART: Transition(
        WITH_MATCHING,
        frozenset({State.MATCHING}),
        on="`MatchEnded` because the client was unhappy",
        usually=IN_THERAPY,
    ),
    Step.END: Transition(WITH_MATCHING, frozenset({State.ENDED}), on="`MatchEnded`", usually=IN_THERAPY),
    Step.GO_ON: Transition(
        SEEKING | {State.ON_HOLD, State.ENDED, State.CLOSED},
        frozenset({State.MATCHED}),
        on="`MatchEndUndone`",
        usually=frozenset({State.MATCHING, State.ENDED, State.CLOSED}),
    ),
    Step.CLOSE: Transition(
        frozenset({State.ENDED}),
        frozenset({State.CLOSED}),
        on="a rule, or a person's command where a concern is open",
        by_person=True,
    ),
    Step.WITHDRAW: Transition(
        UNDER_WAY, frozenset({State.WITHDRAWN}), on="`WithdrawalRequested`, or a person's command", by_person=True
    ),
    Step.MERGE: _person(UNASSESSED, State.WITHDRAWN),
    Step.UNMERGE: _person(frozenset({State.WITHDRAWN}), *UNASSESSED),
    Step.UNDO: _person(
        frozenset({State.WITHDRAWN, State.SIGNPOSTED}),
        *BEFORE_ASSESSMENT,
        State.ASSESSED,
        State.ON_HOLD,
        State.MATCHING,
    ),
    Step.RE_REFER: _person(frozenset({State.WITHDRAWN, State.SIGNPOSTED, State.CLOSED}), State.RE_REFERRED),
    Step.NOTE: _person(frozenset(State) - {State.ERASED}),
    Step.ERASE: Transition(frozenset(State) - {State.ERASED}, frozenset({State.ERASED}), on="`leeward erase`"),
}

UNDOABLE = frozenset({Step.WITHDRAW, Step.SIGNPOST})
"""Steps that a person can take back, while nothing has been built on them."""


def possible_steps(state: State) -> list[Step]:
    """What a person can do with a referral in this state, in the order of its life."""
    return [step for step, legal in TRANSITIONS.items() if legal.by_person and state in legal.sources]
