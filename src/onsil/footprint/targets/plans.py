"""The plan, its goals, its measures and their yearly targets. What changes is a new revision."""

from collections.abc import Mapping
from dataclasses import asdict
from decimal import Decimal
from typing import Any
from uuid import UUID

from onsil import proof
from onsil.core.clock import Clock
from onsil.core.database import Connection
from onsil.core.ids import new_id
from onsil.core.refusal import Refusal
from onsil.footprint.store import Row, execute, lock, rows
from onsil.footprint.targets.terms import GOAL_KINDS, Goal, Measure, MeasureTerms, Plan, YearTarget

_PLAN = """SELECT id, code, name_ko, name_en, base_year, source, actor, created_at
  FROM footprint_plan"""
_TERMS = tuple(MeasureTerms.__dataclass_fields__)


def adopt_plan(
    conn: Connection,
    city: str,
    code: str,
    names: tuple[str, str],
    base_year: int,
    source: str,
    actor: str,
    clock: Clock,
) -> Plan | Refusal:
    """Register a plan, `names` in Korean and English; the same code again gives the plan there.

    Refused: `plan-incomplete`, `plan-exists` on other terms.
    """
    if not all(name.strip() for name in (code, *names)) or not 1990 <= base_year <= 2100:
        return _no(
            "plan-incomplete",
            "계획의 코드, 이름(한국어·영어)과 기준연도를 적어 주세요.",
            "State the plan's code, its names in Korean and English, and the base year.",
        )
    lock(conn, city, [f"plan {code}"])
    there = rows(conn, f"{_PLAN} WHERE city = %s AND code = %s", (city, code))
    if there:
        found = Plan(**there[0])
        if (found.name_ko, found.name_en, found.base_year) == (*names, base_year):
            return found
        return _no(
            "plan-exists",
            f"계획 {code}은(는) 다른 내용으로 이미 있습니다.",
            f"Plan {code} is there already, on other terms.",
        )
    made = new_id()
    execute(
        conn,
        """INSERT INTO footprint_plan (city, id, code, name_ko, name_en, base_year, source, actor,
          created_at) VALUES (%s,%s,%s,%s,%s,%s,%s,%s,%s)""",
        (city, made, code, *names, base_year, source, actor, clock.now()),
    )
    proof.audit(
        conn, city, actor, "plan.adopted", "plan", str(made), None,
        {"code": code, "base_year": base_year, "source": source},
    )  # fmt: skip
    adopted = plan(conn, city, made)
    assert adopted is not None
    return adopted


def plan(conn: Connection, city: str, plan_id: UUID) -> Plan | None:
    found = rows(conn, f"{_PLAN} WHERE city = %s AND id = %s", (city, plan_id))
    return Plan(**found[0]) if found else None


def plans(conn: Connection, city: str) -> list[Plan]:
    """Every plan of the city, newest first."""
    return [Plan(**row) for row in rows(conn, f"{_PLAN} WHERE city = %s ORDER BY id DESC", (city,))]


def set_goal(
    conn: Connection, city: str, plan_id: UUID, goal: Goal, actor: str, clock: Clock
) -> Goal | Refusal:
    """State a goal of a year; another value is a new revision, the same one changes nothing.

    Refused: `unknown-plan`, `goal-invalid`.
    """
    found = plan(conn, city, plan_id)
    if found is None:
        return unknown_plan(plan_id)
    bad = goal.kind not in GOAL_KINDS or goal.value < 0 or not found.base_year < goal.year <= 2100
    if bad or (goal.kind == "reduction-pct" and goal.value > 100):
        return _no(
            "goal-invalid",
            f"목표가 올바르지 않습니다: {goal.year}년 {goal.value} ({goal.kind}).",
            f"This is not a goal: {goal.value} ({goal.kind}) in {goal.year}.",
        )
    lock(conn, city, [f"plan goals {plan_id}"])
    key = (goal.year, goal.kind)
    before = next((g for g in goals(conn, city, plan_id) if (g.year, g.kind) == key), None)
    same = (goal.value, goal.source, goal.confirmed)
    if before is not None and (before.value, before.source, before.confirmed) == same:
        return before
    revision = 1 if before is None else before.revision + 1
    execute(
        conn,
        """INSERT INTO footprint_plan_goal (city, plan_id, year, kind, revision, value, source,
          confirmed, actor, created_at) VALUES (%s,%s,%s,%s,%s,%s,%s,%s,%s,%s)""",
        (
            city, plan_id, goal.year, goal.kind, revision, goal.value, goal.source,
            goal.confirmed, actor, clock.now(),
        ),
    )  # fmt: skip
    proof.audit(
        conn, city, actor, "plan.goal", "plan", str(plan_id),
        None if before is None else {"year": before.year, "value": before.value},
        {"year": goal.year, "kind": goal.kind, "value": goal.value},
    )  # fmt: skip
    return Goal(goal.year, goal.kind, goal.value, goal.source, goal.confirmed, revision)


def goals(conn: Connection, city: str, plan_id: UUID) -> list[Goal]:
    """The goals in force, by year."""
    found = rows(
        conn,
        """SELECT DISTINCT ON (year, kind) year, kind, value, source, confirmed, revision
        FROM footprint_plan_goal WHERE city = %s AND plan_id = %s
        ORDER BY year, kind, revision DESC""",
        (city, plan_id),
    )
    return [Goal(**row) for row in found]


def put_measure(
    conn: Connection,
    city: str,
    plan_id: UUID,
    code: str,
    terms: MeasureTerms,
    actor: str,
    clock: Clock,
    reason: str = "",
) -> Measure | Refusal:
    """Add a measure, or give the one of this code other terms as a new revision with a reason.

    Refused: `unknown-plan`, `measure-incomplete`, `reason-missing`.
    """
    if plan(conn, city, plan_id) is None:
        return unknown_plan(plan_id)
    if not (code and terms.name_ko and terms.name_en) or terms.last_year < terms.first_year:
        return _no(
            "measure-incomplete",
            "과제의 코드, 이름(한국어·영어)과 시작·끝 연도를 확인하세요.",
            "Check the measure's code, its names in both languages, and its first and last year.",
        )
    lock(conn, city, [f"measure {plan_id} {code}"])
    before = measure_by_code(conn, city, plan_id, code)
    if before is not None and before.terms == terms:
        return before
    if before is not None and not reason.strip():
        return _no(
            "reason-missing", "바꾸는 사유를 적어 주세요.", "Please give the reason for the change."
        )
    identifier = new_id() if before is None else before.id
    if before is None:
        execute(
            conn,
            """INSERT INTO footprint_measure (city, id, plan_id, code, actor, created_at)
            VALUES (%s,%s,%s,%s,%s,%s)""",
            (city, identifier, plan_id, code, actor, clock.now()),
        )
    execute(
        conn,
        """INSERT INTO footprint_measure_terms (city, measure_id, revision, green, name_ko,
          name_en, owner_ko, owner_en, indicator_ko, indicator_en, unit, first_year, last_year,
          source, methodology, reason, actor, created_at)
        VALUES (%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s)""",
        (
            city, identifier, 1 if before is None else before.revision + 1,
            *(getattr(terms, name) for name in _TERMS), reason, actor, clock.now(),
        ),
    )  # fmt: skip
    proof.audit(
        conn, city, actor, "measure.set", "measure", str(identifier),
        None if before is None else asdict(before.terms), asdict(terms) | {"reason": reason},
    )  # fmt: skip
    made = measure(conn, city, identifier)
    assert made is not None
    return made


_MEASURE = """SELECT m.id, m.plan_id, m.code, t.revision, t.green, t.name_ko, t.name_en,
  t.owner_ko, t.owner_en, t.indicator_ko, t.indicator_en, t.unit, t.first_year, t.last_year,
  t.source, t.methodology,
  coalesce((SELECT jsonb_agg(jsonb_build_object('year', y.year, 'quantity', y.quantity::text,
      'co2e_t', y.co2e_t::text, 'budget_krw', y.budget_krw, 'revision', y.revision))
    FROM (SELECT DISTINCT ON (year) * FROM footprint_measure_target x
      WHERE x.city = m.city AND x.measure_id = m.id ORDER BY year, revision DESC) y), '[]')
    AS targets
  FROM footprint_measure m JOIN LATERAL (
    SELECT * FROM footprint_measure_terms x WHERE x.city = m.city AND x.measure_id = m.id
    ORDER BY revision DESC LIMIT 1) t ON true"""


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def _measure(row: Row) -> Measure:
    targets: Mapping[int, YearTarget] = {
        one["year"]: YearTarget(
            one["year"], _decimal(one["quantity"]), _decimal(one["co2e_t"]), one["budget_krw"],
            one["revision"],
        )
        for one in sorted(row["targets"], key=lambda one: one["year"])
    }  # fmt: skip
    terms = MeasureTerms(**{name: row[name] for name in _TERMS})
    return Measure(row["id"], row["plan_id"], row["code"], terms, row["revision"], targets)


def measure(conn: Connection, city: str, measure_id: UUID) -> Measure | None:
    found = rows(conn, f"{_MEASURE} WHERE m.city = %s AND m.id = %s", (city, measure_id))
    return _measure(found[0]) if found else None


def measure_by_code(conn: Connection, city: str, plan_id: UUID, code: str) -> Measure | None:
    found = rows(
        conn,
        f"{_MEASURE} WHERE m.city = %s AND m.plan_id = %s AND m.code = %s",
        (city, plan_id, code),
    )
    return _measure(found[0]) if found else None


def measures(conn: Connection, city: str, plan_id: UUID) -> list[Measure]:
    """The plan's measures with the terms and targets in force, by code."""
    found = rows(
        conn, f"{_MEASURE} WHERE m.city = %s AND m.plan_id = %s ORDER BY m.code", (city, plan_id)
    )
    return [_measure(row) for row in found]


def set_target(
    conn: Connection,
    city: str,
    measure_id: UUID,
    target: YearTarget,
    reason: str,
    actor: str,
    clock: Clock,
) -> YearTarget | Refusal:
    """State what a measure shall reach in a year; another value is a new revision with a reason.

    Refused: `unknown-measure`, `year-outside`, `target-invalid`, `reason-missing`.
    """
    found = measure(conn, city, measure_id)
    if found is None:
        return unknown_measure(measure_id)
    terms = found.terms
    if not terms.first_year <= target.year <= terms.last_year:
        return _no(
            "year-outside",
            f"{target.year}년은 과제 기간({terms.first_year}–{terms.last_year}) 밖입니다.",
            f"{target.year} lies outside the measure's years "
            f"({terms.first_year} to {terms.last_year}).",
        )
    said = (target.quantity, target.co2e_t, target.budget_krw)
    if all(one is None for one in said) or any(one is not None and one < 0 for one in said):
        return _no(
            "target-invalid",
            "물량, 감축량, 예산 가운데 하나 이상을 0 이상으로 적어 주세요.",
            "State at least one of quantity, tonnes and budget, none of them below zero.",
        )
    lock(conn, city, [f"measure target {measure_id}"])
    before = found.targets.get(target.year)
    if before is not None and (before.quantity, before.co2e_t, before.budget_krw) == said:
        return before
    if before is not None and not reason.strip():
        return _no(
            "reason-missing", "바꾸는 사유를 적어 주세요.", "Please give the reason for the change."
        )
    revision = 1 if before is None else before.revision + 1
    execute(
        conn,
        """INSERT INTO footprint_measure_target (city, measure_id, year, revision, quantity,
          co2e_t, budget_krw, reason, actor, created_at) VALUES (%s,%s,%s,%s,%s,%s,%s,%s,%s,%s)""",
        (city, measure_id, target.year, revision, *said, reason, actor, clock.now()),
    )
    proof.audit(
        conn, city, actor, "measure.target", "measure", str(measure_id),
        _said(before), _said(target) | {"reason": reason},
    )  # fmt: skip
    return YearTarget(target.year, *said, revision)


def _said(target: YearTarget | None) -> dict[str, Any]:
    return {} if target is None else asdict(target)


def unknown_plan(plan_id: UUID) -> Refusal:
    return _no("unknown-plan", "계획을 찾을 수 없습니다.", f"There is no plan {plan_id}.")


def unknown_measure(measure_id: UUID) -> Refusal:
    return _no("unknown-measure", "과제를 찾을 수 없습니다.", f"There is no measure {measure_id}.")


def _no(code: str, ko: str, en: str) -> Refusal:
    return Refusal(code, ko, en)
