"""Steps that people take with a referral: one form each, all shown and sent in the same way.

Which steps are possible is intake's to say. A form carries what its sender had seen; where somebody has changed the
referral meanwhile, it comes back with what was typed and with who changed what, and is sent once more knowingly.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid4

from starlette.responses import Response
from wtforms import DateField, HiddenField, SelectField, TextAreaField
from wtforms.validators import Length, Optional

from chassis.rpc import CommandFailed
from contracts.command import Command
from contracts.commands import billing, intake, matching
from contracts.commands.console import ReferralFacts
from contracts.permissions import Permission, account_of
from contracts.sealed import Aspects, OutcomeReason
from contracts.vocabulary import (
    ClosureReason,
    Competence,
    ConcernCategory,
    ConcernOutcome,
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
from web.console.pages.commands import OnceForm, choice
from web.console.pages.desk import Desk, names, seen_of
from web.shared.staff.forms import Said
from web.shared.staff.serving import FAULTS, SENT_BEFORE
from web.shared.staff.visit import Visit

LONGEST_NOTE = 5_000
AGAIN = "ChangedMeanwhile"


class ReferralForm(OnceForm):
    """`seen` is the referral's newest step that this form knows of."""

    seen = HiddenField()


class NoteForm(ReferralForm):
    note = TextAreaField("Note", [Length(max=LONGEST_NOTE)], description="For colleagues. It is stored encrypted.")


def _with_reason(kind: type[StrEnum], leave_out: frozenset[StrEnum] = frozenset()) -> type[ReferralForm]:
    return type(f"{kind.__name__}Form", (NoteForm,), {"reason": choice(kind, leave_out=leave_out)})


class ColleaguesNoteForm(ReferralForm):
    kind = choice(intake.NoteKind, "What is it about?")
    text = TextAreaField(
        "Note", [Said("Write the note."), Length(max=LONGEST_NOTE)], description="It is stored encrypted."
    )


class PlainReasonForm(ReferralForm):
    """For steps that take no note."""

    reason = choice(SignpostReason)


class ConcernForm(ReferralForm):
    severity = choice(Severity, "How urgent is it?")
    category = choice(ConcernCategory, "What is it about?", frozenset({ConcernCategory.YOUNG_CLIENT}))


class FirstSessionForm(ReferralForm):
    attended_on = DateField("When was it held?", [Said("Say on which day.")])


class MatchEndForm(ReferralForm):
    reason = choice(MatchEndReason, leave_out=frozenset({MatchEndReason.WITHDRAWN}))


def _words(label: str, description: str = "") -> TextAreaField:
    return TextAreaField(label, [Length(max=LONGEST_NOTE)], description=description)


class AssessForm(ReferralForm):
    """The six aspects, and what follows from them."""

    aspect_risk = _words("Risk")
    aspect_physical = _words("Physical")
    aspect_relational = _words("Relationships")
    aspect_psychological = _words("Psychological")
    aspect_spiritual = _words("Spiritual")
    aspect_social = _words("Social")
    risk_level = choice(RiskLevel, "How high is the risk?")
    competence = choice(Competence, "Which training does the therapist need?")
    work = choice(Work, "Which work?")
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
    note = _words("Note", "For colleagues. It is stored encrypted.")

    def follows(self, suggested: intake.SuggestedAssessment) -> bool:
        chosen = (self.risk_level.data, self.competence.data, self.work.data)
        return chosen == (suggested.risk_level.value, suggested.competence.value, suggested.work.value)


ASPECTS = ("risk", "physical", "relational", "psychological", "spiritual", "social")


@dataclass(frozen=True)
class StepForm:
    """A step with its command, and what a page says of it. `fields` makes the command's fields of the form's."""

    name: str
    service: str
    method: str
    command: type[Command]
    title: str
    button: str
    says: str
    form: type[ReferralForm]
    fields: Callable[[Desk, ReferralFacts, Any], dict[str, Any]]
    kind: str = ""
    done: str = "step"

    @property
    def permission(self) -> Permission:
        assert self.command.needs is not None
        return self.command.needs


def _of_referral(desk: Desk, facts: ReferralFacts, form: Any) -> dict[str, Any]:
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


def _first_session(desk: Desk, facts: ReferralFacts, form: Any) -> dict[str, Any]:
    return {"referral_id": facts.referral_id, "attended_on": form.attended_on.data, "match_id": facts.match_id}


def _match_end(desk: Desk, facts: ReferralFacts, form: Any) -> dict[str, Any]:
    return {"match_id": facts.match_id, "reason": form.reason.data}


def _assessment(desk: Desk, facts: ReferralFacts, form: Any) -> dict[str, Any]:
    aspects = {name: (form[f"aspect_{name}"].data or "").strip() or None for name in ASPECTS}
    override = form.override_reason.data or None
    return _of_referral(desk, facts, form) | {
        "risk_level": form.risk_level.data,
        "competence": form.competence.data,
        "work": form.work.data,
        "aspects": desk.keyring.seal("intake", Aspects(**aspects)),
        "person_at_risk": form.person_at_risk.data or None,
        "suggestion": (SuggestionUse.OVERRIDDEN if override else SuggestionUse.ACCEPTED).value,
        "override_reason": override,
    }


FORMS: dict[str, StepForm] = {
    form.name: form
    for form in (
        StepForm("release", "intake", "release", intake.Release, "No spam: release it", "Release it",
            "A person wrote it. It goes on as any request, and is due as it was when it came.", NoteForm, _of_referral,
            done="released"),
        StepForm("discard", "intake", "discard", intake.Discard, "Discard as spam", "Discard it",
            "Read it first: nobody who needs help may be lost. It is erased in a week, and can be released until then.",
            _with_reason(intake.DiscardReason), _of_referral, kind="button-danger", done="discarded"),
        StepForm("sign_off", "intake", "sign_off", intake.SignOff, "Sign off", "Sign it off",
            "You are the safeguarding lead, and have seen this young person’s request.", NoteForm, _of_referral),
        StepForm("signpost", "intake", "signpost", intake.Signpost, "Signpost", "Signpost it",
            "We can’t help with this, and tell them who can. It can be undone for a while.", PlainReasonForm,
            _of_referral, kind="button-danger"),
        StepForm("hold", "intake", "hold", intake.Hold, "Put on hold", "Put it on hold",
            "Nobody is sought until it is resumed.",
            _with_reason(HoldReason, frozenset({HoldReason.CLIENT_HAS_NOT_AGREED, HoldReason.CONSENT_TO_PASS_ON,
                HoldReason.COURSE_WANTED})), _of_referral),
        StepForm("resume", "intake", "resume", intake.Resume, "Resume", "Resume it", "It goes on where it was.",
            _with_reason(ResumptionReason), _of_referral),
        StepForm("close", "intake", "close", intake.Close, "Close", "Close it",
            "Nothing more is to be done, and the time until it is deleted begins.", _with_reason(ClosureReason),
            _of_referral),
        StepForm("withdraw", "intake", "withdraw", intake.Withdraw, "Withdraw", "Withdraw it",
            "Everything stops: the search, an offer, and letters. It can be undone for a while.",
            _with_reason(WithdrawalReason, frozenset({WithdrawalReason.DUPLICATE})), _of_referral,
            kind="button-danger"),
        StepForm("undo", "intake", "undo", intake.Undo, "Undo", "Undo it",
            "It goes on where it was before it was withdrawn or signposted.", _with_reason(UndoReason), _of_referral),
        StepForm("unmerge", "intake", "unmerge", intake.Unmerge, "Unmerge", "Unmerge it",
            "The two were not the same after all, and this one goes on where it was.", _with_reason(UnmergeReason),
            _of_referral),
        StepForm("re_refer", "intake", "re_refer", intake.ReRefer, "Refer again", "Refer again",
            "A new referral of the same person begins, with what we know.", _with_reason(ReReferralReason),
            _of_referral),
        StepForm("assess", "intake", "assess", intake.Assess, "Assess", "Save the assessment",
            "What you write is stored encrypted. Then a therapist is sought.", AssessForm, _assessment,
            done="assessed"),
    )
}  # fmt: skip
"""By intake's names of steps; what intake says is possible, and is not here, has no page yet."""

CONCERN = StepForm(
    "concern", "intake", "raise_concern", intake.RaiseConcern, "Raise a concern", "Raise it",
    "The safeguarding lead is told at once, and on until somebody has it in hand.", ConcernForm, _concern,
    kind="button-danger", done="concern",
)  # fmt: skip
FIRST_SESSION = StepForm(
    "first_session", "billing", "record_attendance", billing.RecordAttendance, "First session", "Record it",
    "The referral fee stands once a first session was held.", FirstSessionForm, _first_session, done="first_session",
)  # fmt: skip
MATCH_END = StepForm(
    "end_match", "matching", "end_match", matching.EndMatch, "End the match", "End it",
    "Therapy with this therapist ends. Who is unhappy with them is looked for another one.", MatchEndForm, _match_end,
    kind="button-danger", done="match_end",
)  # fmt: skip
NOTE = StepForm(
    "note", "intake", "add_note", intake.AddNote, "Add a note", "Add it",
    "For colleagues. It decides nothing, and whoever asks for what we hold about them reads it.", ColleaguesNoteForm,
    _note, done="note",
)  # fmt: skip
OF_MATCH = (FIRST_SESSION, MATCH_END)
EVERY_FORM = (*FORMS.values(), CONCERN, NOTE, *OF_MATCH)


def take(desk: Desk, step: StepForm, visit: Visit, *, back: str = "") -> Response:
    """Shows a step's form, or takes the step, and goes on to `back`, else to the referral."""
    facts = desk.referral(visit)
    back = back or f"/referrals/{facts.referral_id}"
    form = visit.form(step.form, seen=facts.seen, command_id=uuid4())
    suggested = _suggestion(desk, visit, facts) if isinstance(form, AssessForm) else None
    changes: list[Change] = []
    refusal = ""
    if visit.is_post and form.validate() and _decides_openly(form, suggested):
        if seen_of(visit) is None:
            form.seen.data = str(facts.seen)
        try:
            fields = step.fields(desk, facts, form)
            desk.tell(visit, step.service, step.method, **fields)
            return visit.go_to(back, done=step.done)
        except CommandFailed as refused:
            if refused.name in FAULTS or refused.name == SENT_BEFORE:
                raise
            changes = _changes(refused.details, visit) if refused.name == AGAIN else []
            refusal = "" if changes else refused.message
            form.seen.data, form.command_id.data = str(facts.seen), str(uuid4())
    return visit.page(
        "step.html",
        step=step,
        facts=facts,
        form=form,
        changes=changes,
        refusal=refusal,
        suggestion=suggested,
        back=back,
    )


def _decides_openly(form: ReferralForm, suggested: intake.SuggestedAssessment | None) -> bool:
    """Whoever decides otherwise than the rules suggest says why; whoever doesn't has nothing to say."""
    if not isinstance(form, AssessForm) or suggested is None:
        return True
    if form.follows(suggested):
        form.override_reason.data = ""
    elif not form.override_reason.data:
        form.refuse(form.override_reason, "This is otherwise than our rules suggest. Say why.")
        return False
    return True


def _suggestion(desk: Desk, visit: Visit, facts: ReferralFacts) -> intake.SuggestedAssessment:
    answer = desk.ask(visit, "intake", "suggest_assessment", referral_id=facts.referral_id)
    return intake.SuggestedAssessment.from_json(answer)


@dataclass(frozen=True)
class Change:
    """What somebody has done with the referral while a form about it was open."""

    who: str
    what: str
    at: datetime
    fields: tuple[str, ...]


def _changes(details: Mapping[str, Any], visit: Visit) -> list[Change]:
    told = [one for one in details.get("changes", []) if isinstance(one, dict)]
    accounts = {one["who"]: _account(str(one["who"])) for one in told}
    called = names(visit, accounts.values())
    return [
        Change(
            who=_called(str(one["who"]), accounts[one["who"]], called),
            what=words.STEPS.get(str(one["what"]), str(one["what"])),
            at=datetime.fromisoformat(one["when"]),
            fields=tuple(words.said(str(name)) for name in one.get("fields", ())),
        )
        for one in told
    ]


def _called(who: str, account_id: UUID | None, called: Mapping[UUID | None, str]) -> str:
    return (called.get(account_id) if account_id else None) or words.said(who)


def _account(who: str) -> UUID | None:
    try:
        return account_of(who)[1] if ":" in who else None
    except ValueError:
        return None


class OutcomeForm(OnceForm):
    outcome = choice(ConcernOutcome, "What was decided?")
    reason = TextAreaField(
        "Why?", [Said("Write why."), Length(max=LONGEST_NOTE)], description="It is stored encrypted."
    )


def acknowledge(desk: Desk, visit: Visit) -> Response:
    """Takes a concern in hand, which ends the escalation."""
    desk.tell(visit, "notifications", "acknowledge_alert", concern_id=visit.params["concern"])
    desk.alerts.asked_at = float("-inf")
    return visit.go_to(f"/referrals/{visit.params['referral']}", done="acknowledged")


def record_outcome(desk: Desk, visit: Visit) -> Response:
    facts = desk.referral(visit)
    form = visit.form(OutcomeForm, command_id=uuid4())
    if visit.is_post and form.validate():
        sealed = desk.keyring.seal("notifications", OutcomeReason(words=(form.reason.data or "").strip()))
        concern_id = visit.params["concern"]
        desk.tell(
            visit, "notifications", "record_outcome", concern_id=concern_id, outcome=form.outcome.data, reason=sealed
        )
        return visit.go_to(f"/referrals/{facts.referral_id}", done="outcome")
    return visit.page("outcome.html", facts=facts, form=form, concern_id=visit.params["concern"])
