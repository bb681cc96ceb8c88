"""What the demonstration's invented people write: short, neutral, and nothing that anyone would mind reading."""

from __future__ import annotations

from contracts.vocabulary import ClientGroup

CONCERNS = {
    ClientGroup.AT_RISK: (
        "I am worried about my thoughts and want to talk to someone before anything happens.",
        "I have thoughts that trouble me and I have told nobody so far.",
        "I want to be sure that I never harm anyone.",
    ),
    ClientGroup.OFFENDED: (
        "I want to understand what I did and make sure that it never happens again.",
        "I have been through the courts and would like help to stay on a better path.",
        "I am worried about slipping back and would like support.",
    ),
    ClientGroup.IN_PRISON: (
        "I would like to begin therapy when I am released and want to prepare for it.",
        "I have done a course here and would like to go on with the work.",
    ),
    ClientGroup.FAMILY: (
        "I have just found out about my partner and don't know where to turn.",
        "We are trying to find out whether we can stay together as a family.",
        "I need someone to talk to about what has happened in our family.",
    ),
    ClientGroup.SURVIVOR: (
        "I would like to talk about something that happened to me a long time ago.",
        "I feel ready to look for support now.",
    ),
    ClientGroup.YOUNG_PERSON: (
        "We are worried about our child's behaviour and would like advice and support.",
        "The family asks for therapy with someone who is used to working with young people.",
    ),
}

HOPES = (
    "To understand myself better.",
    "To have someone to talk to who does not judge.",
    "To feel safe with myself again.",
    "To find ways of coping from day to day.",
    "To be a better parent and partner.",
)
