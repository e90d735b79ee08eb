"""The forms in which runs were ever written. Each is kept, so that every run can be done again."""

from onsil.footprint.engines import run_1, run_2
from onsil.footprint.engines.form import RunForm

FORMS: dict[str, RunForm] = {run_1.FORMAT: run_1, run_2.FORMAT: run_2}
NEWEST = run_2.FORMAT

__all__ = ["FORMS", "NEWEST", "RunForm"]
