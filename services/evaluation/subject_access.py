"""What evaluation holds about a person, told to them: what they agreed to, what they were asked, and the scores."""

from __future__ import annotations

from chassis.ports import UnitOfWork
from chassis.subject_access import entry, fact, section
from contracts.commands.subject import Entry, GetSubjectData, Section, Topic
from contracts.vocabulary import Respondent
from services.evaluation.dependencies import Dependencies
from services.evaluation.domain.invitations import Invitation, Match, Mode, Referral, State
from services.evaluation.store import repository

STATES = {
    State.OPEN: "Not answered yet",
    State.RETURNED: "Answered",
    State.CANCELLED: "No longer asked for",
    State.LAPSED: "Not answered, and no longer asked for",
    State.TOO_LATE: "An answer came too late; nothing of it was kept",
}

MODES = {Mode.ONLINE: "On our pages", Mode.TELEPHONE: "By telephone", Mode.PAPER: "On paper"}


def tell(unit: UnitOfWork[Dependencies], request: GetSubjectData) -> list[Section]:
    """After an erasure no form leads to the person any more, so none is found."""
    referral = unit.session.get(Referral, request.referral_id)
    if referral is None:
        return []
    matches = repository.matches_of(unit.session, referral.referral_id)
    forms = repository.invitations_of(unit.session, referral.referral_id)
    found = [_consent(referral), *map(_match, matches), *(_form(unit, one) for one in forms)]
    return [section(Topic.EVALUATION, found)]


def _consent(referral: Referral) -> Entry:
    return entry(
        ("You may be asked how things are going", referral.consented),
        ("Your age, as a range of years", referral.age_band),
        ("Your age in years", str(referral.age_years) if referral.age_years is not None else None),
        ("Nobody is asked any more since", referral.withdrawn_at),
    )


def _match(match: Match) -> Entry:
    return entry(
        ("Therapy, known here to ask how it goes, since", match.matched_at),
        ("Ended on", match.ended_at if match.has_ended else None),
        ("Why it ended", match.end_reason),
    )


def _form(unit: UnitOfWork[Dependencies], form: Invitation) -> Entry:
    response = repository.find_response(unit.session, form.id)
    told = entry(
        ("Who was asked", form.respondent),
        ("When in therapy", form.stage),
        ("Questionnaire", f"{_name(form.instrument)}, version {form.instrument_version}"),
        ("Asked on", form.invited_at),
    )
    state = fact("What came of it", form.state, words=STATES)
    if response is None:
        return Entry(facts=(*told.facts, state))
    score = "Could not be worked out" if response.score is None else f"{response.score:g}"
    whose = "Your score" if form.respondent is Respondent.CLIENT else "How your therapist saw it, as a score"
    came = entry(("Answered on", response.submitted_at), (whose, score), ("Items left blank", str(response.missing)))
    how = fact("How it was answered", response.mode, words=MODES)
    by = entry(("Who of us wrote it down", response.entered_by))
    return Entry(facts=(*told.facts, state, *came.facts, how, *by.facts))


def _name(code: str) -> str:
    """A published instrument by its name, such as CORE-10; one of our own in words."""
    return code.upper() if any(map(str.isdigit, code)) else code.replace("-", " ").capitalize()
