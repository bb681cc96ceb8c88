"""The notifications service: a table of contents."""

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
    side_effect,
)
from chassis.privacy.restore import RESTORED
from chassis.subject_access import telling
from contracts.commands.notifications import (
    AcknowledgeAlert,
    CancelDuty,
    EnterClientCode,
    GetAlertLink,
    GetClientLink,
    GetRota,
    GetRotaPlan,
    GiveClientCode,
    KeepStaff,
    ListAlerts,
    ListMessages,
    ListOutcomes,
    ListTestAlerts,
    PlanDuty,
    PlanLeave,
    RecordOutcome,
    RenewIntroduction,
    SendClientCode,
    SendTestAlert,
    ShowWording,
    WriteToClient,
)
from contracts.commands.snapshots import ListSnapshots
from contracts.commands.subject import GetSubjectData, ReadOutcomes
from contracts.events.accounts import LetterTested, StaffInvited, StaffTold
from contracts.events.billing import (
    AttendanceUnrecorded,
    FirstSessionAttended,
    MembershipLapsed,
    MembershipReminded,
    MembershipRenewed,
    MembershipStarted,
    PaymentReceived,
    PaymentReversed,
    ReferralFeeCharged,
    ReferralFeeCredited,
    ReferralFeeCreditReversed,
    SessionReversed,
    SubsidyApproved,
    SubsidyAssigned,
    SubsidyDeclined,
    SubsidyResumed,
    SubsidyWaitlisted,
)
from contracts.events.evaluation import EvaluationInvitationCancelled, EvaluationInvited
from contracts.events.intake import (
    AgreementAwaited,
    AnotherTherapistWanted,
    AssessmentOverdue,
    ContactChangeNoted,
    ContactReleased,
    CourseAwaited,
    ErasureOverdue,
    HelpRequestRefused,
    ReadingsStopped,
    ReferralClosed,
    ReferralErased,
    ReferralHeld,
    ReferralReceived,
    ReferralReopened,
    ReferralResumed,
    ReferralSignposted,
    ReferralWithdrawn,
    SafeguardingConcernRaised,
)
from contracts.events.matching import (
    MatchEnded,
    MatchEndUndone,
    MatchingStalled,
    OfferWithdrawn,
    TherapistContactChanged,
    TherapistMatched,
    TherapistNotAnswering,
    TherapistOffered,
    TherapistReinstated,
    TherapistSuspended,
)
from contracts.events.web import AlertAnswered, TherapyReported
from contracts.vocabulary import Channel
from services.notifications import dependencies, subject_access
from services.notifications.handlers import (
    accounts,
    address_book,
    alarms,
    alerts,
    bounces,
    client_messages,
    commands,
    digests,
    erasure,
    introduction_page,
    introductions,
    office_messages,
    queries,
    receipts,
    restore,
    rota,
    sending,
    snapshots,
    therapist_messages,
    trying_out,
    writing,
)
from services.notifications.store import tables

AT_ONCE = 32
"""Of what is not urgent: an alert waits until these are done with, and for nothing else that is ordinary."""


class NotificationsService:
    """Writes to clients, therapists and the charity's people, and never in a way that is not safe for the reader."""

    name = "notifications"
    chassis = Chassis(
        metadata=tables.metadata,
        dependencies=dependencies.build,
        tell_of_readings=office_messages.notify_office_of_own_readings,
        alarms={"safeguarding_unreached": alarms.unreached, "put_aside": alarms.put_aside},
        webhooks={
            "/receipts/texts": receipts.receipts_for(Channel.TEXT),
            "/receipts/letters": receipts.receipts_for(Channel.LETTER),
        },
    )

    inbox = lane(
        "inbox",
        on(
            ContactReleased,
            address_book.record_contact,
            idempotent_by="the number of the newest address; an introduction: referral and therapist",
        ),
        on(StaffInvited, accounts.send_link, idempotent_by="account_id and when the link ends"),
        on(StaffTold, accounts.tell, idempotent_by="notice_id"),
        on(LetterTested, accounts.send_test, idempotent_by="test_id of the letter"),
        on(ReferralWithdrawn, address_book.withdraw, idempotent_by="referral_id, which is withdrawn once"),
        on(ReferralReopened, address_book.reopen, idempotent_by="the number of intake's newest word on it"),
        on(ReferralReceived, office_messages.notify_office_of_request, idempotent_by="referral_id"),
        on(HelpRequestRefused, office_messages.notify_office_of_unreadable, idempotent_by="submission_id"),
        on(AgreementAwaited, office_messages.ask_for_agreement),
        on(
            ReferralResumed,
            office_messages.stop_asking_for_agreement,
            idempotent_by="the number of intake's newest word on it",
        ),
        on(ContactChangeNoted, client_messages.notify_of_contact_change),
        on(CourseAwaited, office_messages.notify_office_of_course),
        on(ReferralHeld, office_messages.stop_asking_whoever_waits_for_a_course),
        on(AnotherTherapistWanted, office_messages.notify_office_of_change_of_therapist),
        on(ReferralErased, erasure.forget),
        on(ReferralSignposted, address_book.signpost),
        on(ReferralClosed, address_book.close),
        on(
            TherapistContactChanged,
            address_book.record_therapist_contact,
            idempotent_by="the number of the newest address",
        ),
        on(TherapistOffered, therapist_messages.send_offer, idempotent_by="offer_id"),
        on(OfferWithdrawn, therapist_messages.withdraw_offer, idempotent_by="offer_id"),
        on(TherapistMatched, introductions.note_match, idempotent_by="match_id"),
        on(
            MatchEnded,
            introductions.note_end,
            idempotent_by="match_id and the number of the newest word on its end",
        ),
        on(
            MatchEndUndone,
            introductions.note_end_undone,
            idempotent_by="match_id and the number of the newest word on its end",
        ),
        on(
            FirstSessionAttended,
            introductions.note_first_session,
            idempotent_by="match_id and the number of the newest word on its sessions",
        ),
        on(
            SessionReversed,
            introductions.note_session_reversed,
            idempotent_by="match_id and the number of the newest word on its sessions",
        ),
        on(
            TherapyReported,
            introductions.record_therapy_report,
            idempotent_by="match_id and what is reported, which is passed on until somebody says that it is so",
        ),
        on(AssessmentOverdue, office_messages.notify_office_of_overdue_assessment, idempotent_by="referral_id"),
        on(ReadingsStopped, office_messages.notify_office_of_readings, idempotent_by="stop_id, told once"),
        on(ErasureOverdue, office_messages.notify_office_of_overdue_erasure, idempotent_by="referral_id"),
        on(
            MatchingStalled,
            office_messages.notify_office_of_stall,
            idempotent_by="the referral and since when it waits",
        ),
        on(
            TherapistNotAnswering,
            office_messages.notify_office_of_silence,
            idempotent_by="the therapist and the number of the word on it",
        ),
        on(
            TherapistSuspended,
            therapist_messages.notify_of_suspension,
            idempotent_by="the therapist and the number of the newest word on it",
        ),
        on(
            TherapistReinstated,
            therapist_messages.notify_of_reinstatement,
            idempotent_by="the therapist and the number of the newest word on it",
        ),
        on(MembershipStarted, therapist_messages.notify_of_membership, idempotent_by="invoice_id"),
        on(MembershipRenewed, therapist_messages.notify_of_renewal, idempotent_by="invoice_id"),
        on(MembershipReminded, therapist_messages.notify_of_reminder, idempotent_by="invoice_id and the day it lapses"),
        on(MembershipLapsed, therapist_messages.notify_of_lapse, idempotent_by="invoice_id"),
        on(ReferralFeeCharged, therapist_messages.notify_of_referral_fee, idempotent_by="invoice_id"),
        on(ReferralFeeCredited, therapist_messages.notify_of_credit, idempotent_by="credit_note_id"),
        on(ReferralFeeCreditReversed, therapist_messages.notify_of_fee_owed_again, idempotent_by="credit_note_id"),
        on(PaymentReceived, therapist_messages.send_receipt, idempotent_by="payment_id"),
        on(PaymentReversed, therapist_messages.notify_of_reversed_payment, idempotent_by="payment_id"),
        on(SubsidyApproved, client_messages.notify_client_of_subsidy),
        on(SubsidyResumed, client_messages.note_subsidy_resumed),
        on(
            SubsidyWaitlisted,
            client_messages.notify_client_of_subsidy_wait,
            idempotent_by="the referral and the number of the newest word on its subsidy",
        ),
        on(
            SubsidyDeclined,
            client_messages.notify_client_of_subsidy_decline,
            idempotent_by="the referral and the number of the newest word on its subsidy",
        ),
        on(SubsidyAssigned, therapist_messages.notify_of_award, idempotent_by="award_id and match_id"),
        on(AttendanceUnrecorded, office_messages.notify_office_of_unrecorded_attendance, idempotent_by="match_id"),
        on(
            EvaluationInvited,
            client_messages.ask_for_form,
            idempotent_by="invitation_id, when they were asked, and which reminder",
        ),
        on(
            EvaluationInvitationCancelled,
            client_messages.stop_asking_for_form,
            idempotent_by="invitation_id, and when they were asked",
        ),
        at_most=AT_ONCE,
    )
    urgent = lane(
        "urgent",
        on(SafeguardingConcernRaised, alerts.raise_alert, idempotent_by="concern_id"),
        on(AlertAnswered, alerts.record_alert_answer, idempotent_by="concern_id, which is taken in hand once"),
    )
    timers = schedule(
        due("escalate_alert", alerts.escalate_alert),
        due("shout", alerts.report_unreached),
        due("look_at_rota", rota.check_rota),
        due("forget_client", address_book.forget_client),
        due("take_back", bounces.fail_undelivered_later),
        due(RESTORED, restore.forget_restored),
        side_effect(
            "read_bounces",
            perform=bounces.read_bounces,
            record=bounces.record_bounces,
            failed=bounces.read_bounces_later,
        ),
        side_effect(
            "send_alert",
            perform=sending.deliver,
            flush=sending.flush_mail,
            record=alerts.record_alert_sent,
            failed=alerts.record_alert_failed,
            urgent=True,
        ).prefetch(read=sending.read_ahead, lock=sending.lock_ahead),
        side_effect(
            "send_digest",
            perform=digests.send_digest,
            flush=sending.flush_mail,
            record=digests.record_digest,
            failed=digests.record_digest_failed,
        ),
        side_effect(
            "send_message",
            perform=sending.deliver,
            flush=sending.flush_mail,
            record=sending.record_sent,
            failed=sending.record_failed,
        ).prefetch(read=sending.read_ahead, lock=sending.lock_ahead),
    )

    acknowledge_alert = command(AcknowledgeAlert, commands.acknowledge_alert)
    open_client = command(GetClientLink, introduction_page.open_client)
    send_client_code = command(SendClientCode, introduction_page.send_client_code)
    enter_client_code = command(EnterClientCode, introduction_page.enter_client_code)
    renew_introduction = command(RenewIntroduction, introduction_page.renew_introduction)
    give_client_code = command(GiveClientCode, introduction_page.give_client_code)
    open_alert = command(GetAlertLink, queries.open_alert)
    alerts = command(ListAlerts, queries.list_alerts)
    record_outcome = command(RecordOutcome, commands.record_outcome)
    outcomes = command(ListOutcomes, queries.list_outcomes)
    keep_staff = command(KeepStaff, rota.save_staff)
    plan_duty = command(PlanDuty, rota.plan_duty)
    cancel_duty = command(CancelDuty, rota.cancel_duty)
    plan_leave = command(PlanLeave, rota.plan_leave)
    rota = command(GetRota, queries.show_rota)
    rota_plan = command(GetRotaPlan, queries.show_rota_plan)
    messages = command(ListMessages, queries.list_messages)
    wording = command(ShowWording, queries.show_wording)
    write_to_client = command(WriteToClient, writing.write_to_client)
    test_alert = command(SendTestAlert, trying_out.send_test_alert)
    test_alerts = command(ListTestAlerts, trying_out.list_test_alerts)
    about_subject = command(GetSubjectData, telling(subject_access.tell, subject_access.tell_writer))
    read_outcomes = command(ReadOutcomes, subject_access.read_outcomes)
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
