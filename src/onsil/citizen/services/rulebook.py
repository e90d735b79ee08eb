"""The local currency's rules of a city on a day, from `cities/<city>/currency.toml`."""

from datetime import date, datetime
from functools import lru_cache
from pathlib import Path

from onsil.core.periods import local_day
from onsil.core.refusal import OperationError
from onsil.ledger import rules
from onsil.tenancy.cities import CityProfile


def rules_on(profile: CityProfile, day: date) -> rules.RuleSet:
    """The rules that held on a day. Raises OperationError where the file cannot be used."""
    return book_of(profile).rule_set_on(day)


def rules_at(profile: CityProfile, instant: datetime) -> rules.RuleSet:
    """The rules that held at an instant, by the city's calendar."""
    return rules_on(profile, local_day(instant, profile.zone))


def book_of(profile: CityProfile) -> rules.RuleBook:
    """Every version of a city's rules. Raises OperationError where the file cannot be used."""
    path = profile.folder / rules.FILE
    try:
        changed = path.stat().st_mtime_ns
    except OSError as error:
        raise OperationError(f"{path}: {error.strerror}", retry=False) from error
    return _book(path, changed)


@lru_cache(maxsize=64)
def _book(path: Path, _changed: int) -> rules.RuleBook:
    return rules.read_rules(path)
