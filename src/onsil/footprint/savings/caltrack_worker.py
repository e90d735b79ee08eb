"""CalTRACK daily savings by opendsm. Run by the interpreter that has it; stands on nothing of ours.

Reads one JSON document from standard input: `zone`, and `baseline` and `reporting` as lists of
[local day, energy in kWh or null, mean temperature in °C or null]. Writes one: the package's
version, its fit, and the energy that it expects of each reporting day.
"""

import importlib
import json
import sys
import warnings
from datetime import date
from typing import Any


def _frame(pandas: Any, rows: list[list[Any]], zone: str) -> Any:
    index = pandas.DatetimeIndex([pandas.Timestamp(row[0], tz=zone) for row in rows])
    missing = float("nan")
    return pandas.DataFrame(
        {
            "observed": [missing if row[1] is None else float(row[1]) for row in rows],
            "temperature": [
                missing if row[2] is None else float(row[2]) * 9 / 5 + 32 for row in rows
            ],
        },
        index=index,
    )


def _disqualified(made: Any) -> list[str]:
    return [str(getattr(one, "qualified_name", one)) for one in made.disqualification]


def answer(asked: dict[str, Any]) -> dict[str, Any]:
    """The daily model's fit on the baseline and what it expects of the reporting days."""
    pandas, meter = importlib.import_module("pandas"), importlib.import_module("opendsm.eemeter")
    version = importlib.import_module("importlib.metadata").version("opendsm")
    before = _frame(pandas, asked["baseline"], asked["zone"])
    after = _frame(pandas, asked["reporting"], asked["zone"])
    baseline = meter.DailyBaselineData(before, is_electricity_data=asked["electricity"])
    reporting = meter.DailyReportingData(after, is_electricity_data=asked["electricity"])
    model = meter.DailyModel().fit(baseline, ignore_disqualification=True)
    found = model.predict(reporting, ignore_disqualification=True)
    metrics = model.baseline_metrics
    expected = {
        date(at.year, at.month, at.day).isoformat(): float(value)
        for at, value in found["predicted"].items()
        if value == value
    }
    return {
        "opendsm": version,
        "cvrmse": float(metrics.cvrmse),
        "r_squared": float(metrics.r_squared),
        "disqualified": sorted({*_disqualified(baseline), *_disqualified(model)}),
        "expected_kwh": expected,
    }


if __name__ == "__main__":
    warnings.filterwarnings("ignore")
    json.dump(answer(json.load(sys.stdin)), sys.stdout)
