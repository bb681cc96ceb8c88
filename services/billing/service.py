"""Billing's table of contents."""

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
from chassis.subject_access import telling
from contracts.commands.billing import (
    AllowFurtherAward,
    ConfirmArea,
    DrawDown,
    GetSubsidy,
    GetTherapistAccount,
    GetTrialBalance,
    ListFunds,
    ListUnrecordedAttendance,
    OpenFund,
    RecordAttendance,
    RecordNeverAttended,
    RecordPayment,
    ReversePayment,
    ReverseSession,
)
from contracts.commands.snapshots import ListSnapshots
from contracts.commands.subject import GetSubjectData
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
from services.billing import dependencies, subject_access
from services.billing.handlers import (
    erasure,
    funding,
    matches,
    payments,
    queries,
    referrals,
    sessions,
    snapshots,
    therapy_reports,
    timers,
)
from services.billing.store import tables


class BillingService:
    """Charges therapists, awards subsidies, keeps the books."""

    name = "billing"
    chassis = Chassis(metadata=tables.metadata, dependencies=dependencies.build)

    inbox = lane(
        "inbox",
        on(
            ReferralReceived,
            referrals.note_referral,
            idempotent_by="the number of intake's newest word on the referral",
        ),
        on(ReferralAssessed, referrals.note_assessment, idempotent_by="referral_id, which is assessed once"),
        on(ReferralWithdrawn, referrals.withdraw, idempotent_by="the number of the referral's ending"),
        on(ReferralSignposted, referrals.signpost, idempotent_by="the number of the referral's ending"),
        on(ReferralClosed, referrals.close, idempotent_by="the number of the referral's ending"),
        on(ReferralErased, erasure.forget),
        on(ReferralReopened, referrals.reopen, idempotent_by="the number of the referral's ending"),
        on(TherapistAdmitted, matches.open_account, idempotent_by="therapist_id"),
        on(TherapistFeeChanged, matches.note_changed_fee, idempotent_by="the fee, which is tried anew at most"),
        on(TherapistMatched, matches.charge_match, idempotent_by="match_id"),
        on(MatchEnded, matches.end_match, idempotent_by="match_id, and when it ended"),
        on(MatchEndUndone, matches.undo_match_end, idempotent_by="match_id, and when that was undone"),
        on(MatchingStalled, matches.note_stall, idempotent_by="referral_id, whose award is given back once"),
        on(
            TherapyReportAccepted,
            therapy_reports.take_therapy_report,
            idempotent_by="match_id and what is reported; a session also by when that was said",
        ),
    )

    timers = schedule(
        due("renew_membership", timers.renew_membership),
        due("remind_of_membership", timers.remind_of_membership),
        due("lapse_membership", timers.lapse_membership),
        due("start_fund", timers.start_fund),
        due("end_fund", timers.end_fund),
        due("release_award", timers.release_award),
        due("award_not_begun", timers.release_unbegun_award),
        due("ask_attendance", timers.ask_attendance),
        due("serve_waiting_list", timers.serve_waiting_list),
    )

    open_fund = command(OpenFund, funding.open_fund)
    funds = command(ListFunds, queries.list_funds)
    record_payment = command(RecordPayment, payments.record_payment)
    draw_down = command(DrawDown, sessions.draw_down)
    record_attendance = command(RecordAttendance, sessions.record_attendance)
    record_never_attended = command(RecordNeverAttended, sessions.record_never_attended)
    unrecorded_attendance = command(ListUnrecordedAttendance, queries.unrecorded_attendance)
    reverse_payment = command(ReversePayment, payments.reverse_payment)
    reverse_session = command(ReverseSession, sessions.reverse_session)
    allow_further_award = command(AllowFurtherAward, funding.allow_further_award)
    confirm_area = command(ConfirmArea, funding.confirm_area)
    subsidy_of = command(GetSubsidy, queries.subsidy_of)
    therapist_account = command(GetTherapistAccount, queries.therapist_account)
    trial_balance = command(GetTrialBalance, queries.trial_balance)
    snapshots = command(ListSnapshots, snapshots.list_snapshots)
    about_subject = command(GetSubjectData, telling(subject_access.tell))

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
