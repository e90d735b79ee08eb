"""CalTRACK beside our own core: opendsm's daily model, run by an interpreter of its own.

opendsm weighs a gigabyte and pins what we cannot (`multimethod<2.1`), so it never shares our
environment: the extra `caltrack` names what to install, and `ONSIL_CALTRACK_PYTHON` the interpreter
that has it. Nothing is paid by its figures. Two accepted methods may differ by a third, which is
why a saving is tied to a named method; this shows by how much they differ for a given building.

    ONSIL_CALTRACK_PYTHON=/opt/caltrack/bin/python \\
      python -m onsil.footprint.savings.caltrack days.csv 2016-12-26 --model 5P

`days.csv` has the columns day, energy_kwh and temperature_c; a missing value is an empty cell.
"""

import argparse
import csv
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np

from onsil.core.canonical import plain
from onsil.core.quantities import shortest_decimal
from onsil.core.refusal import Refusal
from onsil.footprint.savings.gates import Gates
from onsil.footprint.savings.measured import measure_savings, whole_wh
from onsil.footprint.savings.models import Observations

SETTING = "ONSIL_CALTRACK_PYTHON"
_WORKER = Path(__file__).with_name("caltrack_worker.py")
_FEWEST_DAYS = 328  # nine in ten of a year


@dataclass(frozen=True)
class Day:
    """A local day's energy and mean outdoor temperature; None where not measured."""

    day: date
    energy_wh: Decimal | None
    temperature_c: Decimal | None

    @property
    def complete(self) -> bool:
        return self.energy_wh is not None and self.temperature_c is not None


@dataclass(frozen=True)
class Comparison:
    """The same days by both: what each expected and saved. Whole Wh; per cents to two decimals.

    `difference_pct` is how far CalTRACK's savings are from ours, of the adjusted baseline.
    """

    opendsm: str
    model: str
    days: int
    observed_wh: Decimal
    our_expected_wh: Decimal
    our_savings_wh: Decimal
    our_savings_pct: Decimal
    our_cvrmse_pct: Decimal
    caltrack_expected_wh: Decimal
    caltrack_savings_wh: Decimal
    caltrack_savings_pct: Decimal
    caltrack_cvrmse_pct: Decimal
    difference_pct: Decimal
    disqualified: tuple[str, ...]


def compare(
    interpreter: str | None,
    model: str,
    baseline: Sequence[Day],
    reporting: Sequence[Day],
    zone: str,
    electricity: bool = True,
    timeout_s: int = 600,
) -> Comparison | Refusal:
    """Savings of the reporting days by our `model` and by CalTRACK's daily model.

    Days with a gap are left out of both. Refused: `caltrack-not-installed` without an interpreter
    that has opendsm, `baseline-too-short`, `caltrack-failed` with what it said, and
    `not-yet-measurable` where our own core cannot apply its model.
    """
    before, after = ([d for d in days if d.complete] for days in (baseline, reporting))
    if len(before) < _FEWEST_DAYS or not after:
        return Refusal(
            "baseline-too-short",
            f"온전히 측정된 기준 기간의 날이 {len(before)}일뿐입니다.",
            f"Only {len(before)} days of the baseline were measured completely.",
            {"days": len(before)},
        )
    asked = {
        "zone": zone, "electricity": electricity,
        "baseline": [_asked(d) for d in baseline], "reporting": [_asked(d) for d in reporting],
    }  # fmt: skip
    told = _ask(interpreter, asked, timeout_s)
    if isinstance(told, Refusal):
        return told
    known = [d for d in after if d.day.isoformat() in told["expected_kwh"]]
    if not known:
        return _failed("no reporting day was predicted")
    months = np.array([d.day.year * 12 + d.day.month for d in before])
    gates = Gates.for_resolution("monthly")
    ours = measure_savings(
        model, "daily", _observed(before), months, _observed(known), len(known) / 30.4375, gates
    )
    if isinstance(ours, Refusal):
        return ours
    theirs_wh = sum(
        (whole_wh(told["expected_kwh"][d.day.isoformat()] * 1000) for d in known), Decimal(0)
    )
    saved_wh = theirs_wh - ours.observed_wh
    return Comparison(
        opendsm=told["opendsm"],
        model=model,
        days=len(known),
        observed_wh=ours.observed_wh,
        our_expected_wh=ours.baseline_wh,
        our_savings_wh=ours.savings_wh,
        our_savings_pct=ours.savings_pct,
        our_cvrmse_pct=ours.statistics.cvrmse_pct,
        caltrack_expected_wh=theirs_wh,
        caltrack_savings_wh=saved_wh,
        caltrack_savings_pct=_pct(saved_wh, theirs_wh),
        caltrack_cvrmse_pct=(100 * shortest_decimal(told["cvrmse"])).quantize(Decimal("0.01")),
        difference_pct=_pct(saved_wh - ours.savings_wh, ours.baseline_wh),
        disqualified=tuple(told["disqualified"]),
    )


def _asked(one: Day) -> list[Any]:
    wh, felt = one.energy_wh, one.temperature_c
    return [
        one.day.isoformat(),
        None if wh is None else float(wh) / 1000,
        None if felt is None else float(felt),
    ]


def _ask(interpreter: str | None, asked: dict[str, Any], timeout_s: int) -> Any | Refusal:
    if not interpreter or not Path(interpreter).is_file():
        return _absent(interpreter)
    try:
        done = subprocess.run(
            [interpreter, "-I", str(_WORKER)], input=json.dumps(asked), capture_output=True,
            text=True, timeout=timeout_s, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        return _failed(str(error))
    if done.returncode and "No module named" in done.stderr:
        return _absent(interpreter)
    if done.returncode:
        return _failed((done.stderr.strip().splitlines() or ["no message"])[-1])
    try:
        return json.loads(done.stdout)
    except ValueError:
        return _failed("its answer cannot be read")


def _absent(interpreter: str | None) -> Refusal:
    return Refusal(
        "caltrack-not-installed",
        f"CalTRACK(opendsm)이 설치된 파이썬이 없습니다. {SETTING}에 그 실행 파일을 적으세요.",
        f"There is no Python with CalTRACK (opendsm); name its executable in {SETTING}.",
        {"interpreter": interpreter or ""},
    )


def _failed(message: str) -> Refusal:
    return Refusal(
        "caltrack-failed",
        f"CalTRACK(opendsm) 계산이 실패했습니다: {message}",
        f"CalTRACK (opendsm) failed: {message}",
        {"message": message},
    )


def _observed(days: Sequence[Day]) -> Observations:
    complete = [
        (d.energy_wh, d.temperature_c, d.day.weekday())
        for d in days
        if d.energy_wh is not None and d.temperature_c is not None
    ]
    return Observations(
        np.array([float(felt) for _, felt, _ in complete], dtype=np.float64),
        np.array([float(wh) for wh, _, _ in complete], dtype=np.float64),
        np.array([slot for _, _, slot in complete], dtype=np.int64),
    )


def _pct(part: Decimal, whole: Decimal) -> Decimal:
    return (100 * part / whole).quantize(Decimal("0.01")) if whole > 0 else Decimal(0)


def read_days(path: Path) -> list[Day]:
    """Days from a table with the columns day, energy_kwh and temperature_c."""

    def number(text: str) -> Decimal | None:
        return Decimal(text) if text.strip() else None

    with path.open(encoding="utf-8", newline="") as table:
        made: list[Day] = []
        for row in csv.DictReader(table):
            kwh = number(row["energy_kwh"])
            made.append(
                Day(
                    date.fromisoformat(row["day"]),
                    None if kwh is None else kwh * 1000,
                    number(row["temperature_c"]),
                )
            )
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="caltrack", description="CalTRACK beside our own core")
    parser.add_argument("days", type=Path)
    parser.add_argument("baseline_end", type=date.fromisoformat, help="first day after a year")
    parser.add_argument("--reporting-start", type=date.fromisoformat)
    parser.add_argument("--model", default="5P")
    parser.add_argument("--zone", default="Asia/Seoul")
    parser.add_argument("--gas", action="store_true")
    given = parser.parse_args(arguments)
    days, begins = read_days(given.days), given.reporting_start or given.baseline_end
    found = compare(
        os.environ.get(SETTING),
        given.model,
        [d for d in days if 0 < (given.baseline_end - d.day).days <= 365],
        [d for d in days if 0 <= (d.day - begins).days < 365],
        given.zone,
        not given.gas,
    )
    if isinstance(found, Refusal):
        print(f"{found.code}: {found.en}", file=sys.stderr)
        return 1
    print(json.dumps(plain(asdict(found)), indent=1, ensure_ascii=False))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
