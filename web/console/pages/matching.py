"""Candidates for a referral, what excludes the others, and asking a chosen therapist."""

from __future__ import annotations

from uuid import uuid4

from starlette.responses import Response
from wtforms import HiddenField

from contracts.commands.matching import (
    CandidatesExplained,
    ChoiceReason,
    ExclusionReason,
    ExclusionView,
    Outline,
    Standing,
)
from contracts.vocabulary import UndoReason
from web.console.pages import words
from web.console.pages.commands import OnceForm, choice
from web.console.pages.desk import Desk, id_in
from web.console.pages.steps import FORMS
from web.console.pages.uk_map import ground_of, map_of
from web.shared.staff.visit import Visit

SHOWN = 60
KILOMETRES, PENCE = frozenset({ExclusionReason.TOO_FAR}), frozenset({ExclusionReason.FEE_TOO_HIGH})


class OfferForm(OnceForm):
    """`instead_of` is who was asked when the form was opened."""

    instead_of = HiddenField()
    reason = choice(ChoiceReason, "Why this therapist?")


class UndoForm(OnceForm):
    reason = choice(UndoReason)


def candidates(desk: Desk, visit: Visit) -> Response:
    """Everybody who comes into question, in order, and why the others don't."""
    facts = desk.referral(visit)
    answer = desk.ask(visit, "matching", "candidates", referral_id=facts.referral_id, limit=SHOWN)
    explained = CandidatesExplained.from_json(answer)
    return visit.page(
        "candidates.html",
        facts=facts,
        explained=explained,
        suitable=[one for one in explained.considered if one.rank is not None],
        others=[one for one in explained.considered if one.rank is None],
        map=map_of(explained, _ground(desk, visit)),
        excluded=exclusion,
        may_change_needs=FORMS["change_needs"].permission in visit.me.permissions,
        relaxations=words.RELAXATIONS,
    )


def offer(desk: Desk, visit: Visit) -> Response:
    """Has a chosen therapist asked next."""
    facts = desk.referral(visit)
    form = visit.form(OfferForm, command_id=uuid4(), instead_of=str(facts.offered_to or ""))
    therapist_id = visit.params["therapist"]
    if visit.is_post and form.validate():
        desk.tell(
            visit, "matching", "offer_to", referral_id=facts.referral_id, therapist_id=therapist_id,
            reason=form.reason.data, instead_of=id_in(form.instead_of.data),
        )  # fmt: skip
        return visit.go_to(f"/referrals/{facts.referral_id}", done="offered")
    return visit.page("offer.html", facts=facts, form=form, therapist_id=therapist_id)


def undo_end(desk: Desk, visit: Visit) -> Response:
    """Has a match go on that was ended by mistake."""
    facts = desk.referral(visit)
    form = visit.form(UndoForm, command_id=uuid4())
    standing = Standing.from_json(desk.ask(visit, "matching", "standing", referral_id=facts.referral_id))
    if visit.is_post and form.validate() and standing.last_match_id:
        desk.tell(visit, "matching", "undo_match_end", match_id=standing.last_match_id, reason=form.reason.data)
        return visit.go_to(f"/referrals/{facts.referral_id}", done="step")
    return visit.page("undo_end.html", facts=facts, form=form, standing=standing)


def _ground(desk: Desk, visit: Visit) -> str:
    """Where people live, asked for once: outward codes hardly change. Raises CommandFailed, NoAnswer."""
    if desk.ground.path is None:
        outline = Outline.from_json(desk.ask(visit, "matching", "outline"))
        desk.ground.path = ground_of(outline.positions)
    return desk.ground.path


def exclusion(one: ExclusionView) -> str:
    """Why somebody isn't asked, in words, with how much is missing."""
    said = words.said(one.reason)
    if one.by is None:
        return said
    if one.reason in PENCE:
        return f"{said} by {words.pounds(round(one.by))}"
    return f"{said} by {max(1, round(one.by))} km" if one.reason in KILOMETRES else said
