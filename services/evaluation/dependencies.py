"""What evaluation's handlers find as `unit.dependencies`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from chassis.config import Env, InvalidSettings
from chassis.privacy.sealing import Keyring
from contracts.vocabulary import Respondent
from services.evaluation import settings
from services.evaluation.domain.instruments import Instrument
from services.evaluation.domain.invitations import Referral
from services.evaluation.gateways.library import FOLDER, WORDING, InvalidWordings, Library, Wordings


@dataclass(frozen=True)
class Dependencies:
    """Settings, keys and the instruments, made once at the start."""

    settings: settings.EvaluationSettings
    keyring: Keyring
    library: Library
    wordings: Wordings

    def instrument_for(self, respondent: Respondent, referral: Referral) -> Instrument | None:
        """What a respondent is asked by from now on; None where they aren't to be asked, or by nothing that we have."""
        if respondent is Respondent.THERAPIST:
            return self.library.newest(self.settings.therapist_instrument)
        chosen = (self.settings.client_instrument, self.settings.young_instrument)
        return next((one for one in map(self.library.newest, chosen) if referral.may_be_asked(one)), None)


def build(env: Env) -> Dependencies:
    """Raises NoSuchInstrument if a setting names an instrument that has no definition, and InvalidSettings."""
    values = settings.read(env)
    folders = (FOLDER, values.instruments_folder) if values.instruments_folder else (FOLDER,)
    library = Library(*folders)
    for code in (values.client_instrument, values.young_instrument, values.therapist_instrument):
        library.newest(code)
    return Dependencies(
        settings=values,
        keyring=Keyring(values.keys_folder, reader="evaluation"),
        library=library,
        wordings=_wordings(library, values.wording_folder),
    )


def _wordings(library: Library, own: Path | None) -> Wordings:
    """Raises InvalidSettings."""
    try:
        return Wordings(library, WORDING, *([own] if own else []))
    except InvalidWordings as error:
        raise InvalidSettings(f"The wording of forms needs attention:\n{error}") from None
