"""What the services hold about a referral beside its steps: messages, forms, whom it is kept apart from, money."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4, uuid5

from starlette.responses import Response
from wtforms import SelectField, StringField

from chassis.rpc import CommandFailed
from contracts.commands import billing, intake
from contracts.commands.billing import SubsidyView
from contracts.commands.evaluation import FormPage, InvitationView
from contracts.commands.intake import LinkView, NoteKind, ReferralSummary
from contracts.commands.notifications import MessageView, Wording, WrittenToClient
from contracts.permissions import Permission
from contracts.reference import InvalidReference, parse_reference
from contracts.sealed import Answer, EnteredAnswers, WordsToClient
from contracts.vocabulary import AnswerMode, LinkKind, LinkReason, UnlinkReason
from web.console.pages import typed, words
from web.console.pages.commands import CommandForm, OnceForm, choice, give
from web.console.pages.desk import Desk, Known, account_in, command_id_of, names
from web.console.pages.step_forms import LONGEST_NOTE
from web.shared.staff.errors import error
from web.shared.staff.forms import Paragraphs, Said, StaffForm, stripped
from web.shared.staff.serving import SENT_BEFORE
from web.shared.staff.visit import Visit

MOST_MESSAGES, ITEM = 500, "item_"


def messages(desk: Desk, visit: Visit) -> Response:
    """Which messages there are, the newest first, and what came of each."""
    facts = desk.referral(visit)
    told = desk.ask(visit, "notifications", "messages", referral_id=facts.referral_id, limit=MOST_MESSAGES)
    found = [MessageView.from_json(one) for one in told]
    return visit.page("messages.html", facts=facts, messages=found[::-1])


def message(desk: Desk, visit: Visit) -> Response:
    """What one message says."""
    facts = desk.referral(visit)
    asked = {"message_id": visit.params["message"], "referral_id": facts.referral_id}
    wording = Wording.from_json(desk.ask(visit, "notifications", "wording", **asked))
    return visit.page("message.html", facts=facts, wording=wording, back=f"/referrals/{facts.referral_id}/messages")


class WriteForm(OnceForm):
    words = Paragraphs(
        "What you write to them",
        LONGEST_NOTE,
        Said("Write something."),
        description="Plain words, without anything that isn’t theirs to know. Greeting and ending are added.",
    )


def write(desk: Desk, visit: Visit) -> Response:
    """Writes to them in the way that is safe, and keeps what was written with the notes."""
    facts = desk.referral(visit)
    desk.refuse_who_handles_linked(visit, facts)  # before it is sent: its note would be refused
    form: Any = visit.form(WriteForm, command_id=uuid4())
    if visit.is_post and form.validate():
        try:
            return visit.go_to(f"/referrals/{facts.referral_id}/messages", done=_written(desk, visit, facts, form))
        except CommandFailed as refused:
            if refused.name != "NotWrittenTo":
                raise
            form.refuse(form.words, refused.message)
    return visit.page("write.html", facts=facts, form=form, back=f"/referrals/{facts.referral_id}/messages")


def _written(desk: Desk, visit: Visit, facts: Known, form: Any) -> str:
    """What the page says has become of it. Raises CommandFailed, NoAnswer."""
    sealed = desk.keyring.seal("notifications", WordsToClient(words=form.words.data.strip()))
    command_id = command_id_of(visit)
    told = _unless_sent(
        desk, visit, "notifications", "write_to_client", command_id, referral_id=facts.referral_id, words=sealed
    )
    note, note_id = desk.seal_note(form.words.data.strip()), uuid5(command_id, "note")
    _unless_sent(
        desk, visit, "intake", "add_note", note_id, referral_id=facts.referral_id, kind=NoteKind.WRITTEN, note=note
    )
    return "written_discreetly" if told and not WrittenToClient.from_json(told).in_full else "written"


def _unless_sent(desk: Desk, visit: Visit, service: str, method: str, command_id: UUID, **fields: Any) -> Any:
    """The answer; None where this was sent before, for what is sealed is sealed otherwise each time.

    Raises CommandFailed, NoAnswer.
    """
    try:
        return desk.ask(visit, service, method, command_id=command_id, **fields)
    except CommandFailed as refused:
        if refused.name != SENT_BEFORE:
            raise
        return None


def forms(desk: Desk, visit: Visit) -> Response:
    """Who was asked for which form, and what came of it; never what was answered."""
    facts = desk.referral(visit)
    return visit.page("forms.html", facts=facts, invitations=_invitations(desk, visit, facts))


def _invitations(desk: Desk, visit: Visit, facts: Known) -> list[InvitationView]:
    told = desk.ask(visit, "evaluation", "invitations", referral_id=facts.referral_id)
    return [InvitationView.from_json(one) for one in told]


class AnswersForm(OnceForm):
    mode = choice(AnswerMode, "How were they given?")


def enter_answers(desk: Desk, visit: Visit) -> Response:
    """Enters what somebody answered by telephone or on paper, as the page of the form would have taken it."""
    facts = desk.referral(visit)
    invitation_id = visit.params["invitation"]
    if invitation_id not in {str(one.invitation_id) for one in _invitations(desk, visit, facts)}:
        return error(visit, 404)
    asked = FormPage.from_json(desk.ask(visit, "evaluation", "show_form", invitation_id=invitation_id))
    form: Any = visit.form(_form_of(asked), command_id=uuid4())
    back = f"/referrals/{facts.referral_id}/forms"
    if visit.is_post and form.validate():
        given = {item.code: form[f"{ITEM}{item.code}"].data for item in asked.items}
        answers = tuple(Answer(item=code, value=int(value)) for code, value in given.items() if value)
        sealed = desk.keyring.seal("evaluation", EnteredAnswers(answers=answers))
        desk.tell(visit, "evaluation", "enter_answers", invitation_id=invitation_id, mode=form.mode.data, sealed=sealed)
        return visit.go_to(back, done="answers")
    return visit.page("enter_answers.html", facts=facts, form=form, asked=asked, back=back)


def _form_of(asked: FormPage) -> type[StaffForm]:
    """A form with a field for each question, by the question's code. What isn't answered is left blank."""
    items = {
        f"{ITEM}{item.code}": SelectField(
            item.text, choices=[("", "Not answered"), *((str(one.value), one.label) for one in item.choices)]
        )
        for item in asked.items
    }
    return type("FormOfAnswers", (AnswersForm,), items)


def links(desk: Desk, visit: Visit) -> Response:
    """Whom this referral's person is kept apart from."""
    facts = desk.referral(visit)
    told = desk.ask(visit, "intake", "links", referral_id=facts.referral_id)
    found = [LinkView.from_json(one) for one in told]
    by = {one.link_id: account_in(one.linked_by) for one in found}
    return visit.page(
        "links.html",
        facts=facts,
        links=found,
        references=desk.references(visit, (one.other_referral_id for one in found)),
        by=by,
        names=names(visit, by.values()),
    )


class LinkForm(OnceForm):
    reference = StringField("Reference of the other referral", [Said("Write its reference.")], [stripped])
    kind = choice(LinkKind, "How do they belong together?")
    reason = choice(LinkReason, "How do we know?")


class UnlinkForm(OnceForm):
    reason = choice(UnlinkReason)


UNLINK = CommandForm(
    "unlink", "intake", "unlink", intake.Unlink, "No longer keep them apart", "Save it",
    "From now on the two may have the same therapist, and one of us may handle both.", UnlinkForm,
    lambda desk, named, form: {**named, "reason": form.reason.data}, "unlinked", kind="button-danger",
)  # fmt: skip


def link(desk: Desk, visit: Visit) -> Response:
    """Keeps two people apart from now on."""
    facts = desk.referral(visit)
    form: Any = visit.form(LinkForm, command_id=uuid4())
    back = f"/referrals/{facts.referral_id}/links"
    if visit.is_post and form.validate() and (other := _other(desk, visit, form)):
        fields = {"kind": form.kind.data, "reason": form.reason.data}
        desk.tell(visit, "intake", "link", referral_id=facts.referral_id, other_referral_id=other.referral_id, **fields)
        return visit.go_to(back, done="linked")
    return visit.page("link.html", facts=facts, form=form, back=back)


def _other(desk: Desk, visit: Visit, form: Any) -> ReferralSummary | None:
    """The referral whose reference was typed; where there is none, the form says so."""
    try:
        reference = parse_reference(form.reference.data)
        return ReferralSummary.from_json(desk.ask(visit, "intake", "find_referral", reference=reference))
    except InvalidReference as wrong:
        form.refuse(form.reference, str(wrong))
    except CommandFailed as refused:
        if refused.name != "UnknownReferral":
            raise
        form.refuse(form.reference, refused.message)
    return None


def unlink(desk: Desk, visit: Visit) -> Response:
    facts = desk.referral(visit)
    form = visit.form(UnlinkForm, command_id=uuid4())
    back = f"/referrals/{facts.referral_id}/links"
    named = {"link_id": visit.params["link"], "referral_id": facts.referral_id}
    return give(desk, visit, UNLINK, form, back=back, about=named, hint=facts.reference)


def money(desk: Desk, visit: Visit) -> Response:
    """How the referral's subsidy stands."""
    facts = desk.referral(visit)
    return visit.page(
        "money.html",
        facts=facts,
        subsidy=_subsidy(desk, visit, facts),
        may_decide=Permission.DECIDE_SUBSIDIES in visit.me.permissions,
    )


def _subsidy(desk: Desk, visit: Visit, facts: Known) -> SubsidyView | None:
    """None if billing hasn't heard of it yet."""
    try:
        return SubsidyView.from_json(desk.ask(visit, "billing", "subsidy_of", referral_id=facts.referral_id))
    except CommandFailed as refused:
        if refused.name != "UnknownReferral":
            raise
        return None


class AreaForm(OnceForm):
    area = SelectField(
        "Police force area",
        [Said("Choose the area.")],
        choices=[("", "Choose one"), *((code, words.area(code)) for code in words.POLICE_FORCE_AREAS)],
    )
    local_authority = typed.authority(
        "Local authority", needed=False, description="Its code, like W06000022, if a fund is for one."
    )


CONFIRM_AREA = CommandForm(
    "confirm_area", "billing", "confirm_area", billing.ConfirmArea, "Confirm the area", "Confirm it",
    "Some funds pay for one area only, and the first half of a postcode doesn’t always say which it is.", AreaForm,
    lambda desk, referral_id, form: {"referral_id": referral_id, "police_force_area": form.area.data,
        "local_authority": form.local_authority.value}, "area_confirmed",
)  # fmt: skip
FURTHER_AWARD = CommandForm(
    "further_award", "billing", "allow_further_award", billing.AllowFurtherAward, "Allow a further award", "Allow it",
    "What they were awarded is used up. They get another one when their turn comes and a fund has room.", OnceForm,
    lambda desk, referral_id, form: {"referral_id": referral_id}, "further_allowed",
)  # fmt: skip
OF_MONEY = (CONFIRM_AREA, FURTHER_AWARD)


def decide(desk: Desk, step: CommandForm, visit: Visit) -> Response:
    """Shows a form about the referral's subsidy, or decides."""
    facts = desk.referral(visit)
    form = visit.form(step.form, command_id=uuid4())
    back = f"/referrals/{facts.referral_id}/money"
    return give(desk, visit, step, form, back=back, about=facts.referral_id, hint=facts.reference)
