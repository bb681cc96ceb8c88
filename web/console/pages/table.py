"""Every page of the console, and who may open it."""

from __future__ import annotations

from functools import partial

from starlette.convertors import StringConvertor, register_url_convertor

from contracts.commands.console import WorkQueue
from contracts.permissions import Permission
from web.console.live import Live
from web.console.pages import (
    audit,
    concerns,
    details,
    duplicates,
    funds,
    handover,
    matching,
    mine,
    opening,
    people_search,
    queues,
    referral,
    rota,
    steps,
    therapists,
    typed_requests,
)
from web.console.pages.desk import Desk
from web.shared.accounts.pages import table as accounts
from web.shared.staff.access import FORM, GET, POST, Door, Page

REFERRAL, CONCERN = "/referrals/{referral:id}", "/referrals/{referral:id}/concerns/{concern:id}"
BACK = "/referrals/{referral}"
CHANGES = "/changes"
SEARCHES = Permission.SEARCH_PEOPLE
PERSON, WHO = "/people/{account:id}", "/people/{account}"
THERAPISTS, THERAPIST = "/therapists", "/therapists/{therapist:id}"


class Queue(StringConvertor):
    """A work queue."""

    regex = "|".join(queue.value for queue in WorkQueue)


class Route(StringConvertor):
    """A form that requests are made by."""

    regex = "[a-z0-9_]{1,40}"


register_url_convertor("queue", Queue())
register_url_convertor("route", Route())


def pages_of(desk: Desk, live: Live) -> tuple[Page, ...]:
    """The pages of accounts, with the work's own home, and those of the work."""
    sees, acknowledges = Permission.SEE_REFERRALS, Permission.HANDLE_CONCERNS
    return (
        # Before the accounts' own page of the same address: who leaves here has work that somebody goes on with.
        Page(f"{PERSON}/end", FORM, partial(handover.leave, desk), Permission.MANAGE_ACCOUNTS, recent=True, back=WHO),
        Page("/", GET, partial(queues.home, desk), Door.SIGNED_IN),
        *(page for page in accounts.PAGES if page.path != "/"),
        Page(CHANGES, GET, live.open, Permission.SEE_REFERRALS),
        Page("/work/{queue:queue}", GET, partial(queues.queue, desk), sees, back="/"),
        Page("/referrals/find", GET, partial(queues.find, desk), sees, back="/"),
        Page(REFERRAL, GET, partial(referral.show, desk), sees, back="/"),
        Page(f"{REFERRAL}/take_up", POST, partial(referral.take_up, desk), Permission.ASSESS, back=BACK),
        Page(f"{REFERRAL}/assign", FORM, partial(referral.assign, desk), Permission.ASSIGN_WORK, back=BACK),
        Page(
            f"{REFERRAL}/record", FORM, partial(referral.read_record, desk), Permission.READ_RECORDS, recent=True,
            back=BACK,
        ),
        *(
            Page(f"{REFERRAL}/{step.name}", FORM, partial(steps.take, desk, step), step.permission, back=BACK)
            for step in steps.EVERY_FORM
        ),
        Page(f"{REFERRAL}/candidates", GET, partial(matching.candidates, desk), Permission.SEE_MATCHING, back=BACK),
        Page(
            f"{REFERRAL}/offer/{{therapist:id}}", FORM, partial(matching.offer, desk), Permission.MANAGE_MATCHES,
            back=f"{BACK}/candidates",
        ),
        Page(f"{REFERRAL}/undo_end", FORM, partial(matching.undo_end, desk), Permission.MANAGE_MATCHES, back=BACK),
        Page(f"{REFERRAL}/messages", GET, partial(details.messages, desk), Permission.SEE_MESSAGES, back=BACK),
        Page(
            f"{REFERRAL}/messages/{{message:id}}", GET, partial(details.message, desk), Permission.SEE_MESSAGES,
            back=f"{BACK}/messages",
        ),
        Page(
            f"{REFERRAL}/write", FORM, partial(details.write, desk), Permission.WRITE_TO_CLIENTS,
            back=f"{BACK}/messages",
        ),
        Page(f"{REFERRAL}/forms", GET, partial(details.forms, desk), Permission.SEE_FORMS, back=BACK),
        Page(
            f"{REFERRAL}/forms/{{invitation:id}}", FORM, partial(details.enter_answers, desk), Permission.ENTER_FORMS,
            back=f"{BACK}/forms",
        ),
        Page(f"{REFERRAL}/links", GET, partial(details.links, desk), sees, back=BACK),
        Page(f"{REFERRAL}/link", FORM, partial(details.link, desk), Permission.LINK_PEOPLE, back=f"{BACK}/links"),
        Page(
            f"{REFERRAL}/links/{{link:id}}", FORM, partial(details.unlink, desk), Permission.UNLINK_PEOPLE,
            back=f"{BACK}/links",
        ),
        Page(f"{REFERRAL}/money", GET, partial(details.money, desk), Permission.SEE_MONEY, back=BACK),
        *(
            Page(
                f"{REFERRAL}/{step.name}", FORM, partial(details.decide, desk, step), step.permission,
                back=f"{BACK}/money",
            )
            for step in details.OF_MONEY
        ),
        Page("/contact-changes", GET, partial(queues.contact_changes, desk), Permission.CHANGE_CONTACTS, back="/"),
        Page(CONCERN, GET, partial(concerns.show, desk), Permission.SEE_ALERTS, back=BACK),
        Page(
            f"{CONCERN}/reasons", POST, partial(concerns.read_reasons, desk), Permission.READ_CONCERNS, recent=True,
            back=BACK,
        ),
        Page(f"{CONCERN}/acknowledge", POST, partial(concerns.acknowledge, desk), acknowledges, back=BACK),
        Page(f"{CONCERN}/outcome", FORM, partial(concerns.record_outcome, desk), acknowledges, back=BACK),
        Page("/therapists", GET, partial(therapists.everybody, desk), Permission.MANAGE_THERAPISTS, back="/"),
        Page("/therapists/admit", FORM, partial(therapists.admit, desk), therapists.ADMIT.permission, back=THERAPISTS),
        Page(THERAPIST, GET, partial(therapists.show, desk), Permission.SEE_MATCHING, back="/"),
        *(
            Page(
                f"{THERAPIST}/{step.name}", FORM, partial(therapists.change, desk, step), step.permission,
                back=f"{THERAPISTS}/{{therapist}}",
            )
            for step in therapists.CHANGES
        ),
        Page("/funds", GET, partial(funds.overview, desk), Permission.SEE_MONEY, back="/"),
        Page("/funds/open", FORM, partial(funds.prepare, desk), funds.MAY_OPEN, back="/funds"),
        Page("/funds/prepared/{prepared:id}", FORM, partial(funds.decide, desk), funds.MAY_OPEN, back="/funds"),
        *_duplicates(desk),
        *_typed(desk),
        Page(people_search.SEARCH, FORM, partial(people_search.search, desk), SEARCHES, recent=True, back="/"),
        Page("/rota", GET, partial(rota.overview, desk), Permission.SEE_ROTA, back="/"),
        *(
            Page(f"/rota/{step.name}", FORM, partial(rota.change, desk, step), step.permission, back="/rota")
            for step in rota.CHANGES
        ),
        Page(
            "/rota/duties/{duty:id}/cancel", FORM, partial(rota.change, desk, rota.CANCEL), rota.CANCEL.permission,
            back="/rota",
        ),
        Page("/work/{queue:queue}/save", FORM, mine.save_view, sees, back="/work/{queue}"),
        Page("/work/new_to_me", GET, partial(mine.new_to_me, desk), sees, back="/"),
        Page("/views/{view:id}/delete", POST, mine.delete_view, sees, back="/"),
        Page("/before-you-open", FORM, partial(opening.before_you_open, desk), Permission.CHECK_SETUP, back="/"),
        Page("/people/work", GET, partial(handover.overview, desk), Permission.MOVE_WORK, back="/people"),
        Page(f"{PERSON}/work", FORM, partial(handover.move, desk), Permission.MOVE_WORK, back="/people/work"),
        Page("/audit", GET, partial(audit.everything, desk), Permission.CHECK_AUDIT_LOGS, back="/"),
        Page("/audit/mine", GET, partial(audit.mine, desk), Permission.SEE_OWN_RECORD, back="/account"),
        Page("/audit/check", GET, partial(audit.check, desk), Permission.CHECK_AUDIT_LOGS, back="/audit"),
        Page(f"{REFERRAL}/looked", GET, partial(audit.looked, desk), Permission.CHECK_AUDIT_LOGS, back=BACK),
    )  # fmt: skip


def _duplicates(desk: Desk) -> tuple[Page, ...]:
    """Requests that may be one person's same request."""
    decides, pair = Permission.MERGE_REQUESTS, "/duplicates/{referral:id}/{other:id}"
    back = "/duplicates/{referral}/{other}"
    return (
        Page(duplicates.PAIRS, GET, partial(duplicates.of_all, desk), decides, back="/"),
        Page(f"{REFERRAL}/duplicates", GET, partial(duplicates.of_referral, desk), decides, back=BACK),
        Page(pair, GET, partial(duplicates.compare, desk), decides, back=duplicates.PAIRS),
        Page(
            f"{pair}/record", FORM, partial(duplicates.read_both, desk), Permission.READ_RECORDS, recent=True, back=back
        ),
        Page(f"{pair}/merge", FORM, partial(duplicates.merge, desk), decides, back=back),
        Page(f"{pair}/apart", FORM, partial(duplicates.tell_apart, desk), decides, back=back),
    )


def _typed(desk: Desk) -> tuple[Page, ...]:
    """Requests that came by telephone or letter."""
    types, routes = Permission.TYPE_REQUESTS, typed_requests.ROUTES
    return (
        Page(routes, GET, partial(typed_requests.routes, desk), types, back="/"),
        Page(f"{routes}/{{route:route}}", FORM, partial(typed_requests.type_in, desk), types, back=routes),
    )
