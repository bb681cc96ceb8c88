"""The two real funds of the charity's published material.

* £5,500 from a Police and Crime Commissioner's Partnership Fund: subsidised therapy for offenders and their families in
  Gwent, and reduced-cost training of therapists in Gwent and South Wales.
* A former client who, at the end of therapy, paid for two more people who could not. The amount is not published;
  ten sessions at £40 for each of the two are assumed.
"""

from __future__ import annotations

from datetime import date, timedelta

from contracts.commands.billing import FundTerms, OpenFund
from contracts.vocabulary import ClientGroup, FundPurpose

PARTNERSHIP_FUND = "Partnership Fund, Gwent (PCC)"
FORMER_CLIENTS_GIFT = "A former client's gift for two"


def sample_funds(opened_on: date) -> list[OpenFund]:
    """Both funds, open for a year from `opened_on`."""
    ends_on = opened_on + timedelta(days=365)
    return [
        OpenFund(
            name=PARTNERSHIP_FUND,
            amount_pence=5_500_00,
            terms=(
                FundTerms(
                    purpose=FundPurpose.THERAPY,
                    client_groups=(ClientGroup.AT_RISK, ClientGroup.OFFENDED, ClientGroup.FAMILY),
                    police_force_areas=("gwent",),
                ),
                FundTerms(purpose=FundPurpose.TRAINING, police_force_areas=("gwent", "south_wales")),
            ),
            starts_on=opened_on,
            ends_on=ends_on,
            session_cap_pence=40_00,
            sessions_per_award=10,
        ),
        OpenFund(
            name=FORMER_CLIENTS_GIFT,
            amount_pence=800_00,
            terms=(FundTerms(purpose=FundPurpose.THERAPY),),
            starts_on=opened_on,
            ends_on=ends_on,
            session_cap_pence=40_00,
            sessions_per_award=10,
            max_awards=2,
        ),
    ]
