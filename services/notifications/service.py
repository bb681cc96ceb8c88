"""The notifications service: a table of contents."""

from __future__ import annotations

from chassis.host.service import Ports, auditor, command, due, effect, health_check, lane, on, schedule, story_teller
from chassis.store.restored import RESTORED
from chassis.telling import telling
from contracts.commands.notifications import (
    AcknowledgeAlert,
    CancelDuty,
    KeepStaff,
    ListAlerts,
    ListMessages,
    ListOutcomes,
    PlanDuty,
    PlanLeave,
    RecordOutcome,
    ShowRota,
)
from contracts.commands.subject import AboutSubject, ReadOutcomes
from contracts.events.billing import (
    MembershipLapsed,
    MembershipRenewed,
    MembershipStarted,
    PaymentReceived,
    ReferralFeeCharged,
    ReferralFeeCredited,
    SubsidyApproved,
    SubsidyWaitlisted,
)
from contracts.events.evaluation import EvaluationInvited
from contracts.events.intake import (
    AssessmentOverdue,
    ContactReleased,
    ErasureOverdue,
    ReferralClosed,
    ReferralErased,
    ReferralSignposted,
    ReferralWithdrawn,
    SafeguardingConcernRaised,
)
from contracts.events.matching import (
    MatchingStalled,
    OfferWithdrawn,
    TherapistContactChanged,
    TherapistMatched,
    TherapistOffered,
    TherapistReinstated,
    TherapistSuspended,
)
from services.notifications import commands, handlers, rota_commands, store, subject, tools

AT_ONCE = 32
"""Of what is not urgent: an alert waits until these are done with, and for nothing else that is ordinary."""


class NotificationsService:
    """Writes to clients, therapists and the charity's people, and never in a way that is not safe for the reader."""

    name = "notifications"
    ports = Ports(
        metadata=store.metadata,
        tools=tools.build,
        alarms={"safeguarding_unreached": store.count_unreached},
    )

    inbox = lane(
        "inbox",
        on(
            ContactReleased,
            handlers.keep_contact,
            safe_by_business_key="the number of the newest address; an introduction: referral and therapist",
        ),
        on(ReferralWithdrawn, handlers.withdraw, safe_by_business_key="referral_id, which is withdrawn once"),
        on(ReferralErased, handlers.forget),
        on(ReferralSignposted, handlers.signpost),
        on(ReferralClosed, handlers.close),
        on(
            TherapistContactChanged,
            handlers.keep_therapist_contact,
            safe_by_business_key="the number of the newest address",
        ),
        on(TherapistOffered, handlers.send_offer, safe_by_business_key="offer_id"),
        on(OfferWithdrawn, handlers.take_offer_back, safe_by_business_key="offer_id"),
        on(TherapistMatched, handlers.tell_client_of_match, safe_by_business_key="match_id"),
        on(AssessmentOverdue, handlers.tell_office_of_overdue_assessment, safe_by_business_key="referral_id"),
        on(ErasureOverdue, handlers.tell_office_of_overdue_erasure, safe_by_business_key="referral_id"),
        on(MatchingStalled, handlers.tell_office_of_stall, safe_by_business_key="the referral and since when it waits"),
        on(
            TherapistSuspended,
            handlers.tell_of_suspension,
            safe_by_business_key="the therapist and the number of the newest word on it",
        ),
        on(
            TherapistReinstated,
            handlers.tell_of_reinstatement,
            safe_by_business_key="the therapist and the number of the newest word on it",
        ),
        on(MembershipStarted, handlers.tell_of_membership, safe_by_business_key="invoice_id"),
        on(MembershipRenewed, handlers.tell_of_renewal, safe_by_business_key="invoice_id"),
        on(MembershipLapsed, handlers.tell_of_lapse, safe_by_business_key="invoice_id"),
        on(ReferralFeeCharged, handlers.tell_of_referral_fee, safe_by_business_key="invoice_id"),
        on(ReferralFeeCredited, handlers.tell_of_credit, safe_by_business_key="credit_note_id"),
        on(PaymentReceived, handlers.send_receipt, safe_by_business_key="payment_id"),
        on(SubsidyApproved, handlers.tell_client_of_subsidy),
        on(SubsidyWaitlisted, handlers.tell_client_of_subsidy_wait, safe_by_business_key="the referral and the reason"),
        on(EvaluationInvited, handlers.ask_for_form, safe_by_business_key="invitation_id"),
        at_most=AT_ONCE,
    )
    urgent = lane(
        "urgent",
        on(SafeguardingConcernRaised, handlers.raise_alert, safe_by_business_key="concern_id"),
    )
    timers = schedule(
        due("escalate_alert", handlers.escalate_alert),
        due("shout", handlers.shout),
        due("look_at_rota", handlers.look_at_rota),
        due("forget_client", handlers.forget_client),
        due(RESTORED, handlers.forget_again),
        effect(
            "read_bounces",
            act=handlers.read_bounces,
            record=handlers.record_bounces,
            failed=handlers.read_bounces_later,
        ),
        effect(
            "send_alert",
            act=handlers.deliver,
            keep=handlers.keep_mail,
            record=handlers.record_alert_sent,
            failed=handlers.record_alert_failed,
            urgent=True,
        ).ahead(read=handlers.read_ahead, lock=handlers.lock_ahead),
        effect(
            "send_digest",
            act=handlers.send_digest,
            keep=handlers.keep_mail,
            record=handlers.record_digest,
            failed=handlers.record_digest_failed,
        ),
        effect(
            "send_message",
            act=handlers.deliver,
            keep=handlers.keep_mail,
            record=handlers.record_sent,
            failed=handlers.record_failed,
        ).ahead(read=handlers.read_ahead, lock=handlers.lock_ahead),
    )

    acknowledge_alert = command(AcknowledgeAlert, commands.acknowledge_alert)
    alerts = command(ListAlerts, commands.list_alerts)
    record_outcome = command(RecordOutcome, commands.record_outcome)
    outcomes = command(ListOutcomes, commands.list_outcomes)
    keep_staff = command(KeepStaff, rota_commands.keep_staff)
    plan_duty = command(PlanDuty, rota_commands.plan_duty)
    cancel_duty = command(CancelDuty, rota_commands.cancel_duty)
    plan_leave = command(PlanLeave, rota_commands.plan_leave)
    rota = command(ShowRota, rota_commands.show_rota)
    messages = command(ListMessages, commands.list_messages)
    about_subject = command(AboutSubject, telling(subject.tell))
    read_outcomes = command(ReadOutcomes, subject.read_outcomes)
    health = health_check()
    story = story_teller()
    audit = auditor()
