"""The audit log: who read, erased or put on hold what about whom, as entries chained by hash, so that changes show.

An entry is a JSON object. `hash` is the SHA-256, in hex, of its canonical JSON without `hash` itself; `previous` is the
hash of the entry before. Changing or removing an entry breaks every hash after it. Cutting off the newest entries, or
rewriting all of them, contradicts the *anchors*: sequence numbers and their hashes, stored elsewhere, in
`<folder>/<name>.jsonl` (see `chassis.audit.anchors`) and as a line `audit_anchored` in the service's log. Someone who
can write to all three can forge all; so keep a copy of the anchors elsewhere.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

FIRST = "0" * 64
"""The first entry's `previous`."""

_canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode


class AuditAction(StrEnum):
    """The actions that the audit log records."""

    READ = "read"
    SEARCHED = "searched"
    """Somebody looked for a person by name or contact. The reason says by what, and how many were found."""
    EXPORTED = "exported"
    LEFT_OUT = "left_out"
    ERASED = "erased"
    HELD = "held"
    HOLD_LIFTED = "hold_lifted"
    MERGED = "merged"
    UNMERGED = "unmerged"
    DISCARDED = "discarded"
    RELEASED = "released"
    TYPED = "typed"
    """A request came by telephone or letter, and somebody typed it in."""
    TOLD_APART = "told_apart"
    RESTORED = "restored"
    """Every database was replaced by a backup, so the audit logs begin again where theirs ended."""
    REVERSED = "reversed"
    """A payment or a session was reversed."""
    THERAPIST_CHANGED = "therapist_changed"
    MATCH_END_UNDONE = "match_end_undone"
    THERAPIST_CHOSEN = "therapist_chosen"
    """A person had a certain therapist asked about a referral."""
    CODE_GIVEN = "code_given"
    """A one-time code was given to a therapist on the telephone, to see how to contact their client."""
    LINK_RENEWED = "link_renewed"
    """A therapist was sent another link to see how to contact their client, because the first was too old."""
    COMMANDED = "commanded"
    """A person gave a command that has no action of its own here. The reason is its name, and the reason in it."""
    REFUSED = "refused"
    """Somebody gave a command that they may not give, or with a token that isn't good for it."""
    RETENTION_APPLIED = "retention_applied"
    """Every retention date was computed again. The entry is about no one person."""

    ALERT_TESTED = "alert_tested"
    """Somebody had a test alert sent to whoever is on duty."""

    # What changes an account of staff or of a therapist; the subject is the account.
    ACCOUNT_INVITED = "account_invited"
    ACCOUNT_SET_UP = "account_set_up"
    ACCOUNT_RENEWED = "account_renewed"
    """Somebody who lost password or second factor was sent a link to set them up anew."""
    ACCOUNT_RECOVERED = "account_recovered"
    """The same, for the only administrator, on the machine itself."""
    ACCOUNT_LOCKED = "account_locked"
    ACCOUNT_UNLOCKED = "account_unlocked"
    ACCOUNT_ENDED = "account_ended"
    SIGN_INS_STOPPED = "sign_ins_stopped"
    """Too many failed, so nobody is let in for some minutes."""
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - the name of an action
    FACTOR_ADDED = "factor_added"
    FACTOR_REMOVED = "factor_removed"
    RECOVERY_CODES_MADE = "recovery_codes_made"
    RECOVERY_CODE_USED = "recovery_code_used"
    ROLE_GRANTED = "role_granted"
    ROLE_CONFIRMED = "role_confirmed"
    ROLE_DECLINED = "role_declined"
    ROLE_TAKEN = "role_taken"

    # What needs two people; the subject is the prepared command, and the reason the command's name.
    COMMAND_PREPARED = "command_prepared"
    COMMAND_CONFIRMED = "command_confirmed"
    COMMAND_DECLINED = "command_declined"


@dataclass(frozen=True)
class Anchor:
    """States that an entry of this number with this hash existed."""

    sequence: int
    hash: str


@dataclass(frozen=True)
class Verdict:
    """The result of verifying a chain: how many entries are intact, the hash of the last of them, and, if the chain is
    broken, the number of the first bad entry and why it is bad."""

    entries: int
    head: str
    broken_at: int | None = None
    why: str = ""

    @property
    def holds(self) -> bool:
        return self.broken_at is None


def hash_of(entry: Mapping[str, Any]) -> str:
    """The hash of an entry, whether or not it has one already."""
    content = {name: value for name, value in entry.items() if name != "hash"}
    return hashlib.sha256(_canonical(content).encode()).hexdigest()


def chained(entry: Mapping[str, Any], *, after: Anchor | None) -> dict[str, Any]:
    """The entry with the number, `previous` and `hash` that it has after the last entry."""
    linked = {**entry, "sequence": after.sequence + 1 if after else 1, "previous": after.hash if after else FIRST}
    return {**linked, "hash": hash_of(linked)}


def verify(entries: Iterable[Mapping[str, Any]], *, anchors: Iterable[Anchor] = ()) -> Verdict:
    """Verifies a whole chain, oldest entry first, against itself and every anchor."""
    anchored: dict[int, set[str]] = {}
    for anchor in anchors:
        anchored.setdefault(anchor.sequence, set()).add(anchor.hash)
    count, head = 0, FIRST
    for entry in entries:
        why = _fault(entry, count, head)
        if not why and anchored.get(count + 1, set()) - {entry["hash"]}:
            why = "it is not the entry that was anchored"
        if why:
            return Verdict(count, head, broken_at=count + 1, why=why)
        count, head = count + 1, entry["hash"]
    longest = max(anchored, default=0)
    if longest > count:
        return Verdict(count, head, broken_at=count + 1, why=f"it was cut off: {longest} entries were anchored")
    return Verdict(count, head)


def _fault(entry: Mapping[str, Any], count: int, head: str) -> str:
    """What is wrong with the entry that should follow `count` others; empty if it is right."""
    if entry.get("sequence") != count + 1:
        return f"entry {count + 1} is missing"
    if entry.get("previous") != head:
        return "it doesn't follow the entry before it"
    if entry.get("hash") != hash_of(entry):
        return "it was altered"
    return ""
