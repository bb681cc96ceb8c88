"""Funds: grants and donations. Never overspent, nor spent outside their terms or after their end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from contracts.refused import Refused
from contracts.vocabulary import ClientGroup, FundId, FundPurpose
from services.billing.domain.amounts import pounds


class FundRefused(Refused):
    """A fund that may not pay for this."""


class NotForThisPurpose(FundRefused):
    """The fund was given for something else."""


class NotOpen(FundRefused):
    """Before the fund's first day or after its last."""


class WrongClientGroup(FundRefused):
    """The fund was given for other people."""


class OutsideArea(FundRefused):
    """The client lives where the fund may not be spent."""


class AreaToBeConfirmed(FundRefused):
    """Only an outward code is known, which doesn't decide an area; the fund is for certain areas alone."""


class ClientCapReached(FundRefused):
    """The fund has given this client all it may."""


class ReportedTooLate(FundRefused):
    """The session is reported when what was reserved of the fund has gone back."""


class FitsNoTherapist(FundRefused):
    """With all that the fund may add, the client can pay no therapist within reach."""


class NeedsAPerson(FundRefused):
    """The fund gives nobody another award unless a person decides so."""


class NoMoney(FundRefused):
    """Not enough is left that isn't promised already."""


class NoAwardsLeft(NoMoney):
    """The fund was given for a number of people, and that many have been helped."""


class MoreThanCommitted(FundRefused):
    """More would be spent or released than was committed."""


class MoreThanDrawn(FundRefused):
    """More would be taken back than was spent."""


class FundNotPossible(Refused):
    """A fund that can't be opened with these terms."""


class EndsBeforeItStarts(FundNotPossible):
    """Its last day lies before its first."""


class PurposeNamedTwice(FundNotPossible):
    """Two sets of terms for one purpose."""


@dataclass(frozen=True, kw_only=True)
class Terms:
    """What one purpose of a fund is restricted to. An empty set restricts nothing; areas of both kinds add up."""

    purpose: FundPurpose
    client_groups: frozenset[ClientGroup] = frozenset()
    police_force_areas: frozenset[str] = frozenset()
    local_authorities: frozenset[str] = frozenset()

    @property
    def is_area_restricted(self) -> bool:
        return bool(self.police_force_areas or self.local_authorities)


@dataclass(frozen=True, kw_only=True)
class Area:
    """Where a client lives, as far as it is known."""

    police_force_area: str | None = None
    local_authority: str | None = None


@dataclass(kw_only=True, eq=False)
class Fund:
    """A grant or donation. What was given is available, committed to awards, or drawn: never more, never less.

    `max_awards` is for gifts to a number of people: a person's further awards don't count, nor does an award that is
    released untouched.
    """

    id: FundId
    name: str
    terms: tuple[Terms, ...]
    starts_on: date
    ends_on: date
    opened_pence: int
    available_pence: int
    committed_pence: int = 0
    drawn_pence: int = 0
    awards_made: int = 0
    session_cap_pence: int | None = None
    sessions_per_award: int | None = None
    client_cap_pence: int | None = None
    max_awards: int | None = None
    further_awards: bool = False

    @property
    def purposes(self) -> tuple[FundPurpose, ...]:
        return tuple(terms.purpose for terms in self.terms)

    def terms_for(self, purpose: FundPurpose) -> Terms:
        """The restrictions on one purpose. Raises NotForThisPurpose."""
        for terms in self.terms:
            if terms.purpose is purpose:
                return terms
        raise NotForThisPurpose(f"{self.name} was not given for {purpose}; choose another fund.")

    def is_open(self, *, on: date) -> bool:
        """Whether the day lies within the fund's dates, both of which count."""
        return self.starts_on <= on <= self.ends_on

    def check_open(self, *, on: date) -> None:
        """Raises NotOpen."""
        if not self.is_open(on=on):
            raise NotOpen(f"{self.name} can be spent from {self.starts_on} to {self.ends_on}, not on {on}.")

    def check_person(self, *, purpose: FundPurpose, client_group: ClientGroup | None, area: Area) -> None:
        """Whether the purpose's terms allow this person, a therapist in training having no client group.

        Raises NotForThisPurpose, WrongClientGroup, OutsideArea or AreaToBeConfirmed.
        """
        terms = self.terms_for(purpose)
        if client_group and terms.client_groups and client_group not in terms.client_groups:
            allowed = ", ".join(sorted(terms.client_groups))
            raise WrongClientGroup(f"{self.name} is for {allowed}, not for {client_group}.")
        self._check_area(terms, area)

    def check_reported(self, *, on: date, within_days: int) -> None:
        """Whether a session may still be reported on that day. Raises ReportedTooLate."""
        last = self.ends_on + timedelta(days=within_days)
        if on > last:
            raise ReportedTooLate(f"{self.name} pays sessions reported until {last}; speak to the treasurer.")

    def commit(self, *, pence: int, on: date, new_person: bool = True) -> None:
        """Promises money for sessions of that day or later. Raises NotOpen, NoAwardsLeft or NoMoney."""
        self.check_open(on=on)
        if new_person:
            self.check_awards_left()
        if not 0 < pence <= self.available_pence:
            raise NoMoney(f"{self.name} has {pounds(self.available_pence)} available, not {pounds(pence)}.")
        self.available_pence -= pence
        self.committed_pence += pence
        self.awards_made += new_person

    def draw_down(self, *, pence: int, on: date) -> None:
        """Spends committed money on a session of that day. Raises NotOpen or MoreThanCommitted."""
        self.check_open(on=on)
        self._check_committed(pence)
        self.committed_pence -= pence
        self.drawn_pence += pence

    def undo_draw_down(self, *, pence: int) -> None:
        """What was spent on a session that is taken back is committed again. Raises MoreThanDrawn."""
        if not 0 < pence <= self.drawn_pence:
            raise MoreThanDrawn(f"{self.name} has spent {pounds(self.drawn_pence)}, not {pounds(pence)}.")
        self.drawn_pence -= pence
        self.committed_pence += pence

    def release(self, *, pence: int, returns_award: bool = False) -> None:
        """Takes a promise back, which may happen after the fund's end. Raises MoreThanCommitted."""
        self._check_committed(pence)
        self.committed_pence -= pence
        self.available_pence += pence
        self.awards_made -= returns_award

    def check_awards_left(self) -> None:
        """Raises NoAwardsLeft when the gift has helped as many people as it was given for."""
        if self.max_awards is not None and self.awards_made >= self.max_awards:
            raise NoAwardsLeft(f"{self.name} was given for {self.max_awards} people and has helped that many.")

    def _check_committed(self, pence: int) -> None:
        if not 0 < pence <= self.committed_pence:
            raise MoreThanCommitted(f"{self.name} has {pounds(self.committed_pence)} committed, not {pounds(pence)}.")

    def _check_area(self, terms: Terms, area: Area) -> None:
        if not terms.is_area_restricted:
            return
        if area.police_force_area in terms.police_force_areas or area.local_authority in terms.local_authorities:
            return
        force_unknown = bool(terms.police_force_areas) and area.police_force_area is None
        authority_unknown = bool(terms.local_authorities) and area.local_authority is None
        if force_unknown or authority_unknown:
            raise AreaToBeConfirmed(f"{self.name} is for certain areas; confirm the client's from the full postcode.")
        raise OutsideArea(f"{self.name} may not be spent where this client lives.")


def check_terms(*, terms: tuple[Terms, ...], starts_on: date, ends_on: date) -> None:
    """Whether a fund can be opened so. Raises EndsBeforeItStarts or PurposeNamedTwice."""
    if ends_on < starts_on:
        raise EndsBeforeItStarts(f"The fund would end on {ends_on}, before it starts on {starts_on}.")
    if len({each.purpose for each in terms}) < len(terms):
        raise PurposeNamedTwice("Name each purpose of the fund once, with all of its areas and client groups.")
