"""Makes what is listed anew from the archive, some referrals at a time, while events go on being heard."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from chassis.ports import UnitOfWork
from contracts.vocabulary import ReferralId
from services.console.dependencies import Dependencies
from services.console.domain.projection import CONCERN_RULES, apply, apply_to_concern
from services.console.domain.queues import Place, place_of, place_of_concern
from services.console.domain.referral import Concern, Referral
from services.console.store import archive, queues, referrals


def rebuild(unit: UnitOfWork[Dependencies], referral_ids: Sequence[ReferralId]) -> int:
    """Replaces what is listed of these referrals. Returns how many events were read. Raises InvalidShape."""
    referrals.lock_many(unit.session, referral_ids)
    anew: dict[ReferralId, Referral] = {}
    concerns: dict[UUID, Concern] = {}
    number = 0
    for row in archive.events_of(unit.session, referral_ids):
        number += 1
        event = archive.read(row)
        if event is None:
            continue
        referral = anew.get(row.referral_id)
        if referral is None:
            referral = anew[row.referral_id] = Referral(id=row.referral_id, heard_at=row.happened_at)
        apply(referral, event, row.number, row.happened_at)
        if type(event) in CONCERN_RULES:
            concern = concerns.get(row.subject_id)
            if concern is None:
                concern = concerns[row.subject_id] = Concern(id=row.subject_id, referral_id=row.referral_id)
            apply_to_concern(concern, event)
    _replace(unit, referral_ids, [*anew.values()], [*concerns.values()])
    return number


def _replace(
    unit: UnitOfWork[Dependencies], ids: Sequence[ReferralId], anew: Sequence[Referral], concerns: Sequence[Concern]
) -> None:
    queues.take_out(unit.session, ids)
    referrals.replace_many(unit.session, ids, anew, concerns)
    places: list[tuple[Referral | Concern, Place | None]] = [
        *((referral, place_of(referral)) for referral in anew),
        *((concern, place_of_concern(concern)) for concern in concerns),
    ]
    queues.put_many(unit.session, [(item, place) for item, place in places if place is not None])
