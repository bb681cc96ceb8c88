"""What evaluation's handlers find as `unit.tools`."""

from __future__ import annotations

from dataclasses import dataclass

from chassis.config import Env
from chassis.sealing import Keyring
from contracts.vocabulary import Respondent
from services.evaluation import settings
from services.evaluation.domain.instruments import Instrument
from services.evaluation.gateways.library import FOLDER, Library


@dataclass(frozen=True)
class Tools:
    """Settings, keys and the instruments, made once at the start."""

    settings: settings.EvaluationSettings
    keyring: Keyring
    library: Library

    def instrument_for(self, respondent: Respondent) -> Instrument:
        """What a respondent is asked by from now on."""
        chosen = self.settings
        code = chosen.client_instrument if respondent is Respondent.CLIENT else chosen.therapist_instrument
        return self.library.newest(code)


def build(env: Env) -> Tools:
    """Raises NoSuchInstrument if a setting names an instrument that has no definition."""
    values = settings.read(env)
    folders = (FOLDER, values.instruments_folder) if values.instruments_folder else (FOLDER,)
    tools = Tools(
        settings=values,
        keyring=Keyring(values.keys_folder, reader="evaluation"),
        library=Library(*folders),
    )
    for respondent in Respondent:
        tools.instrument_for(respondent)
    return tools
