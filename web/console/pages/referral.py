"""A referral: where it stands, what can be done next, and what happened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

from starlette.responses import Response
from wtforms import HiddenField, SelectField

from chassis.privacy.ephemeral_key import OneTimeKey
from contracts.commands.console import EventSeen
from contracts.commands.intake import History
from contracts.commands.subject import Holding, ReadingReason, SealedHolding, Section
from contracts.london import LONDON
from contracts.permissions import Permission
from contracts.vocabulary import ReferralId
from web.console.pages import words
from web.console.pages.client_forms import OF_CLIENT
from web.console.pages.commands import OnceForm
from web.console.pages.desk import Desk, colleagues, id_in, names, seen_of
from web.console.pages.steps import FORMS
from web.shared.staff.listing import AFTER, Listing
from web.shared.staff.visit import Visit

EVENTS_A_PAGE = 40
SHOWN_FOR_SECONDS = 300
"""How long personal data stays on a page that nobody has left."""
MINUTES = SHOWN_FOR_SECONDS // 60


def show(desk: Desk, visit: Visit) -> Response:
    facts = desk.referral(visit)
    if facts.is_new_to_me and not visit.is_fragment:
        desk.ask(visit, "console", "note_opened", referral_id=facts.referral_id)
    history = History.from_json(desk.ask(visit, "intake", "history", referral_id=facts.referral_id))
    part = visit.query.get("part", "")
    part = part if part in words.PUBLISHERS else ""
    seen = _events(desk, visit, part)
    possible = [FORMS[name] for name in history.possible if name in FORMS and _may(visit, FORMS[name].permission)]
    called = names(visit, [facts.assigned_to, *(event.account_id for event in seen)])
    return visit.page(
        "referral.html",
        facts=facts,
        steps=[step for step in possible if step not in OF_CLIENT and step.name not in SHOWN_APART],
        may_sign_off=FORMS["sign_off"] in possible and facts.needs_safeguarding_lead,
        says=[step for step in possible if step in OF_CLIENT],
        contact_waits=history.contact_waits,
        state=history.steps[-1].state if history.steps else facts.state,
        was_matched=any(step.step == "match" for step in history.steps),
        may_take_up="take_up" in history.possible and _may(visit, Permission.ASSESS),
        merged_into=_merged_into(desk, visit, history),
        may_assess="assess" in history.possible and _may(visit, Permission.ASSESS),
        days=_by_day(seen, called),
        part=part,
        listing=_listing(visit, part, seen),
        names=called,
        may=lambda permission: _may(visit, Permission(permission)),
        me=visit.me.account_id,
    )


SHOWN_APART = frozenset({"assess", "sign_off"})
"""Steps that are shown first, where they are what is likely to be done next."""


def _merged_into(desk: Desk, visit: Visit, history: History) -> tuple[ReferralId, str] | None:
    """The referral that goes on in the place of this one, with its reference."""
    into = history.merged_into_id
    return (into, desk.references(visit, [into])[into]) if into else None


def _events(desk: Desk, visit: Visit, part: str) -> list[EventSeen]:
    """A page of what happened, the newest first: all of it, or what one part of the system has said."""
    if not _may(visit, Permission.SEE_EVENTS):
        return []
    answer = desk.ask(
        visit, "console", "list_events", referral_id=visit.params["referral"], limit=EVENTS_A_PAGE,
        before=_position(visit), publisher=part or None,
    )  # fmt: skip
    return [EventSeen.from_json(one) for one in answer]


def _position(visit: Visit) -> int | None:
    """Where a page of the timeline begins, from the address; a mistyped one is the first page's."""
    before = visit.query.get(AFTER, "")
    return int(before) if before.isdecimal() and int(before[:16]) > 0 and len(before) < 16 else None


def _listing(visit: Visit, part: str, seen: list[EventSeen]) -> Listing:
    return Listing(
        visit.path,
        {"part": (part, f"Part: {words.PUBLISHERS[part]}")} if part else {},
        visit.query.get(AFTER, "") if _position(visit) else "",
        str(seen[-1].position) if len(seen) == EVENTS_A_PAGE else None,
    )


def _may(visit: Visit, permission: Permission) -> bool:
    return permission in visit.me.permissions


@dataclass(frozen=True)
class Happened:
    """An event in words. `who` did it, where that was a person or the client."""

    position: int
    at: datetime
    title: str
    who: str
    part: str
    more: tuple[str, ...]


TOLD = ("reason", "template", "channel", "severity", "category", "outcome", "respondent", "stage", "held_for")
"""The codes of events that say something to people."""


SAID_BY_STEPS = frozenset(
    {
        "ReferralReceived", "ReferralAssessed", "ReferralSignposted", "ReferralWithdrawn", "ReferralHeld",
        "ReferralResumed", "ReferralReopened", "ReferralClosed", "ContactReleased",
    }
)  # fmt: skip
"""Events of intake's that say to services what `ReferralStepTaken` says to people, with who took the step."""


def _by_day(seen: list[EventSeen], called: Mapping[UUID | None, str]) -> list[tuple[datetime, list[Happened]]]:
    """By the day in London, the newest first, without what a step has said already."""
    days: dict[date, list[Happened]] = {}
    for event in seen:
        if event.event in SAID_BY_STEPS:
            continue
        days.setdefault(event.happened_at.astimezone(LONDON).date(), []).append(happened(event, called))
    return [(events[0].at, events) for events in days.values()]


def happened(event: EventSeen, called: Mapping[UUID | None, str]) -> Happened:
    told = {fact.name: fact.value for fact in event.facts}
    title, who = words.event_name(event.event), ""
    if event.event == "ReferralStepTaken":
        title = words.STEPS.get(told.get("step", ""), told.get("step", ""))
        who = (
            called.get(event.account_id, SOMEBODY_GONE)
            if event.account_id
            else words.taken_by(told.get("taken_by", ""))
        )
    return Happened(
        position=event.position,
        at=event.happened_at,
        title=title,
        who=who,
        part=words.PUBLISHERS.get(event.publisher, event.publisher),
        more=tuple(words.said(told[name]) for name in TOLD if told.get(name)),
    )


SOMEBODY_GONE = "somebody who has left"


def take_up(desk: Desk, visit: Visit) -> Response:
    referral_id = visit.params["referral"]
    desk.tell(visit, "intake", "take_up", referral_id=referral_id, seen=seen_of(visit))
    return visit.go_to(f"/referrals/{referral_id}", done="taken_up")


class AssignForm(OnceForm):
    to = SelectField("Whose work is it from now on?")
    instead_of = HiddenField()


NOBODY = "nobody"


def assign(desk: Desk, visit: Visit) -> Response:
    """Makes it somebody's work, or nobody's, unless somebody else has done so meanwhile."""
    facts = desk.referral(visit)
    form: Any = visit.form(AssignForm, command_id=uuid4(), instead_of=str(facts.assigned_to or ""))
    form.to.choices = [(NOBODY, "Nobody’s"), *((str(id_), name) for id_, name in colleagues(visit))]
    if visit.is_post and form.validate():
        desk.tell(
            visit, "console", "assign", referral_id=facts.referral_id,
            account_id=None if form.to.data == NOBODY else form.to.data, instead_of=id_in(form.instead_of.data),
        )  # fmt: skip
        return visit.go_to(f"/referrals/{facts.referral_id}", done="assigned")
    return visit.page("assign.html", facts=facts, form=form)


def read_record(desk: Desk, visit: Visit) -> Response:
    """What somebody wrote, for a reason that is on record. The page closes by itself."""
    facts = desk.referral(visit)
    back = f"/referrals/{facts.referral_id}"
    reason = reason_given(visit)
    if reason is None:
        about = f"{facts.reference}, {words.said(facts.client_group)}, {words.said(facts.state)}"
        return ask_reason(visit, about=about, back=back)
    sections = reveal(desk, visit, "intake", "read_record", referral_id=facts.referral_id, reason=reason.value)
    return closing(visit.page("record.html", facts=facts, sections=sections, minutes=MINUTES, back=back), back=back)


def reason_given(visit: Visit) -> ReadingReason | None:
    """Why somebody looks at what is about a person, once they have said so."""
    chosen = visit.first("reason") if visit.is_post else ""
    return next((one for one in ReadingReason if one.value == chosen), None)


def ask_reason(visit: Visit, *, about: str, back: str) -> Response:
    problems = {"reason": "Say why you look."} if visit.is_post else {}
    return visit.page("record_reason.html", about=about, back=back, reasons=list(ReadingReason), problems=problems)


def reveal(desk: Desk, visit: Visit, service: str, command: str, **fields: Any) -> tuple[Section, ...]:
    """What a service holds about a person, sealed on its way to this page. Raises CommandFailed, NoAnswer."""
    key = OneTimeKey()
    answer = desk.ask(visit, service, command, seal_to=key.public, **fields)
    return key.open(Holding, SealedHolding.from_json(answer).sealed).sections


def closing(response: Response, *, back: str) -> Response:
    """A page with personal data, which nobody leaves open for long."""
    response.headers["Refresh"] = f"{SHOWN_FOR_SECONDS}; url={back}"
    return response
