"""What is one person's own at home: the queues that they saved with filters, and work that is new to them."""

from __future__ import annotations

from starlette.responses import Response
from wtforms import StringField

from contracts.commands.console import NewToMe, WorkQueue
from web.console.pages import words
from web.console.pages.desk import Desk
from web.console.pages.queues import filters_in
from web.shared.accounts.application import saved_views
from web.shared.accounts.domain.refusals import NameOfViewTaken, TooManyViews
from web.shared.accounts.domain.saved_views import LONGEST_NAME
from web.shared.staff.forms import OneLine, Said, StaffForm, stripped
from web.shared.staff.listing import Listing
from web.shared.staff.visit import Visit


class SaveViewForm(StaffForm):
    name = StringField(
        "What do you call it?",
        [Said("Write a name for it."), OneLine(LONGEST_NAME)],
        [stripped],
        description="Only you see it. Never the name of a client.",
    )


def save_view(visit: Visit) -> Response:
    """Keeps a queue with the filters that are in the address under a name."""
    queue = WorkQueue(str(visit.params["queue"]))
    filters = filters_in(visit)
    listing = Listing(f"/work/{queue.value}", filters, "", None)
    form = visit.form(SaveViewForm)
    if visit.is_post and form.validate():
        try:
            saved_views.save(visit.app.accounts, visit.me.account_id, name=form.name.data or "", path=listing.here)
            return visit.go_to("/", done="view_saved")
        except (NameOfViewTaken, TooManyViews) as refused:
            form.refuse(form.name, str(refused))
    return visit.page(
        "view_save.html", form=form, back=listing.here, queue=words.QUEUES[queue],
        filters=[said for _, said in filters.values()], action=visit.target,
    )  # fmt: skip


def delete_view(visit: Visit) -> Response:
    saved_views.delete(visit.app.accounts, visit.me.account_id, visit.param_id("view"))
    return visit.go_to("/", done="view_deleted")


def new_to_me(desk: Desk, visit: Visit) -> Response:
    """What somebody else made the work of whoever asks, who hasn't opened it since."""
    new = NewToMe.from_json(desk.ask(visit, "console", "list_new_to_me"))
    return visit.page(
        "new_to_me.html", new=new, references=desk.references(visit, (item.referral_id for item in new.items))
    )
