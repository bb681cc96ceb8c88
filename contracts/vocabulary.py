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
PersonId = NewType("PersonId", UUID)
TherapistId = NewType("TherapistId", UUID)
OfferId = NewType("OfferId", UUID)
MatchId = NewType("MatchId", UUID)
ConcernId = NewType("ConcernId", UUID)
InvoiceId = NewType("InvoiceId", UUID)
CreditNoteId = NewType("CreditNoteId", UUID)
PaymentId = NewType("PaymentId", UUID)
SessionId = NewType("SessionId", UUID)
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

OutwardCode = Annotated[str, validate.Regexp(r"^[A-Z]{1,2}[0-9][A-Z0-9]?\Z")]
"""The first half of a UK postcode, the only part of it that leaves intake."""

LocalAuthority = Annotated[str, validate.Regexp(r"^[EWSN][0-9]{8}\Z")]
"""A GSS code of the Office for National Statistics."""

Slug = Annotated[str, validate.Regexp(r"^[a-z0-9]+([_-][a-z0-9]+)*\Z"), validate.Length(max=64)]
Language = Annotated[str, validate.Regexp(r"^[a-z]{2,3}\Z")]
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
    FAMILY_OR_FRIEND = "family_or_friend"
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


class PersonAtRisk(StrEnum):
    """Who may be at risk of harm, as far as whoever filled the form in knows."""

    CHILD = "child"
    ADULT = "adult"
    """One who cannot protect themselves."""
    NOT_KNOWN = "not_known"


class ConcernCategory(StrEnum):
    CHILD_AT_RISK = "child_at_risk"
    ADULT_AT_RISK = "adult_at_risk"
    PERSON_AT_RISK = "person_at_risk"
    """A child or an adult who cannot protect themselves: which is not known."""
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


class AnswerMode(StrEnum):
    """How a form was answered that a person of the charity enters."""

    TELEPHONE = "telephone"
    PAPER = "paper"


class LinkState(StrEnum):
    """What became of a one-time link, as the page that it opens tells it."""

    UNKNOWN = "unknown"
    """There is no such link, or it is so old that nothing is known of it any more."""
    OPEN = "open"
    ANSWERED = "answered"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    """What it asked is not asked any more, or its reader may not answer it any more."""


class TherapyReport(StrEnum):
    """What a therapist says, by the page of the introduction, of how it goes on with the client."""

    CONTACT_MADE = "contact_made"
    FIRST_SESSION = "first_session"
    NOT_ATTENDED = "not_attended"
    """The client never came."""
    ENDED = "ended"


class CallerCheck(StrEnum):
    """How the office made sure that whoever rings for a code is the therapist."""

    CALLED_BACK = "called_back"
    """On a number that was on record before."""
    KNEW_DETAILS = "knew_details"
    """They said what only the therapist can know."""
    KNOWN_TO_STAFF = "known_to_staff"


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
    ENDED_BY_MISTAKE = "ended_by_mistake"
    """It had been withdrawn or signposted."""
    MATCH_GOES_ON = "match_goes_on"
    """It had been closed with a match of which it turned out that it hadn't ended."""


class ConsentKind(StrEnum):
    """What somebody agrees to, or doesn't."""

    THIS_REQUEST = "this_request"
    """The client knows of what somebody else wrote for them, and may be got in touch with."""
    PASS_TO_THERAPIST = "pass_to_therapist"  # noqa: S105 - a consent
    EVALUATION = "evaluation"
    RESEARCH = "research"


class ConsentTold(StrEnum):
    """How the charity, or whoever writes to it, came to know of a consent."""

    IN_PERSON = "in_person"
    BY_TELEPHONE = "by_telephone"
    IN_WRITING = "in_writing"
    BY_GUARDIAN = "by_guardian"
    """Somebody with parental responsibility agreed for a child who can't decide for themselves yet."""


class Party(StrEnum):
    """Whose a contact is."""

    CLIENT = "client"
    WRITER = "writer"


class ContactChangeReason(StrEnum):
    NO_LONGER_SAFE = "no_longer_safe"
    NO_LONGER_IN_USE = "no_longer_in_use"
    MISTYPED = "mistyped"
    CLIENT_ASKED = "client_asked"


class ClientStep(StrEnum):
    """What whoever knows a request's reference and words may do about it themselves."""

    CHANGE_CONTACT = "change_contact"
    """Name a new way to be reached; it counts once the code that is sent there was typed."""
    ENTER_CODE = "enter_code"
    ASK_FOR_ANOTHER = "ask_for_another"
    """Ask for somebody else than the therapist who was found."""
    AGREE_TO_PASS_ON = "agree_to_pass_on"  # noqa: S105 - a step
    WITHDRAW = "withdraw"


class ContactChangeState(StrEnum):
    """How far a new contact has come that a client named themselves."""

    CODE_SENT = "code_sent"
    WRONG_CODE = "wrong_code"
    TOO_OFTEN = "too_often"
    """Too many wrong codes, or too many codes in a day."""
    EXPIRED = "expired"
    WITH_A_PERSON = "with_a_person"
    """Somebody of the charity gets in touch before it counts."""
    DONE = "done"


class ContactChangeStage(StrEnum):
    """What others have to do about a contact that a client changes themselves."""

    CODE_WANTED = "code_wanted"
    PERSON_WANTED = "person_wanted"
    CHANGED = "changed"


class NeedsChangeReason(StrEnum):
    """Why what a client needs, or prefers, is otherwise than they wrote."""

    CLIENT_ASKED = "client_asked"
    PREFERENCE_RELAXED = "preference_relaxed"
    """Asked by a person, since nobody was found who meets it."""
    PRISON_ALLOWS = "prison_allows"
    PRISON_FORBIDS = "prison_forbids"
    MISTYPED = "mistyped"


class Wish(StrEnum):
    """What a client may have no wish about, or none any more."""

    THERAPIST_SEX = "therapist_sex"
    THERAPY_LANGUAGE = "therapy_language"
    INTERPRETER = "interpreter"
    MOST_PER_SESSION = "most_per_session"


class HoldReason(StrEnum):
    CLIENT_NOT_READY = "client_not_ready"
    INFORMATION_AWAITED = "information_awaited"
    CONSENT_AWAITED = "consent_awaited"
    SAFEGUARDING = "safeguarding"
    IN_CUSTODY_OR_HOSPITAL = "in_custody_or_hospital"
    CLIENT_HAS_NOT_AGREED = "client_has_not_agreed"
    """Somebody else wrote for the client, who has not agreed yet."""
    CONSENT_TO_PASS_ON = "consent_to_pass_on"  # noqa: S105 - a reason
    """Nothing may be passed on to a therapist yet."""
    COURSE_WANTED = "course_wanted"
    """A course or a group is wanted, and no therapist; somebody of the charity tells them about it."""


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
    NO_LONGER_SUITABLE = "no_longer_suitable"
    """What the client needs, can pay or where they are has changed, or what the therapist offers."""
    ANOTHER_CHOSEN = "another_chosen"


class SuspensionReason(StrEnum):
    MEMBERSHIP_LAPSED = "membership_lapsed"
    INSURANCE_EXPIRED = "insurance_expired"
    SUPERVISION_EXPIRED = "supervision_expired"
    CPD_MISSING = "cpd_missing"
    COMPLAINT = "complaint"


class StallReason(StrEnum):
    """The condition that left nobody when the last candidates were sought."""

    NOBODY_QUALIFIED = "nobody_trained"
    NOBODY_NEAR = "nobody_near"
    NOBODY_AFFORDABLE = "nobody_affordable"
    NOBODY_WITH_ROOM = "nobody_with_room"
    ALL_DECLINED = "all_declined"


class MatchEndReason(StrEnum):
    COMPLETED = "completed"
    WITHDRAWN = "withdrawn"
    CLIENT_UNHAPPY = "client_unhappy"
    NOT_ATTENDED = "not_attended"


class UndoReason(StrEnum):
    """Why what a person recorded is taken back."""

    RECORDED_BY_MISTAKE = "recorded_by_mistake"
    WRONG_PERSON = "wrong_person"
    """It was meant for somebody else."""
    CHANGED_THEIR_MIND = "changed_their_mind"


class ChangeReason(StrEnum):
    """Whose word a change rests on."""

    THEY_SAID = "they_said"
    OFFICE_FOUND = "office_found"
    RECORDED_BY_MISTAKE = "recorded_by_mistake"


class SubsidyWaitReason(StrEnum):
    NO_ELIGIBLE_FUND = "no_eligible_fund"
    NO_MONEY = "no_money"
    AREA_TO_BE_CONFIRMED = "area_to_be_confirmed"
    NO_THERAPIST_FITS = "no_therapist_fits"
    """What the client can pay and the most that a fund may add fit the fee of no therapist within reach."""
    AWARD_USED_UP = "award_used_up"
    """Every session of an award was paid, and no fund gives another one unless a person decides so."""


class SubsidyDeclineReason(StrEnum):
    WITHIN_MEANS = "within_means"
    """What the client can pay covers the highest fee that is subsidised."""


class SubsidyReleaseReason(StrEnum):
    WITHDRAWN = "withdrawn"
    MATCH_ENDED = "match_ended"
    FEE_LOWER_THAN_AWARDED = "fee_lower_than_awarded"
    SIGNPOSTED = "signposted"
    FUND_ENDED = "fund_ended"
    NEVER_BEGUN = "never_begun"
    NO_THERAPIST_FITS = "no_therapist_fits"
    SESSION_TAKEN_BACK = "session_taken_back"


class FeeCreditReason(StrEnum):
    """Why a referral fee is given back."""

    NOT_ATTENDED = "not_attended"
    CLIENT_UNHAPPY = "client_unhappy"
    """The client parted from the therapist as unhappy within the first sessions."""
    REFERRAL_GONE = "referral_gone"
    """The request had been taken back, or sent elsewhere, before the therapist accepted it."""


class PaymentReversalReason(StrEnum):
    RETURNED_BY_BANK = "returned_by_bank"
    RECORDED_TWICE = "recorded_twice"
    WRONG_AMOUNT = "wrong_amount"
    WRONG_PAYER = "wrong_payer"


class SessionReversalReason(StrEnum):
    DID_NOT_TAKE_PLACE = "did_not_take_place"
    RECORDED_TWICE = "recorded_twice"
    WRONG_DAY = "wrong_day"
    WRONG_REFERRAL = "wrong_referral"


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
    CORRECTION = "correction"
    """To a therapist who was introduced to the client: they are reached in another way from now on."""
