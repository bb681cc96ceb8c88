"""What accounts' codes are called on pages."""

from __future__ import annotations

from contracts.permissions import Role
from web.shared.accounts.domain.grants import is_sensitive
from web.shared.accounts.domain.vocabulary import Factor, SignInResult, State

ROLES = {
    Role.ASSESSOR: "Assessor",
    Role.MATCHING: "Matching",
    Role.FINANCE: "Finance",
    Role.SAFEGUARDING_LEAD: "Safeguarding lead",
    Role.DATA_PROTECTION_LEAD: "Data protection lead",
    Role.TRUSTEE: "Trustee",
    Role.OPERATOR: "Operator",
    Role.ADMINISTRATOR: "Administrator",
    Role.THERAPIST: "Therapist",
}
STATES = {
    State.INVITED: "Invited",
    State.ACTIVE: "Active",
    State.LOCKED: "Locked",
    State.ENDED: "Has left",
}
FACTORS = {
    Factor.CODE: "code of an app",
    Factor.PASSKEY: "passkey",
    Factor.RECOVERY_CODE: "recovery code",
    Factor.PROVIDER: "your organisation’s sign-in",
}
RESULTS = {
    SignInResult.SIGNED_IN: "Signed in",
    SignInResult.WRONG_PASSWORD: "Wrong password",
    SignInResult.WRONG_FACTOR: "Wrong code or passkey",
    SignInResult.LOCKED: "Not let in after too many tries",
}

NOTICES = {
    "not_yet": "What you sent isn’t done yet. Sign in again first, and then send it once more.",
    "password": "Your password is changed. You are signed out everywhere else.",
    "passkey": "The passkey is added.",
    "app": "The app is added.",
    "removed": "It is removed, and nobody signs in with it any more.",
    "sessions": "You are signed out everywhere else.",
    "renew": "They are sent a link by e-mail, which works for 30 minutes.",
    "lock": "The account is locked.",
    "unlock": "The account is unlocked.",
    "end": "The account has ended.",
    "confirm": "The role is confirmed, and works from now on.",
    "decline": "The role is declined.",
}
"""What a page says on top after something was done, by the code in its address."""

NAMES = {
    "roles": ROLES, "states": STATES, "factors": FACTORS, "results": RESULTS, "notices": NOTICES,
    "is_sensitive": is_sensitive,
}  # fmt: skip
"""For templates."""
