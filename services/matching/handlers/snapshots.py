"""Where searches stand, for a console that wasn't there when it was said."""

from __future__ import annotations

from chassis.ports import UnitOfWork
from contracts.commands.snapshots import ListSnapshots, SearchSnapshot, SnapshotPage
from services.matching.dependencies import Dependencies
from services.matching.domain.referral import State
from services.matching.store import referrals
from services.matching.store.referrals import Search


def list_snapshots(unit: UnitOfWork[Dependencies], request: ListSnapshots) -> SnapshotPage:
    """The open offer, what a search lacks, or the match, of each referral."""
    page = referrals.searches_after(unit.session, request.after, request.limit)
    return SnapshotPage(
        searches=tuple(map(_snapshot, page)),
        after=page[-1].referral.id if len(page) == request.limit else None,
    )


def _snapshot(search: Search) -> SearchSnapshot:
    referral, offer, match = search.referral, search.offer, search.last_match
    lives = match is not None and match.ended_at is None
    return SearchSnapshot(
        referral_id=referral.id,
        number=search.number,
        offers_made=referral.offers_made,
        offered_to=offer.therapist_id if offer else None,
        offer_expires_at=offer.expires_at if offer else None,
        offer_distance_km=offer.distance_km if offer else None,
        stalled_for=referral.waiting_for if referral.state is State.WAITING and referral.stall_told else None,
        match_id=match.id if match and lives else None,
        therapist_id=match.therapist_id if match else None,
        matched_at=match.matched_at if match and lives else None,
    )
