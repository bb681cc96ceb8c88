"""The intake service: a table of contents."""

from __future__ import annotations

from chassis.host.entrypoints import (
    Chassis,
    audit_query,
    command,
    dead_letter_discard,
    dead_letter_export,
    dead_letter_list,
    dead_letter_replay,
    dead_letter_view,
    due,
    event_log_query,
    health_check,
    lane,
    on,
    schedule,
)
from chassis.privacy.restore import RESTORED
from chassis.subject_access import telling
from contracts.commands.intake import (
    AskHistory,
    AskLinks,
    AskStatus,
    Assess,
    ChangeByClient,
    ChangeContact,
    ChangeNeeds,
    Close,
    CountReferrals,
    FindPlace,
    FindReferral,
    Hold,
    Link,
    ListAwaiting,
    ListDuplicates,
    ListUnreadable,
    Merge,
    RaiseConcern,
    RecordConsent,
    ReRefer,
    Resume,
    RetryUnreadable,
    SettleContactChange,
    SignOff,
    Signpost,
    SuggestAssessment,
    TakeUp,
    TellApart,
    Undo,
    Unlink,
    Unmerge,
    Withdraw,
)
from contracts.commands.privacy import AskErasure, Erase, LiftHold, ListHolds, ListUnconfirmed, PlaceHold
from contracts.commands.retention import ApplyRetention, AskRetention, ListApplied, ListDue
from contracts.commands.subject import AboutSubject, AskSamePerson, LeaveOut, ReadRecord
from contracts.events import billing, evaluation, matching, notifications
from contracts.events.billing import (
    FirstSessionAttended,
    SessionReversed,
    SubsidyApproved,
    SubsidyDeclined,
    SubsidyWaitlisted,
)
from contracts.events.evaluation import EvaluationRiskFlagged
from contracts.events.matching import (
    MatchEnded,
    MatchEndUndone,
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
    agreements,
    assessing,
    commands,
    contact_changes,
    contacts,
    dependencies,
    duplicates,
    handlers,
    keeping,
    life,
    linking,
    needs,
    older,
    privacy,
    restored,
    retention,
    status,
    steps,
    store,
    subject,
    submissions,
)

ERASURE_CONFIRMED = tuple(one.ErasureConfirmed for one in (matching, billing, notifications, evaluation))
NEWEST = "the number of matching's newest word on the referral"
MONEY = "the number of billing's newest word on help with the cost"
BEGUN = "the number of billing's newest word on whether therapy has begun"


class IntakeService:
    """Takes requests for help in, has them assessed, and is the only one to know who asked."""

    name = "intake"
    chassis = Chassis(metadata=store.metadata, dependencies=dependencies.build)

    inbox = lane(
        "inbox",
        on(HelpRequested, submissions.receive_request),
        on(WithdrawalRequested, submissions.withdraw_request),
        on(TherapistOffered, handlers.note_offer, idempotent_by=NEWEST),
        on(OfferDeclined, handlers.note_offer_declined, idempotent_by=NEWEST),
        on(OfferExpired, handlers.note_offer_expired, idempotent_by=NEWEST),
        on(OfferWithdrawn, handlers.note_offer_withdrawn, idempotent_by=NEWEST),
        on(MatchingStalled, handlers.note_stall, idempotent_by=NEWEST),
        on(TherapistMatched, handlers.note_match, idempotent_by=NEWEST),
        on(FirstSessionAttended, handlers.note_first_session, idempotent_by=BEGUN),
        on(SessionReversed, handlers.note_session_reversed, idempotent_by=BEGUN),
        on(SubsidyWaitlisted, status.note_money_wait, idempotent_by=MONEY),
        on(SubsidyApproved, status.note_money, idempotent_by=MONEY),
        on(SubsidyDeclined, status.note_money, idempotent_by=MONEY),
        on(MatchEnded, handlers.note_match_ended, idempotent_by=NEWEST),
        on(MatchEndUndone, handlers.note_match_end_undone, idempotent_by=NEWEST),
        on(
            SafeguardingAlertAcknowledged,
            handlers.note_acknowledgement,
            idempotent_by="concern_id, of which the first acknowledgement stands",
        ),
        *(
            on(confirmed, privacy.note_confirmation, idempotent_by="referral and service, which confirms once")
            for confirmed in ERASURE_CONFIRMED
        ),
    )
    urgent = lane(
        "urgent",
        on(EvaluationRiskFlagged, handlers.note_risk_answer),
    )

    timers = schedule(
        due(handlers.ASSESSMENT_OVERDUE, assessing.report_overdue),
        due(agreements.AGREEMENT_AWAITED, agreements.remind_again),
        due(steps.CONTACT_CODE_OVER, contact_changes.forget_unconfirmed),
        due(privacy.ERASURE_UNCONFIRMED, privacy.flag_unconfirmed),
        due(older.MARK_OLDER, older.mark_older),
        due(keeping.RETENTION, retention.come_due),
        due(RESTORED, restored.erase_again),
    )

    status = command(AskStatus, status.ask_status)
    change_by_client = command(ChangeByClient, contact_changes.change_by_client)
    settle_contact_change = command(SettleContactChange, contact_changes.settle_contact_change)
    awaiting_assessment = command(ListAwaiting, commands.list_awaiting)
    suggest_assessment = command(SuggestAssessment, assessing.suggest_assessment)
    assess = command(Assess, assessing.assess)
    take_up = command(TakeUp, life.take_up)
    sign_off = command(SignOff, life.sign_off)
    find_place = command(FindPlace, life.find_place)
    hold = command(Hold, life.hold)
    resume = command(Resume, life.resume)
    record_consent = command(RecordConsent, agreements.record_consent)
    change_contact = command(ChangeContact, contacts.change_contact)
    change_needs = command(ChangeNeeds, needs.change_needs)
    close = command(Close, life.close)
    undo = command(Undo, life.undo)
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
    unreadable = command(ListUnreadable, submissions.list_unreadable)
    retry_unreadable = command(RetryUnreadable, submissions.retry_unreadable)
    find_referral = command(FindReferral, commands.find_referral)
    count_referrals = command(CountReferrals, commands.count_referrals)
    erase = command(Erase, privacy.erase_by_person)
    erasure = command(AskErasure, privacy.ask_erasure)
    unconfirmed_erasures = command(ListUnconfirmed, privacy.list_unconfirmed)
    place_hold = command(PlaceHold, privacy.place_hold)
    lift_hold = command(LiftHold, privacy.lift_hold)
    holds = command(ListHolds, privacy.list_holds)
    same_person = command(AskSamePerson, subject.same_person)
    about_subject = command(AboutSubject, telling(subject.tell, subject.tell_writer))
    read_record = command(ReadRecord, subject.read_record)
    leave_out = command(LeaveOut, subject.leave_out)
    kept_until = command(AskRetention, retention.ask_retention)
    retention_due = command(ListDue, retention.list_due)
    apply_retention = command(ApplyRetention, retention.apply_retention)
    retention_applied = command(ListApplied, retention.list_applied)
    health = health_check()
    story = event_log_query()
    audit = audit_query()
    list_dead_letters = dead_letter_list()
    show_dead_letters = dead_letter_view()
    export_dead_letters = dead_letter_export()
    replay_dead_letters = dead_letter_replay()
    discard_dead_letters = dead_letter_discard()
