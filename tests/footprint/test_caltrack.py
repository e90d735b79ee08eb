"""CalTRACK in a process of its own: compared with our core where it is, refused where it is not."""

import json
import os
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from onsil.footprint.savings import caltrack
from onsil.footprint.savings.caltrack import Day, compare

FIRST = date(2023, 1, 1)


def days(count, share=1, first=FIRST):
    """Days on a heating line: 10 kWh and 1 kWh a degree below 15 °C, of it a share."""
    made = []
    for i in range(count):
        felt = i % 33 - 5
        wh = Decimal(10_000 + 1000 * max(15 - felt, 0)) * Decimal(share)
        made.append(Day(first + timedelta(days=i), wh, Decimal(felt)))
    return made


AFTER = days(365, "0.8", FIRST + timedelta(days=365))


@pytest.fixture
def interpreter(tmp_path: Path):
    """A stand-in for the other interpreter, which answers whatever it is told to."""

    def make(answer, *, code: int = 0, message: str = "") -> str:
        told = answer if isinstance(answer, str) else json.dumps(answer)
        (tmp_path / "answer").write_text(told, "utf-8")
        (tmp_path / "message").write_text(message, "utf-8")
        script = tmp_path / "python"
        script.write_text(
            f'#!/bin/sh\ncat > "{tmp_path}/asked"\necho "$@" > "{tmp_path}/arguments"\n'
            f'cat "{tmp_path}/message" >&2\ncat "{tmp_path}/answer"\nexit {code}\n',
            "utf-8",
        )
        script.chmod(0o755)
        return str(script)

    return make


def answer(expected):
    return {
        "opendsm": "1.2.7", "cvrmse": 0.1234, "r_squared": 0.9, "disqualified": [],
        "expected_kwh": expected,
    }  # fmt: skip


def test_both_are_shown_side_by_side(interpreter, tmp_path):
    line = {d.day.isoformat(): float(d.energy_wh / 800) for d in AFTER}
    found = compare(interpreter(answer(line)), "3P-heating", days(365), AFTER, "UTC")
    assert not isinstance(found, caltrack.Refusal), found
    assert found.our_savings_wh == found.caltrack_savings_wh
    assert found.our_savings_pct == found.caltrack_savings_pct == 20
    assert found.difference_pct == 0
    assert found.caltrack_cvrmse_pct == Decimal("12.34")
    asked = json.loads((tmp_path / "asked").read_text("utf-8"))
    assert asked["baseline"][0] == ["2023-01-01", 30.0, -5.0]
    assert "-I" in (tmp_path / "arguments").read_text("utf-8")


def test_days_with_a_gap_are_left_out_of_both(interpreter, tmp_path):
    line = {d.day.isoformat(): float(d.energy_wh / 800) for d in AFTER}
    gapped = [Day(AFTER[0].day, None, Decimal(1)), *AFTER[1:]]
    del line[AFTER[5].day.isoformat()]
    found = compare(interpreter(answer(line)), "3P-heating", days(365), gapped, "UTC")
    assert not isinstance(found, caltrack.Refusal), found
    assert found.days == 363
    assert json.loads((tmp_path / "asked").read_text("utf-8"))["reporting"][0][1] is None


def test_without_it_the_answer_is_clear(refused, interpreter):
    for missing in (None, "", "/nowhere/python"):
        answer_ = compare(missing, "5P", days(365), AFTER, "UTC")
        assert caltrack.SETTING in refused(answer_, "caltrack-not-installed").en
    bare = interpreter("", code=1, message="ModuleNotFoundError: No module named 'opendsm'")
    refused(compare(bare, "5P", days(365), AFTER, "UTC"), "caltrack-not-installed")


@pytest.mark.parametrize(
    ("told", "code", "message"),
    [("", 1, "ValueError: no"), ("", 0, ""), (answer({}), 0, ""), ("", 2, "")],
)
def test_its_failure_is_told(refused, interpreter, told, code, message):
    made = interpreter(told, code=code, message=message)
    refused(compare(made, "5P", days(365), AFTER, "UTC"), "caltrack-failed")


def test_what_cannot_be_run_is_told(refused, tmp_path):
    plain = tmp_path / "not-a-program"
    plain.write_text("", "utf-8")
    refused(compare(str(plain), "5P", days(365), AFTER, "UTC"), "caltrack-failed")


def test_a_short_baseline_is_refused(refused, interpreter):
    refused(compare(interpreter(""), "5P", days(300), AFTER, "UTC"), "baseline-too-short")
    refused(compare(interpreter(""), "5P", days(365), [], "UTC"), "baseline-too-short")


def test_from_a_table_of_days(interpreter, tmp_path, monkeypatch, capsys):
    table = tmp_path / "days.csv"
    rows = [*days(365), *AFTER, Day(date(2025, 3, 1), None, None)]
    text = "".join(
        f"{d.day},{'' if d.energy_wh is None else d.energy_wh / 1000},"
        f"{'' if d.temperature_c is None else d.temperature_c}\n"
        for d in rows
    )
    table.write_text("day,energy_kwh,temperature_c\n" + text, "utf-8")
    monkeypatch.delenv(caltrack.SETTING, raising=False)
    assert caltrack.main([str(table), "2024-01-01"]) == 1
    assert "caltrack-not-installed" in capsys.readouterr().err
    line = {d.day.isoformat(): float(d.energy_wh / 800) for d in AFTER}
    monkeypatch.setenv(caltrack.SETTING, interpreter(answer(line)))
    assert caltrack.main([str(table), "2024-01-01", "--model", "3P-heating", "--gas"]) == 0
    assert json.loads(capsys.readouterr().out)["our_savings_pct"] == "20"


@pytest.mark.skipif(caltrack.SETTING not in os.environ, reason="no interpreter has opendsm here")
def test_the_real_one_agrees_on_an_exact_line():
    found = compare(os.environ[caltrack.SETTING], "3P-heating", days(365), AFTER, "UTC")
    assert not isinstance(found, caltrack.Refusal), found
    assert abs(found.difference_pct) < 1
