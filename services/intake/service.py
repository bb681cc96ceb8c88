"""The intake service: a table of contents."""

from __future__ import annotations

from chassis.host.entrypoints import (
    Chassis,
    audit_list,
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
    own_audit_list,
    schedule,
    secret_key_list,
)
from chassis.privacy.restore import RESTORED
from chassis.subject_access import telling
from contracts.commands.duplicates import (
    CountDuplicates,
    ListDuplicates,
    Merge,
    TellApart,
    Unmerge,
)
from contracts.commands.intake import (
    AddNote,
    Assess,
    ChangeByClient,
    ChangeContact,
    ChangeNeeds,
    Close,
    CountReferrals,
    Discard,
    FindPeople,
    FindPlace,
    FindReferral,
    GetHistory,
    GetReferences,
    GetStatus,
    Hold,
    Link,
    ListAwaiting,
    ListContactChanges,
    ListLinks,
    ListUnreadable,
    RaiseConcern,
    RecordConsent,
    Release,
    ReRefer,
    Resume,
    RetryUnreadable,
    SettleContactChange,
    SignOff,
    Signpost,
    SuggestAssessment,
    TakeUp,
    TypeRequest,
    Undo,
    Unlink,
    Withdraw,
)
from contracts.commands.privacy import Erase, GetErasure, LiftHold, ListHolds, ListUnconfirmed, PlaceHold
from contracts.commands.retention import ApplyRetention, GetRetention, ListApplied, ListDue
from contracts.commands.snapshots import ListSnapshots
from contracts.commands.subject import GetSubjectData, LeaveOut, ListSamePerson, ReadRecord
from contracts.events import billing, console, evaluation, matching, notifications
from contracts.events.billing import (
    FirstSessionAttended,
    SessionReversed,
    SubsidyApproved,
    SubsidyDeclined,
    SubsidyResumed,
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
from services.intake import dependencies, subject_access
from services.intake.application.agreements import AGREEMENT_AWAITED, COURSE_AWAITED
from services.intake.application.history import CONTACT_CODE_OVER
from services.intake.application.referral_erasure import ERASURE_UNCONFIRMED
from services.intake.application.registration import ASSESSMENT_OVERDUE
from services.intake.handlers import (
    assessment,
    backfill,
    consents,
    contact_changes,
    duplicates,
    events,
    legal_holds,
    lifecycle,
    needs,
    notes,
    people,
    queries,
    record_access,
    requests,
    restore,
    retention,
    review,
    safeguarding,
    snapshots,
)
from services.intake.handlers import erasure as erasures
from services.intake.handlers import links as linking
from services.intake.store import tables
from services.intake.store.retention import RETENTION_DUE

ERASURE_CONFIRMED = tuple(
    publisher.ErasureConfirmed for publisher in (matching, billing, notifications, evaluation, console)
)
NEWEST = "the number of matching's newest word on the referral"
MONEY = "the number of billing's newest word on help with the cost"
BEGUN = "the number of billing's newest word on whether therapy has begun"


class IntakeService:
    """Takes requests for help in, has them assessed, and is the only one to know who asked."""

    name = "intake"
    chassis = Chassis(
        metadata=tables.metadata,
        dependencies=dependencies.build,
        tell_of_readings=record_access.report_readings,
    )

    inbox = lane(
        "inbox",
        on(HelpRequested, requests.receive_request),
        on(WithdrawalRequested, requests.withdraw_request),
        on(TherapistOffered, events.note_offer, idempotent_by=NEWEST),
        on(OfferDeclined, events.note_offer_declined, idempotent_by=NEWEST),
        on(OfferExpired, events.note_offer_expired, idempotent_by=NEWEST),
        on(OfferWithdrawn, events.note_offer_withdrawn, idempotent_by=NEWEST),
        on(MatchingStalled, events.note_stall, idempotent_by=NEWEST),
        on(TherapistMatched, events.note_match, idempotent_by=NEWEST),
        on(FirstSessionAttended, events.note_first_session, idempotent_by=BEGUN),
        on(SessionReversed, events.note_session_reversed, idempotent_by=BEGUN),
        on(SubsidyWaitlisted, events.note_subsidy_waitlisted, idempotent_by=MONEY),
        on(SubsidyApproved, events.note_subsidy_decided, idempotent_by=MONEY),
        on(SubsidyResumed, events.note_subsidy_decided, idempotent_by=MONEY),
        on(SubsidyDeclined, events.note_subsidy_decided, idempotent_by=MONEY),
        on(MatchEnded, events.note_match_ended, idempotent_by=NEWEST),
        on(MatchEndUndone, events.note_match_end_undone, idempotent_by=NEWEST),
        on(
            SafeguardingAlertAcknowledged,
            safeguarding.note_acknowledgement,
            idempotent_by="concern_id, of which the first acknowledgement stands",
        ),
        *(
            on(confirmed, erasures.note_confirmation, idempotent_by="referral and service, which confirms once")
            for confirmed in ERASURE_CONFIRMED
        ),
    )
    urgent = lane(
        "urgent",
        on(EvaluationRiskFlagged, safeguarding.note_risk_answer),
    )

    timers = schedule(
        due(ASSESSMENT_OVERDUE, assessment.report_overdue),
        due(AGREEMENT_AWAITED, consents.remind_again),
        due(COURSE_AWAITED, consents.remind_of_course),
        due(CONTACT_CODE_OVER, contact_changes.forget_unconfirmed),
        due(ERASURE_UNCONFIRMED, erasures.flag_unconfirmed),
        due(backfill.BACKFILL_MATCH_KEYS, backfill.backfill_match_keys),
        due(RETENTION_DUE, retention.erase_when_due),
        due(RESTORED, restore.erase_again),
    )

    status = command(GetStatus, queries.get_status)
    change_by_client = command(ChangeByClient, contact_changes.change_by_client)
    settle_contact_change = command(SettleContactChange, contact_changes.settle_contact_change)
    awaiting_assessment = command(ListAwaiting, queries.list_awaiting)
    waiting_contacts = command(ListContactChanges, queries.list_contact_changes)
    suggest_assessment = command(SuggestAssessment, assessment.suggest_assessment)
    assess = command(Assess, assessment.assess)
    type_request = command(TypeRequest, requests.type_request)
    release = command(Release, review.release)
    discard = command(Discard, review.discard)
    take_up = command(TakeUp, lifecycle.take_up)
    sign_off = command(SignOff, lifecycle.sign_off)
    find_place = command(FindPlace, lifecycle.find_place)
    hold = command(Hold, lifecycle.pause)
    resume = command(Resume, lifecycle.resume)
    record_consent = command(RecordConsent, consents.record_consent)
    change_contact = command(ChangeContact, contact_changes.change_contact)
    change_needs = command(ChangeNeeds, needs.change_needs)
    add_note = command(AddNote, notes.add_note)
    close = command(Close, lifecycle.close)
    undo = command(Undo, lifecycle.undo)
    re_refer = command(ReRefer, lifecycle.re_refer)
    possible_duplicates = command(ListDuplicates, duplicates.list_possible_duplicates)
    count_duplicates = command(CountDuplicates, duplicates.count_duplicates)
    merge = command(Merge, duplicates.merge)
    unmerge = command(Unmerge, duplicates.unmerge)
    tell_apart = command(TellApart, duplicates.tell_apart)
    link = command(Link, linking.link)
    unlink = command(Unlink, linking.unlink)
    links = command(ListLinks, linking.list_links)
    history = command(GetHistory, queries.get_history)
    signpost = command(Signpost, lifecycle.signpost)
    withdraw = command(Withdraw, lifecycle.withdraw)
    raise_concern = command(RaiseConcern, safeguarding.raise_concern)
    unreadable = command(ListUnreadable, requests.list_unreadable)
    retry_unreadable = command(RetryUnreadable, requests.retry_unreadable)
    find_referral = command(FindReferral, queries.find_referral)
    find_people = command(FindPeople, people.find_people)
    references = command(GetReferences, queries.get_references)
    count_referrals = command(CountReferrals, queries.count_referrals)
    erase = command(Erase, erasures.erase_by_person)
    erasure = command(GetErasure, erasures.get_erasure)
    unconfirmed_erasures = command(ListUnconfirmed, erasures.list_unconfirmed)
    place_hold = command(PlaceHold, legal_holds.place_legal_hold)
    lift_hold = command(LiftHold, legal_holds.lift_legal_hold)
    holds = command(ListHolds, legal_holds.list_legal_holds)
    same_person = command(ListSamePerson, record_access.same_person)
    about_subject = command(GetSubjectData, telling(subject_access.tell, subject_access.tell_writer))
    read_record = command(ReadRecord, record_access.read_record)
    leave_out = command(LeaveOut, record_access.leave_out)
    kept_until = command(GetRetention, retention.get_retention)
    retention_due = command(ListDue, retention.list_due)
    apply_retention = command(ApplyRetention, retention.apply_retention)
    retention_applied = command(ListApplied, retention.list_applied)
    snapshots = command(ListSnapshots, snapshots.list_snapshots)
    health = health_check()
    story = event_log_query()
    audit = audit_query()
    list_audit = audit_list()
    list_own_audit = own_audit_list()
    list_secret_keys = secret_key_list()
    list_dead_letters = dead_letter_list()
    show_dead_letters = dead_letter_view()
    export_dead_letters = dead_letter_export()
    replay_dead_letters = dead_letter_replay()
    discard_dead_letters = dead_letter_discard()
