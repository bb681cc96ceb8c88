"""A person's own account: who signed in as them, what they sign in by, and what they may do."""

from __future__ import annotations

from starlette.responses import Response

from contracts.permissions import GRANTS
from web.shared.accounts.application import setting_up
from web.shared.accounts.domain.sessions import Session, has_ended
from web.shared.accounts.domain.vocabulary import Stage
from web.shared.accounts.pages.forms import NewPasswordForm
from web.shared.staff.visit import Visit


def home(visit: Visit) -> Response:
    return visit.go_to("/account")


def overview(visit: Visit) -> Response:
    me = visit.me
    assert visit.session is not None
    with visit.app.accounts.reading() as work:
        return visit.page(
            "account.html",
            person=visit.person,
            passkeys=work.credentials.passkeys(me.account_id),
            codes_left=work.credentials.recovery_codes_left(me.account_id),
            sign_ins=work.sessions.sign_ins(me.account_id),
            others=[one for one in work.sessions.of(me.account_id) if _is_another(visit, one)],
            may=[GRANTS[permission].words for permission in GRANTS if permission in me.permissions],
        )


def _is_another(visit: Visit, session: Session) -> bool:
    """Whether they are signed in there too: not half, and not in a session that is over."""
    assert visit.session is not None
    is_signed_in = session.stage is Stage.FULL and not has_ended(session, visit.me.roles, at=visit.now)
    return is_signed_in and session.token_hash != visit.session.token_hash


def password(visit: Visit) -> Response:
    form, me = visit.form(NewPasswordForm), visit.me
    form.about = (visit.app.accounts.charity, me.name, me.email)
    assert visit.session is not None
    if visit.is_post and form.validate():
        setting_up.change_password(visit.app.accounts, visit.session, form.password.data or "")
        return visit.go_to("/account", done="password")
    return visit.page("password.html", form=form)


def recovery_codes(visit: Visit) -> Response:
    """New ones, shown this once."""
    codes = setting_up.make_recovery_codes(visit.app.accounts, visit.me.account_id)
    return visit.page("recovery_codes.html", codes=codes, is_first=False)


def remove_passkey(visit: Visit) -> Response:
    setting_up.remove_passkey(visit.app.accounts, visit.me.account_id, visit.param_id("passkey"))
    return visit.go_to("/account", done="removed")


def remove_app(visit: Visit) -> Response:
    setting_up.remove_app(visit.app.accounts, visit.me.account_id)
    return visit.go_to("/account", done="removed")


def end_other_sessions(visit: Visit) -> Response:
    assert visit.session is not None
    with visit.app.accounts.work() as work:
        work.sessions.end_all(visit.me.account_id, but=visit.session.token_hash)
    return visit.go_to("/account", done="sessions")
