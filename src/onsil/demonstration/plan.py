"""The city's plan in the demonstration: read in, with what was measured behind it."""

from onsil import footprint
from onsil.console.targets.cityplan import load_plan
from onsil.core.clock import SystemClock
from onsil.core.refusal import Refusal
from onsil.demonstration.loop import granted
from onsil.footprint import targets
from onsil.tenancy import current_city, transaction
from onsil.tenancy.cities import city as city_profile

_SOLAR, _REMODELLED = "B-1", "B-3"
_YEAR = 2025


def adopt(actor: str, solar: footprint.Run, office: footprint.Run) -> targets.Plan | None:
    """Read the plan in and put each run behind its measure; again, nothing is added.

    None for a city without a plan file. Raises DemonstrationFailed when something is refused.
    """
    city = current_city()
    with transaction() as tx:
        made = load_plan(tx, city_profile(city), actor, SystemClock())
        if made is None or isinstance(made, Refusal):
            return made if made is None else granted(made)
        for code, run in ((_SOLAR, solar), (_REMODELLED, office)):
            measure = targets.measure_by_code(tx, city, made.id, code)
            if measure is not None:
                granted(targets.link_evidence(
                    tx, city, measure.id, _YEAR, "run", str(run.id), actor, SystemClock()
                ))  # fmt: skip
    return made
