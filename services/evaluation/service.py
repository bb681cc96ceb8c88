"""The evaluation service: a table of contents."""

from __future__ import annotations

from chassis.host.entrypoints import (
    Chassis,
    auditor,
    command,
    discarder,
    due,
    exporter,
    health_check,
    lane,
    lister,
    on,
    replayer,
    schedule,
    shower,
    story_teller,
)
from chassis.subject_access import telling
from contracts.commands.evaluation import (
    AskFormLink,
    EnterAnswers,
    ListInvitations,
    ListUnreadableForms,
    RetryUnreadableForm,
    ShowForm,
    SummariseEvaluation,
)
from contracts.commands.subject import AboutSubject
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
from services.evaluation import commands, dependencies, handlers, links, privacy, store, subject

NEWEST = "the number of intake's newest word on it"


class EvaluationService:
    """Asks clients and therapists how it goes, scores what they say, and reports what changes, never about whom."""

    name = "evaluation"
    chassis = Chassis(metadata=store.metadata, dependencies=dependencies.build)

    inbox = lane(
        "inbox",
        on(ReferralReceived, handlers.note_referral, idempotent_by=NEWEST),
        on(ReferralAssessed, handlers.note_age, idempotent_by="referral_id"),
        on(SafeguardingConcernRaised, handlers.note_concern, idempotent_by="concern_id"),
        on(SafeguardingOutcomeRecorded, handlers.note_outcome, idempotent_by="concern_id"),
        on(ReferralWithdrawn, handlers.stop_withdrawn, idempotent_by=NEWEST),
        on(ReferralReopened, handlers.note_reopened, idempotent_by=NEWEST),
        on(ReferralErased, privacy.forget),
        on(TherapistMatched, handlers.ask_at_start, idempotent_by="match_id"),
        on(MatchEnded, handlers.ask_at_end, idempotent_by="match_id, and when it ended"),
        on(MatchEndUndone, handlers.note_end_undone, idempotent_by="match_id, and when that was undone"),
        on(EvaluationReturned, handlers.take_form, idempotent_by="the mark of the form's answers"),
    )
    timers = schedule(
        due("invite_to_review", handlers.invite_to_review),
        due("invite_to_follow_up", handlers.invite_to_follow_up),
        due("chase", handlers.chase),
    )

    open_form = command(AskFormLink, links.open_form)
    show_form = command(ShowForm, links.show_form)
    enter_answers = command(EnterAnswers, links.enter_answers)
    unreadable_forms = command(ListUnreadableForms, links.list_unreadable)
    retry_unreadable_form = command(RetryUnreadableForm, links.retry_unreadable)
    invitations = command(ListInvitations, commands.list_invitations)
    summary = command(SummariseEvaluation, commands.summarise)
    about_subject = command(AboutSubject, telling(subject.tell))
    health = health_check()
    story = story_teller()
    audit = auditor()
    list_dead_letters = lister()
    show_dead_letters = shower()
    export_dead_letters = exporter()
    replay_dead_letters = replayer()
    discard_dead_letters = discarder()
