"""Every page of accounts, and who may open it."""

from __future__ import annotations

from starlette.convertors import StringConvertor, register_url_convertor

from contracts.permissions import Permission
from web.shared.accounts.pages import account, people, set_up, sign_in
from web.shared.staff.access import FORM, GET, POST, Door, Page

ADMINISTRATORS, LEADS = Permission.MANAGE_ACCOUNTS, Permission.SEE_ACCOUNTS
ME, PEOPLE, PERSON, WAITING = "/account", "/people", "/people/{account}", "/people/confirmations"


class Action(StringConvertor):
    """What is done with a whole account."""

    regex = "|".join(people.ACTIONS)


register_url_convertor("action", Action())

PAGES = (
    Page("/", GET, account.home, Door.SIGNED_IN),
    Page("/sign-in", FORM, sign_in.begin, Door.ANYBODY),
    Page("/sign-in/code", FORM, sign_in.code, Door.HALF_SIGNED_IN),
    Page("/sign-in/passkey", POST, sign_in.passkey, Door.HALF_SIGNED_IN),
    Page("/sign-in/again", FORM, sign_in.again, Door.SIGNED_IN),
    Page("/sign-in/provider", POST, sign_in.to_provider, Door.ANYBODY),
    Page("/sign-in/provider/back", GET, sign_in.from_provider, Door.ANYBODY),
    Page("/sign-out", POST, sign_in.sign_out, Door.ANYBODY, back="/sign-in"),
    Page("/link/{secret:link}", GET, set_up.arrive, Door.ANYBODY),
    Page("/set-up", FORM, set_up.password, Door.ANYBODY),
    Page("/set-up/factor", FORM, set_up.factor, Door.ADDS_FACTOR, recent=True),
    Page("/set-up/passkey", POST, set_up.passkey, Door.ADDS_FACTOR, recent=True, back="/set-up/factor"),
    Page("/account", GET, account.overview, Door.SIGNED_IN),
    Page("/account/password", FORM, account.password, Door.SIGNED_IN, recent=True),
    Page("/account/codes", POST, account.recovery_codes, Door.SIGNED_IN, recent=True, back=ME),
    Page("/account/app/remove", POST, account.remove_app, Door.SIGNED_IN, recent=True, back=ME),
    Page("/account/passkeys/{passkey:id}/remove", POST, account.remove_passkey, Door.SIGNED_IN, recent=True, back=ME),
    Page("/account/sessions/end", POST, account.end_other_sessions, Door.SIGNED_IN),
    Page("/people", GET, people.everybody, LEADS),
    Page("/people/invite", FORM, people.invite, ADMINISTRATORS, recent=True),
    Page("/people/confirmations", GET, people.confirmations, Door.CONFIRMS_ROLES),
    Page("/people/{account:id}", GET, people.person, LEADS, back=PEOPLE),
    Page("/people/{account:id}/invite", POST, people.invite_again, ADMINISTRATORS, recent=True, back=PERSON),
    Page("/people/{account:id}/roles/give", POST, people.give_role, ADMINISTRATORS, recent=True, back=PERSON),
    Page("/people/{account:id}/roles/take", POST, people.take_role, ADMINISTRATORS, recent=True, back=PERSON),
    Page("/people/{account:id}/roles/decide", POST, people.decide, Door.CONFIRMS_ROLES, recent=True, back=WAITING),
    Page("/people/{account:id}/{action:action}", FORM, people.act, ADMINISTRATORS, recent=True, back=PERSON),
)
