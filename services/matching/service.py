"""The matching service: a table of contents."""

from __future__ import annotations

from chassis.host.service import Ports, auditor, command, due, health_check, lane, on, schedule, story_teller
from chassis.telling import telling
from contracts.commands.matching import (
    AcceptOffer,
    AdmitTherapist,
    AskStanding,
    ChangePlaces,
    CountStandings,
    DeclineOffer,
    EndMatch,
    ListOffers,
    ReinstateTherapist,
    SuspendTherapist,
)
from contracts.commands.subject import AboutSubject
from contracts.events.billing import (
    MembershipLapsed,
    MembershipRenewed,
    SubsidyApproved,
    SubsidyDeclined,
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
)
from services.matching import commands, handlers, privacy, search, store, subject, tools

NEWEST = "the number of intake's newest word on the search"


class MatchingService:
    """Finds the nearest suitable therapist with room, and never turns anybody away."""

    name = "matching"
    ports = Ports(metadata=store.metadata, tools=tools.build)

    inbox = lane(
        "inbox",
        on(ReferralReceived, handlers.note_referral, safe_by_business_key="referral_id"),
        on(ReferralAssessed, handlers.note_assessment, safe_by_business_key="referral_id, which is assessed once"),
        on(ReferralHeld, handlers.hold, safe_by_business_key=NEWEST),
        on(ReferralResumed, handlers.resume, safe_by_business_key=NEWEST),
        on(ReferralReopened, handlers.reopen, safe_by_business_key=NEWEST),
        on(ReferralsLinked, handlers.note_link, safe_by_business_key="link_id and intake's newest word on it"),
        on(ReferralsUnlinked, handlers.note_unlink, safe_by_business_key="link_id and intake's newest word on it"),
        on(SubsidyApproved, handlers.note_subsidy),
        on(SubsidyWaitlisted, handlers.note_subsidy_waitlisted),
        on(SubsidyDeclined, handlers.note_subsidy_declined),
        on(ReferralWithdrawn, handlers.stop_withdrawn, safe_by_business_key="referral_id, which is stopped once"),
        on(ReferralSignposted, handlers.stop_signposted, safe_by_business_key="referral_id, which is stopped once"),
        on(ReferralClosed, handlers.stop_closed, safe_by_business_key="referral_id, which is stopped once"),
        on(ReferralErased, privacy.forget),
        on(MembershipLapsed, handlers.suspend_lapsed),
        on(MembershipRenewed, handlers.reinstate_renewed),
    )
    timers = schedule(
        due(search.EXPIRE_OFFER, handlers.expire_offer),
        due(search.STALLED, handlers.report_stalled),
        due(search.SERVE_WAITING_LIST, handlers.serve_waiting_list),
    )

    admit_therapist = command(AdmitTherapist, commands.admit_therapist)
    suspend_therapist = command(SuspendTherapist, commands.suspend_therapist)
    reinstate_therapist = command(ReinstateTherapist, commands.reinstate_therapist)
    change_places = command(ChangePlaces, commands.change_places)
    accept_offer = command(AcceptOffer, commands.accept_offer)
    decline_offer = command(DeclineOffer, commands.decline_offer)
    end_match = command(EndMatch, commands.end_match)
    offers = command(ListOffers, commands.list_offers)
    standing = command(AskStanding, commands.ask_standing)
    count_standings = command(CountStandings, commands.count_standings)
    about_subject = command(AboutSubject, telling(subject.tell))
    health = health_check()
    story = story_teller()
    audit = auditor()
