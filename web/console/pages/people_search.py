"""Finding somebody by their contact, or by name and date of birth. What is typed is posted, sealed and kept nowhere."""

from __future__ import annotations

from starlette.responses import Response
from wtforms import HiddenField, StringField

from contracts.commands.intake import PeopleFound
from contracts.sealed import PersonSought
from contracts.typed.dates import read_day
from contracts.typed.telephones import read_telephone
from contracts.vocabulary import MarkKind
from web.console.pages.desk import Desk
from web.console.pages.referral import MINUTES, closing
from web.console.pages.typed import Typed, email
from web.shared.staff.forms import OneLine, Said, StaffForm, stripped
from web.shared.staff.visit import Visit

SEARCH = "/referrals/search"
CALLED = "Write a telephone number with its area code, like 01632 960001."
BORN = "Write a date of birth, like 1 April 1985."


class SearchForm(StaffForm):
    """`by` says which of the three forms of the page it is."""

    by = HiddenField()

    def sought(self) -> PersonSought:
        raise NotImplementedError


class ByEmail(SearchForm):
    email = email("E-mail address")

    def sought(self) -> PersonSought:
        return PersonSought(email=self.email.value)


class ByTelephone(SearchForm):
    telephone = Typed("Telephone number", read=lambda text: read_telephone(text).e164, problem=CALLED)

    def sought(self) -> PersonSought:
        return PersonSought(telephone=self.telephone.value)


class ByName(SearchForm):
    name = StringField("Name, as they wrote it", [Said("Write their name."), OneLine(120)], filters=[stripped])
    date_of_birth = Typed("Date of birth", read=read_day, problem=BORN)

    def sought(self) -> PersonSought:
        return PersonSought(name=self.name.data, date_of_birth=self.date_of_birth.value)


FORMS: dict[MarkKind, tuple[type[SearchForm], str]] = {
    MarkKind.EMAIL: (ByEmail, "By e-mail address"),
    MarkKind.TELEPHONE: (ByTelephone, "By telephone number"),
    MarkKind.NAME_AND_BIRTH: (ByName, "By name and date of birth"),
}


def search(desk: Desk, visit: Visit) -> Response:
    """Shows the forms, or what is found by the one that was sent. The page closes by itself."""
    forms = {kind: visit.form(form) for kind, (form, _) in FORMS.items()}
    sent = next((kind for kind in FORMS if visit.is_post and kind.value == visit.first("by")), None)
    found = _find(desk, visit, sent, forms[sent]) if sent and forms[sent].validate() else None
    for kind, form in forms.items():
        form.by.data = kind.value
    page = visit.page(
        "search.html",
        forms=[(kind, title, forms[kind]) for kind, (_, title) in FORMS.items()],
        problems=forms[sent].problems if sent else {},
        found=found,
        minutes=MINUTES,
    )
    return closing(page, back=SEARCH) if sent else page


def _find(desk: Desk, visit: Visit, kind: MarkKind, form: SearchForm) -> PeopleFound:
    sealed = desk.keyring.seal("intake", form.sought())
    return PeopleFound.from_json(desk.ask(visit, "intake", "find_people", kind=kind.value, sealed=sealed))
