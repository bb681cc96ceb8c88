"""What the fields of the form, the states and the steps are called when a person reads what is held about them."""

from __future__ import annotations

from services.intake.application.history import BY_BILLING, BY_CLIENT, BY_MATCHING, BY_RULE, UNNAMED_STAFF
from services.intake.domain.states import State, Step

IN_SECTIONS_OF_THEIR_OWN = frozenset({"consents", "consent_texts", "needs_changed"})
"""Fields of the form that have a section of their own."""

LABELS = {
    "name": "Name",
    "age": "Age",
    "date_of_birth": "Date of birth",
    "sex": "Sex",
    "route": "Who got in touch",
    "client_group": "For",
    "postcode": "Postcode",
    "contact.channel": "How it is safe to reach you",
    "contact.hours": "When it is safe",
    "contact.email": "Email",
    "contact.telephone": "Telephone",
    "contact.address": "Address",
    "contact.may_leave_message": "We may leave a message",
    "contact.discreet": "What we send does not say who we are",
    "contact.call_as": "Who we say is calling or writing",
    "concern": "What you would like us to know",
    "hopes": "What you hope for",
    "legal_situation": "Where things stand with the law",
    "known_to_authorities": "Whether the police or social services know",
    "identifiable_person_at_risk": "Somebody may be at risk of harm now",
    "person_at_risk": "Who that may be",
    "language": "Language",
    "sessions": "Sessions",
    "work": "Kind of work",
    "max_distance_km": "How far you can travel, in kilometres",
    "therapist_sex": "Therapist’s sex, if you wished for one",
    "therapist_sex_only": "Whether that is a must",
    "therapy_language": "Language to talk in",
    "therapy_language_must": "Whether it must be in that language",
    "wheelchair_access": "Step-free access needed",
    "subsidy_requested": "Help with the cost asked for",
    "fee_ceiling_pence": "What you can pay for a session",
    "definition": "Which form you answered",
    "definition_version": "Version of the form",
    "written_by.name": "Written for you by",
    "written_by.organisation": "Their organisation",
    "written_by.role": "Their role",
    "written_by.relationship": "Who they are to you",
    "written_by.contact.channel": "How it is safe to reach them",
    "written_by.contact.hours": "When it is safe for them",
    "written_by.contact.email": "Their safe email",
    "written_by.contact.telephone": "Their safe telephone number",
    "written_by.contact.address": "Their address",
    "written_by.contact.may_leave_message": "We may leave them a message",
    "written_by.contact.discreet": "What we send them does not say who we are",
    "written_by.contact.call_as": "Who we say is calling or writing to them",
    "written_by.email": "Their email",
    "written_by.telephone": "Their telephone",
    "written_by.client_agrees": "Whether you know of this and agree",
    "written_by.agreed_how": "How they know that you agree",
    "relationship": "Who the other person is to you",
    "alleged": "What has been said that they did",
    "help_wanted": "Help wished for",
    "custody.prison": "Prison",
    "custody.prison_number": "Prison number",
    "custody.release_on": "Release date",
    "custody.release_area": "Where you go after release",
    "custody.release_postcode": "Postcode of where you go after release",
    "interpreter": "Interpreter or language",
    "interpreter_language": "Language of the interpreter, as we understood it",
    "online_allowed": "Whether the prison allows sessions online",
    "access_needs": "What would make it easier to take part",
    "heard_through": "How you heard of us",
    "equality.gender": "Gender",
    "equality.ethnic_group": "Ethnic group",
    "equality.religion": "Religion",
    "equality.sexual_orientation": "Sexual orientation",
    "equality.disability": "Health condition or disability",
    "suspected": "What made our form wonder whether a machine had written it",
}
"""By path in `contracts.sealed.HelpForm`. Only where the form's definition doesn't give the question's own words."""

CODED = frozenset(
    {
        "definition",
        "heard_through",
        "relationship",
        "suspected",
        *(path for path in LABELS if path.startswith("equality.")),
    }
)
"""Fields that hold codes of the form's own, whose meaning only its definition gives."""

ASPECTS = {
    "risk": "Risk",
    "physical": "Physical",
    "relational": "Relationships",
    "psychological": "Psychological",
    "spiritual": "Spiritual",
    "social": "Social",
}

STATES = {
    State.IN_REVIEW: "Received, and looked at because a machine might have written it",
    State.RECEIVED: "Received",
    State.AWAITING_ASSESSMENT: "Somebody is reading it",
    State.ASSESSED: "Assessed",
    State.ON_HOLD: "On hold",
    State.MATCHING: "A therapist is being looked for",
    State.OFFERED: "A therapist has been asked",
    State.MATCHED: "A therapist was found",
    State.FIRST_SESSION_ATTENDED: "Sessions have begun",
    State.ENDED: "Sessions have come to an end",
    State.WITHDRAWN: "Taken back",
    State.SIGNPOSTED: "Another service was named to you",
    State.CLOSED: "Closed",
    State.RE_REFERRED: "Closed, because a newer request takes it up",
    State.DISCARDED: "Set aside, because nobody seemed to have written it",
    State.ERASED: "Erased",
}

STEPS = {
    Step.RECEIVE: "Your request came",
    Step.RELEASE: "Somebody found that a person had written it",
    Step.DISCARD: "It was set aside, because nobody seemed to have written it",
    Step.TAKE_UP: "Somebody began to read it",
    Step.SIGN_OFF: "The safeguarding lead saw it, as with every young person’s request",
    Step.FIND_PLACE: "Somebody found out where you are",
    Step.ASSESS: "It was assessed",
    Step.SIGNPOST: "Another service was named to you",
    Step.HOLD: "It was put on hold",
    Step.RESUME: "It went on",
    Step.RECORD_CONSENT: "Somebody recorded what you agree to",
    Step.CHANGE_CONTACT: "How you are reached was changed",
    Step.CHANGE_NEEDS: "What you need, or would like, was changed",
    Step.UNDO: "It had been ended by mistake, and went on",
    Step.OFFER: "A therapist was asked",
    Step.SEEK_ON: "Another therapist is looked for",
    Step.MATCH: "A therapist said yes",
    Step.ATTEND: "The first session took place",
    Step.NOT_BEGUN: "The first session had not taken place; that was a mistake of ours",
    Step.ASK_FOR_ANOTHER: "You asked for somebody else",
    Step.PART: "You and the therapist parted; another is looked for",
    Step.END: "The sessions came to an end",
    Step.GO_ON: "They had not come to an end; that was a mistake of ours",
    Step.CLOSE: "It was closed",
    Step.WITHDRAW: "It was taken back",
    Step.MERGE: "It was joined with another request of yours",
    Step.UNMERGE: "It was parted again from another request",
    Step.RE_REFER: "You asked again: a newer request takes it up",
    Step.NOTE: "Somebody wrote a note",
    Step.ERASE: "It was erased",
}

WRITTEN_BY = {
    BY_CLIENT: "You",
    BY_RULE: "A rule, by itself",
    BY_MATCHING: "The search for a therapist",
    BY_BILLING: "The record of sessions",
    UNNAMED_STAFF: "The office",
}
"""Who took a step, where it was no person by name."""
