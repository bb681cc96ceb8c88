"""The matching service: a table of contents."""

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
from contracts.commands.matching import (
    AcceptOffer,
    AdmitTherapist,
    AskOfferLink,
    AskStanding,
    ChangePlaces,
    ChangeTherapist,
    CountStandings,
    DeclineOffer,
    EndMatch,
    ListOffers,
    ReinstateTherapist,
    SuspendTherapist,
    UndoMatchEnd,
)
from contracts.commands.subject import AboutSubject
from contracts.events.billing import (
    MembershipLapsed,
    MembershipRenewed,
    SubsidyApproved,
    SubsidyDeclined,
    SubsidyReleased,
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
from services.matching import commands, dependencies, handlers, links, privacy, search, store, subject

NEWEST = "the number of intake's newest word on the search"


class MatchingService:
    """Finds the nearest suitable therapist with room, and never turns anybody away."""

    name = "matching"
    chassis = Chassis(metadata=store.metadata, dependencies=dependencies.build)

    inbox = lane(
        "inbox",
        on(ReferralReceived, handlers.note_referral, idempotent_by="referral_id"),
        on(ReferralAssessed, handlers.note_assessment, idempotent_by="the number of the newest assessment"),
        on(ReferralHeld, handlers.hold, idempotent_by=NEWEST),
        on(ReferralResumed, handlers.resume, idempotent_by=NEWEST),
        on(ReferralReopened, handlers.reopen, idempotent_by=NEWEST),
        on(ReferralsLinked, handlers.note_link, idempotent_by="link_id and intake's newest word on it"),
        on(ReferralsUnlinked, handlers.note_unlink, idempotent_by="link_id and intake's newest word on it"),
        on(SafeguardingConcernRaised, handlers.note_concern, idempotent_by="concern_id"),
        on(SafeguardingAlertAcknowledged, handlers.note_acknowledgement, idempotent_by="concern_id"),
        on(SubsidyApproved, handlers.note_subsidy),
        on(SubsidyWaitlisted, handlers.note_subsidy_waitlisted),
        on(SubsidyDeclined, handlers.note_subsidy_declined),
        on(SubsidyReleased, handlers.note_subsidy_released),
        on(ReferralWithdrawn, handlers.stop_withdrawn, idempotent_by="referral_id, which is stopped once"),
        on(ReferralSignposted, handlers.stop_signposted, idempotent_by="referral_id, which is stopped once"),
        on(ReferralClosed, handlers.stop_closed, idempotent_by="referral_id, which is stopped once"),
        on(ReferralErased, privacy.forget),
        on(OfferAnswered, links.take_answer, idempotent_by="offer_id, which is answered once"),
        on(
            TherapyReportAccepted,
            links.take_therapy_report,
            idempotent_by="match_id, and when its therapist said last that it has ended",
        ),
        on(MembershipLapsed, handlers.suspend_lapsed),
        on(MembershipRenewed, handlers.reinstate_renewed),
    )
    timers = schedule(
        due(search.EXPIRE_OFFER, handlers.expire_offer),
        due(search.STALLED, handlers.report_stalled),
        due(search.SERVE_WAITING_LIST, handlers.serve_waiting_list),
        due(search.COME_BACK, handlers.come_back),
        due(search.RELEASED, handlers.note_release),
    )

    admit_therapist = command(AdmitTherapist, commands.admit_therapist)
    suspend_therapist = command(SuspendTherapist, commands.suspend_therapist)
    reinstate_therapist = command(ReinstateTherapist, commands.reinstate_therapist)
    change_therapist = command(ChangeTherapist, commands.change_therapist)
    change_places = command(ChangePlaces, commands.change_places)
    accept_offer = command(AcceptOffer, commands.accept_offer)
    decline_offer = command(DeclineOffer, commands.decline_offer)
    end_match = command(EndMatch, commands.end_match)
    open_offer = command(AskOfferLink, links.open_offer)
    undo_match_end = command(UndoMatchEnd, commands.undo_match_end)
    offers = command(ListOffers, commands.list_offers)
    standing = command(AskStanding, commands.ask_standing)
    count_standings = command(CountStandings, commands.count_standings)
    about_subject = command(AboutSubject, telling(subject.tell))
    health = health_check()
    story = event_log_query()
    audit = audit_query()
    list_dead_letters = dead_letter_list()
    show_dead_letters = dead_letter_view()
    export_dead_letters = dead_letter_export()
    replay_dead_letters = dead_letter_replay()
    discard_dead_letters = dead_letter_discard()
