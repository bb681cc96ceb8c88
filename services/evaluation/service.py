"""The evaluation service: a table of contents."""

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
from contracts.commands.evaluation import (
    EnterAnswers,
    GetForm,
    GetFormLink,
    ListInvitations,
    ListUnreadableForms,
    RetryUnreadableForm,
    SummariseEvaluation,
)
from contracts.commands.subject import GetSubjectData
from contracts.events.intake import (
    ReferralAssessed,
    ReferralErased,
    ReferralReceived,
    ReferralReopened,
    ReferralWithdrawn,
    SafeguardingConcernRaised,
)
from contracts.events.matching import MatchEnded, MatchEndUndone, TherapistMatched
from contracts.events.notifications import SafeguardingOutcomeRecorded
from contracts.events.web import EvaluationReturned
from services.evaluation import dependencies, subject_access
from services.evaluation.handlers import commands, erasure, events, queries, timers
from services.evaluation.store import tables

NEWEST = "the number of intake's newest word on it"


class EvaluationService:
    """Asks clients and therapists how it goes, scores what they say, and reports what changes, never about whom."""

    name = "evaluation"
    chassis = Chassis(metadata=tables.metadata, dependencies=dependencies.build)

    inbox = lane(
        "inbox",
        on(ReferralReceived, events.note_referral, idempotent_by=NEWEST),
        on(ReferralAssessed, events.note_age, idempotent_by="referral_id"),
        on(SafeguardingConcernRaised, events.note_concern, idempotent_by="concern_id"),
        on(SafeguardingOutcomeRecorded, events.note_outcome, idempotent_by="concern_id"),
        on(ReferralWithdrawn, events.stop_withdrawn, idempotent_by=NEWEST),
        on(ReferralReopened, events.note_reopened, idempotent_by=NEWEST),
        on(ReferralErased, erasure.forget),
        on(TherapistMatched, events.ask_at_start, idempotent_by="match_id"),
        on(MatchEnded, events.ask_at_end, idempotent_by="match_id, and when it ended"),
        on(MatchEndUndone, events.note_end_undone, idempotent_by="match_id, and when that was undone"),
        on(EvaluationReturned, events.take_form, idempotent_by="the mark of the form's answers"),
    )
    timers = schedule(
        due("invite_to_review", timers.invite_to_review),
        due("invite_to_follow_up", timers.invite_to_follow_up),
        due("chase", timers.chase),
    )

    open_form = command(GetFormLink, queries.open_form)
    show_form = command(GetForm, queries.show_form)
    enter_answers = command(EnterAnswers, commands.enter_answers)
    unreadable_forms = command(ListUnreadableForms, queries.list_unreadable)
    retry_unreadable_form = command(RetryUnreadableForm, commands.retry_unreadable)
    invitations = command(ListInvitations, queries.list_invitations)
    summary = command(SummariseEvaluation, queries.summarise)
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
