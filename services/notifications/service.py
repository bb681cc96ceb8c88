"""The notifications service: a table of contents."""

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
    side_effect,
)
from chassis.privacy.restore import RESTORED
from chassis.subject_access import telling
from contracts.commands.notifications import (
    AcknowledgeAlert,
    AskAlertLink,
    AskClientLink,
    CancelDuty,
    EnterClientCode,
    GiveClientCode,
    KeepStaff,
    ListAlerts,
    ListMessages,
    ListOutcomes,
    PlanDuty,
    PlanLeave,
    RecordOutcome,
    SendClientCode,
    ShowRota,
)
from contracts.commands.subject import AboutSubject, ReadOutcomes
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
    SubsidyWaitlisted,
)
from contracts.events.evaluation import EvaluationInvitationCancelled, EvaluationInvited
from contracts.events.intake import (
    AgreementAwaited,
    AnotherTherapistWanted,
    AssessmentOverdue,
    ContactChangeNoted,
    ContactReleased,
    ErasureOverdue,
    HelpRequestRefused,
    ReferralClosed,
    ReferralErased,
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
from services.notifications import (
    alarms,
    commands,
    dependencies,
    handlers,
    introductions,
    links,
    rota_commands,
    store,
    subject,
)

AT_ONCE = 32
"""Of what is not urgent: an alert waits until these are done with, and for nothing else that is ordinary."""


class NotificationsService:
    """Writes to clients, therapists and the charity's people, and never in a way that is not safe for the reader."""

    name = "notifications"
    chassis = Chassis(
        metadata=store.metadata,
        dependencies=dependencies.build,
        alarms={"safeguarding_unreached": alarms.unreached, "put_aside": alarms.put_aside},
        webhooks={
            "/receipts/texts": handlers.receipts_for(Channel.TEXT),
            "/receipts/letters": handlers.receipts_for(Channel.LETTER),
        },
    )

    inbox = lane(
        "inbox",
        on(
            ContactReleased,
            handlers.keep_contact,
            idempotent_by="the number of the newest address; an introduction: referral and therapist",
        ),
        on(ReferralWithdrawn, handlers.withdraw, idempotent_by="referral_id, which is withdrawn once"),
        on(ReferralReopened, handlers.reopen, idempotent_by="the number of intake's newest word on it"),
        on(ReferralReceived, handlers.tell_office_of_request, idempotent_by="referral_id"),
        on(HelpRequestRefused, handlers.tell_office_of_unreadable, idempotent_by="submission_id"),
        on(AgreementAwaited, handlers.ask_for_agreement),
        on(ReferralResumed, handlers.agreement_came, idempotent_by="the number of intake's newest word on it"),
        on(ContactChangeNoted, handlers.tell_of_contact_change),
        on(AnotherTherapistWanted, handlers.tell_office_of_wish),
        on(ReferralErased, handlers.forget),
        on(ReferralSignposted, handlers.signpost),
        on(ReferralClosed, handlers.close),
        on(
            TherapistContactChanged,
            handlers.keep_therapist_contact,
            idempotent_by="the number of the newest address",
        ),
        on(TherapistOffered, handlers.send_offer, idempotent_by="offer_id"),
        on(OfferWithdrawn, handlers.take_offer_back, idempotent_by="offer_id"),
        on(TherapistMatched, handlers.note_match, idempotent_by="match_id"),
        on(MatchEnded, handlers.note_end, idempotent_by="match_id and the number of the newest word on its end"),
        on(
            MatchEndUndone,
            handlers.note_end_undone,
            idempotent_by="match_id and the number of the newest word on its end",
        ),
        on(
            FirstSessionAttended,
            handlers.note_first_session,
            idempotent_by="match_id and the number of the newest word on its sessions",
        ),
        on(
            SessionReversed,
            handlers.note_session_reversed,
            idempotent_by="match_id and the number of the newest word on its sessions",
        ),
        on(
            TherapyReported,
            introductions.take_therapy_report,
            idempotent_by="match_id and what is reported, which is passed on until somebody says that it is so",
        ),
        on(AssessmentOverdue, handlers.tell_office_of_overdue_assessment, idempotent_by="referral_id"),
        on(ErasureOverdue, handlers.tell_office_of_overdue_erasure, idempotent_by="referral_id"),
        on(MatchingStalled, handlers.tell_office_of_stall, idempotent_by="the referral and since when it waits"),
        on(
            TherapistNotAnswering,
            handlers.tell_office_of_silence,
            idempotent_by="the therapist and the number of the word on it",
        ),
        on(
            TherapistSuspended,
            handlers.tell_of_suspension,
            idempotent_by="the therapist and the number of the newest word on it",
        ),
        on(
            TherapistReinstated,
            handlers.tell_of_reinstatement,
            idempotent_by="the therapist and the number of the newest word on it",
        ),
        on(MembershipStarted, handlers.tell_of_membership, idempotent_by="invoice_id"),
        on(MembershipRenewed, handlers.tell_of_renewal, idempotent_by="invoice_id"),
        on(MembershipReminded, handlers.tell_of_reminder, idempotent_by="invoice_id and the day it lapses"),
        on(MembershipLapsed, handlers.tell_of_lapse, idempotent_by="invoice_id"),
        on(ReferralFeeCharged, handlers.tell_of_referral_fee, idempotent_by="invoice_id"),
        on(ReferralFeeCredited, handlers.tell_of_credit, idempotent_by="credit_note_id"),
        on(ReferralFeeCreditReversed, handlers.tell_of_fee_owed_again, idempotent_by="credit_note_id"),
        on(PaymentReceived, handlers.send_receipt, idempotent_by="payment_id"),
        on(PaymentReversed, handlers.tell_of_reversed_payment, idempotent_by="payment_id"),
        on(SubsidyApproved, handlers.tell_client_of_subsidy),
        on(
            SubsidyWaitlisted,
            handlers.tell_client_of_subsidy_wait,
            idempotent_by="the referral and the number of the newest word on its subsidy",
        ),
        on(
            SubsidyDeclined,
            handlers.tell_client_of_subsidy_decline,
            idempotent_by="the referral and the number of the newest word on its subsidy",
        ),
        on(SubsidyAssigned, handlers.tell_of_award, idempotent_by="award_id and match_id"),
        on(AttendanceUnrecorded, handlers.tell_office_of_unrecorded_attendance, idempotent_by="match_id"),
        on(
            EvaluationInvited,
            handlers.ask_for_form,
            idempotent_by="invitation_id, when they were asked, and which reminder",
        ),
        on(
            EvaluationInvitationCancelled,
            handlers.stop_asking_for_form,
            idempotent_by="invitation_id, and when they were asked",
        ),
        at_most=AT_ONCE,
    )
    urgent = lane(
        "urgent",
        on(SafeguardingConcernRaised, handlers.raise_alert, idempotent_by="concern_id"),
        on(AlertAnswered, links.take_alert_answer, idempotent_by="concern_id, which is taken in hand once"),
    )
    timers = schedule(
        due("escalate_alert", handlers.escalate_alert),
        due("shout", handlers.shout),
        due("look_at_rota", handlers.look_at_rota),
        due("forget_client", handlers.forget_client),
        due("take_back", handlers.take_back_later),
        due(RESTORED, handlers.forget_again),
        side_effect(
            "read_bounces",
            perform=handlers.read_bounces,
            record=handlers.record_bounces,
            failed=handlers.read_bounces_later,
        ),
        side_effect(
            "send_alert",
            perform=handlers.deliver,
            flush=handlers.keep_mail,
            record=handlers.record_alert_sent,
            failed=handlers.record_alert_failed,
            urgent=True,
        ).prefetch(read=handlers.read_ahead, lock=handlers.lock_ahead),
        side_effect(
            "send_digest",
            perform=handlers.send_digest,
            flush=handlers.keep_mail,
            record=handlers.record_digest,
            failed=handlers.record_digest_failed,
        ),
        side_effect(
            "send_message",
            perform=handlers.deliver,
            flush=handlers.keep_mail,
            record=handlers.record_sent,
            failed=handlers.record_failed,
        ).prefetch(read=handlers.read_ahead, lock=handlers.lock_ahead),
    )

    acknowledge_alert = command(AcknowledgeAlert, commands.acknowledge_alert)
    open_client = command(AskClientLink, introductions.open_client)
    send_client_code = command(SendClientCode, introductions.send_client_code)
    enter_client_code = command(EnterClientCode, introductions.enter_client_code)
    give_client_code = command(GiveClientCode, introductions.give_client_code)
    open_alert = command(AskAlertLink, links.open_alert)
    alerts = command(ListAlerts, commands.list_alerts)
    record_outcome = command(RecordOutcome, commands.record_outcome)
    outcomes = command(ListOutcomes, commands.list_outcomes)
    keep_staff = command(KeepStaff, rota_commands.keep_staff)
    plan_duty = command(PlanDuty, rota_commands.plan_duty)
    cancel_duty = command(CancelDuty, rota_commands.cancel_duty)
    plan_leave = command(PlanLeave, rota_commands.plan_leave)
    rota = command(ShowRota, rota_commands.show_rota)
    messages = command(ListMessages, commands.list_messages)
    about_subject = command(AboutSubject, telling(subject.tell, subject.tell_writer))
    read_outcomes = command(ReadOutcomes, subject.read_outcomes)
    health = health_check()
    story = event_log_query()
    audit = audit_query()
    list_dead_letters = dead_letter_list()
    show_dead_letters = dead_letter_view()
    export_dead_letters = dead_letter_export()
    replay_dead_letters = dead_letter_replay()
    discard_dead_letters = dead_letter_discard()
