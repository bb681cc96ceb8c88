"""The notifications service: a table of contents."""

from __future__ import annotations

from chassis.host.service import Ports, command, due, effect, health_check, lane, on, schedule, story_teller
from contracts.commands.notifications import AcknowledgeAlert, ListAlerts, ListMessages
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
    ContactReleased,
    ReferralClosed,
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
from services.notifications import commands, handlers, store, tools


class NotificationsService:
    """Writes to clients, therapists and the charity's people, and never in a way that is not safe for the reader."""

    name = "notifications"
    ports = Ports(metadata=store.metadata, tools=tools.build)

    inbox = lane(
        "inbox",
        on(ContactReleased, handlers.keep_contact),
        on(ReferralWithdrawn, handlers.withdraw),
        on(ReferralSignposted, handlers.signpost),
        on(ReferralClosed, handlers.close),
        on(TherapistContactChanged, handlers.keep_therapist_contact),
        on(TherapistOffered, handlers.send_offer),
        on(OfferWithdrawn, handlers.take_offer_back),
        on(TherapistMatched, handlers.tell_client_of_match),
        on(MatchingStalled, handlers.tell_office_of_stall),
        on(TherapistSuspended, handlers.tell_of_suspension),
        on(TherapistReinstated, handlers.tell_of_reinstatement),
        on(MembershipStarted, handlers.tell_of_membership),
        on(MembershipRenewed, handlers.tell_of_renewal),
        on(MembershipLapsed, handlers.tell_of_lapse),
        on(ReferralFeeCharged, handlers.tell_of_referral_fee),
        on(ReferralFeeCredited, handlers.tell_of_credit),
        on(PaymentReceived, handlers.send_receipt),
        on(SubsidyApproved, handlers.tell_client_of_subsidy),
        on(SubsidyWaitlisted, handlers.tell_client_of_subsidy_wait),
        on(EvaluationInvited, handlers.ask_for_form),
    )
    urgent = lane(
        "urgent",
        on(SafeguardingConcernRaised, handlers.raise_alert),
    )
    timers = schedule(
        due("escalate_alert", handlers.escalate_alert),
        due("forget_client", handlers.forget_client),
        effect(
            "send_alert",
            act=handlers.deliver,
            record=handlers.record_alert_sent,
            failed=handlers.record_alert_failed,
        ),
        effect("send_message", act=handlers.deliver, record=handlers.record_sent, failed=handlers.record_failed),
    )

    acknowledge_alert = command(AcknowledgeAlert, commands.acknowledge_alert)
    alerts = command(ListAlerts, commands.list_alerts)
    messages = command(ListMessages, commands.list_messages)
    health = health_check()
    story = story_teller()
