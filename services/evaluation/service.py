"""The evaluation service: a table of contents."""

from __future__ import annotations

from chassis.host.service import Ports, auditor, command, due, health_check, lane, on, schedule, story_teller
from chassis.telling import telling
from contracts.commands.evaluation import AskForm, ListInvitations, SummariseEvaluation
from contracts.commands.subject import AboutSubject
from contracts.events.intake import ReferralErased, ReferralReceived, ReferralWithdrawn
from contracts.events.matching import MatchEnded, TherapistMatched
from contracts.events.web import EvaluationReturned
from services.evaluation import commands, handlers, privacy, store, subject, tools


class EvaluationService:
    """Asks clients and therapists how it goes, scores what they say, and reports what changes, never about whom."""

    name = "evaluation"
    ports = Ports(metadata=store.metadata, tools=tools.build)

    inbox = lane(
        "inbox",
        on(ReferralReceived, handlers.note_referral, safe_by_business_key="referral_id"),
        on(ReferralWithdrawn, handlers.stop_withdrawn, safe_by_business_key="referral_id, which is withdrawn once"),
        on(ReferralErased, privacy.forget),
        on(TherapistMatched, handlers.ask_at_start, safe_by_business_key="match_id"),
        on(MatchEnded, handlers.ask_at_end, safe_by_business_key="match_id, which ends once"),
        on(EvaluationReturned, handlers.take_form, safe_by_business_key="the mark of the form's answers"),
    )
    timers = schedule(
        due("invite_to_review", handlers.invite_to_review),
        due("invite_to_follow_up", handlers.invite_to_follow_up),
    )

    form = command(AskForm, commands.ask_form)
    invitations = command(ListInvitations, commands.list_invitations)
    summary = command(SummariseEvaluation, commands.summarise)
    about_subject = command(AboutSubject, telling(subject.tell))
    health = health_check()
    story = story_teller()
    audit = auditor()
