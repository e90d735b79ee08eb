"""Street trees by census and sample, version 2.

Version 1 took the year of the instant at which a period ends as its last: a period of a calendar
year ends as the next begins, so that trees planted in the year after it were let in. Here the last
year is that of the period's last day. Everything else is as it was.
"""

from datetime import timedelta

from onsil.core.refusal import Refusal
from onsil.footprint.methodologies import street_tree_census as before
from onsil.footprint.methodologies.records import days_of_period
from onsil.footprint.methodologies.registry import WorkedExample
from onsil.footprint.terms import MethodInputs, Outcome

ID = before.ID
VERSION = "2"
TITLE_KO = before.TITLE_KO
TITLE_EN = before.TITLE_EN
SOURCES = before.SOURCES
FORMULA = before.FORMULA
CONDITIONS = (
    *before.CONDITIONS,
    (
        "기간의 마지막 날이 있는 해보다 뒤에 심은 나무는 넣지 못합니다.",
        "No tree was planted after the year of the period's last day.",
    ),
)
ROLES = before.ROLES
TABLES = before.TABLES
PARAMETERS = before.PARAMETERS
COEFFICIENTS = before.COEFFICIENTS
FACTORS = before.FACTORS
MONITORING = before.MONITORING

span = before.span


def quantify(inputs: MethodInputs) -> Outcome | Refusal:
    """Tree-years of the found units, and what they removed by the sample's mean.

    Refused: what version 1 refuses.
    """
    return before.counted(inputs, (days_of_period(inputs).end - timedelta(days=1)).year)


def worked_example() -> WorkedExample:
    """Version 1's: its period ends in autumn, where both versions agree."""
    return before.worked_example()
