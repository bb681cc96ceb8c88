"""Signing in and out."""

from __future__ import annotations

import base64
import json

from starlette.responses import Response

from web.shared.accounts.application import sessions, sign_in
from web.shared.accounts.application.provider import ProviderFailed
from web.shared.accounts.application.provider_sign_in import with_provider
from web.shared.accounts.application.sign_in import NotLetIn, TooManyFailures
from web.shared.accounts.domain.destinations import safe_destination
from web.shared.accounts.domain.vocabulary import Stage
from web.shared.accounts.pages.forms import AgainForm, CodeForm, PasskeySignInForm, SignInForm
from web.shared.staff.visit import PROVIDER, Visit

NOT_LET_IN = "The e-mail address or the password is wrong."
WRONG_PASSWORD = "The password is wrong."  # noqa: S105 - what a page says
WRONG_CODE = "This code is wrong, or was used before. Wait for the next one, or use a recovery code."
WRONG_PASSKEY = "The passkey didn’t work. Try again, or use a code."
TOO_MANY = "There were too many tries. Wait five minutes, and try again."
PROVIDER_SECONDS = 600


def begin(visit: Visit) -> Response:
    """E-mail address and password."""
    form = visit.form(SignInForm, next=visit.next)
    if visit.who and not visit.is_post:
        return visit.go_to(visit.next)
    status = 200
    if visit.is_post and form.validate():
        try:
            token, stage = sign_in.with_password(
                visit.app.accounts,
                email=form.email.data or "",
                password=form.password.data or "",
                browser=visit.browser,
                replaces=visit.session,
            )
            return _half_signed_in(visit, token, stage)
        except NotLetIn:
            form.refuse(form.password, NOT_LET_IN)
        except TooManyFailures:
            form.refuse(form.password, TOO_MANY)
            status = 429
    return visit.page(
        "sign_in.html",
        form=form,
        status=status,
        provider=visit.app.accounts.provider,
        is_over=visit.token is not None and visit.session is None,
        is_nobody_here=_is_nobody_here(visit),
    )


def _is_nobody_here(visit: Visit) -> bool:
    with visit.app.accounts.reading() as work:
        return work.accounts.count() == 0


def again(visit: Visit) -> Response:
    """The password once more, and then the second factor, before something sensitive."""
    form = visit.form(AgainForm, next=visit.next)
    status = 200
    if visit.is_post and form.validate():
        try:
            token, stage = sign_in.with_password(
                visit.app.accounts,
                email=visit.me.email,
                password=form.password.data or "",
                browser=visit.browser,
                replaces=visit.session,
            )
            return _half_signed_in(visit, token, stage)
        except NotLetIn:
            form.refuse(form.password, WRONG_PASSWORD)
        except TooManyFailures:
            form.refuse(form.password, TOO_MANY)
            status = 429
    return visit.page("sign_in_again.html", form=form, status=status, provider=visit.app.accounts.provider)


def code(visit: Visit) -> Response:
    """The second factor: a code, or a passkey by a script."""
    form, problem, status = visit.form(CodeForm, next=visit.next), "", 200
    assert visit.session is not None
    if visit.is_post and form.validate():
        try:
            token = sign_in.with_code(visit.app.accounts, visit.session, form.code.data or "")
            return visit.signed_in(visit.go_to(visit.next), token)
        except NotLetIn:
            form.refuse(form.code, WRONG_CODE)
        except TooManyFailures:
            form.refuse(form.code, TOO_MANY)
            status = 429
    return _ask_for_factor(visit, form, problem, status)


def passkey(visit: Visit) -> Response:
    """The answer of a passkey, sent by a script."""
    form, problem, status = visit.form(PasskeySignInForm), WRONG_PASSKEY, 200
    assert visit.session is not None
    try:
        answer = form.answer.data or ""
        token = sign_in.with_passkey(visit.app.accounts, visit.session, _credential_id(answer), answer)
        return visit.signed_in(visit.go_to(visit.next), token)
    except NotLetIn:
        pass
    except TooManyFailures:
        problem, status = TOO_MANY, 429
    visit.method = "GET"  # the page is shown as if it was asked for
    return _ask_for_factor(visit, visit.form(CodeForm, next=visit.next), problem, status)


def sign_out(visit: Visit) -> Response:
    if visit.session:
        sessions.end(visit.app.accounts, visit.session)
    return visit.drop_cookie(visit.go_to("/sign-in"))


def to_provider(visit: Visit) -> Response:
    """Leads to the OpenID provider; what has to come back waits in a cookie of this browser.

    By a page and not by a redirect: what answers a form may redirect only to where the policy lets forms go, which is
    here, and nobody knows to which hosts a provider leads on.
    """
    provider = visit.app.accounts.provider
    if provider is None:
        return visit.go_to("/sign-in")
    try:
        started = provider.start(again=visit.who is not None)
    except ProviderFailed:
        return visit.page("provider_away.html", status=503)
    waits = json.dumps([started.state, started.nonce, started.verifier, visit.next])
    kept = base64.urlsafe_b64encode(waits.encode()).decode()
    leave = visit.page("provider_leave.html", to=started.url, name=provider.name)
    return visit.set_cookie(leave, PROVIDER, kept, seconds=PROVIDER_SECONDS)


def from_provider(visit: Visit) -> Response:
    """Back from the provider. Only the browser that went there has what its code is worth something with."""
    provider, waits = visit.app.accounts.provider, _waiting(visit)
    if provider is None or waits is None or waits[0] != visit.query.get("state"):
        return visit.page("provider_away.html", status=400)
    _, nonce, verifier, wanted = waits
    try:
        claims = provider.finish(visit.query.get("code", ""), nonce=nonce, verifier=verifier)
        token, stage = with_provider(
            visit.app.accounts, provider, claims, browser=visit.browser, replaces=visit.session
        )
    except ProviderFailed:
        return visit.drop_cookie(visit.page("provider_away.html", status=503), PROVIDER)
    except NotLetIn:
        return visit.drop_cookie(visit.page("provider_unknown.html", status=403), PROVIDER)
    ways = {Stage.FULL: safe_destination(wanted), Stage.PASSWORD: "/sign-in/code", Stage.SET_UP: "/set-up/factor"}
    return visit.drop_cookie(visit.signed_in(visit.go_to(ways[stage]), token), PROVIDER)


def _half_signed_in(visit: Visit, token: str, stage: Stage) -> Response:
    path = "/set-up/factor" if stage is Stage.SET_UP else "/sign-in/code"
    return visit.signed_in(visit.go_to(path, next=visit.next), token)


def _ask_for_factor(visit: Visit, form: CodeForm, problem: str, status: int) -> Response:
    assert visit.session is not None
    options = sign_in.ask_for_passkey(visit.app.accounts, visit.session)
    return visit.page("sign_in_code.html", form=form, options=options, problem=problem, status=status)


def _credential_id(answer: str) -> bytes:
    """Which key a browser's answer says it is of; nothing if it says none."""
    try:
        named = json.loads(answer)["rawId"]
        return base64.urlsafe_b64decode(named + "=" * (-len(named) % 4))
    except (ValueError, KeyError, TypeError, RecursionError):
        return b""


def _waiting(visit: Visit) -> tuple[str, str, str, str] | None:
    kept = visit.cookies.get(visit.app.cookie(PROVIDER), "")
    try:
        state, nonce, verifier, wanted = json.loads(base64.urlsafe_b64decode(kept))
    except (ValueError, TypeError, RecursionError):
        return None
    return str(state), str(nonce), str(verifier), str(wanted)
