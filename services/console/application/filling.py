"""Takes in where referrals stand, as services say when they are asked, for what was there before the console was."""

from __future__ import annotations

from collections.abc import Sequence, Set

from chassis.ports import UnitOfWork
from chassis.store import identity_map
from contracts.commands.snapshots import ReferralSnapshot, Snapshot
from contracts.vocabulary import ReferralId
from services.console.application.rebuilding import rebuild
from services.console.dependencies import Dependencies
from services.console.domain.referral import Referral
from services.console.store import archive, referrals


def fill(unit: UnitOfWork[Dependencies], told: Sequence[Snapshot]) -> int:
    """Keeps snapshots and lists their referrals anew. Returns how many of them were news. Raises InvalidShape.

    Only intake makes a referral known here: what others still hold of one that is erased counts for nothing.
    """
    by_intake = {snapshot.referral_id for snapshot in told if isinstance(snapshot, ReferralSnapshot)}
    known = _lock(unit, {snapshot.referral_id for snapshot in told}, by_intake)
    kept = [snapshot for snapshot in told if snapshot.referral_id in known]
    news = archive.keep_snapshots(unit, kept)
    rebuild(unit, sorted(known))
    return news


def _lock(unit: UnitOfWork[Dependencies], wanted: Set[ReferralId], by_intake: Set[ReferralId]) -> frozenset[ReferralId]:
    """Locks referrals until the unit ends, and returns those that are known or become so."""
    there = {referral.id for referral in identity_map.lock_all(unit.session, Referral, wanted)}
    begun = {
        referral_id
        for referral_id in sorted(by_intake - there)
        if referrals.lock_referral(unit.session, referral_id, heard_at=unit.now)
    }
    unit.session.flush()
    return frozenset(there | begun)
