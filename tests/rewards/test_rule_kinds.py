"""Every installed rule kind passes the test-kit, and a kind that cheats does not."""

import copy
import tomllib
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import strategies as st
from reward_examples import CITIES, ZONE

from onsil.core.refusal import OperationError
from onsil.rewards.kinds import RuleKind, rule_kind, rule_kinds
from onsil.rewards.kinds.per_unit import PerUnit
from onsil.rewards.kinds.testkit import check_kind
from onsil.rewards.programme_file import terms_of
from onsil.rewards.terms import Entitlement, EvidenceItem, Reason
from onsil.rewards.windows import window_at

moments = st.integers(0, 8 * 366 * 24).map(
    lambda hours: datetime(2019, 12, 20, tzinfo=UTC) + timedelta(hours=hours)
)


def evidence(kinds: list[str], quantities: Any, facts: Any) -> Any:
    item = st.builds(
        EvidenceItem,
        id=st.uuids(),
        kind=st.sampled_from(kinds),
        quantity=quantities,
        occurred_at=moments,
        level=st.just("server"),
        facts=facts,
    )
    return st.lists(item, max_size=8, unique_by=lambda one: one.id)


def table(name: str) -> dict[str, Any]:
    path = CITIES / "pyeongtaek" / "programmes" / f"{name}.toml"
    return tomllib.loads(path.read_text("utf-8"), parse_float=Decimal)


def bottles() -> dict[str, Any]:
    made = copy.deepcopy(table("bus-weekly"))
    made |= {
        "code": "bottles",
        "kind": "per-unit",
        "rule": {"points_per_unit": Decimal("2.5"), "unit_ko": "병", "unit_en": "bottles"},
    }
    made["window"] = {"cut": "day", "decide": "at-once"}
    made["cap"] = [{"window": "day", "points": 100}, {"window": "month", "points": 700}]
    return made


fares = st.integers(1, 9_000).map(Decimal)
amounts = st.decimals("0.001", "9000", places=3)
TABLES = {
    "weekly-fare": (
        table("bus-weekly"),
        evidence(
            ["bus-ride"],
            fares,
            st.fixed_dictionaries({"service": st.sampled_from(["city", "village", "express"])}),
        ),
    ),
    "saving-tiers": (
        table("household-saving"),
        evidence(
            ["electricity-saving", "gas-saving", "water-saving"],
            amounts,
            st.fixed_dictionaries({"baseline": amounts.map(str)}) | st.just({}),
        ),
    ),
    "per-unit": (bottles(), evidence(["bottle"], amounts, st.just({}))),
}


def test_every_installed_kind_of_ours_is_checked_here():
    ours = {n for n, k in rule_kinds().items() if type(k).__module__.startswith("onsil.")}
    assert ours == set(TABLES)


@pytest.mark.parametrize("name", sorted(TABLES))
def test_a_kind_passes_the_kit(name):
    programme, generated = TABLES[name]
    check_kind(rule_kind(name), programme, generated, examples=30)


class _Generous(PerUnit):
    """Pays without counting any evidence."""

    def entitle(self, terms, group, window, evidence, zone):
        return Entitlement(1, Reason("gift", "선물입니다.", "A gift."))


class _Taking(PerUnit):
    def entitle(self, terms, group, window, evidence, zone):
        return Entitlement(-1, Reason("fine", "벌점입니다.", "A fine."))


class _Silent(PerUnit):
    def entitle(self, terms, group, window, evidence, zone):
        found = super().entitle(terms, group, window, evidence, zone)
        return Entitlement(found.points, Reason("per-unit", "", ""), found.counted)


class _Lax(PerUnit):
    def problems(self, rule, groups):
        return []


@pytest.mark.parametrize(
    ("cheat", "told"),
    [
        (_Generous(), "rest on counted evidence"),
        (_Taking(), "never taken"),
        (_Silent(), "Korean sentence"),
        (_Lax(), "must be told"),
    ],
)
def test_the_kit_finds_a_kind_that_cheats(cheat: RuleKind, told: str):
    programme, generated = TABLES["per-unit"]
    with pytest.raises(AssertionError, match=told):
        check_kind(cheat, programme, generated, examples=30)


def test_fractions_of_points_are_floored_once_a_window():
    found = programme_worth(["0.3", "0.3", "0.3"])  # 0.9 bottles × 2.5 = 2.25
    assert found == 2


def programme_worth(quantities: list[str]) -> int:
    terms, problems = terms_of(bottles())
    assert not problems
    at = datetime(2026, 3, 2, 3, tzinfo=UTC)
    items = [
        EvidenceItem(UUID(int=n), "bottle", Decimal(q), at, "device")
        for n, q in enumerate(quantities)
    ]
    window = window_at(terms.cut, at, ZONE)
    return rule_kind("per-unit").entitle(terms, "adult", window, items, ZONE).points


def test_a_kind_that_is_not_installed_is_named():
    with pytest.raises(OperationError, match="'lottery'"):
        rule_kind("lottery")
