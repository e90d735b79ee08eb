"""The calculation as a pure function: the same whichever way its readings come."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from onsil.core.canonical import canonical_bytes, digest, plain
from onsil.core.refusal import Refusal
from onsil.footprint import engine
from onsil.footprint.factors import factor_set
from onsil.footprint.rows import sha256_of
from onsil.footprint.terms import ActivitySeries

START = datetime(2025, 3, 1, tzinfo=UTC)
watts = st.one_of(st.none(), st.decimals(0, 5000, places=3), st.decimals(-10, 9000, places=0))


def described(values: list[Decimal | None]) -> tuple[ActivitySeries, dict, dict[str, bytes]]:
    """A series of quarter-hours, the canonical inputs that name it, and its lines by hash."""
    kept = [(START + i * timedelta(minutes=15), v) for i, v in enumerate(values) if v is not None]
    times, found = [t for t, _ in kept], [v for _, v in kept]
    lines = engine.reading_lines(times, found)
    key = {"entity": "urn:ngsi-ld:Building:x:1", "attribute": "power"}
    one = {
        **key, "unit": "W", "kind": "gauge", "interval_s": 900, "source": "measured",
        "count": len(kept), "sum": sum(found, Decimal(0)), "sha256": sha256_of(lines),
    }  # fmt: skip
    manifest = {"series": [one]}
    factor = factor_set("kr-grid-2018").factors[0]
    inputs = {
        "format": engine.FORMAT,
        "methodology": {"id": "solar-self-consumption", "version": "1"},
        "parameters": {"capacity_kw": "5", "no_export": True, "coverage_min_pct": "80"},
        "period": {"start": START, "end": START + len(values) * timedelta(minutes=15)},
        "zone": "Asia/Seoul",
        "gwp_set": "SAR",
        "factors": {"electricity": factor.document()},
        "series": {"generation": key},
        "snapshot": {"digest": digest(manifest), "manifest": manifest},
    }
    series = ActivitySeries(
        "generation", key["entity"], "power", "W", 900, "gauge", "measured", tuple(times),
        tuple(found),
    )  # fmt: skip
    return series, plain(inputs), {one["sha256"]: lines}


@settings(max_examples=40, deadline=None)
@given(st.lists(watts, min_size=1, max_size=40))
def test_recomputation_from_text_gives_the_very_bytes(values):
    series, inputs, lines = described(values)
    direct = engine.calculate(inputs, {"generation": series})
    again = engine.recalculate(canonical_bytes(inputs).decode(), lines)
    if isinstance(direct, Refusal):
        assert direct == again
        return
    assert not isinstance(again, Refusal)
    assert canonical_bytes(direct) == again
    shown = json.loads(again)
    counted = shown["coverage"]["generation"]
    parts = counted["used"] + counted["missing"] + sum(counted["excluded"].values())
    assert parts == counted["expected"] == len(values)
    used = [v for v in values if v is not None and 0 <= v <= 5500]
    (line,) = shown["lines"]
    assert (line["unit"], Decimal(line["amount"])) == ("Wh", sum(used, Decimal(0)) / 4)
    assert sum(map(Decimal, line["parts"].values())) == Decimal(line["amount"])
    assert sum(map(Decimal, shown["details"]["monthly_wh"].values())) == Decimal(line["amount"])


@settings(max_examples=40, deadline=None)
@given(st.lists(st.decimals(-(10**6), 10**6, places=6), max_size=30))
def test_reading_lines_go_there_and_back(values):
    times = [START + i * timedelta(seconds=7, microseconds=3) for i in range(len(values))]
    lines = engine.reading_lines(times, values)
    assert engine.parse_lines(lines) == (tuple(times), tuple(values))


def test_one_changed_digit_changes_the_outputs():
    values: list[Decimal | None] = [Decimal(4000)] * 20
    _, inputs, lines = described(values)
    first = engine.recalculate(json.dumps(inputs), lines)
    _, inputs, lines = described([Decimal(4001), *values[1:]])
    assert engine.recalculate(json.dumps(inputs), lines) != first


def test_a_version_that_is_not_installed_is_told():
    _, inputs, lines = described([Decimal(1)])
    inputs["methodology"]["version"] = "0"
    answer = engine.recalculate(json.dumps(inputs), lines)
    assert isinstance(answer, Refusal)
    assert answer.code == "unknown-methodology"
