"""What a form's link shows, reminders, and forms that a person enters or that can't be read yet."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from chassis.ids import new_id
from chassis.privacy.sealing import Keyring, make_keys
from contracts.commands.evaluation import (
    EnterAnswers,
    FormPage,
    GetForm,
    GetFormLink,
    ListUnreadableForms,
    RetryUnreadableForm,
)
from contracts.events.evaluation import EvaluationInvited, EvaluationRiskFlagged, EvaluationSubmitted
from contracts.events.intake import ReferralErased, SafeguardingConcernRaised
from contracts.events.notifications import SafeguardingOutcomeRecorded
from contracts.sealed import Answer, EnteredAnswers, EvaluationForm, LinkSecret
from contracts.vocabulary import (
    AnswerMode,
    ConcernCategory,
    ConcernId,
    ConcernOutcome,
    InvitationId,
    LinkState,
    ReferralId,
    Respondent,
    Severity,
    Stage,
)
from services.evaluation import errors, subject_access
from services.evaluation.domain.invitations import Mode, State
from services.evaluation.gateways.library import FOLDER, WORDING, InvalidWordings, Library, Wordings
from services.evaluation.handlers import commands, erasure, events, queries
from services.evaluation.store import repository, tables
from tests.unit.evaluation.conftest import CALM, MONDAY_10, Study, a_study

CLIENT, THERAPIST = Respondent.CLIENT, Respondent.THERAPIST
ITEMS = ("attends", "engages", "alliance", "goals", "warning_signs", "support")


@pytest.fixture
def asked(study: Study, referral_id: ReferralId) -> Study:
    study.receive(referral_id)
    study.match(referral_id)
    return study


def page(study: Study, token: str, language: str = "en") -> FormPage:
    sealed = study.keyring.seal("evaluation", LinkSecret(token=token))
    found: FormPage = study.bench.ask(queries.open_form, GetFormLink(sealed=sealed, language=language))
    return found


def tokens(study: Study, respondent: Respondent) -> list[str]:
    found = [one for one in study.bench.emitted(EvaluationInvited) if one.respondent is respondent]
    return [study.notifications.open(LinkSecret, one.sealed).token for one in found]


def test_a_link_shows_the_questions_in_words_and_what_may_be_chosen(asked: Study) -> None:
    shown = page(asked, asked.token(Stage.START, THERAPIST), language="cy")
    assert (shown.state, shown.language, shown.title) == (LinkState.OPEN, "en", "How the work goes")
    assert [item.code for item in shown.items] == [*ITEMS]
    assert [(one.value, one.label) for one in shown.items[0].choices][::4] == [(0, "Not at all"), (4, "Fully")]


def test_a_form_without_wording_says_so_by_having_no_questions(asked: Study) -> None:
    shown = page(asked, asked.token(Stage.START, CLIENT))
    assert (shown.state, shown.items, shown.title) == (LinkState.OPEN, (), None)


def test_looking_uses_nothing_up_and_an_answer_does(asked: Study) -> None:
    token = asked.token(Stage.START, CLIENT)
    assert [page(asked, token).state for _ in range(3)] == [LinkState.OPEN] * 3
    asked.return_form(token, CALM)
    shown = page(asked, token)
    assert (shown.state, shown.items) == (LinkState.ANSWERED, ())


def test_a_secret_that_nobody_was_given_tells_nothing(asked: Study) -> None:
    assert page(asked, "0" * 22) == FormPage(state=LinkState.UNKNOWN)
    for sealed in ("no jwe", asked.keyring.seal("notifications", LinkSecret(token="0" * 22))):
        assert asked.bench.ask(queries.open_form, GetFormLink(sealed=sealed)) == FormPage(state=LinkState.UNKNOWN)


def test_a_link_ends_with_what_it_asks_about(asked: Study, referral_id: ReferralId) -> None:
    asked.withdraw(referral_id)
    assert page(asked, asked.token(Stage.START, CLIENT)).state is LinkState.WITHDRAWN


def test_a_link_ends_after_28_days_and_what_comes_then_only_raises_its_flag(
    asked: Study, referral_id: ReferralId
) -> None:
    token = asked.token(Stage.START, CLIENT)
    for _ in range(4):
        asked.pass_time(days=7)
    assert page(asked, token).state is LinkState.EXPIRED
    assert asked.states(referral_id)[Stage.START, CLIENT] == "lapsed"
    asked.return_form(token, [0, 4, 4, 0, 0, 1, 0, 0, 0, 0])
    assert asked.bench.emitted(EvaluationSubmitted) == []
    assert len(asked.bench.emitted(EvaluationRiskFlagged)) == 1


def reminded(study: Study, respondent: Respondent = CLIENT) -> list[int]:
    return [one.reminder for one in study.bench.emitted(EvaluationInvited) if one.respondent is respondent][1:]


def test_whoever_has_not_answered_is_reminded_after_3_7_and_14_days(asked: Study) -> None:
    found = []
    for _ in range(20):
        asked.pass_time(days=1)
        found.append(len(reminded(asked)))
    assert found == [0] * 2 + [1] * 4 + [2] * 7 + [3] * 7
    assert reminded(asked, THERAPIST) == [1, 2, 3]


def test_each_reminder_has_a_link_of_its_own_and_all_open_the_same_form(asked: Study) -> None:
    asked.pass_time(days=3)
    first, second = tokens(asked, CLIENT)
    assert first != second
    asked.return_form(second, CALM)
    assert {page(asked, one).state for one in (first, second)} == {LinkState.ANSWERED}
    asked.pass_time(days=11)
    assert reminded(asked) == [1]


def raised(referral_id: ReferralId) -> SafeguardingConcernRaised:
    return SafeguardingConcernRaised(
        concern_id=ConcernId(new_id()),
        referral_id=referral_id,
        severity=Severity.URGENT,
        category=ConcernCategory.RISK_TO_SELF,
        raised_at=MONDAY_10,
    )


def decided(study: Study, concern: SafeguardingConcernRaised) -> SafeguardingOutcomeRecorded:
    return SafeguardingOutcomeRecorded(
        concern_id=concern.concern_id,
        referral_id=concern.referral_id,
        outcome=ConcernOutcome.NO_FURTHER_ACTION,
        recorded_at=study.bench.clock.now(),
    )


def test_nobody_is_reminded_while_it_is_open_what_comes_of_a_concern(asked: Study, referral_id: ReferralId) -> None:
    concern = raised(referral_id)
    asked.bench.hear(events.note_concern, concern)
    asked.pass_time(days=3)
    assert reminded(asked) == []
    asked.bench.hear(events.note_outcome, decided(asked, concern))
    asked.pass_time(days=4)
    assert reminded(asked) == [2]


def test_a_decision_that_is_heard_of_before_its_concern_counts(asked: Study, referral_id: ReferralId) -> None:
    concern = raised(referral_id)
    asked.bench.hear(events.note_outcome, decided(asked, concern))
    asked.bench.hear(events.note_concern, concern)
    asked.pass_time(days=3)
    assert reminded(asked) == [1]


def enter(study: Study, invitation_id: InvitationId, values: list[int]) -> object:
    answers = tuple(Answer(item=f"q{number}", value=value) for number, value in enumerate(values, start=1))
    sealed = study.keyring.seal("evaluation", EnteredAnswers(answers=answers))
    command = EnterAnswers(invitation_id=invitation_id, mode=AnswerMode.TELEPHONE, sealed=sealed)
    return study.bench.ask(commands.enter_answers, command)


def test_answers_by_telephone_are_scored_alike_and_marked(asked: Study, referral_id: ReferralId) -> None:
    (invitation,) = (one for one in asked.invitations(referral_id) if one.respondent is CLIENT)
    shown = asked.bench.ask(queries.show_form, GetForm(invitation_id=invitation.invitation_id))
    assert [item.text for item in shown.items][:2] == ["q1", "q2"], "without wording they are told by code"
    enter(asked, invitation.invitation_id, [0, 4, 4, 0, 0, 2, 0, 0, 0, 0])
    (submitted,) = asked.bench.emitted(EvaluationSubmitted)
    assert submitted.score == 2
    assert len(asked.bench.emitted(EvaluationRiskFlagged)) == 1
    with asked.bench.database.reading() as unit:
        response = repository.find_response(unit.session, invitation.invitation_id)
        assert response
        assert (response.mode.value, response.entered_by) == ("telephone", "console:somebody")
    assert page(asked, asked.token(Stage.START, CLIENT)).state is LinkState.ANSWERED
    with pytest.raises(errors.InvitationClosed, match="returned"):
        enter(asked, invitation.invitation_id, CALM)


def test_answers_that_do_not_fit_are_refused_in_words(asked: Study, referral_id: ReferralId) -> None:
    (invitation,) = (one for one in asked.invitations(referral_id) if one.respondent is CLIENT)
    with pytest.raises(errors.AnswersDontFit, match="q1 is out of range"):
        enter(asked, invitation.invitation_id, [9])
    with pytest.raises(errors.UnknownInvitation):
        enter(asked, InvitationId(new_id()), CALM)


def test_a_form_that_is_sealed_to_a_key_that_is_not_here_is_kept_until_it_is(
    keys: Path, tmp_path: Path, referral_id: ReferralId
) -> None:
    elsewhere = tmp_path / "elsewhere"
    make_keys(elsewhere, "evaluation")
    study = a_study(keys, f"sqlite:///{tmp_path / 'kept.db'}")
    study.receive(referral_id)
    study.match(referral_id)
    form = EvaluationForm(token=study.token(Stage.START, CLIENT), answers=(Answer(item="q6", value=3),))
    event = replace(study.returned(form.token, CALM), sealed=Keyring(elsewhere).seal("evaluation", form))
    for _ in range(2):
        study.bench.hear(events.take_form, event)
    (kept,) = study.bench.ask(queries.list_unreadable, ListUnreadableForms())
    assert kept.submission_id == event.submission_id
    assert kept.sealed_to
    retry = RetryUnreadableForm(submission_id=event.submission_id)
    with pytest.raises(errors.StillUnreadable, match="key"):
        study.bench.ask(commands.retry_unreadable, retry)
    with study.bench.database.reading() as unit:
        dependencies = unit.dependencies
    study.bench.start(replace(dependencies, keyring=Keyring(elsewhere, reader="evaluation")))
    study.bench.ask(commands.retry_unreadable, retry)
    assert len(study.bench.emitted(EvaluationRiskFlagged)) == 1
    assert study.bench.ask(queries.list_unreadable, ListUnreadableForms()) == []
    with pytest.raises(errors.NothingUnreadable):
        study.bench.ask(commands.retry_unreadable, retry)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"licence": ""}, "licence is missing"),
        ({"items": {"attends": "x"}}, "not those of therapist-view: alliance"),
        ({"answers": {"0": "no", "1": "yes"}}, "the answers 2, 3, 4 to attends have no words"),
        ({"answers": {"none": "no"}}, "a whole number"),
        ({"instrument": "made-up"}, "no definition of made-up"),
    ],
)
def test_wording_that_does_not_fit_or_has_no_licence_is_named(
    tmp_path: Path, change: dict[str, object], named: str
) -> None:
    data = json.loads((WORDING / "therapist-view.v1.en.json").read_text()) | change
    (tmp_path / "own.json").write_text(json.dumps(data))
    with pytest.raises(InvalidWordings, match=rf"own\.json: .*{named}"):
        Wordings(Library(FOLDER), WORDING, tmp_path)


def test_wording_of_the_charity_goes_before_ours_and_comes_in_the_language_asked_for(tmp_path: Path) -> None:
    data = json.loads((WORDING / "therapist-view.v1.en.json").read_text())
    (tmp_path / "a.json").write_text(json.dumps(data | {"title": "Ours"}))
    (tmp_path / "b.json").write_text(json.dumps(data | {"title": "Sut mae’n mynd", "language": "cy"}))
    library = Library(FOLDER)
    wordings, view = Wordings(library, WORDING, tmp_path), library.newest("therapist-view")
    found = [wordings.find(view, language) for language in ("en", "cy", "pl")]
    assert [one.title for one in found if one] == ["Ours", "Sut mae’n mynd", "Ours"]


def test_a_person_is_told_of_every_state_that_a_form_can_be_in() -> None:
    assert set(subject_access.STATES) == set(State)
    assert set(subject_access.MODES) == set(Mode)


def test_an_erased_referral_leaves_no_concern_behind_whatever_is_heard_of_it_once_more(
    asked: Study, referral_id: ReferralId
) -> None:
    concern = raised(referral_id)
    asked.bench.hear(events.note_concern, concern)
    asked.bench.hear(erasure.forget, ReferralErased(referral_id=referral_id))
    asked.bench.hear(events.note_concern, concern)
    asked.bench.hear(events.note_outcome, decided(asked, concern))
    with asked.bench.database.reading() as unit:
        assert unit.session.execute(select(tables.concerns)).all() == []
