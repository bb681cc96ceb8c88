"""Billing on a bench, and the facts it hears, made with as few words as a test needs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from chassis.ids import new_id
from chassis.ports import EventHandler
from chassis.testing import HandlerBench
from contracts.commands.billing import (
    DrawDown,
    DrawdownView,
    FundTerms,
    FundView,
    GetSubsidy,
    GetTherapistAccount,
    GetTrialBalance,
    InvoiceView,
    ListFunds,
    OpenFund,
    SubsidyView,
    TherapistAccountView,
    TrialBalanceView,
)
from contracts.event import Event
from contracts.events import intake, matching, notifications
from contracts.vocabulary import (
    AgeBand,
    AwardId,
    ClientGroup,
    ClosureReason,
    Competence,
    FundId,
    FundPurpose,
    Known,
    MatchEndReason,
    MatchId,
    ReferralId,
    RiskLevel,
    Route,
    Sessions,
    SignpostReason,
    TherapistId,
    WithdrawalReason,
    Work,
)
from services.billing.domain.awards import Award, AwardPolicy
from services.billing.domain.funds import Fund, Terms
from services.billing.domain.membership import MembershipPolicy
from services.billing.handlers import erasure, funding, matches, queries, referrals, sessions, therapy_reports, timers
from services.billing.settings import BillingSettings
from services.billing.store import tables

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
TODAY = date(2026, 11, 23)

POLICY = BillingSettings(
    membership=MembershipPolicy(fee_pence=50_00, grace_days=30, reminder_days_before_lapse=10),
    awards=AwardPolicy(
        highest_session_fee_pence=60_00, sessions_per_award=10, late_session_days=30, begin_within_days=90
    ),
    referral_fee_pence=30_00,
    invoice_days=14,
    unhappy_credit_sessions=2,
    ask_attendance_days=30,
)

HANDLERS: dict[type[Event], EventHandler] = {
    intake.ReferralReceived: referrals.note_referral,
    intake.ReferralAssessed: referrals.note_assessment,
    intake.ReferralWithdrawn: referrals.withdraw,
    intake.ReferralSignposted: referrals.signpost,
    intake.ReferralClosed: referrals.close,
    intake.ReferralErased: erasure.forget,
    intake.ReferralReopened: referrals.reopen,
    matching.TherapistAdmitted: matches.open_account,
    matching.TherapistFeeChanged: matches.note_changed_fee,
    matching.TherapistMatched: matches.charge_match,
    matching.MatchEnded: matches.end_match,
    matching.MatchEndUndone: matches.undo_match_end,
    matching.MatchingStalled: matches.note_stall,
    notifications.TherapyReportAccepted: therapy_reports.take_therapy_report,
}

TIMERS: dict[str, Callable[..., None]] = {
    "renew_membership": timers.renew_membership,
    "remind_of_membership": timers.remind_of_membership,
    "lapse_membership": timers.lapse_membership,
    "start_fund": timers.start_fund,
    "end_fund": timers.end_fund,
    "release_award": timers.release_award,
    "award_not_begun": timers.release_unbegun_award,
    "ask_attendance": timers.ask_attendance,
    "serve_waiting_list": timers.serve_waiting_list,
}

GWENT = (
    FundTerms(
        purpose=FundPurpose.THERAPY,
        client_groups=(ClientGroup.AT_RISK, ClientGroup.OFFENDED, ClientGroup.FAMILY),
        police_force_areas=("gwent",),
    ),
    FundTerms(purpose=FundPurpose.TRAINING, police_force_areas=("gwent", "south_wales")),
)
ANYONE = (FundTerms(purpose=FundPurpose.THERAPY),)


class Bench(HandlerBench):
    """Billing's handlers on a store of their own."""

    def __init__(self, url: str = "sqlite://") -> None:
        super().__init__("billing", tables.metadata, dependencies=POLICY, url=url)

    def told(self, *events: Event) -> None:
        for event in events:
            self.hear(HANDLERS[type(event)], event)

    def settle(self) -> None:
        """Fires what is due until nothing is."""
        for _ in range(100):
            if not self.fire_due(TIMERS):
                return
        raise AssertionError("the timers never come to rest")

    def pass_days(self, days: int) -> None:
        """Lets the days go by one at a time, so that every timer fires on its own day."""
        for _ in range(days):
            self.clock.advance(timedelta(days=1))
            self.settle()

    @property
    def today(self) -> date:
        return self.clock.now().date()

    def open_fund(self, name: str = "A gift", pence: int = 5_500_00, **fields: Any) -> FundView:
        asked: dict[str, Any] = {
            "terms": ANYONE,
            "starts_on": self.today,
            "ends_on": self.today + timedelta(days=364),
            **fields,
        }
        view: FundView = self.ask(funding.open_fund, OpenFund(name=name, amount_pence=pence, **asked))
        self.settle()
        return view

    def fund(self, fund_id: FundId) -> FundView:
        (found,) = (one for one in self.funds() if one.fund_id == fund_id)
        return found

    def funds(self) -> list[FundView]:
        views: list[FundView] = self.ask(queries.list_funds, ListFunds())
        return views

    def subsidy(self, referral_id: ReferralId) -> SubsidyView:
        view: SubsidyView = self.ask(queries.subsidy_of, GetSubsidy(referral_id=referral_id))
        return view

    def account(self, therapist_id: TherapistId) -> TherapistAccountView:
        view: TherapistAccountView = self.ask(queries.therapist_account, GetTherapistAccount(therapist_id=therapist_id))
        return view

    def invoice(self, therapist_id: TherapistId, kind: str) -> InvoiceView:
        """The latest invoice of a kind."""
        return [one for one in self.account(therapist_id).invoices if one.kind == kind][-1]

    def books(self) -> TrialBalanceView:
        view: TrialBalanceView = self.ask(queries.trial_balance, GetTrialBalance())
        return view

    def draw_down(self, award_id: AwardId, on: date | None = None) -> DrawdownView:
        view: DrawdownView = self.ask(sessions.draw_down, DrawDown(award_id=award_id, attended_on=on or self.today))
        return view

    def balance(self, account: str) -> int:
        """What stands on every account of a kind together: debits positive."""
        return sum(one.pence for one in self.books().accounts if one.account == account)


def referral(referral_id: UUID | None = None, **changed: Any) -> intake.ReferralReceived:
    """A client of Gwent who can pay £20 a session and asks for a subsidy."""
    fields: dict[str, Any] = {
        "referral_id": ReferralId(referral_id or new_id()),
        "received_at": NOW,
        "route": Route.SELF,
        "client_group": ClientGroup.AT_RISK,
        "age_band": AgeBand.FROM_35,
        "outward_code": "NP20",
        "police_force_area": "gwent",
        "local_authority": "W06000022",
        "language": "en",
        "sessions": Sessions.EITHER,
        "max_distance_km": 30.0,
        "subsidy_requested": True,
        "fee_ceiling_pence": 20_00,
        "known_to_authorities": Known.NO,
    }
    return intake.ReferralReceived(**{**fields, **changed})


def assessed(referral_id: ReferralId) -> intake.ReferralAssessed:
    return intake.ReferralAssessed(
        referral_id=referral_id,
        assessed_at=NOW,
        risk_level=RiskLevel.LOWER,
        competence=Competence.LOWER,
        work=Work.INDIVIDUAL,
    )


def withdrawn(referral_id: ReferralId) -> intake.ReferralWithdrawn:
    return intake.ReferralWithdrawn(referral_id=referral_id, reason=WithdrawalReason.CLIENT_ASKED)


def signposted(referral_id: ReferralId) -> intake.ReferralSignposted:
    return intake.ReferralSignposted(referral_id=referral_id, reason=SignpostReason.OTHER_SERVICE_FITS_BETTER)


def closed(referral_id: ReferralId, reason: ClosureReason = ClosureReason.THERAPY_ENDED) -> intake.ReferralClosed:
    return intake.ReferralClosed(referral_id=referral_id, reason=reason)


def admitted(therapist_id: TherapistId) -> matching.TherapistAdmitted:
    return matching.TherapistAdmitted(
        therapist_id=therapist_id, admitted_at=NOW, competence=Competence.HIGHER, outward_code="NP20"
    )


def matched(referral_id: ReferralId, *, fee: int = 60_00, **changed: Any) -> matching.TherapistMatched:
    fields: dict[str, Any] = {
        "match_id": MatchId(new_id()),
        "therapist_id": TherapistId(new_id()),
        "matched_at": NOW,
        "distance_km": 3.5,
        "session_fee_pence": fee,
        "sessions": Sessions.IN_PERSON,
    }
    return matching.TherapistMatched(referral_id=referral_id, **{**fields, **changed})


def ended(match: matching.TherapistMatched, reason: MatchEndReason) -> matching.MatchEnded:
    return matching.MatchEnded(
        match_id=match.match_id,
        referral_id=match.referral_id,
        therapist_id=match.therapist_id,
        reason=reason,
        ended_at=NOW,
    )


def drawn(award: Award, fund: Fund, on: date = TODAY, reported_on: date | None = None) -> int:
    """Draws an award down for a session, and gives what it cost."""
    policy = POLICY.awards
    down = award.draw_down(fund=fund, on=on, reported_on=reported_on or on, late_days=policy.late_session_days)
    return down.pence


def a_fund(pence: int = 1_000_00, **changed: Any) -> Fund:
    """A fund of the domain, for anyone, open all of 2026 and 2027."""
    fields: dict[str, Any] = {
        "id": FundId(new_id()),
        "name": "A gift",
        "terms": (Terms(purpose=FundPurpose.THERAPY),),
        "starts_on": date(2026, 1, 1),
        "ends_on": date(2027, 12, 31),
        "opened_pence": pence,
        "available_pence": pence,
    }
    return Fund(**{**fields, **changed})
