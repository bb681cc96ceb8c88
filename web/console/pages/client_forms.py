"""Forms for what a client, or whoever wrote for them, says later on: what they agree to, need, how they are reached."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from wtforms import SelectField, StringField
from wtforms.validators import Optional

from contracts.commands import intake
from contracts.commands.console import ReferralFacts
from contracts.sealed import SafeChannel, SafeContact, SafeHours, Whereabouts
from contracts.typed.postcodes import read_postcode
from contracts.vocabulary import (
    ConsentKind,
    ConsentTold,
    ContactChangeReason,
    NeedsChangeReason,
    Party,
    Sessions,
    Sex,
    Wish,
)
from web.console.pages import typed, words
from web.console.pages.commands import YES, CommandForm, choice, yes_or_no
from web.console.pages.desk import Desk
from web.console.pages.step_forms import NoteForm, ReferralForm, of_referral
from web.shared.accounts.pages.forms import MOST_NAME, Ticks
from web.shared.staff.forms import OneLine, Paragraphs, stripped

MOST_ADDRESS, FURTHEST_KM, DEAREST = 400, 500, 1_000_00


def _unless(kind: type[StrEnum], label: str, **rest: Any) -> SelectField:
    """One of the codes, or nothing: it stays as it is."""
    choices = [("", "As it is"), *((code.value, words.said(code)) for code in kind)]
    return SelectField(label, [Optional()], choices=choices, **rest)


def _yes_no_or_as_it_is(label: str, **rest: Any) -> SelectField:
    return SelectField(label, [Optional()], choices=[("", "As it is"), ("yes", "Yes"), ("no", "No")], **rest)


class ConsentForm(NoteForm):
    consent = choice(ConsentKind, "What is it about?")
    given = yes_or_no("Do they agree?")
    told = choice(ConsentTold, "How do we know?")


class NeedsForm(NoteForm):
    """What is left as it is stays."""

    reason = choice(NeedsChangeReason)
    told = choice(ConsentTold, "How did they say so?")
    sessions = _unless(Sessions, "How they would like to meet")
    online_allowed = _yes_no_or_as_it_is(
        "Does the prison allow sessions online?", description="For somebody in prison."
    )
    max_distance_km = typed.whole("How far they can travel, in kilometres", least=1, most=FURTHEST_KM, needed=False)
    most_per_session = typed.pounds("The most they can pay for a session, in pounds", most=DEAREST, needed=False)
    therapist_sex = _unless(Sex, "Therapist’s sex")
    therapist_sex_only = _yes_no_or_as_it_is("Must it be that?")
    therapy_language = typed.language("Language of therapy", needed=False)
    therapy_language_must = _yes_no_or_as_it_is("Must it be that language?")
    interpreter_language = typed.language("Language of an interpreter", needed=False)
    no_longer = Ticks("What they don’t wish for any more", choices=[(wish.value, words.said(wish)) for wish in Wish])


class ContactForm(NoteForm):
    """The whole of it is replaced. What each way needs is asked for when it is missing."""

    whose = choice(Party, "Whose contact is it?")
    reason = choice(ContactChangeReason)
    channel = choice(SafeChannel, "How is it safe to reach them?")
    email = typed.email("E-mail address", needed=False)
    telephone = typed.telephone("Telephone")
    address = Paragraphs("Address", MOST_ADDRESS, description="A plain envelope is used.")
    hours = SelectField("When is it safe?", [Optional()], choices=[(one.value, words.said(one)) for one in SafeHours])
    may_leave_message = yes_or_no("May a message be left?", default="no")
    discreet = yes_or_no(
        "Are we to be discreet?",
        default="yes",
        description="Then letters say nothing of the charity, nor what they are about.",
    )
    call_as = StringField(
        "Who are we, should somebody else answer?",
        [OneLine(MOST_NAME)],
        [stripped],
        description="If they named somebody.",
    )

    def validate(self, extra_validators: Any = None) -> bool:
        """Asks for what the chosen way needs, too."""
        is_valid: bool = super().validate(extra_validators)
        way = WAYS.get(self.channel.data or "")
        if way and not (self[way].data or "").strip():
            self.refuse(self[way], f"Write the {self[way].label.text.lower()}: it is how they are to be reached.")
            return False
        return is_valid


WAYS = {
    SafeChannel.EMAIL.value: "email",
    SafeChannel.TEXT.value: "telephone",
    SafeChannel.TELEPHONE.value: "telephone",
    SafeChannel.POST.value: "address",
}
"""What has to be known for each way of reaching somebody."""


class PlaceForm(ReferralForm):
    postcode = typed.Typed(
        "Their postcode",
        read=read_postcode,
        problem="Write a postcode, like NP20 1AA. The first half is enough, like NP20.",
        description="It is stored encrypted, and shown nowhere but in what they wrote.",
    )


class SettleForm(ReferralForm):
    accept = yes_or_no("Is the new contact theirs, and safe?")


def _flag(form: Any, name: str) -> bool | None:
    return form[name].data == YES if form[name].data else None


def _consent(desk: Desk, facts: ReferralFacts, form: Any) -> dict[str, Any]:
    agreed = {"consent": form.consent.data, "given": form.given.data == YES, "told": form.told.data}
    return of_referral(desk, facts, form) | agreed


def _needs(desk: Desk, facts: ReferralFacts, form: Any) -> dict[str, Any]:
    chosen = {name: form[name].data or None for name in ("told", "sessions", "therapist_sex")}
    flags = {name: _flag(form, name) for name in ("online_allowed", "therapist_sex_only", "therapy_language_must")}
    read = {
        name: form[name].value
        for name in ("max_distance_km", "most_per_session", "therapy_language", "interpreter_language")
    }
    no_longer = list(dict.fromkeys(form.no_longer.data or ()))
    return of_referral(desk, facts, form) | chosen | flags | read | {"no_longer": no_longer}


def _contact(desk: Desk, facts: ReferralFacts, form: Any) -> dict[str, Any]:
    way = WAYS.get(form.channel.data)
    contact = SafeContact(
        channel=SafeChannel(form.channel.data),
        hours=SafeHours(form.hours.data),
        email=form.email.value if way == "email" else None,
        telephone=form.telephone.value if way == "telephone" else None,
        address=(form.address.data or "").strip() if way == "address" else None,
        may_leave_message=form.may_leave_message.data == YES,
        discreet=form.discreet.data == YES,
        call_as=form.call_as.data or None,
    )
    sealed = desk.keyring.seal("intake", contact)
    return of_referral(desk, facts, form) | {"whose": form.whose.data, "contact": sealed}


def _place(desk: Desk, facts: ReferralFacts, form: Any) -> dict[str, Any]:
    whereabouts = desk.keyring.seal("intake", Whereabouts(postcode=form.postcode.value))
    return of_referral(desk, facts, form) | {"whereabouts": whereabouts}


def _settled(desk: Desk, facts: ReferralFacts, form: Any) -> dict[str, Any]:
    return of_referral(desk, facts, form) | {"accept": form.accept.data == YES}


OF_CLIENT = (
    CommandForm("record_consent", "intake", "record_consent", intake.RecordConsent, "Record an agreement", "Record it",
        "What they said to you, or what whoever answers for them said.", ConsentForm, _consent, done="consent"),
    CommandForm("change_needs", "intake", "change_needs", intake.ChangeNeeds, "Change what they need", "Save it",
        "Only with the client’s word. What you leave as it is stays. The search goes by it from now on.", NeedsForm,
        _needs, done="needs"),
    CommandForm("change_contact", "intake", "change_contact", intake.ChangeContact, "Change how they are reached",
        "Save it", "This takes the place of all that we have for them. Nothing goes to where it went before.",
        ContactForm, _contact, done="contact"),
    CommandForm("find_place", "intake", "find_place", intake.FindPlace, "Put the place right", "Save it",
        "Where they live or stay decides who is near, and which funds may pay.", PlaceForm, _place, done="place"),
)  # fmt: skip
SETTLE = CommandForm(
    "settle_contact", "intake", "settle_contact_change", intake.SettleContactChange, "Check the new contact", "Save it",
    "They have named a new way to be reached. Read what it is in their record, and reach them in the old way first. "
    "If you say no, the old one stays.", SettleForm, _settled, done="contact_settled",
)  # fmt: skip
