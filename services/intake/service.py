"""The intake service: a table of contents."""

from __future__ import annotations

from chassis.host.service import Ports, auditor, command, due, health_check, lane, on, schedule, story_teller
from contracts.commands.intake import (
    AskStatus,
    Assess,
    CountReferrals,
    FindReferral,
    ListAwaiting,
    RaiseConcern,
    Signpost,
    Withdraw,
)
from contracts.commands.privacy import AskErasure, Erase, LiftHold, ListHolds, ListUnconfirmed, PlaceHold
from contracts.events import billing, evaluation, matching, notifications
from contracts.events.evaluation import EvaluationRiskFlagged
from contracts.events.matching import MatchEnded, TherapistMatched
from contracts.events.notifications import SafeguardingAlertAcknowledged
from contracts.events.web import HelpRequested, WithdrawalRequested
from services.intake import commands, handlers, privacy, store, tools

ERASURE_CONFIRMED = tuple(one.ErasureConfirmed for one in (matching, billing, notifications, evaluation))


class IntakeService:
    """Takes requests for help in, has them assessed, and is the only one to know who asked."""

    name = "intake"
    ports = Ports(metadata=store.metadata, tools=tools.build)

    inbox = lane(
        "inbox",
        on(HelpRequested, handlers.receive_request),
        on(WithdrawalRequested, handlers.withdraw_request),
        on(
            TherapistMatched,
            handlers.note_match,
            safe_by_business_key="the number of matching's newest word on the referral",
        ),
        on(
            MatchEnded,
            handlers.note_match_ended,
            safe_by_business_key="the number of matching's newest word on the referral",
        ),
        on(
            SafeguardingAlertAcknowledged,
            handlers.note_acknowledgement,
            safe_by_business_key="concern_id, of which the first acknowledgement stands",
        ),
        *(
            on(confirmed, privacy.note_confirmation, safe_by_business_key="referral and service, which confirms once")
            for confirmed in ERASURE_CONFIRMED
        ),
    )
    urgent = lane(
        "urgent",
        on(EvaluationRiskFlagged, handlers.note_risk_answer),
    )

    timers = schedule(
        due(privacy.ERASURE_UNCONFIRMED, privacy.flag_unconfirmed),
    )

    status = command(AskStatus, commands.ask_status)
    awaiting_assessment = command(ListAwaiting, commands.list_awaiting)
    assess = command(Assess, commands.assess)
    signpost = command(Signpost, commands.signpost)
    withdraw = command(Withdraw, commands.withdraw)
    raise_concern = command(RaiseConcern, commands.raise_concern)
    find_referral = command(FindReferral, commands.find_referral)
    count_referrals = command(CountReferrals, commands.count_referrals)
    erase = command(Erase, privacy.erase_by_person)
    erasure = command(AskErasure, privacy.ask_erasure)
    unconfirmed_erasures = command(ListUnconfirmed, privacy.list_unconfirmed)
    place_hold = command(PlaceHold, privacy.place_hold)
    lift_hold = command(LiftHold, privacy.lift_hold)
    holds = command(ListHolds, privacy.list_holds)
    health = health_check()
    story = story_teller()
    audit = auditor()
