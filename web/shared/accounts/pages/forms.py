"""The forms of accounts."""

from __future__ import annotations

from email_validator import EmailNotValidError, validate_email
from wtforms import EmailField, Field, Form, HiddenField, PasswordField, SelectMultipleField, StringField
from wtforms.validators import Length, ValidationError
from wtforms.widgets import CheckboxInput, ListWidget

from web.shared.accounts.domain.passwords import weakness
from web.shared.staff.forms import OneLine, Said, StaffForm, stripped

MOST_EMAIL, MOST_NAME = 254, 120


def is_email(form: Form, field: Field) -> None:
    """An address that letters can be sent to, which rules out a second line or a second address."""
    try:
        validate_email(field.data or "", check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        raise ValidationError("Write an e-mail address, like name@example.org.") from None


class SignInForm(StaffForm):
    email = EmailField("E-mail address", [Said("Write your e-mail address."), OneLine(MOST_EMAIL)], [stripped])
    password = PasswordField("Password", [Said("Write your password."), Length(max=1_000)])
    next = HiddenField()


class AgainForm(StaffForm):
    password = PasswordField("Password", [Said("Write your password."), Length(max=1_000)])
    next = HiddenField()


class CodeForm(StaffForm):
    code = StringField(
        "Code",
        [Said("Write the code that your app shows, or a recovery code."), Length(max=40)],
        [stripped],
        description="Six digits from your authenticator app, or one of your recovery codes.",
    )
    next = HiddenField()


class NameForm(StaffForm):
    name = StringField("Your name", [Said("Write your name."), OneLine(MOST_NAME)], [stripped])
    email = EmailField("Your e-mail address", [Said("Write your e-mail address."), is_email], [stripped])


class NewPasswordForm(StaffForm):
    """`about` are words that a good password has nothing to do with."""

    about: tuple[str, ...] = ()

    password = PasswordField(
        "Choose a password",
        [Said("Choose a password.")],
        description="At least 12 characters. Three or four words that have nothing to do with each other are good.",
    )

    def validate_password(self, field: Field) -> None:
        if why := weakness(field.data or "", about=self.about):
            raise ValidationError(why)


class FirstAdministratorForm(NameForm, NewPasswordForm):
    """The problems come in the order of the fields on the page, which is that in which their classes are written."""


class AppForm(StaffForm):
    code = StringField(
        "Code from the app", [Said("Write the six digits that your app shows."), Length(max=20)], [stripped]
    )


class PasskeyForm(StaffForm):
    """Filled in by the script that asks the browser for a passkey."""

    answer = HiddenField(validators=[Length(max=20_000)])
    name = StringField("A name for it", [OneLine(60)], [stripped], description="For example: my telephone.")


class PasskeySignInForm(StaffForm):
    answer = HiddenField(validators=[Length(max=20_000)])
    next = HiddenField()


class Ticks(SelectMultipleField):
    """Several choices, as check boxes."""

    widget = ListWidget()
    option_widget = CheckboxInput()


class InviteForm(StaffForm):
    name = StringField("Name", [Said("Write the person’s name."), OneLine(MOST_NAME)], [stripped])
    email = EmailField("E-mail address", [Said("Write their e-mail address."), is_email], [stripped])
    roles = Ticks("What they do", validate_choice=True)
