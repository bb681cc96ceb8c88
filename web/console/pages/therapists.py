"""Therapists: who there is, what is known of each, and what can be changed. Nobody's name is known here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid4

from starlette.responses import Response
from wtforms import HiddenField, StringField

from chassis.rpc import CommandFailed
from contracts.commands import matching
from contracts.commands.billing import TherapistAccountView
from contracts.commands.matching import TherapistView, WorkOfTherapist
from contracts.permissions import Permission
from contracts.sealed import TherapistContact
from contracts.vocabulary import ChangeReason, ClientGroup, Competence, ReferralId, Sessions, Sex, SuspensionReason
from web.console.pages import typed, words
from web.console.pages.commands import YES, CommandForm, OnceForm, choice, give, yes_or_no
from web.console.pages.desk import Desk, command_id_of, id_in
from web.shared.accounts.pages.forms import MOST_NAME, Ticks
from web.shared.staff.forms import OneLine, Said, stripped
from web.shared.staff.listing import AFTER, Listing
from web.shared.staff.serving import SENT_BEFORE
from web.shared.staff.visit import Visit

A_PAGE, OFFERS_SHOWN = 50, 30
MOST_PLACES, OLDEST_YOUNG, DEAREST = 200, 17, 1_000_00


def everybody(desk: Desk, visit: Visit) -> Response:
    """A page of therapists, in the order of their identifiers."""
    after = id_in(visit.query.get(AFTER, ""))
    chosen = {name: _chosen(visit, name) for name in FILTERS}
    asked = dict(FILTERS[name].fields[value] for name, value in chosen.items() if value)
    area = visit.query.get("area", "").strip().upper()
    area = area if AREA.fullmatch(area) else ""
    answer = desk.ask(visit, "matching", "therapists", after=after, area=area or None, limit=A_PAGE + 1, **asked)
    found = [TherapistView.from_json(one) for one in answer]
    shown = found[:A_PAGE]
    following = str(shown[-1].therapist_id) if len(found) > A_PAGE else None
    used = {name: (value, FILTERS[name].in_words(value)) for name, value in chosen.items() if value}
    used |= {"area": (area, f"Postcode: {area}")} if area else {}
    return visit.page(
        "therapists.html",
        therapists=shown,
        listing=Listing("/therapists", used, str(after or ""), following),
        filters=FILTERS,
        chosen=chosen,
        area=area,
    )


@dataclass(frozen=True)
class Filter:
    """A choice above the list: each value in words, and the field of the command that it stands for."""

    title: str
    words: Mapping[str, str]
    fields: Mapping[str, tuple[str, Any]]

    def in_words(self, value: str) -> str:
        return f"{self.title}: {self.words[value]}"


def _of_codes(title: str, field: str, kind: type[StrEnum]) -> Filter:
    return Filter(
        title, {code.value: words.said(code) for code in kind}, {code.value: (field, code.value) for code in kind}
    )


FILTERS = {
    "competence": _of_codes("Competence", "competence", Competence),
    "group": _of_codes("Takes", "client_group", ClientGroup),
    "state": Filter(
        "State",
        {"active": "Not suspended", "suspended": "Suspended"},
        {"active": ("suspended", False), "suspended": ("suspended", True)},
    ),
}
AREA = re.compile("[A-Z]{1,2}")


def _chosen(visit: Visit, name: str) -> str:
    value = visit.query.get(name, "")
    return value if value in FILTERS[name].words else ""


def show(desk: Desk, visit: Visit) -> Response:
    """What is known of one therapist, their open offers, and what they owe for whoever may see that."""
    therapist = _therapist(desk, visit)
    work = WorkOfTherapist.from_json(
        desk.ask(visit, "matching", "work_of", therapist_id=therapist.therapist_id, limit=OFFERS_SHOWN)
    )
    may = visit.me.permissions
    return visit.page(
        "therapist.html",
        therapist=therapist,
        work=work,
        references=_references(desk, visit, work),
        account=_account(desk, visit) if Permission.SEE_ACCOUNTS_OF_THERAPISTS in may else None,
        steps=[step for step in CHANGES if step.permission in may and (step is not REINSTATE or therapist.suspensions)],
        back="/therapists" if Permission.MANAGE_THERAPISTS in may else "/",
    )


def _references(desk: Desk, visit: Visit, work: WorkOfTherapist) -> dict[ReferralId, str]:
    """By which references the referrals are known, for whoever may see any."""
    if Permission.SEE_REFERRALS not in visit.me.permissions:
        return {}
    ids = [*(one.referral_id for one in work.clients), *(one.referral_id for one in work.offers)]
    return desk.references(visit, ids)


def change(desk: Desk, step: CommandForm, visit: Visit) -> Response:
    """Shows the form for a change of one therapist, or makes it."""
    therapist = _therapist(desk, visit)
    back = f"/therapists/{therapist.therapist_id}"
    if step is REINSTATE and not therapist.suspensions:
        return visit.go_to(back)
    form = visit.form(step.form, command_id=uuid4(), **step.fill(therapist))
    if isinstance(form, ReinstateForm):
        form.reason.choices = [(reason.value, words.said(reason)) for reason in therapist.suspensions]
    if isinstance(form, ProfileForm) and visit.is_post and form.was.data != _as_it_is(therapist):
        return _changed_meanwhile(visit, step, form, therapist)
    return give(desk, visit, step, form, back=back, about=therapist, hint=_about(therapist))


def admit(desk: Desk, visit: Visit) -> Response:
    """Admits a therapist, whose identifier is the form's own: sent twice, it is one therapist."""
    form = visit.form(AdmitForm, command_id=uuid4(), young_from_years="0", young_to_years=str(OLDEST_YOUNG))
    therapist_id = command_id_of(visit)
    page = f"/therapists/{therapist_id}"
    try:
        return give(desk, visit, ADMIT, form, back="/therapists", to=page, about=therapist_id)
    except CommandFailed as refused:
        # What is sealed is sealed otherwise each time, so that matching takes a form that is sent again for another.
        if refused.name != SENT_BEFORE:
            raise
        return visit.go_to(page, done="admitted_before")


class ReasonForm(OnceForm):
    reason = choice(ChangeReason, "Whose word does this rest on?")


class SuspendForm(OnceForm):
    reason = choice(SuspensionReason, leave_out=frozenset({SuspensionReason.MEMBERSHIP_LAPSED}))


class ReinstateForm(OnceForm):
    reason = choice(SuspensionReason, "What has been put right?")


class PlacesForm(OnceForm):
    places = typed.whole("How many more clients can they take?", most=MOST_PLACES)


class ContactForm(OnceForm):
    name = StringField("Name", [Said("Write the therapist’s name."), OneLine(MOST_NAME)], [stripped])
    email = typed.email("E-mail address", description="Letters with offers and introductions go there.")
    telephone = typed.telephone("Telephone", description="If you have it. A mobile gets codes by text message.")


class ChangeContactForm(ContactForm, ReasonForm):
    """The whole of it is replaced: matching can't show what there is."""


class PracticeForm(OnceForm):
    """What is asked once, when they are admitted."""

    outward_code = typed.outward_code(
        "Postcode of where they work", description="The first half is enough, like NP20. Nothing more is kept."
    )
    competence = choice(Competence, "What are they trained for?")
    client_groups = Ticks(
        "Whom do they take?",
        [Said("Tick at least one group.")],
        choices=[(group.value, words.said(group)) for group in ClientGroup],
    )
    couple_work = yes_or_no("Do they see couples?")
    sessions = choice(Sessions, "How do they meet clients?")
    wheelchair_access = yes_or_no("Can their rooms be reached without steps?")
    sex = choice(Sex, "Their sex", description="Some clients ask for a woman or a man.")
    places = typed.whole("How many clients can they take now?", most=MOST_PLACES)


class WorkForm(OnceForm):
    """What may change in the course of time."""

    session_fee = typed.pounds("Fee for a session, in pounds", most=DEAREST)
    languages = typed.languages("Languages", description="With commas between them: English, Welsh.")
    interpreters = yes_or_no("Do they work with interpreters?")
    young_from_years = typed.whole(
        "Youngest age of young people",
        most=OLDEST_YOUNG,
        description="Counts only for whoever takes young people: the ages that they are trained for.",
    )
    young_to_years = typed.whole("Oldest age of young people", most=OLDEST_YOUNG)


class ProfileForm(WorkForm, ReasonForm):
    """`was` is what its sender had before their eyes."""

    was = HiddenField()


class AdmitForm(ContactForm, PracticeForm, WorkForm):
    """The problems come in the order of the fields on the page, which is that in which their classes are written."""


def _with_reason(desk: Desk, therapist: TherapistView, form: Any) -> dict[str, Any]:
    return {"therapist_id": therapist.therapist_id, "reason": form.reason.data}


def _sealed(desk: Desk, form: Any) -> str:
    contact = TherapistContact(name=form.name.data, email=form.email.value, telephone=form.telephone.value)
    return desk.keyring.seal("notifications", contact)


def _work(form: Any) -> dict[str, Any]:
    return {
        "session_fee_pence": form.session_fee.value,
        "languages": form.languages.value,
        "works_with_interpreters": form.interpreters.data == YES,
        "young_from_years": form.young_from_years.value,
        "young_to_years": form.young_to_years.value,
    }


def _admission(desk: Desk, therapist_id: UUID, form: Any) -> dict[str, Any]:
    return {
        "therapist_id": therapist_id,
        "contact": _sealed(desk, form),
        "outward_code": form.outward_code.value,
        "places": form.places.value,
        "client_groups": list(dict.fromkeys(form.client_groups.data)),
        **{name: form[name].data for name in ("competence", "sessions", "sex")},
        **{name: form[name].data == YES for name in ("couple_work", "wheelchair_access")},
        **_work(form),
    }


def _profile(therapist: TherapistView) -> dict[str, Any]:
    return {
        "was": _as_it_is(therapist),
        "session_fee": words.pounds(therapist.session_fee_pence).removeprefix("£"),
        "languages": ", ".join(map(words.language, therapist.languages)),
        "interpreters": YES if therapist.works_with_interpreters else "no",
        "young_from_years": str(therapist.young_from_years),
        "young_to_years": str(therapist.young_to_years),
    }


AGES = {"AgesTheWrongWayRound": "young_from_years"}
REINSTATE = CommandForm(
    "reinstate", "matching", "reinstate_therapist", matching.ReinstateTherapist, "Reinstate the therapist",
    "Reinstate them", "They are asked again once no other reason suspends them.", ReinstateForm, _with_reason,
    "reinstated",
)  # fmt: skip
CHANGES = (
    CommandForm("places", "matching", "change_places", matching.ChangePlaces, "Change places", "Save it",
        "They can take this many more clients from now on, and are not away any more.", PlacesForm,
        lambda desk, one, form: {"therapist_id": one.therapist_id, "places": form.places.value}, "places",
        fill=lambda therapist: {"places": str(therapist.places)}),
    CommandForm("change", "matching", "change_therapist", matching.ChangeTherapist, "Change fee, languages and ages",
        "Save it", "It counts at once. A fee that was agreed with a client stays.", ProfileForm,
        lambda desk, one, form: _with_reason(desk, one, form) | _work(form), "therapist", fill=_profile,
        problems=AGES),
    CommandForm("contact", "matching", "change_therapist", matching.ChangeTherapist, "Change how they are reached",
        "Save it", "This takes the place of all that we have. It is stored encrypted, and shown nowhere.",
        ChangeContactForm, lambda desk, one, form: _with_reason(desk, one, form) | {"contact": _sealed(desk, form)},
        "therapist_contact", once=False),
    CommandForm("suspend", "matching", "suspend_therapist", matching.SuspendTherapist, "Suspend the therapist",
        "Suspend them", "They get no new offers, and open offers are taken back. Therapy in progress goes on.",
        SuspendForm, _with_reason, "suspended", kind="button-danger"),
    REINSTATE,
)  # fmt: skip
ADMIT = CommandForm(
    "admit", "matching", "admit_therapist", matching.AdmitTherapist, "Admit a therapist", "Admit them",
    "Name, e-mail address and telephone are stored encrypted, and shown nowhere but in letters.", AdmitForm,
    _admission, "admitted", problems={"UnknownOutwardCode": "outward_code", **AGES},
)  # fmt: skip


def _therapist(desk: Desk, visit: Visit) -> TherapistView:
    """The therapist whom the address names. Raises CommandFailed, NoAnswer."""
    return TherapistView.from_json(desk.ask(visit, "matching", "therapist", therapist_id=visit.params["therapist"]))


def _account(desk: Desk, visit: Visit) -> TherapistAccountView | None:
    """None if billing hasn't heard of them yet. Raises CommandFailed, NoAnswer."""
    try:
        return TherapistAccountView.from_json(
            desk.ask(visit, "billing", "therapist_account", therapist_id=visit.params["therapist"])
        )
    except CommandFailed as refused:
        if refused.name != "UnknownTherapist":
            raise
        return None


def _about(therapist: TherapistView) -> str:
    competence = words.said(therapist.competence).lower()
    return f"{therapist.outward_code}, {str(therapist.therapist_id)[-6:]}, {competence} competence"


def _as_it_is(therapist: TherapistView) -> str:
    work = (therapist.session_fee_pence, "-".join(therapist.languages), therapist.works_with_interpreters)
    return "|".join(map(str, (*work, therapist.young_from_years, therapist.young_to_years)))


def _changed_meanwhile(visit: Visit, step: CommandForm, form: ProfileForm, therapist: TherapistView) -> Response:
    """The form with what was typed, beside what somebody else has made of it."""
    form.was.data = _as_it_is(therapist)
    back = f"/therapists/{therapist.therapist_id}"
    return visit.page(
        "therapist_changed.html", step=step, form=form, back=back, therapist=therapist, about=_about(therapist)
    )
