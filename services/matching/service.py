"""The matching service: a table of contents."""

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
from contracts.commands.matching import (
    AcceptOffer,
    AdmitTherapist,
    ChangePlaces,
    ChangeTherapist,
    CountStandings,
    DeclineOffer,
    EndMatch,
    ExplainCandidates,
    GetOfferLink,
    GetOutline,
    GetStanding,
    GetTherapist,
    GetWorkOfTherapist,
    ListOffers,
    ListTherapists,
    ListWaiting,
    OfferToTherapist,
    ReinstateTherapist,
    SuspendTherapist,
    UndoMatchEnd,
)
from contracts.commands.snapshots import ListSnapshots
from contracts.commands.subject import GetSubjectData
from contracts.events.billing import (
    MembershipLapsed,
    MembershipRenewed,
    SubsidyApproved,
    SubsidyDeclined,
    SubsidyReleased,
    SubsidyResumed,
    SubsidyWaitlisted,
)
from contracts.events.intake import (
    ReferralAssessed,
    ReferralClosed,
    ReferralErased,
    ReferralHeld,
    ReferralReceived,
    ReferralReopened,
    ReferralResumed,
    ReferralSignposted,
    ReferralsLinked,
    ReferralsUnlinked,
    ReferralWithdrawn,
    SafeguardingConcernRaised,
)
from contracts.events.notifications import SafeguardingAlertAcknowledged, TherapyReportAccepted
from contracts.events.web import OfferAnswered
from services.matching import dependencies, subject_access
from services.matching.application import timer_names
from services.matching.handlers import (
    choosing,
    commands,
    erasure,
    events,
    lifecycle,
    links,
    queries,
    snapshots,
    therapists,
    timers,
)
from services.matching.store import tables

NEWEST = "the number of intake's newest word on the search"


class MatchingService:
    """Finds the nearest suitable therapist with room, and never turns anybody away."""

    name = "matching"
    chassis = Chassis(metadata=tables.metadata, dependencies=dependencies.build)

    inbox = lane(
        "inbox",
        on(ReferralReceived, events.note_referral, idempotent_by="referral_id"),
        on(ReferralAssessed, events.note_assessment, idempotent_by="the number of the newest assessment"),
        on(ReferralHeld, lifecycle.pause, idempotent_by=NEWEST),
        on(ReferralResumed, lifecycle.resume, idempotent_by=NEWEST),
        on(ReferralReopened, lifecycle.reopen, idempotent_by=NEWEST),
        on(ReferralsLinked, links.note_link, idempotent_by="link_id and intake's newest word on it"),
        on(ReferralsUnlinked, links.note_unlink, idempotent_by="link_id and intake's newest word on it"),
        on(SafeguardingConcernRaised, lifecycle.note_concern, idempotent_by="concern_id"),
        on(SafeguardingAlertAcknowledged, lifecycle.note_acknowledgement, idempotent_by="concern_id"),
        on(SubsidyApproved, events.note_subsidy),
        on(SubsidyResumed, events.note_subsidy),
        on(SubsidyWaitlisted, events.note_subsidy_waitlisted),
        on(SubsidyDeclined, events.note_subsidy_declined),
        on(SubsidyReleased, events.note_subsidy_released),
        on(ReferralWithdrawn, lifecycle.stop_withdrawn, idempotent_by="referral_id, which is stopped once"),
        on(ReferralSignposted, lifecycle.stop_signposted, idempotent_by="referral_id, which is stopped once"),
        on(ReferralClosed, lifecycle.stop_closed, idempotent_by="referral_id, which is stopped once"),
        on(ReferralErased, erasure.forget),
        on(OfferAnswered, therapists.take_answer, idempotent_by="offer_id, which is answered once"),
        on(
            TherapyReportAccepted,
            therapists.take_therapy_report,
            idempotent_by="match_id, and when its therapist said last that it has ended",
        ),
        on(MembershipLapsed, therapists.suspend_lapsed),
        on(MembershipRenewed, therapists.reinstate_renewed),
    )
    timers = schedule(
        due(timer_names.EXPIRE_OFFER, timers.expire_offer),
        due(timer_names.STALLED, timers.report_stalled),
        due(timer_names.SERVE_WAITING_LIST, timers.serve_waiting_list),
        due(timer_names.COME_BACK, timers.come_back),
        due(timer_names.RELEASED, timers.note_release),
    )

    admit_therapist = command(AdmitTherapist, commands.admit_therapist)
    suspend_therapist = command(SuspendTherapist, commands.suspend_therapist)
    reinstate_therapist = command(ReinstateTherapist, commands.reinstate_therapist)
    change_therapist = command(ChangeTherapist, commands.change_therapist)
    change_places = command(ChangePlaces, commands.change_places)
    accept_offer = command(AcceptOffer, commands.accept_offer)
    decline_offer = command(DeclineOffer, commands.decline_offer)
    end_match = command(EndMatch, commands.end_match)
    open_offer = command(GetOfferLink, queries.open_offer)
    undo_match_end = command(UndoMatchEnd, commands.undo_match_end)
    offers = command(ListOffers, queries.list_offers)
    candidates = command(ExplainCandidates, choosing.explain_candidates)
    outline = command(GetOutline, choosing.show_outline)
    offer_to = command(OfferToTherapist, choosing.offer_to_therapist)
    therapists = command(ListTherapists, choosing.list_therapists)
    therapist = command(GetTherapist, choosing.show_therapist)
    work_of = command(GetWorkOfTherapist, choosing.show_work)
    waiting = command(ListWaiting, choosing.list_waiting)
    standing = command(GetStanding, queries.ask_standing)
    count_standings = command(CountStandings, queries.count_standings)
    about_subject = command(GetSubjectData, telling(subject_access.tell))
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
