"""The cities' own programmes, as the rule tests read them."""

from pathlib import Path
from zoneinfo import ZoneInfo

from onsil.rewards.programme_file import read_programme
from onsil.rewards.terms import ProgrammeTerms

CITIES = Path(__file__).parents[2] / "cities"
ZONE = ZoneInfo("Asia/Seoul")


def programme(code: str, city: str = "pyeongtaek") -> ProgrammeTerms:
    """A programme of a city's folder; fails the test when it cannot be used."""
    terms = read_programme(CITIES / city / "programmes" / f"{code}.toml")
    assert isinstance(terms, ProgrammeTerms), terms
    return terms
