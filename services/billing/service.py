"""Billing's table of contents."""

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
from chassis.subject_access import telling
from contracts.commands.billing import (
    AllowFurtherAward,
    ConfirmArea,
    DrawDown,
    ListFunds,
    ListUnrecordedAttendance,
    OpenFund,
    RecordAttendance,
    RecordNeverAttended,
    RecordPayment,
    ReversePayment,
    ReverseSession,
    ShowTrialBalance,
    SubsidyOf,
    TherapistAccountOf,
)
from contracts.commands.subject import AboutSubject
from contracts.events.intake import (
    ReferralAssessed,
    ReferralClosed,
    ReferralErased,
    ReferralReceived,
    ReferralReopened,
    ReferralSignposted,
    ReferralWithdrawn,
)
from contracts.events.matching import (
    MatchEnded,
    MatchEndUndone,
    MatchingStalled,
    TherapistAdmitted,
    TherapistFeeChanged,
    TherapistMatched,
)
from contracts.events.notifications import TherapyReportAccepted
from services.billing import handlers, settings, store, subject


class BillingService:
    """Charges therapists, awards subsidies, keeps the books."""

    name = "billing"
    chassis = Chassis(metadata=store.metadata, dependencies=settings.read)

    inbox = lane(
        "inbox",
        on(
            ReferralReceived,
            handlers.note_referral,
            idempotent_by="the number of intake's newest word on the referral",
        ),
        on(ReferralAssessed, handlers.note_assessment, idempotent_by="referral_id, which is assessed once"),
        on(ReferralWithdrawn, handlers.withdraw, idempotent_by="the number of the referral's ending"),
        on(ReferralSignposted, handlers.signpost, idempotent_by="the number of the referral's ending"),
        on(ReferralClosed, handlers.close, idempotent_by="the number of the referral's ending"),
        on(ReferralErased, handlers.forget),
        on(ReferralReopened, handlers.reopen, idempotent_by="the number of the referral's ending"),
        on(TherapistAdmitted, handlers.open_account, idempotent_by="therapist_id"),
        on(TherapistFeeChanged, handlers.note_changed_fee, idempotent_by="the fee, which is tried anew at most"),
        on(TherapistMatched, handlers.charge_match, idempotent_by="match_id"),
        on(MatchEnded, handlers.end_match, idempotent_by="match_id, and when it ended"),
        on(MatchEndUndone, handlers.undo_match_end, idempotent_by="match_id, and when that was undone"),
        on(MatchingStalled, handlers.note_stall, idempotent_by="referral_id, whose award is given back once"),
        on(
            TherapyReportAccepted,
            handlers.take_therapy_report,
            idempotent_by="match_id and what is reported; a session also by when that was said",
        ),
    )

    timers = schedule(
        due("renew_membership", handlers.renew_membership),
        due("remind_of_membership", handlers.remind_of_membership),
        due("lapse_membership", handlers.lapse_membership),
        due("start_fund", handlers.start_fund),
        due("end_fund", handlers.end_fund),
        due("release_award", handlers.release_award),
        due("award_not_begun", handlers.release_unbegun_award),
        due("ask_attendance", handlers.ask_attendance),
        due("serve_waiting_list", handlers.serve_waiting_list),
    )

    open_fund = command(OpenFund, handlers.open_fund)
    funds = command(ListFunds, handlers.list_funds)
    record_payment = command(RecordPayment, handlers.record_payment)
    draw_down = command(DrawDown, handlers.draw_down)
    record_attendance = command(RecordAttendance, handlers.record_attendance)
    record_never_attended = command(RecordNeverAttended, handlers.record_never_attended)
    unrecorded_attendance = command(ListUnrecordedAttendance, handlers.unrecorded_attendance)
    reverse_payment = command(ReversePayment, handlers.reverse_payment)
    reverse_session = command(ReverseSession, handlers.reverse_session)
    allow_further_award = command(AllowFurtherAward, handlers.allow_further_award)
    confirm_area = command(ConfirmArea, handlers.confirm_area)
    subsidy_of = command(SubsidyOf, handlers.subsidy_of)
    therapist_account = command(TherapistAccountOf, handlers.therapist_account)
    trial_balance = command(ShowTrialBalance, handlers.trial_balance)
    about_subject = command(AboutSubject, telling(subject.tell))

    health = health_check()
    story = event_log_query()
    audit = audit_query()
    list_dead_letters = dead_letter_list()
    show_dead_letters = dead_letter_view()
    export_dead_letters = dead_letter_export()
    replay_dead_letters = dead_letter_replay()
    discard_dead_letters = dead_letter_discard()
