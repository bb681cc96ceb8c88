"""What the console lists: where a referral waits, whose work it is, in whatever order events arrive."""

from __future__ import annotations

import random
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from chassis.testing import somebody
from contracts.accounts import AccountId
from contracts.commands.console import (
    Assigned,
    AssignReferral,
    CountWork,
    Cursor,
    ListEvents,
    ListNewToMe,
    MoveWork,
    NoteOpened,
    Order,
    RebuildReadModel,
    ShowReferral,
    WorkQueue,
)
from contracts.event import Event
from contracts.events import billing
from contracts.events import console as of_console
from contracts.events.intake import ContactReleased, ReferralAssessed, ReferralErased, ReferralStepTaken
from contracts.events.matching import MatchingStalled, TherapistMatched, TherapistOffered
from contracts.events.notifications import (
    MessageSent,
    SafeguardingAlertAcknowledged,
    SafeguardingAlertEscalated,
    SafeguardingOutcomeRecorded,
)
from contracts.permissions import account_of
from contracts.vocabulary import (
    AlertStep,
    AwardId,
    Channel,
    ClientGroup,
    Competence,
    ConcernOutcome,
    ContactPurpose,
    FundId,
    HoldReason,
    MatchId,
    MessageId,
    OfferId,
    ReferralId,
    RiskLevel,
    Sessions,
    StallReason,
    SubsidyReleaseReason,
    TherapistId,
    Work,
)
from services.console import errors
from services.console.handlers import commands, events, queries
from services.console.store import tables
from tests.support.statements import listening
from tests.unit.console.conftest import Console

OUTCOME, EARLIER = [*ConcernOutcome][:2]
ADA, BEN = (somebody(str(uuid4())) for _ in range(2))
ACCOUNT = {actor.who: AccountId(account_of(actor.who)[1]) for actor in (ADA, BEN)}  # type: ignore[arg-type]


def offered(console: Console, referral_id: ReferralId) -> TherapistOffered:
    return TherapistOffered(
        offer_id=OfferId(uuid4()), referral_id=referral_id, therapist_id=TherapistId(uuid4()),
        expires_at=console.clock.now() + timedelta(days=2), client_group=ClientGroup.AT_RISK, work=Work.INDIVIDUAL,
        sessions=Sessions.IN_PERSON, distance_km=4.5,
    )  # fmt: skip


def assessed(console: Console, referral_id: ReferralId) -> ReferralAssessed:
    return ReferralAssessed(
        referral_id=referral_id, assessed_at=console.clock.now(), risk_level=RiskLevel.HIGHER,
        competence=Competence.HIGHER, work=Work.INDIVIDUAL,
    )  # fmt: skip


def test_what_may_be_spam_is_in_a_queue_of_its_own_until_it_is_released(console: Console) -> None:
    referral_id = console.received()
    console.step(referral_id, 2, "note", "in_review")
    assert console.in_queue(WorkQueue.SPAM_REVIEW) == [referral_id]
    assert console.in_queue(WorkQueue.NEW_REQUESTS) == []
    console.step(referral_id, 3, "discard", "discarded", reason="advertising")
    assert console.in_queue(WorkQueue.SPAM_REVIEW) == []
    console.step(referral_id, 4, "release", "received")
    assert console.in_queue(WorkQueue.NEW_REQUESTS) == [referral_id]


def test_a_referral_is_where_it_waits_from_its_first_day_to_its_end(console: Console) -> None:
    referral_id = console.received()
    assert console.in_queue(WorkQueue.NEW_REQUESTS) == [referral_id]
    console.step(referral_id, 2, "take_up", "awaiting_assessment", account_id=ACCOUNT[ADA.who])
    assert console.in_queue(WorkQueue.NEW_REQUESTS) == []
    (item,) = console.queue(WorkQueue.ASSESSMENTS).items
    assert (item.assigned_to, item.due_at) == (ACCOUNT[ADA.who], console.clock.now() + timedelta(days=2))
    console.step(referral_id, 3, "assess", "assessed")
    console.heard(assessed(console, referral_id))
    assert console.queue(WorkQueue.WAITING).items[0].risk_level is RiskLevel.HIGHER
    offer = offered(console, referral_id)
    console.heard(offer)
    console.step(referral_id, 4, "offer", "offered", by="matching")
    (item,) = console.queue(WorkQueue.OFFERS).items
    assert (item.offers_made, item.offer_distance_km, item.due_at) == (1, 4.5, offer.expires_at)
    console.step(referral_id, 5, "match", "matched", by="matching")
    match_id = MatchId(uuid4())
    console.heard(
        TherapistMatched(
            match_id=match_id,
            referral_id=referral_id,
            therapist_id=offer.therapist_id,
            matched_at=console.clock.now(),
            distance_km=4.5,
            session_fee_pence=6000,
            sessions=Sessions.IN_PERSON,
        )
    )
    assert console.queue(WorkQueue.FIRST_SESSIONS).items == (), "there is time for it"
    console.heard(
        billing.AttendanceUnrecorded(
            referral_id=referral_id, match_id=match_id, therapist_id=offer.therapist_id, matched_on=date(2026, 12, 1)
        )
    )
    (item,) = console.queue(WorkQueue.FIRST_SESSIONS).items
    assert item.due_at == console.clock.now() + timedelta(days=30)
    console.step(referral_id, 6, "attend", "first_session_attended", by="billing")
    assert {count.total for count in console.counts().values()} == {0}
    shown = console.show(referral_id)
    assert (shown.state, shown.seen, shown.queue, shown.therapist_id) == (
        "first_session_attended", 6, None, offer.therapist_id,
    )  # fmt: skip


def test_a_search_that_stalls_says_what_is_missing_and_help_with_the_cost_is_followed(console: Console) -> None:
    referral_id = console.received()
    console.step(referral_id, 2, "assess", "assessed")
    stalled = MatchingStalled(
        referral_id=referral_id, reason=StallReason.NOBODY_NEAR, waiting_since=console.clock.now()
    )
    console.heard(stalled)
    assert console.queue(WorkQueue.WAITING).items[0].reason == StallReason.NOBODY_NEAR
    approved = billing.SubsidyApproved(
        award_id=AwardId(uuid4()), referral_id=referral_id, fund_id=FundId(uuid4()), pence_per_session=2000, sessions=8,
        committed_pence=16000, approved_at=console.clock.now(),
    )  # fmt: skip
    console.heard(approved)
    assert console.show(referral_id).subsidy == "approved"
    for pence, standing in ((1500, "approved"), (0, "released")):
        console.heard(
            billing.SubsidyReleased(
                award_id=approved.award_id, referral_id=referral_id, fund_id=approved.fund_id, released_pence=500,
                reason=SubsidyReleaseReason.FEE_LOWER_THAN_AWARDED, pence_per_session=pence,
            )
        )  # fmt: skip
        assert console.show(referral_id).subsidy == standing


def test_a_concern_waits_until_its_outcome_and_climbs_meanwhile(console: Console) -> None:
    referral_id = console.received()
    concern_id = console.concern(referral_id)
    assert console.counts()[WorkQueue.CONCERNS].unacknowledged == 1
    about: Any = {"concern_id": concern_id, "referral_id": referral_id}
    console.heard(SafeguardingAlertEscalated(step=AlertStep.DEPUTY, escalated_at=console.clock.now(), **about))
    (item,) = console.queue(WorkQueue.CONCERNS).items
    assert (item.subject_id, item.reason, item.acknowledged_at) == (concern_id, "deputy", None)
    console.heard(SafeguardingAlertAcknowledged(step=AlertStep.DEPUTY, acknowledged_at=console.clock.now(), **about))
    assert console.counts()[WorkQueue.CONCERNS].unacknowledged == 0
    assert console.in_queue(WorkQueue.CONCERNS) == [concern_id]
    console.heard(SafeguardingOutcomeRecorded(outcome=OUTCOME, recorded_at=console.clock.now(), **about))
    before = console.clock.now() - timedelta(hours=1)
    console.heard(SafeguardingOutcomeRecorded(outcome=EARLIER, recorded_at=before, **about))
    assert console.in_queue(WorkQueue.CONCERNS) == []
    assert console.show(referral_id).concerns[0].outcome == OUTCOME


def told_of(console: Console, referral_id: ReferralId) -> list[tuple[Event, int]]:
    """A referral's events, each with its number among its publisher's."""
    steps = [("receive", "received"), ("take_up", "awaiting_assessment"), ("assess", "assessed"), ("offer", "offered")]
    taken = [
        ReferralStepTaken(
            referral_id=referral_id, number=number, step=step, state=state,
            taken_at=console.clock.now() + timedelta(hours=number), taken_by="console",
        )
        for number, (step, state) in enumerate(steps, start=1)
    ]  # fmt: skip
    stalled = MatchingStalled(
        referral_id=referral_id, reason=StallReason.NOBODY_NEAR, waiting_since=console.clock.now()
    )
    of_matching = [stalled, offered(console, referral_id)]
    message = MessageSent(
        message_id=MessageId(uuid4()), template="matched", channel=Channel.EMAIL, referral_id=referral_id
    )
    return [
        *((event, number) for number, event in enumerate(taken, start=1)),
        (assessed(console, referral_id), 5),
        *((event, number) for number, event in enumerate(of_matching, start=1)),
        (message, 1),
    ]


def test_the_order_in_which_events_arrive_changes_nothing(console: Console) -> None:
    orders = random.Random(7)
    seen = set()
    for _ in range(12):
        referral_id = ReferralId(uuid4())
        told = told_of(console, referral_id)
        orders.shuffle(told)
        for event, number in told:
            console.heard(event, sequence=number)
        row = console.show(referral_id)
        seen.add((row.state, row.since, row.seen, row.queue, row.due_at, row.risk_level, row.version))
    assert len(seen) == 1


def test_lists_are_ordered_filtered_and_paged_without_leaving_any_out(console: Console) -> None:
    groups = [ClientGroup.AT_RISK, ClientGroup.SURVIVOR]
    ids = []
    for number in range(9):
        ids.append(console.received(client_group=groups[number % 2]))
        console.clock.advance(timedelta(hours=6))
    for order, expected in ((Order.DUE, ids), (Order.LONGEST, ids), (Order.NEWEST, ids[::-1])):
        paged, after = [], None
        while True:
            page = console.queue(WorkQueue.NEW_REQUESTS, order=order, after=after, limit=4)
            paged += [item.subject_id for item in page.items]
            if (after := page.after) is None:
                break
        assert paged == expected
    assert console.in_queue(WorkQueue.NEW_REQUESTS, client_group=ClientGroup.SURVIVOR) == ids[1::2]
    late = console.counts()[WorkQueue.NEW_REQUESTS].overdue
    assert 0 < late < 9
    assert console.in_queue(WorkQueue.NEW_REQUESTS, overdue=True) == ids[:late]


def test_what_is_due_at_no_date_is_paged_too(console: Console) -> None:
    ids = []
    for _ in range(5):
        ids.append(console.received())
        console.step(ids[-1], 2, "hold", "on_hold")
        console.clock.advance(timedelta(hours=1))
    paged: list[UUID] = []
    after = None
    while True:
        page = console.queue(WorkQueue.PAUSED, after=after, limit=2)
        paged += [item.subject_id for item in page.items]
        if page.after is None:
            break
        after = Cursor.from_json(page.after.to_json())
    assert sorted(paged) == sorted(ids)


def test_a_page_takes_few_statements_however_it_is_filtered(console: Console) -> None:
    console.received()
    filters: dict[str, Any] = {"overdue": False, "client_group": ClientGroup.AT_RISK, "assigned": Assigned.NOBODYS}
    with listening(console.database.engine) as asked:
        console.queue(WorkQueue.NEW_REQUESTS, **filters)
    assert len([one for one in asked if one.lstrip().upper().startswith("SELECT")]) <= 3


def test_work_is_assigned_by_hand_and_only_as_it_was_seen(console: Console) -> None:
    referral_id = console.received()
    assign = AssignReferral(referral_id=referral_id, account_id=ACCOUNT[ADA.who])
    console.ask(commands.assign_referral, assign, by=BEN)
    assert console.emitted(of_console.ReferralAssigned)[0].assigned_by == ACCOUNT[BEN.who]
    with pytest.raises(errors.AssignedMeanwhile):
        console.ask(commands.assign_referral, assign, by=BEN)
    assert console.in_queue(WorkQueue.NEW_REQUESTS, assigned=Assigned.MINE, by=ADA) == [referral_id]
    assert console.in_queue(WorkQueue.NEW_REQUESTS, assigned=Assigned.NOBODYS, by=ADA) == []
    assert console.counts(by=ADA)[WorkQueue.NEW_REQUESTS].mine == 1
    console.step(referral_id, 2, "take_up", "awaiting_assessment", account_id=ACCOUNT[BEN.who])
    assert console.show(referral_id).assigned_to == ACCOUNT[ADA.who], "who takes it up is not who was named"
    with pytest.raises(errors.UnknownReferral):
        console.ask(commands.assign_referral, AssignReferral(referral_id=ReferralId(uuid4())))


def test_a_change_is_seen_by_the_queues_version(console: Console) -> None:
    referral_id = console.received()
    before = console.queue(WorkQueue.NEW_REQUESTS).version
    message = MessageSent(
        message_id=MessageId(uuid4()), template="matched", channel=Channel.EMAIL, referral_id=referral_id
    )
    console.heard(message)
    assert console.queue(WorkQueue.NEW_REQUESTS).version == before
    console.step(referral_id, 2, "sign_off", "received")
    assert console.queue(WorkQueue.NEW_REQUESTS).version > before


def test_what_is_sealed_is_not_kept_and_an_erased_referral_is_forgotten_for_good(console: Console) -> None:
    referral_id, other = console.received(), console.received()
    concern_id = console.concern(referral_id)
    released = ContactReleased(referral_id=referral_id, purpose=ContactPurpose.ADDRESS_BOOK, sealed="planted secret")
    console.heard(released)
    with console.database.reading() as unit:
        bodies = unit.session.execute(select(tables.archive.c.body)).scalars().all()
    assert [body for body in bodies if "planted" in body] == []
    console.hear(events.forget, ReferralErased(referral_id=referral_id))
    told = console.emitted(of_console.ListChanged)[-1]
    assert (told.subject_id, set(told.queues)) == (referral_id, {"new_requests", "concerns"})
    console.step(referral_id, 9, "erase", "erased")
    console.heard(released)
    assert console.emitted(of_console.ErasureConfirmed) == [of_console.ErasureConfirmed(referral_id=referral_id)]
    with pytest.raises(errors.UnknownReferral):
        console.show(referral_id)
    left = {str(value) for rows in console.rows().values() for row in rows for value in row}
    assert not {str(referral_id), str(concern_id)} & left
    with console.database.reading() as unit:
        assert set(unit.session.execute(select(tables.archive.c.referral_id)).scalars()) == {other}
    assert console.counts()[WorkQueue.NEW_REQUESTS].total == 1
    assert console.counts()[WorkQueue.CONCERNS].total == 0


def test_everything_can_be_made_anew_from_what_was_heard(console: Console) -> None:
    for _ in range(7):
        referral_id = console.received()
        console.step(referral_id, 2, "take_up", "awaiting_assessment", account_id=ACCOUNT[ADA.who])
        console.clock.advance(timedelta(minutes=1))
    console.concern(referral_id)
    assign = AssignReferral(referral_id=referral_id, account_id=ACCOUNT[BEN.who], instead_of=ACCOUNT[ADA.who])
    console.ask(commands.assign_referral, assign)
    before = console.rows()
    with console.database.unit() as unit:
        unit.session.execute(tables.queue_items.delete())
        unit.session.execute(tables.queue_counts.delete())
        unit.session.execute(tables.concerns.delete())
        unit.session.execute(tables.referrals.update().values(state="lost", client_group=None))
    assert console.rows() != before
    after, read = None, 0
    while True:
        done = console.ask(commands.rebuild_read_model, RebuildReadModel(after=after, limit=3))
        read += done.events
        if (after := done.after) is None:
            break
    assert console.rows() == before
    assert read == 7 * 3 + 2


def test_what_happened_is_told_newest_first_a_page_at_a_time(console: Console) -> None:
    referral_id = console.received()
    console.step(referral_id, 2, "take_up", "awaiting_assessment", account_id=ACCOUNT[ADA.who])
    told = console.ask(queries.list_events, ListEvents(referral_id=referral_id, limit=2))
    assert [one.event for one in told] == ["ReferralStepTaken", "ReferralReceived"]
    assert (told[0].account_id, told[0].publisher) == (ACCOUNT[ADA.who], "intake")
    assert {"step": "take_up", "state": "awaiting_assessment"}.items() <= {
        f.name: f.value for f in told[0].facts
    }.items()
    rest = console.ask(queries.list_events, ListEvents(referral_id=referral_id, before=told[-1].position))
    assert [one.event for one in rest] == ["ReferralStepTaken"]


def test_a_note_is_no_reason_of_where_a_referral_stands(console: Console) -> None:
    referral_id = console.received()
    console.step(referral_id, 2, "hold", "on_hold", reason="client_not_ready", waits_for=HoldReason.CLIENT_NOT_READY)
    console.step(referral_id, 3, "note", "on_hold", reason="call", waits_for=HoldReason.CLIENT_NOT_READY)
    assert console.show(referral_id).reason == "client_not_ready"
    console.step(referral_id, 4, "resume", "assessed", reason="client_ready")
    console.step(referral_id, 5, "note", "assessed", reason="call")
    assert console.show(referral_id).reason is None


def test_somebodys_work_is_moved_in_parts_and_what_is_over_stays_where_it_was(console: Console) -> None:
    ada, ben = ACCOUNT[ADA.who], ACCOUNT[BEN.who]
    mine = [console.received() for _ in range(3)]
    for referral_id in mine:
        console.step(referral_id, 2, "take_up", "awaiting_assessment", account_id=ada)
    over = console.received()
    console.step(over, 2, "take_up", "awaiting_assessment", account_id=ada)
    console.step(over, 3, "close", "closed")
    console.step(console.received(), 2, "take_up", "awaiting_assessment", account_id=ben)
    assert console.told(queries.count_work, CountWork()) == [
        {"account_id": str(ada), "referrals": 3}, {"account_id": str(ben), "referrals": 1},
    ]  # fmt: skip
    moved = [console.told(commands.move_work, MoveWork(account_id=ada, to=ben, limit=2), by=BEN) for _ in range(3)]
    assert [(one["moved"], one["left"]) for one in moved] == [(2, 1), (1, 0), (0, 0)]
    assert {event.assigned_by for event in console.emitted(of_console.ReferralAssigned)} == {ben}
    assert [console.show(referral_id).assigned_to for referral_id in (*mine, over)] == [ben, ben, ben, ada]
    assert console.counts(by=BEN)[WorkQueue.ASSESSMENTS].mine == 4


def test_what_is_made_nobodys_is_the_work_of_whoever_takes_it_up(console: Console) -> None:
    referral_id = console.received()
    console.ask(commands.assign_referral, AssignReferral(referral_id=referral_id, account_id=ACCOUNT[ADA.who]))
    console.ask(commands.move_work, MoveWork(account_id=ACCOUNT[ADA.who]), by=BEN)
    assert console.in_queue(WorkQueue.NEW_REQUESTS, assigned=Assigned.NOBODYS, by=ADA) == [referral_id]
    console.step(referral_id, 2, "take_up", "awaiting_assessment", account_id=ACCOUNT[BEN.who])
    assert console.show(referral_id).assigned_to == ACCOUNT[BEN.who]


def new_to_ada(console: Console) -> list[UUID]:
    told = console.told(queries.list_new_to_me, ListNewToMe(), by=ADA)
    assert told["total"] == len(told["items"])
    return [UUID(one["referral_id"]) for one in told["items"]]


def test_what_somebody_else_made_my_work_is_new_to_me_until_i_open_it(console: Console) -> None:
    ada, ben = ACCOUNT[ADA.who], ACCOUNT[BEN.who]
    referral_id, mine = console.received(), console.received()
    console.ask(commands.assign_referral, AssignReferral(referral_id=mine, account_id=ada), by=ADA)
    console.step(console.received(), 2, "take_up", "awaiting_assessment", account_id=ada)
    assert new_to_ada(console) == [], "she took these herself"
    console.ask(commands.assign_referral, AssignReferral(referral_id=referral_id, account_id=ada), by=BEN)
    assert new_to_ada(console) == [referral_id]
    assert console.told(queries.show_referral, ShowReferral(referral_id=referral_id), by=ADA)["is_new_to_me"]
    console.ask(commands.note_opened, NoteOpened(referral_id=referral_id), by=BEN)
    assert new_to_ada(console) == [referral_id], "that he opened it is nothing to her"
    console.clock.advance(timedelta(minutes=1))
    console.ask(commands.note_opened, NoteOpened(referral_id=referral_id), by=ADA)
    assert new_to_ada(console) == []
    console.ask(commands.rebuild_read_model, RebuildReadModel())
    assert new_to_ada(console) == [], "lists that are made anew don't forget it"
    console.clock.advance(timedelta(minutes=1))
    console.ask(commands.move_work, MoveWork(account_id=ada, to=ben), by=BEN)
    console.ask(
        commands.assign_referral, AssignReferral(referral_id=referral_id, account_id=ada, instead_of=ben), by=BEN
    )
    assert new_to_ada(console) == [referral_id], "handed over once more, it is new once more"
    console.step(referral_id, 2, "close", "closed")
    assert new_to_ada(console) == [], "nothing is to be done with it"


def test_who_opened_a_referral_goes_when_it_is_erased(console: Console) -> None:
    referral_id = console.received()
    console.ask(commands.note_opened, NoteOpened(referral_id=referral_id), by=ADA)
    console.hear(events.forget, ReferralErased(referral_id=referral_id))
    with console.database.reading() as unit:
        assert unit.session.execute(select(tables.opened)).all() == []
    with pytest.raises(errors.UnknownReferral):
        console.ask(commands.note_opened, NoteOpened(referral_id=referral_id), by=ADA)
