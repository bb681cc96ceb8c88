"""From a one-time link to an account that can sign in. The link's GET changes nothing: mail scanners open links."""

from __future__ import annotations

import io

import segno
from starlette.responses import Response

from web.shared.accounts.application import setting_up
from web.shared.accounts.application.ground import LINK_LASTS
from web.shared.accounts.application.setting_up import Added, WrongCode
from web.shared.accounts.domain.refusals import LinkUsedUp
from web.shared.accounts.domain.vocabulary import Stage
from web.shared.accounts.pages.forms import AppForm, FirstAdministratorForm, NewPasswordForm, PasskeyForm
from web.shared.staff.visit import LINK, Visit

WRONG_CODE = "This isn’t the code that the app shows now. Check that the telephone’s clock is right, and try again."
WRONG_PASSKEY = "The passkey couldn’t be added. Try again, or use an app."


def arrive(visit: Visit) -> Response:
    """Moves the secret from the address, which others may see, into a cookie."""
    response = visit.go_to("/set-up")
    return visit.set_cookie(response, LINK, str(visit.params["secret"]), seconds=round(LINK_LASTS.total_seconds()))


def password(visit: Visit) -> Response:
    """Shows what the link is for; its button chooses the password, and uses the link up."""
    secret = visit.cookies.get(visit.app.cookie(LINK), "")
    try:
        opened = setting_up.open_link(visit.app.accounts, secret)
    except LinkUsedUp:
        return visit.page("link_used_up.html", status=410)
    account = opened.person.account if opened.person else None
    form = visit.form(NewPasswordForm if account else FirstAdministratorForm)
    typed = (visit.first("name"), visit.first("email"))
    form.about = (visit.app.accounts.charity, *((account.name, account.email) if account else typed))
    if visit.is_post and form.validate():
        name, email = (account.name, account.email) if account else typed
        token = setting_up.set_password(
            visit.app.accounts,
            secret,
            password=form.password.data or "",
            email=email,
            name=name,
            browser=visit.browser,
        )
        return visit.drop_cookie(visit.signed_in(visit.go_to("/set-up/factor"), token), LINK)
    return visit.page("set_up.html", form=form, account=account, kind=opened.link.kind)


def factor(visit: Visit) -> Response:
    """Adds an app (with its first code) or a passkey (by a script)."""
    form, session = visit.form(AppForm), visit.session
    assert session is not None
    if visit.is_post and form.validate():
        try:
            return _added(visit, setting_up.add_app(visit.app.accounts, session, form.code.data or ""), "app")
        except WrongCode:
            form.refuse(form.code, WRONG_CODE)
    return _show(visit, form)


def passkey(visit: Visit) -> Response:
    """The browser's new passkey, sent by a script."""
    form, session = visit.form(PasskeyForm), visit.session
    assert session is not None
    if form.validate():
        name = form.name.data or visit.browser
        try:
            added = setting_up.add_passkey(visit.app.accounts, session, form.answer.data or "", name)
            return _added(visit, added, "passkey")
        except WrongCode:
            pass
    visit.method = "GET"  # the page is shown as if it was asked for
    return _show(visit, visit.form(AppForm), problem=WRONG_PASSKEY)


def _show(visit: Visit, form: AppForm, problem: str = "") -> Response:
    session, person = visit.session, visit.person
    assert session is not None
    assert person is not None
    secret, address = setting_up.begin_app(visit.app.accounts, session, person)
    options = setting_up.begin_passkey(visit.app.accounts, session, person)
    return visit.page(
        "factor.html",
        form=form,
        passkey_form=visit.form(PasskeyForm),
        secret=secret,
        picture=_picture(address),
        options=options,
        problem=problem,
        is_first=session.stage is Stage.SET_UP,
    )


def _added(visit: Visit, added: Added, what: str) -> Response:
    if added.token is None:
        return visit.go_to("/account", done=what)
    visit.take_session(added.token)
    return visit.signed_in(visit.page("recovery_codes.html", codes=added.codes, is_first=True), added.token)


def _picture(address: str) -> str:
    """The QR code as SVG, in the page itself: no other address ever holds the secret."""
    drawn = io.BytesIO()
    segno.make(address, error="m").save(
        drawn, kind="svg", scale=5, border=4, xmldecl=False, svgns=True, svgclass="qr", lineclass=None, omitsize=False
    )
    return drawn.getvalue().decode()
