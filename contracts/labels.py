"""What the codes mean, for people who read what is held about them: plain, warm and without judgement.

A test checks that every value of these enumerations has a label here; a service's own codes have theirs in the service.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from contracts import vocabulary as v
from contracts.commands.intake import CameBy, DiscardReason, NoteKind
from contracts.commands.privacy import ErasureReason
from contracts.commands.subject import ExportReason, ReadingReason
from contracts.sealed import LegalSituation, SafeChannel, SafeHours

WORDS: Mapping[type[StrEnum], Mapping[str, str]] = {
    v.ClientGroup: {
        "at_risk": "Somebody who is worried about what they think or might do",
        "offended": "Somebody who is worried about something that has happened",
        "in_prison": "Somebody in prison",
        "family": "A partner or family member",
        "survivor": "A survivor",
        "young_person": "A young person",
    },
    v.Route: {
        "self": "You, yourself",
        "guardian": "A parent or guardian",
        "family_or_friend": "Family or a friend",
        "probation": "Probation",
        "social_services": "Social services",
        "gp": "A GP",
        "solicitor": "A solicitor",
        "police": "The police",
        "other_professional": "Another professional",
    },
    v.AgeBand: {
        "under_18": "Under 18",
        "18_24": "18 to 24",
        "25_34": "25 to 34",
        "35_44": "35 to 44",
        "45_54": "45 to 54",
        "55_64": "55 to 64",
        "65_and_over": "65 and over",
        "unknown": "Not known",
    },
    v.Sessions: {"in_person": "In person", "online": "Online", "either": "Either in person or online"},
    v.Known: {"yes": "Yes", "no": "No", "unsure": "Not sure"},
    v.RiskLevel: {
        "lower": "Lower: a therapist with our usual training is right",
        "higher": "Higher: a therapist with our fuller training is right",
    },
    v.Competence: {"lower": "Our usual training", "higher": "Our fuller training"},
    v.Work: {"individual": "One to one", "partner": "For a partner", "couple": "For a couple, together"},
    v.Sex: {"female": "Female", "male": "Male", "other": "Other"},
    v.Allegation: {
        "downloading_images": "Downloading images",
        "contact_offence": "A contact offence",
        "online_contact": "Contact with a child online",
        "other": "Something else",
        "not_said": "Not said",
    },
    v.HelpKind: {
        "one_to_one": "One-to-one help",
        "couple": "Help as a couple",
        "family_course": "The family course",
        "online_group": "The online group",
    },
    v.Severity: {"immediate": "Immediate", "urgent": "Urgent", "advisory": "For information"},
    v.ConcernCategory: {
        "child_at_risk": "A child may be at risk",
        "adult_at_risk": "An adult may be at risk",
        "person_at_risk": "A child, or an adult who cannot protect themselves, may be at risk",
        "risk_to_self": "You may not be safe yourself",
        "young_client": "The client is under 18, whose requests the safeguarding lead always sees",
    },
    v.ConcernOutcome: {
        "police": "The police were told",
        "childrens_services": "Children’s services were told",
        "adult_services": "Adult services were told",
        "no_further_action": "Nothing more was needed",
    },
    v.Respondent: {"client": "You", "therapist": "Your therapist"},
    v.Stage: {"start": "At the start", "review": "On the way", "end": "At the end", "follow_up": "Some time after"},
    v.PlaceKind: {
        "found": "Found",
        "area_unknown": "Found roughly: which council and police area it is in is not known",
        "crown_dependency": "Jersey, Guernsey or the Isle of Man",
        "forces": "A forces address",
        "not_found": "Not found: somebody has to ask",
    },
    v.SignpostReason: {
        "out_of_scope": "What was needed is not what we offer",
        "outside_uk": "Outside the United Kingdom",
        "other_service_fits_better": "Another service fits better",
        "emergency_service": "An emergency service was needed",
    },
    v.WithdrawalReason: {
        "client_asked": "You asked for it",
        "professional_asked": "A professional asked for it",
        "no_contact": "We could not reach you",
        "duplicate": "It was the same request as another, which goes on",
    },
    v.SuggestionUse: {
        "not_asked": "No suggestion was asked for",
        "accepted": "The person agreed with what the rules suggest",
        "overridden": "The person decided otherwise than the rules suggest",
    },
    v.OverrideReason: {
        "professionals_information": "A professional knew more",
        "clients_own_account": "Your own account",
        "clients_wish": "Your wish",
        "clinical_judgement": "The assessor’s own judgement",
    },
    v.MergeReason: {
        "sent_twice": "It was sent twice",
        "client_and_professional_asked": "You and a professional both asked",
        "same_person_confirmed": "It was confirmed that both are yours",
    },
    v.UnmergeReason: {
        "different_people": "They were two people’s requests",
        "different_requests": "They were two different requests",
    },
    v.HoldReason: {
        "client_not_ready": "You were not ready yet",
        "information_awaited": "Something still had to be found out",
        "consent_awaited": "Your agreement was still needed",
        "safeguarding": "Somebody’s safety had to be looked at first",
        "in_custody_or_hospital": "You were in custody or in hospital",
        "client_has_not_agreed": "Somebody else wrote to us for you, and you had not agreed yet",
        "consent_to_pass_on": "You had not yet agreed that your details are passed on to a therapist",
        "course_wanted": "You asked for a course or a group, so that no therapist was looked for",
    },
    v.PersonAtRisk: {
        "child": "A child",
        "adult": "An adult who cannot protect themselves",
        "not_known": "Not known",
    },
    v.ConsentKind: {
        "this_request": "Whether you agree to what somebody else wrote to us for you",
        "pass_to_therapist": "Whether your details may be passed on to a therapist",
        "evaluation": "Whether we may ask how things are going",
        "research": "Whether your answers may be used for research",
    },
    v.ConsentTold: {
        "in_person": "In person",
        "by_telephone": "By telephone",
        "in_writing": "In writing",
        "by_guardian": "By a parent or guardian, for you",
    },
    v.ContactChangeReason: {
        "no_longer_safe": "The way that we had was not safe any more",
        "no_longer_in_use": "The way that we had was not in use any more",
        "mistyped": "What we had was mistyped",
        "client_asked": "You asked for it",
    },
    v.NeedsChangeReason: {
        "client_asked": "You asked for it",
        "preference_relaxed": "You agreed to look further, since nobody was found",
        "prison_allows": "The prison allows it",
        "prison_forbids": "The prison does not allow it",
        "mistyped": "What we had was mistyped",
    },
    v.ResumptionReason: {
        "client_ready": "You were ready",
        "information_came": "What had to be found out is known",
        "consent_given": "You agreed",
        "safeguarding_settled": "Somebody’s safety had been looked at",
        "released_or_discharged": "You were released or discharged",
    },
    v.ReReferralReason: {
        "client_asked": "You asked again",
        "professional_asked": "A professional asked again",
        "circumstances_changed": "Circumstances changed",
    },
    v.ClosureReason: {"therapy_ended": "Therapy has ended", "not_attended": "The sessions did not take place"},
    v.UndoReason: {
        "recorded_by_mistake": "It was recorded by mistake",
        "wrong_person": "It was meant for somebody else",
        "changed_their_mind": "You thought better of it",
    },
    CameBy: {
        "telephone": "By telephone; somebody typed in what you said",
        "letter": "By letter; somebody typed in what you wrote",
    },
    DiscardReason: {
        "advertising": "It seemed to be advertising",
        "written_by_a_machine": "A machine seemed to have written it",
        "tried_out": "Somebody seemed to have tried out the form",
        "makes_no_sense": "Nobody could make out what was meant",
    },
    NoteKind: {
        "call": "A telephone call",
        "email": "An email",
        "decision": "A decision",
        "written": "What we wrote to you",
        "other": "Something else",
    },
    v.MatchEndReason: {
        "completed": "Therapy was completed",
        "withdrawn": "The request was taken back",
        "client_unhappy": "You wished for another therapist",
        "not_attended": "The sessions did not take place",
    },
    v.StallReason: {
        "nobody_trained": "No therapist with the right training had room",
        "nobody_near": "No therapist was near enough",
        "nobody_affordable": "No therapist cost as little as was needed",
        "nobody_with_room": "No therapist had room",
        "all_declined": "Every therapist we asked had to decline",
    },
    v.SubsidyWaitReason: {
        "no_eligible_fund": "No fund may pay for this yet",
        "no_money": "The funds have no money left for now",
        "area_to_be_confirmed": "We have to find out which area you live in",
        "no_therapist_fits": "What you can pay and a fund may add fits no therapist near you yet",
        "award_used_up": "A person decides whether we can go on helping",
    },
    v.SessionReversalReason: {
        "did_not_take_place": "It did not take place",
        "recorded_twice": "It was recorded twice",
        "wrong_day": "It was on another day",
        "wrong_referral": "It was somebody else’s",
    },
    v.Channel: {
        "email": "By email",
        "staff_call": "By a person of the charity, in the way that is safe",
        "text": "By text message",
        "letter": "By letter",
    },
    v.FailureReason: {
        "no_address": "There was no address for it",
        "rejected": "It was not accepted",
        "unreachable": "It could not be delivered",
        "bounced": "It came back",
    },
    LegalSituation: {
        "none": "Nothing has happened with the law",
        "under_investigation": "Under investigation",
        "on_bail": "On bail",
        "charged": "Charged",
        "convicted": "Convicted",
        "in_custody": "In custody",
        "on_licence": "On licence",
        "not_said": "Not said",
    },
    SafeChannel: {
        "email": "By email",
        "telephone": "By telephone",
        "text": "By text message",
        "post": "By post",
        "client_calls": "You call us",
    },
    SafeHours: {
        "any": "At any time",
        "morning": "In the morning",
        "afternoon": "In the afternoon",
        "evening": "In the evening",
    },
    ErasureReason: {
        "client_asked": "You asked for it",
        "guardian_asked": "Your guardian asked for it",
        "consent_withdrawn": "The agreement to keep it was taken back",
        "held_by_mistake": "It was held by mistake",
        "retention": "The time for which we keep such things was over",
        "erased_before": "It had been erased before, and an older copy of our records brought it back",
    },
    ExportReason: {
        "client_asked": "You asked for it",
        "guardian_asked": "Your guardian asked for it",
        "representative_asked": "Somebody who speaks for you asked for it",
        "court_order": "A court ordered it",
        "regulator": "A regulator asked for it",
    },
    ReadingReason: {
        "assessment": "To assess your request",
        "client_asked": "You asked for it",
        "complaint": "To look into a complaint",
        "duplicate_check": "To see whether two requests are the same",
        "safeguarding": "To keep somebody safe",
        "supervision": "To look after how we work",
    },
}

ON_RECORD: Mapping[str, str] = {**WORDS[ErasureReason], **WORDS[ExportReason], **WORDS[ReadingReason]}
"""Labels of the audit log's reasons."""

PARTS: Mapping[str, str] = {
    "intake": "Where requests come in",
    "matching": "The search for a therapist",
    "billing": "Money",
    "notifications": "Letters and messages",
    "evaluation": "How things are going",
}
"""The services, as people would call them."""

LANGUAGES: Mapping[str, str] = {"en": "English", "cy": "Welsh"}
"""Other languages are shown by their ISO 639 code."""


def words_of(code: StrEnum) -> str:
    return WORDS[type(code)][code.value]
