"""The closed vocabularies and the typed identifiers that events are written in.

An enumeration's values are public: a value is added in a new version of an event, never changed.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, NewType
from uuid import UUID

from marshmallow import validate

SubmissionId = NewType("SubmissionId", UUID)
ReferralId = NewType("ReferralId", UUID)
TherapistId = NewType("TherapistId", UUID)
OfferId = NewType("OfferId", UUID)
MatchId = NewType("MatchId", UUID)
ConcernId = NewType("ConcernId", UUID)
InvoiceId = NewType("InvoiceId", UUID)
CreditNoteId = NewType("CreditNoteId", UUID)
PaymentId = NewType("PaymentId", UUID)
FundId = NewType("FundId", UUID)
AwardId = NewType("AwardId", UUID)
MessageId = NewType("MessageId", UUID)
StaffId = NewType("StaffId", UUID)
DutyId = NewType("DutyId", UUID)
OutcomeId = NewType("OutcomeId", UUID)
InvitationId = NewType("InvitationId", UUID)
FormId = NewType("FormId", UUID)
LinkId = NewType("LinkId", UUID)

Pence = Annotated[int, validate.Range(min=0, max=10_000_000_00)]
"""An amount of money in pence sterling, never negative: direction is in the event's name."""

Currency = Annotated[str, validate.OneOf(("GBP",))]

Kilometres = Annotated[float, validate.Range(min=0, max=2_000)]
Count = Annotated[int, validate.Range(min=0, max=100_000)]

OutwardCode = Annotated[str, validate.Regexp(r"^[A-Z]{1,2}[0-9][A-Z0-9]?$")]
"""The first half of a UK postcode, the only part of it that leaves intake."""

LocalAuthority = Annotated[str, validate.Regexp(r"^[EWSN][0-9]{8}$")]
"""A GSS code of the Office for National Statistics."""

Slug = Annotated[str, validate.Regexp(r"^[a-z0-9]+([_-][a-z0-9]+)*$"), validate.Length(max=64)]
Language = Annotated[str, validate.Regexp(r"^[a-z]{2,3}$")]
"""An ISO 639 language code."""


class ClientGroup(StrEnum):
    AT_RISK = "at_risk"
    OFFENDED = "offended"
    IN_PRISON = "in_prison"
    FAMILY = "family"
    SURVIVOR = "survivor"
    YOUNG_PERSON = "young_person"


class Route(StrEnum):
    """Who got in touch with the charity."""

    SELF = "self"
    GUARDIAN = "guardian"
    PROBATION = "probation"
    SOCIAL_SERVICES = "social_services"
    GP = "gp"
    SOLICITOR = "solicitor"
    POLICE = "police"
    OTHER_PROFESSIONAL = "other_professional"


class AgeBand(StrEnum):
    UNDER_18 = "under_18"
    FROM_18 = "18_24"
    FROM_25 = "25_34"
    FROM_35 = "35_44"
    FROM_45 = "45_54"
    FROM_55 = "55_64"
    FROM_65 = "65_and_over"
    UNKNOWN = "unknown"


class Sessions(StrEnum):
    IN_PERSON = "in_person"
    ONLINE = "online"
    EITHER = "either"


class Known(StrEnum):
    """Whether police or social services know."""

    YES = "yes"
    NO = "no"
    UNSURE = "unsure"


class RiskLevel(StrEnum):
    LOWER = "lower"
    HIGHER = "higher"


class Competence(StrEnum):
    """What a therapist is trained for: `higher` includes `lower`."""

    LOWER = "lower"
    HIGHER = "higher"


class Work(StrEnum):
    INDIVIDUAL = "individual"
    PARTNER = "partner"
    COUPLE = "couple"


class Sex(StrEnum):
    FEMALE = "female"
    MALE = "male"
    OTHER = "other"


class Allegation(StrEnum):
    """What a family member has been accused of, in the categories that decide which help fits."""

    DOWNLOADING_IMAGES = "downloading_images"
    CONTACT_OFFENCE = "contact_offence"
    """Touching a child; sexual abuse, assault or rape."""
    ONLINE_CONTACT = "online_contact"
    """Grooming, sexualised chat or webcam contact with a child."""
    OTHER = "other"
    NOT_SAID = "not_said"


class HelpKind(StrEnum):
    """The kinds of help that a person may ask for."""

    ONE_TO_ONE = "one_to_one"
    COUPLE = "couple"
    FAMILY_COURSE = "family_course"
    ONLINE_GROUP = "online_group"


class Severity(StrEnum):
    IMMEDIATE = "immediate"
    URGENT = "urgent"
    ADVISORY = "advisory"


class ConcernCategory(StrEnum):
    CHILD_AT_RISK = "child_at_risk"
    ADULT_AT_RISK = "adult_at_risk"
    RISK_TO_SELF = "risk_to_self"
    YOUNG_CLIENT = "young_client"


class Respondent(StrEnum):
    CLIENT = "client"
    THERAPIST = "therapist"


class Stage(StrEnum):
    START = "start"
    REVIEW = "review"
    END = "end"
    FOLLOW_UP = "follow_up"


class RefusalReason(StrEnum):
    """Why a submission could not be taken; each is something a front-end can act on."""

    UNSEALED = "unsealed"
    MALFORMED = "malformed"
    UNKNOWN_FORM = "unknown_form"
    CONSENT_MISSING = "consent_missing"
    UNKNOWN_PLACE = "unknown_place"
    TOO_LARGE = "too_large"
    REPLAYED = "replayed"
    NOT_RECOGNISED = "not_recognised"


class PlaceKind(StrEnum):
    """How well it is known where a person is, and so what a person of the charity has to find out."""

    FOUND = "found"
    AREA_UNKNOWN = "area_unknown"
    """An outward code alone, or a postcode that is too new: no fund of an area can pay yet."""
    CROWN_DEPENDENCY = "crown_dependency"
    FORCES = "forces"
    NOT_FOUND = "not_found"


class SignpostReason(StrEnum):
    OUT_OF_SCOPE = "out_of_scope"
    OUTSIDE_UK = "outside_uk"
    OTHER_SERVICE_FITS_BETTER = "other_service_fits_better"
    EMERGENCY_SERVICE = "emergency_service"


class WithdrawalReason(StrEnum):
    CLIENT_ASKED = "client_asked"
    PROFESSIONAL_ASKED = "professional_asked"
    NO_CONTACT = "no_contact"
    DUPLICATE = "duplicate"
    """A person found it to be the same request as another, which goes on; it may be reopened."""


class SuggestionUse(StrEnum):
    """What an assessor made of what was suggested."""

    NOT_ASKED = "not_asked"
    ACCEPTED = "accepted"
    OVERRIDDEN = "overridden"


class OverrideReason(StrEnum):
    PROFESSIONALS_INFORMATION = "professionals_information"
    CLIENTS_OWN_ACCOUNT = "clients_own_account"
    CLIENTS_WISH = "clients_wish"
    CLINICAL_JUDGEMENT = "clinical_judgement"


class LinkKind(StrEnum):
    """How the people of two referrals belong together."""

    PARTNER = "partner"
    FAMILY_MEMBER = "family_member"
    SURVIVOR = "survivor"
    """One is the survivor of the other."""


class LinkReason(StrEnum):
    SAID_BY_CLIENT = "said_by_client"
    SAID_BY_PROFESSIONAL = "said_by_professional"
    FOUND_IN_RECORDS = "found_in_records"


class UnlinkReason(StrEnum):
    LINKED_IN_ERROR = "linked_in_error"
    NO_LONGER_SO = "no_longer_so"


class MarkKind(StrEnum):
    """What two requests may have in common."""

    EMAIL = "email"
    TELEPHONE = "telephone"
    NAME_AND_BIRTH = "name_and_birth"


class MergeReason(StrEnum):
    SENT_TWICE = "sent_twice"
    CLIENT_AND_PROFESSIONAL_ASKED = "client_and_professional_asked"
    SAME_PERSON_CONFIRMED = "same_person_confirmed"


class UnmergeReason(StrEnum):
    DIFFERENT_PEOPLE = "different_people"
    DIFFERENT_REQUESTS = "different_requests"


class ApartReason(StrEnum):
    """Why two requests that look alike are not the same."""

    DIFFERENT_PEOPLE = "different_people"
    SHARED_CONTACT = "shared_contact"
    """Two people who can be reached at one address or number."""
    DIFFERENT_REQUESTS = "different_requests"


class ReopeningReason(StrEnum):
    UNMERGED = "unmerged"


class HoldReason(StrEnum):
    CLIENT_NOT_READY = "client_not_ready"
    INFORMATION_AWAITED = "information_awaited"
    CONSENT_AWAITED = "consent_awaited"
    SAFEGUARDING = "safeguarding"
    IN_CUSTODY_OR_HOSPITAL = "in_custody_or_hospital"


class ResumptionReason(StrEnum):
    CLIENT_READY = "client_ready"
    INFORMATION_CAME = "information_came"
    CONSENT_GIVEN = "consent_given"
    SAFEGUARDING_SETTLED = "safeguarding_settled"
    RELEASED_OR_DISCHARGED = "released_or_discharged"


class ReReferralReason(StrEnum):
    CLIENT_ASKED = "client_asked"
    PROFESSIONAL_ASKED = "professional_asked"
    CIRCUMSTANCES_CHANGED = "circumstances_changed"


class ClosureReason(StrEnum):
    THERAPY_ENDED = "therapy_ended"
    NOT_ATTENDED = "not_attended"


class DeclineReason(StrEnum):
    NO_ROOM = "no_room"
    OUTSIDE_EXPERIENCE = "outside_experience"
    CONFLICT_OF_INTEREST = "conflict_of_interest"
    AWAY = "away"


class OfferWithdrawalReason(StrEnum):
    REFERRAL_WITHDRAWN = "referral_withdrawn"
    REFERRAL_ON_HOLD = "referral_on_hold"
    REFERRALS_LINKED = "referrals_linked"
    THERAPIST_SUSPENDED = "therapist_suspended"


class SuspensionReason(StrEnum):
    MEMBERSHIP_LAPSED = "membership_lapsed"
    INSURANCE_EXPIRED = "insurance_expired"
    SUPERVISION_EXPIRED = "supervision_expired"
    CPD_MISSING = "cpd_missing"
    COMPLAINT = "complaint"


class StallReason(StrEnum):
    """The condition that left nobody when the last candidates were sought."""

    NOBODY_TRAINED = "nobody_trained"
    NOBODY_NEAR = "nobody_near"
    NOBODY_AFFORDABLE = "nobody_affordable"
    NOBODY_WITH_ROOM = "nobody_with_room"
    ALL_DECLINED = "all_declined"


class MatchEndReason(StrEnum):
    COMPLETED = "completed"
    WITHDRAWN = "withdrawn"
    CLIENT_UNHAPPY = "client_unhappy"
    NOT_ATTENDED = "not_attended"


class SubsidyWaitReason(StrEnum):
    NO_ELIGIBLE_FUND = "no_eligible_fund"
    NO_MONEY = "no_money"
    AREA_TO_BE_CONFIRMED = "area_to_be_confirmed"


class SubsidyDeclineReason(StrEnum):
    WITHIN_MEANS = "within_means"
    """What the client can pay covers the highest fee that is subsidised."""


class SubsidyReleaseReason(StrEnum):
    WITHDRAWN = "withdrawn"
    MATCH_ENDED = "match_ended"
    FEE_LOWER_THAN_AWARDED = "fee_lower_than_awarded"
    SIGNPOSTED = "signposted"
    FUND_ENDED = "fund_ended"


class FundPurpose(StrEnum):
    THERAPY = "therapy"
    TRAINING = "training"


class Channel(StrEnum):
    EMAIL = "email"
    STAFF_CALL = "staff_call"
    """A person of the charity telephones or writes, because that is what is safe."""
    TEXT = "text"
    LETTER = "letter"


class FailureReason(StrEnum):
    NO_ADDRESS = "no_address"
    REJECTED = "rejected"
    UNREACHABLE = "unreachable"
    BOUNCED = "bounced"
    """It was taken by the next hop, which said later that it could not be delivered."""


class AlertStep(StrEnum):
    DUTY_LEAD = "duty_lead"
    DEPUTY = "deputy"
    TRUSTEE = "trustee"


class ConcernOutcome(StrEnum):
    """What was decided about a safeguarding concern."""

    POLICE = "police"
    CHILDRENS_SERVICES = "childrens_services"
    ADULT_SERVICES = "adult_services"
    NO_FURTHER_ACTION = "no_further_action"


class ContactPurpose(StrEnum):
    ADDRESS_BOOK = "address_book"
    INTRODUCTION = "introduction"
