"""The forms of the steps that people take with a referral, by intake's names of steps.

What a client says of themselves later on (agreements, needs, contact, where they are) is in `client_forms.py`.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any
from uuid import UUID

from wtforms import HiddenField, SelectField
from wtforms.validators import Optional

from chassis.rpc import CommandFailed
from contracts.commands import billing, intake, matching
from contracts.commands.console import ReferralFacts
from contracts.commands.duplicates import Unmerge
from contracts.sealed import Aspects
from contracts.vocabulary import (
    ClosureReason,
    Competence,
    ConcernCategory,
    HoldReason,
    MatchEndReason,
    OverrideReason,
    ReReferralReason,
    ResumptionReason,
    RiskLevel,
    Severity,
    SignpostReason,
    SuggestionUse,
    UndoReason,
    UnmergeReason,
    WithdrawalReason,
    Work,
)
from web.console.pages import words
from web.console.pages.commands import CommandForm, OnceForm, choice
from web.console.pages.desk import Desk
from web.shared.staff.forms import CalendarDay, Paragraphs, Said

LONGEST_NOTE = 5_000


class ReferralForm(OnceForm):
    """`seen` is the referral's newest step that this form knows of."""

    seen = HiddenField()


class NoteForm(ReferralForm):
    note = Paragraphs("Note (optional)", LONGEST_NOTE, description="For colleagues. It is stored encrypted.")


def with_reason(kind: type[StrEnum], leave_out: frozenset[StrEnum] = frozenset()) -> type[ReferralForm]:
    return type(f"{kind.__name__}Form", (NoteForm,), {"reason": choice(kind, leave_out=leave_out)})


class ColleaguesNoteForm(ReferralForm):
    kind = choice(intake.NoteKind, "What is it about?")
    text = Paragraphs("Note", LONGEST_NOTE, Said("Write the note."), description="It is stored encrypted.")


class PlainReasonForm(ReferralForm):
    """For steps that take no note."""

    reason = choice(SignpostReason)


class ConcernForm(ReferralForm):
    severity = choice(Severity, "How urgent is it?")
    category = choice(ConcernCategory, "What is it about?", frozenset({ConcernCategory.YOUNG_CLIENT}))


class FirstSessionForm(ReferralForm):
    attended_on = CalendarDay("When was it held?", [Said("Say on which day.")])


class MatchEndForm(ReferralForm):
    reason = choice(MatchEndReason, leave_out=frozenset({MatchEndReason.WITHDRAWN}))


def _words(label: str, description: str = "") -> Paragraphs:
    return Paragraphs(label, LONGEST_NOTE, description=description)


class AssessForm(ReferralForm):
    """The six aspects, and what follows from them."""

    aspect_risk = _words("Risk (optional)")
    aspect_physical = _words("Physical (optional)")
    aspect_relational = _words("Relationships (optional)")
    aspect_psychological = _words("Psychological (optional)")
    aspect_spiritual = _words("Spiritual (optional)")
    aspect_social = _words("Social (optional)")
    risk_level = choice(RiskLevel, "How high is the risk?")
    competence = choice(Competence, "Which training does the therapist need?")
    work = choice(Work, "Which kind of work?")
    override_reason = SelectField(
        "If you decide otherwise than suggested: why?",
        [Optional()],
        choices=[("", "I follow the suggestion"), *((code.value, words.said(code)) for code in OverrideReason)],
    )
    person_at_risk = SelectField(
        "Is somebody at risk now?",
        [Optional()],
        choices=[("", "Nobody that we know of"), *((code.value, words.said(code)) for code in ConcernCategory)],
        description="A concern is raised at once, and the safeguarding lead is told.",
    )
    note = _words("Note (optional)", "For colleagues. It is stored encrypted.")

    def follows(self, suggested: intake.SuggestedAssessment) -> bool:
        chosen = (self.risk_level.data, self.competence.data, self.work.data)
        return chosen == (suggested.risk_level.value, suggested.competence.value, suggested.work.value)


ASPECTS = ("risk", "physical", "relational", "psychological", "spiritual", "social")


def of_referral(desk: Desk, facts: ReferralFacts, form: Any) -> dict[str, Any]:
    fields: dict[str, Any] = {"referral_id": facts.referral_id, "seen": int(form.seen.data)}
    if "reason" in form:
        fields["reason"] = form.reason.data
    if "note" in form:
        fields["note"] = desk.seal_note((form.note.data or "").strip())
    return fields


def _note(desk: Desk, facts: ReferralFacts, form: Any) -> dict[str, Any]:
    note = desk.seal_note(form.text.data.strip())
    return {"referral_id": facts.referral_id, "kind": form.kind.data, "note": note}


def _concern(desk: Desk, facts: ReferralFacts, form: Any) -> dict[str, Any]:
    return {"referral_id": facts.referral_id, "severity": form.severity.data, "category": form.category.data}


def _match(facts: ReferralFacts) -> UUID:
    """Raises CommandFailed where there is none: it may have ended since the page was opened."""
    if facts.match_id is None:
        raise CommandFailed("NoMatch", "There is no match that this could be about. It may have ended meanwhile.")
    return facts.match_id


def _first_session(desk: Desk, facts: ReferralFacts, form: Any) -> dict[str, Any]:
    return {"referral_id": facts.referral_id, "attended_on": form.attended_on.data, "match_id": _match(facts)}


def _match_end(desk: Desk, facts: ReferralFacts, form: Any) -> dict[str, Any]:
    return {"match_id": _match(facts), "reason": form.reason.data}


def _assessment(desk: Desk, facts: ReferralFacts, form: Any) -> dict[str, Any]:
    aspects = {name: (form[f"aspect_{name}"].data or "").strip() or None for name in ASPECTS}
    override = form.override_reason.data or None
    return of_referral(desk, facts, form) | {
        "risk_level": form.risk_level.data,
        "competence": form.competence.data,
        "work": form.work.data,
        "aspects": desk.keyring.seal("intake", Aspects(**aspects)),
        "person_at_risk": form.person_at_risk.data or None,
        "suggestion": (SuggestionUse.OVERRIDDEN if override else SuggestionUse.ACCEPTED).value,
        "override_reason": override,
    }


OF_INTAKE = (
    CommandForm("release", "intake", "release", intake.Release, "No spam: release it", "Release it",
        "A person wrote it. It goes on as any request, and is due as it was when it came.", NoteForm, of_referral,
        done="released"),
    CommandForm("discard", "intake", "discard", intake.Discard, "Discard as spam", "Discard it",
        "Read it first: nobody who needs help may be lost. It is erased in a week, and can be released until then.",
        with_reason(intake.DiscardReason), of_referral, kind="button-danger", done="discarded"),
    CommandForm("sign_off", "intake", "sign_off", intake.SignOff, "Sign off", "Sign it off",
        "You are the safeguarding lead, and have seen this young person’s request.", NoteForm, of_referral),
    CommandForm("signpost", "intake", "signpost", intake.Signpost, "Signpost", "Signpost it",
        "We can’t help with this, and tell them who can. It can be undone for a while.", PlainReasonForm,
        of_referral, kind="button-danger"),
    CommandForm("hold", "intake", "hold", intake.Hold, "Put on hold", "Put it on hold",
        "We look for no therapist until it is resumed, and take back an offer that is out.",
        with_reason(HoldReason, frozenset({HoldReason.CLIENT_HAS_NOT_AGREED, HoldReason.CONSENT_TO_PASS_ON,
            HoldReason.COURSE_WANTED})), of_referral),
    CommandForm("resume", "intake", "resume", intake.Resume, "Resume", "Resume it", "It goes on where it was.",
        with_reason(ResumptionReason), of_referral),
    CommandForm("close", "intake", "close", intake.Close, "Close", "Close it",
        "Nothing more is to be done, and the time until it is deleted begins.", with_reason(ClosureReason),
        of_referral),
    CommandForm("withdraw", "intake", "withdraw", intake.Withdraw, "Withdraw", "Withdraw it",
        "Everything stops: the search, an offer, and letters. It can be undone for a while.",
        with_reason(WithdrawalReason, frozenset({WithdrawalReason.DUPLICATE})), of_referral,
        kind="button-danger"),
    CommandForm("undo", "intake", "undo", intake.Undo, "Undo", "Undo it",
        "It goes on where it was before it was withdrawn or signposted.", with_reason(UndoReason), of_referral),
    CommandForm("unmerge", "intake", "unmerge", Unmerge, "Unmerge", "Unmerge it",
        "The two were not the same after all, and this one goes on where it was.", with_reason(UnmergeReason),
        of_referral),
    CommandForm("re_refer", "intake", "re_refer", intake.ReRefer, "Refer again", "Refer again",
        "A new referral of the same person begins, with what we know.", with_reason(ReReferralReason),
        of_referral),
    CommandForm("assess", "intake", "assess", intake.Assess, "Assess", "Save the assessment",
        "What you write is stored encrypted. Once you have saved it, we look for a therapist.", AssessForm, _assessment,
        done="assessed"),
)  # fmt: skip
"""By intake's names of steps; what intake says is possible, and is not among the pages, has none yet."""

CONCERN = CommandForm(
    "concern", "intake", "raise_concern", intake.RaiseConcern, "Raise a concern", "Raise it",
    "The safeguarding lead is told at once, then others in turn, until somebody has it in hand.", ConcernForm, _concern,
    kind="button-danger", done="concern",
)  # fmt: skip
FIRST_SESSION = CommandForm(
    "first_session", "billing", "record_attendance", billing.RecordAttendance, "First session", "Record it",
    "Once a first session was held, the therapist’s referral fee stands.", FirstSessionForm, _first_session,
    done="first_session",
)  # fmt: skip
MATCH_END = CommandForm(
    "end_match", "matching", "end_match", matching.EndMatch, "End the match", "End it",
    "Therapy with this therapist ends. If the client is unhappy with them, we look for another therapist.",
    MatchEndForm, _match_end, kind="button-danger", done="match_end",
)  # fmt: skip
NOTE = CommandForm(
    "note", "intake", "add_note", intake.AddNote, "Add a note", "Add it",
    "For colleagues. A note decides nothing. If the client asks for what we hold about them, they read it, too.",
    ColleaguesNoteForm, _note, done="note",
)  # fmt: skip
NEVER_ATTENDED = CommandForm(
    "never_attended", "billing", "record_never_attended", billing.RecordNeverAttended, "No session was held",
    "Record it", "Client or therapist has said that no session was held. The therapist gets the referral fee back.",
    ReferralForm, lambda desk, facts, form: {"match_id": _match(facts)}, done="never_attended",
)  # fmt: skip
OTHER_FORMS = (CONCERN, NOTE, FIRST_SESSION, NEVER_ATTENDED, MATCH_END)
