"""Who may do what: permissions, the roles that hold them, and how much each front-end's key may vouch for.

A permission belongs to commands (`contracts.command`), and to the screens of a console that stand on no command. A
role is a set of permissions, and one person may have several roles. What isn't listed is nobody's.
`docs/permissions.md` is generated from this table.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID


class Role(StrEnum):
    """What somebody does at the charity, or for it."""

    ASSESSOR = "assessor"
    MATCHING = "matching"
    FINANCE = "finance"
    SAFEGUARDING_LEAD = "safeguarding_lead"
    DATA_PROTECTION_LEAD = "data_protection_lead"
    TRUSTEE = "trustee"
    OPERATOR = "operator"
    ADMINISTRATOR = "administrator"
    THERAPIST = "therapist"


class FrontEnd(StrEnum):
    """The programs that people use, each with a key of its own; ANYBODY is any client that the broker lets in."""

    SITE = "site"
    CONSOLE = "console"
    PORTAL = "portal"
    OPERATOR = "operator"
    """The command line tool, on the machine itself."""
    ANYBODY = "anybody"


def is_account(who: str) -> bool:
    """Whether who did something is on record as a person at a front-end (`console:…`), and not by a name."""
    return who.partition(":")[0] in set(FrontEnd) and ":" in who


def account_of(who: str) -> tuple[FrontEnd, UUID | None]:
    """Front-end and account of whoever is on record so; no account for the command line."""
    front_end, _, name = who.partition(":")
    return FrontEnd(front_end), UUID(name) if front_end != FrontEnd.OPERATOR and _is_uuid(name) else None


def _is_uuid(name: str) -> bool:
    try:
        UUID(name)
    except ValueError:
        return False
    return True


class Permission(StrEnum):
    """What a person may do. The order is that of the generated table."""

    COUNT_REFERRALS = "count_referrals"
    SEE_REFERRALS = "see_referrals"
    READ_RECORDS = "read_records"
    SEARCH_PEOPLE = "search_people"
    ASSESS = "assess"
    SIGN_OFF_YOUNG_PEOPLE = "sign_off_young_people"
    MANAGE_REFERRALS = "manage_referrals"
    UNDO_ENDINGS = "undo_endings"
    MERGE_REQUESTS = "merge_requests"
    LINK_PEOPLE = "link_people"
    UNLINK_PEOPLE = "unlink_people"
    RECORD_CONSENT = "record_consent"
    CHANGE_CONTACTS = "change_contacts"
    WRITE_NOTES = "write_notes"
    ASSIGN_WORK = "assign_work"
    MOVE_WORK = "move_work"
    REVIEW_SPAM = "review_spam"
    TYPE_REQUESTS = "type_requests"
    RAISE_CONCERNS = "raise_concerns"
    SEE_ALERTS = "see_alerts"
    HANDLE_CONCERNS = "handle_concerns"
    READ_CONCERNS = "read_concerns"
    SEE_ROTA = "see_rota"
    MANAGE_ROTA = "manage_rota"
    SEE_MATCHING = "see_matching"
    MANAGE_MATCHES = "manage_matches"
    ANSWER_OFFERS = "answer_offers"
    CHANGE_PLACES = "change_places"
    MANAGE_THERAPISTS = "manage_therapists"
    SUSPEND_THERAPISTS = "suspend_therapists"
    GIVE_CODES = "give_codes"
    SEE_MESSAGES = "see_messages"
    WRITE_TO_CLIENTS = "write_to_clients"
    EDIT_LETTERS = "edit_letters"
    ENTER_FORMS = "enter_forms"
    SEE_FORMS = "see_forms"
    SEE_REPORTS = "see_reports"
    SEE_MONEY = "see_money"
    SEE_ACCOUNTS_OF_THERAPISTS = "see_accounts_of_therapists"
    DECIDE_SUBSIDIES = "decide_subsidies"
    RECORD_SESSIONS = "record_sessions"
    RECORD_PAYMENTS = "record_payments"
    OPEN_FUNDS = "open_funds"
    EXPORT_PEOPLE = "export_people"
    ERASE_PEOPLE = "erase_people"
    PLACE_LEGAL_HOLDS = "place_legal_holds"
    SEE_RETENTION = "see_retention"
    APPLY_RETENTION = "apply_retention"
    SEE_EVENTS = "see_events"
    SEE_DEAD_LETTERS = "see_dead_letters"
    EXPORT_DEAD_LETTERS = "export_dead_letters"
    SETTLE_DEAD_LETTERS = "settle_dead_letters"
    RETRY_UNREADABLE = "retry_unreadable"
    REBUILD_LISTS = "rebuild_lists"
    CHECK_AUDIT_LOGS = "check_audit_logs"
    SEE_OWN_RECORD = "see_own_record"
    CHECK_SETUP = "check_setup"
    MANAGE_SETTINGS = "manage_settings"
    SEE_ACCOUNTS = "see_accounts"
    MANAGE_ACCOUNTS = "manage_accounts"


@dataclass(frozen=True)
class Grant:
    """A permission in words, and who holds it.

    `reveals` says that it shows personal data, and `moves_money` that it moves money or changes what money goes by:
    somebody who is given a role with either is confirmed by a second person, or all leads are told. What reveals, or is
    `sensitive` otherwise, needs a sign-in with a second factor within RECENT_MINUTES. `two_people` says that one person
    does it and another confirms it.
    """

    words: str
    roles: frozenset[Role]
    reveals: bool = False
    moves_money: bool = False
    sensitive: bool = False
    two_people: bool = False

    @property
    def needs_recent_sign_in(self) -> bool:
        return self.reveals or self.sensitive


RECENT_MINUTES = 30
"""How long after signing in, or signing in again, what reveals personal data may be asked for."""

_LEAD, _DATA = Role.SAFEGUARDING_LEAD, Role.DATA_PROTECTION_LEAD
_ASSESSING = frozenset({Role.ASSESSOR, _LEAD})
_OFFICE = frozenset({Role.ASSESSOR, Role.MATCHING, _LEAD})
_MATCHING = frozenset({Role.MATCHING})
_FINANCE = frozenset({Role.FINANCE})
_OPERATING = frozenset({Role.OPERATOR})
STAFF = frozenset(Role) - {Role.THERAPIST}

GRANTS: dict[Permission, Grant] = {
    Permission.COUNT_REFERRALS: Grant("See how many referrals are in each state", STAFF - {Role.ADMINISTRATOR}),
    Permission.SEE_REFERRALS: Grant(
        "See referrals, their steps and what they wait for, without personal data", _OFFICE | {Role.FINANCE, _DATA}
    ),
    Permission.READ_RECORDS: Grant("Read what somebody wrote, their assessment and notes", _OFFICE, reveals=True),
    Permission.SEARCH_PEOPLE: Grant("Look for somebody by name or contact", _ASSESSING | {_DATA}, reveals=True),
    Permission.ASSESS: Grant("Take up, assess and signpost referrals", _ASSESSING),
    Permission.SIGN_OFF_YOUNG_PEOPLE: Grant("Sign off a young person's referral", frozenset({_LEAD})),
    Permission.MANAGE_REFERRALS: Grant(
        "Hold, resume, withdraw, close, re-refer, and put right place and needs", _ASSESSING
    ),
    Permission.UNDO_ENDINGS: Grant("Undo a withdrawal or a signposting that was a mistake", _ASSESSING),
    Permission.MERGE_REQUESTS: Grant("Merge requests of one person, and tell different people apart", _ASSESSING),
    Permission.LINK_PEOPLE: Grant("Keep two people apart", _ASSESSING),
    Permission.UNLINK_PEOPLE: Grant("End that two people are kept apart", frozenset({_LEAD})),
    Permission.RECORD_CONSENT: Grant("Record what somebody agrees to", _OFFICE),
    Permission.CHANGE_CONTACTS: Grant("Change how somebody is reached, and confirm a change of theirs", _ASSESSING),
    Permission.WRITE_NOTES: Grant("Add a note to a referral", _OFFICE),
    Permission.ASSIGN_WORK: Grant("Say whose work a referral is", _OFFICE),
    Permission.MOVE_WORK: Grant(
        "See how much work everybody has, and move all of somebody's to a colleague",
        frozenset({_LEAD, Role.ADMINISTRATOR}),
    ),
    Permission.REVIEW_SPAM: Grant("Decide on requests that look like spam", _ASSESSING),
    Permission.TYPE_REQUESTS: Grant("Type in a request that came by telephone or letter", _ASSESSING),
    Permission.RAISE_CONCERNS: Grant("Raise a safeguarding concern", STAFF),
    Permission.SEE_ALERTS: Grant("See safeguarding alerts and how far they have climbed", _OFFICE),
    Permission.HANDLE_CONCERNS: Grant("Acknowledge a concern, and record its outcome", frozenset({_LEAD})),
    Permission.READ_CONCERNS: Grant("Read why a concern was decided as it was", frozenset({_LEAD}), reveals=True),
    Permission.SEE_ROTA: Grant("See who is on duty", _OFFICE | {Role.ADMINISTRATOR}),
    Permission.MANAGE_ROTA: Grant("Change the rota and who is told of concerns", frozenset({_LEAD})),
    Permission.SEE_MATCHING: Grant(
        "See offers, matches and the waiting list", _OFFICE | {Role.FINANCE, Role.THERAPIST}
    ),
    Permission.MANAGE_MATCHES: Grant("Offer, override, end a match and undo an ending", _MATCHING),
    Permission.ANSWER_OFFERS: Grant("Accept or decline an offer", _MATCHING | {Role.THERAPIST}),
    Permission.CHANGE_PLACES: Grant("Say how many clients a therapist can take", _MATCHING | {Role.THERAPIST}),
    Permission.MANAGE_THERAPISTS: Grant("Admit therapists and change what is held about them", _MATCHING),
    Permission.SUSPEND_THERAPISTS: Grant("Suspend and reinstate therapists", _MATCHING | {_LEAD}),
    Permission.GIVE_CODES: Grant(
        "Give a therapist the code for a client's contact", _MATCHING | {Role.ASSESSOR}, reveals=True
    ),
    Permission.SEE_MESSAGES: Grant("See which messages were sent, and which failed", _OFFICE),
    Permission.WRITE_TO_CLIENTS: Grant("Write to a client in the way that is safe for them", _OFFICE),
    Permission.EDIT_LETTERS: Grant("Change the wording of letters", frozenset({_LEAD, Role.ADMINISTRATOR})),
    Permission.ENTER_FORMS: Grant("Enter answers given on paper or by telephone", _OFFICE),
    Permission.SEE_FORMS: Grant("See who was invited to answer, and who has answered", _OFFICE),
    Permission.SEE_REPORTS: Grant(
        "See reports, with small numbers suppressed", _OFFICE | {Role.FINANCE, Role.TRUSTEE, _DATA}
    ),
    Permission.SEE_MONEY: Grant("See funds, awards and balances", _MATCHING | {Role.FINANCE, Role.TRUSTEE}),
    Permission.SEE_ACCOUNTS_OF_THERAPISTS: Grant(
        "See what a therapist owes and has paid", _MATCHING | {Role.FINANCE, Role.TRUSTEE, Role.THERAPIST}
    ),
    Permission.DECIDE_SUBSIDIES: Grant("Confirm an area, and allow a further award", _FINANCE, moves_money=True),
    Permission.RECORD_SESSIONS: Grant(
        "Record and reverse sessions that were held", _MATCHING | {Role.FINANCE}, moves_money=True
    ),
    Permission.RECORD_PAYMENTS: Grant("Record and reverse payments", _FINANCE, moves_money=True),
    Permission.OPEN_FUNDS: Grant("Open a fund", _FINANCE, moves_money=True, two_people=True),
    Permission.EXPORT_PEOPLE: Grant(
        "Gather all that is held about somebody, for them", frozenset({_DATA}), reveals=True
    ),
    Permission.ERASE_PEOPLE: Grant("Erase what is held about somebody", frozenset({_DATA}), sensitive=True),
    Permission.PLACE_LEGAL_HOLDS: Grant("Place and lift legal holds", frozenset({_DATA}), sensitive=True),
    Permission.SEE_RETENTION: Grant(
        "See until when somebody's data is kept, and erasures", frozenset({_DATA, Role.OPERATOR})
    ),
    Permission.APPLY_RETENTION: Grant("Apply a changed retention policy", frozenset({_DATA})),
    Permission.SEE_EVENTS: Grant(
        "See which events there were about a referral", _OFFICE | {Role.FINANCE, Role.OPERATOR}
    ),
    Permission.SEE_DEAD_LETTERS: Grant("See dead letters, with sealed parts left out", _OPERATING),
    Permission.EXPORT_DEAD_LETTERS: Grant("Copy dead letters, sealed parts included", _OPERATING, sensitive=True),
    Permission.SETTLE_DEAD_LETTERS: Grant("Replay and discard dead letters", _OPERATING),
    Permission.RETRY_UNREADABLE: Grant("See and retry what could not be opened or read", _OPERATING),
    Permission.REBUILD_LISTS: Grant(
        "Make the console's lists anew, from its archive or from what services hold", _OPERATING
    ),
    Permission.CHECK_AUDIT_LOGS: Grant(
        "Verify audit logs, and see who looked at a referral",
        frozenset({_LEAD, _DATA, Role.TRUSTEE, Role.OPERATOR, Role.ADMINISTRATOR}),
    ),
    Permission.SEE_OWN_RECORD: Grant("See what is on record of oneself: what one did and read", STAFF),
    Permission.CHECK_SETUP: Grant(
        "See whether all is ready before the service opens, and try out letters and alerts",
        frozenset({_LEAD, Role.ADMINISTRATOR}),
    ),
    Permission.MANAGE_SETTINGS: Grant("Change the charity's settings", frozenset({Role.ADMINISTRATOR})),
    Permission.SEE_ACCOUNTS: Grant(
        "See who has an account, with their roles, sessions and sign-ins", frozenset({_LEAD, _DATA, Role.ADMINISTRATOR})
    ),
    Permission.MANAGE_ACCOUNTS: Grant(
        "Invite people, give them roles, lock and end accounts", frozenset({Role.ADMINISTRATOR}), sensitive=True
    ),
}


def permissions_of(*roles: Role) -> frozenset[Permission]:
    """All that somebody with these roles may do."""
    return frozenset(permission for permission, grant in GRANTS.items() if grant.roles & set(roles))


CEILINGS: dict[FrontEnd, frozenset[Permission]] = {
    FrontEnd.SITE: frozenset(),
    FrontEnd.CONSOLE: permissions_of(*STAFF),
    FrontEnd.PORTAL: permissions_of(Role.THERAPIST),
    FrontEnd.OPERATOR: frozenset(GRANTS),
    FrontEnd.ANYBODY: frozenset(),
}
"""What a token that is signed with a front-end's key can give at most, whatever it says."""
