"""What billing's commands refuse, by name, besides the refusals of the domain."""

from __future__ import annotations

from contracts.refused import Refused


class UnknownInvoice(Refused):
    """No invoice has this identifier."""


class UnknownAward(Refused):
    """No award has this identifier."""


class UnknownReferral(Refused):
    """Billing has not heard of this referral."""


class UnknownTherapist(Refused):
    """Billing has not heard of this therapist."""


class FundNameTaken(Refused):
    """Another fund has this name; perhaps the same grant was entered twice."""


class UnknownMatch(Refused):
    """Billing has not heard of this match."""


class UnknownPayment(Refused):
    """No payment has this identifier."""


class UnknownSession(Refused):
    """No session has this identifier."""


class PaymentIdUsed(Refused):
    """The same identifier stands for another payment."""


class NotMatched(Refused):
    """The referral had no therapist on that day, so there can have been no session."""


class SessionsOnRecord(Refused):
    """Sessions are on record, so the client did attend."""


class NothingToFollow(Refused):
    """There is no award that another could follow, or one still has sessions to come."""


class SessionInTheFuture(Refused):
    """A session that has not taken place."""


class SessionBeforeMatch(Refused):
    """A session before the therapist accepted the referral."""


class SessionRecordedAlready(Refused):
    """The day's session is on record."""


class SessionIsSubsidised(Refused):
    """The referral has an award, so the session draws it down."""
