"""The charity's texts in an export: headings, and what is left out and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from contracts.commands.subject import Ground, Topic


@dataclass(frozen=True)
class Heading:
    title: str
    about: str


HEADINGS: Mapping[Topic, Heading] = {
    Topic.ERASURE: Heading(
        "Erased", "What you told us was erased. What follows is all that is left, and none of it says who you are."
    ),
    Topic.REQUEST: Heading("Your request", "What we note of every request. It holds no name."),
    Topic.ANSWERS: Heading(
        "What you told us",
        "Each answer below its question, as the form asked it then. What the form worked out from your answers stands "
        "at the end. All of this is kept encrypted, under a key that is yours alone.",
    ),
    Topic.CONSENTS: Heading("What you agreed to", "You can change your mind at any time; tell us, and we act on it."),
    Topic.CONTACT: Heading(
        "How we reach you", "What the part of our system that writes letters knows of you, kept encrypted as well."
    ),
    Topic.STEPS: Heading("What happened to your request", "Every step, the first first: what, when, by whom and why."),
    Topic.KEEPING: Heading(
        "How long we keep this",
        "Then it is erased by itself. The law can oblige us to keep it longer. You can ask us to erase it sooner.",
    ),
    Topic.ASSESSMENT: Heading(
        "How your request was assessed",
        "A person read what you told us and decided what kind of help would fit. Rules suggest; a person decides.",
    ),
    Topic.CONCERNS: Heading(
        "When we were worried about somebody’s safety",
        "A worry that has been looked at, where the answer was that nothing more was needed.",
    ),
    Topic.SEARCH: Heading(
        "Looking for a therapist", "What was needed to look for somebody near you. It went without your name."
    ),
    Topic.OFFERS: Heading(
        "Therapists whom we asked", "They were told what kind of help was wanted, and not who you are."
    ),
    Topic.MATCHES: Heading("Your therapist", "With whom you were brought together, and since when."),
    Topic.MESSAGES: Heading(
        "Messages",
        "What was sent because of your request, when and how. We keep what a message was about and which wording it "
        "had, and not the message itself.",
    ),
    Topic.MONEY: Heading(
        "Money", "Fees, and help with the cost. The law on accounts asks us to keep this for six years."
    ),
    Topic.EVALUATION: Heading(
        "How things were going",
        "The questionnaires that were asked about, and what each came to. We keep the score and not the answers.",
    ),
    Topic.RECORD: Heading(
        "Who has looked at what we hold",
        "Each time that a person read, gathered or erased it. This export is the last of them.",
    ),
    Topic.NOTICES: Heading(
        "Notices between the parts of our system",
        "They carry your request’s number, codes and times, and never your name; what is personal in one is sealed to "
        "its one reader. We keep that they were sent for some 400 days.",
    ),
}


@dataclass(frozen=True)
class LeftOut:
    what: str
    why: str


BY_GROUND: Mapping[Ground, LeftOut] = {
    Ground.OTHER_PERSON: LeftOut(
        "Something about somebody else",
        "It would tell you about another person or who they are, and that is theirs to tell.",
    ),
    Ground.SOMEBODY_AT_RISK: LeftOut(
        "Something that could put somebody at risk",
        "It could do serious harm to you or to somebody else, or get in the way of keeping somebody safe.",
    ),
    Ground.LEGAL_ADVICE: LeftOut(
        "Something between us and our lawyers", "What we ask a lawyer, and what they advise us, is between us and them."
    ),
}
"""Shown where a person has left something out, without saying what."""

ALWAYS_LEFT_OUT = (
    LeftOut(
        "What other people told us in confidence, and who they are",
        "It is theirs. If somebody wrote to us for you, who they are is left out, and their own words too unless you "
        "agreed to their writing.",
    ),
    LeftOut(
        "What could put somebody at risk, or get in the way of keeping somebody safe",
        "This takes in our notes on risk, worries about safety that are not settled, and matters of law that we were "
        "asked to keep. You can ask us to have a person look at it for you.",
    ),
    LeftOut(
        "Everything about other people",
        "Whether or not anybody else who asked us for help knows you, is part of what we keep for them. Therapists to "
        "whom you were not introduced, and what a therapist pays us, are left out too.",
    ),
    LeftOut(
        "The words that you chose to ask after your request",
        "We can’t tell them: we keep only a mark, from which nobody can read them. In the same way we keep marks of "
        "your email address, telephone number and name, so that we notice when the same request comes twice.",
    ),
    LeftOut(
        "The messages themselves, and your answers to questionnaires",
        "We don’t keep them. A message is put together at the moment of sending; of a questionnaire the score alone "
        "stays.",
    ),
)
"""The same in every export, whether or not there is anything of the kind, so that nothing can be inferred from it."""
