"""The intake service: a table of contents."""

from __future__ import annotations

from chassis.host.service import Ports, auditor, command, due, health_check, lane, on, schedule, story_teller
from chassis.store.restored import RESTORED
from chassis.telling import telling
from contracts.commands.intake import (
    AskHistory,
    AskLinks,
    AskStatus,
    Assess,
    Close,
    CountReferrals,
    FindPlace,
    FindReferral,
    Hold,
    Link,
    ListAwaiting,
    ListDuplicates,
    Merge,
    RaiseConcern,
    ReRefer,
    Resume,
    SignOff,
    Signpost,
    SuggestAssessment,
    TakeUp,
    TellApart,
    Unlink,
    Unmerge,
    Withdraw,
)
from contracts.commands.privacy import AskErasure, Erase, LiftHold, ListHolds, ListUnconfirmed, PlaceHold
from contracts.commands.retention import ApplyRetention, AskRetention, ListApplied, ListDue
from contracts.commands.subject import AboutSubject, AskSamePerson, LeaveOut, ReadRecord
from contracts.events import billing, evaluation, matching, notifications
from contracts.events.billing import FirstSessionAttended
from contracts.events.evaluation import EvaluationRiskFlagged
from contracts.events.matching import (
    MatchEnded,
    MatchingStalled,
    OfferDeclined,
    OfferExpired,
    OfferWithdrawn,
    TherapistMatched,
    TherapistOffered,
)
from contracts.events.notifications import SafeguardingAlertAcknowledged
from contracts.events.web import HelpRequested, WithdrawalRequested
from services.intake import (
    assessing,
    commands,
    duplicates,
    handlers,
    keeping,
    life,
    linking,
    older,
    privacy,
    restored,
    retention,
    store,
    subject,
    tools,
)

ERASURE_CONFIRMED = tuple(one.ErasureConfirmed for one in (matching, billing, notifications, evaluation))
NEWEST = "the number of matching's newest word on the referral"


class IntakeService:
    """Takes requests for help in, has them assessed, and is the only one to know who asked."""

    name = "intake"
    ports = Ports(metadata=store.metadata, tools=tools.build)

    inbox = lane(
        "inbox",
        on(HelpRequested, handlers.receive_request),
        on(WithdrawalRequested, handlers.withdraw_request),
        on(TherapistOffered, handlers.note_offer, safe_by_business_key=NEWEST),
        on(OfferDeclined, handlers.note_offer_declined, safe_by_business_key=NEWEST),
        on(OfferExpired, handlers.note_offer_expired, safe_by_business_key=NEWEST),
        on(OfferWithdrawn, handlers.note_offer_withdrawn, safe_by_business_key=NEWEST),
        on(MatchingStalled, handlers.note_stall, safe_by_business_key=NEWEST),
        on(TherapistMatched, handlers.note_match, safe_by_business_key=NEWEST),
        on(FirstSessionAttended, handlers.note_first_session, safe_by_business_key="match_id, which begins once"),
        on(MatchEnded, handlers.note_match_ended, safe_by_business_key=NEWEST),
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
        due(handlers.ASSESSMENT_OVERDUE, assessing.report_overdue),
        due(privacy.ERASURE_UNCONFIRMED, privacy.flag_unconfirmed),
        due(older.MARK_OLDER, older.mark_older),
        due(keeping.RETENTION, retention.come_due),
        due(RESTORED, restored.erase_again),
    )

    status = command(AskStatus, commands.ask_status)
    awaiting_assessment = command(ListAwaiting, commands.list_awaiting)
    suggest_assessment = command(SuggestAssessment, assessing.suggest_assessment)
    assess = command(Assess, assessing.assess)
    take_up = command(TakeUp, life.take_up)
    sign_off = command(SignOff, life.sign_off)
    find_place = command(FindPlace, life.find_place)
    hold = command(Hold, life.hold)
    resume = command(Resume, life.resume)
    close = command(Close, life.close)
    re_refer = command(ReRefer, life.re_refer)
    possible_duplicates = command(ListDuplicates, duplicates.possible_duplicates)
    merge = command(Merge, duplicates.merge)
    unmerge = command(Unmerge, duplicates.unmerge)
    tell_apart = command(TellApart, duplicates.tell_apart)
    link = command(Link, linking.link)
    unlink = command(Unlink, linking.unlink)
    links = command(AskLinks, linking.links)
    history = command(AskHistory, life.history)
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
    same_person = command(AskSamePerson, subject.same_person)
    about_subject = command(AboutSubject, telling(subject.tell))
    read_record = command(ReadRecord, subject.read_record)
    leave_out = command(LeaveOut, subject.leave_out)
    kept_until = command(AskRetention, retention.ask_retention)
    retention_due = command(ListDue, retention.list_due)
    apply_retention = command(ApplyRetention, retention.apply_retention)
    retention_applied = command(ListApplied, retention.list_applied)
    health = health_check()
    story = story_teller()
    audit = auditor()
