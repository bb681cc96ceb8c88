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

NAMES = {"roles": ROLES, "states": STATES, "factors": FACTORS, "results": RESULTS, "is_sensitive": is_sensitive}
"""For templates."""
