"""Quantify a period from the hub's readings, keep the run, and do it again to the same bytes."""

import json
import zlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from psycopg.types.json import Jsonb

from onsil import hub, proof
from onsil.core.canonical import canonical_bytes, digest, plain
from onsil.core.clock import Clock
from onsil.core.database import Connection
from onsil.core.ids import new_id
from onsil.core.periods import Period, local_day
from onsil.core.refusal import Refusal
from onsil.footprint import engine, quality, rows
from onsil.footprint.factors import FactorAuthority, FactorSet, library_of
from onsil.footprint.given import coefficients_for, factors_for
from onsil.footprint.methodologies import (
    Methodology,
    check_parameters,
    check_tables,
    creditable,
    methodology,
)
from onsil.footprint.store import as_range, execute, lock
from onsil.footprint.terms import ActivitySeries, Recomputation, Run

SeriesKey = str | int | tuple[str, str]
Rows = Sequence[Mapping[str, Any]]
SEOUL = ZoneInfo("Asia/Seoul")


def quantify(
    conn: Connection,
    city: str,
    methodology_id: str,
    series: Mapping[str, SeriesKey],
    parameters: Mapping[str, Any],
    period: Period,
    authority: FactorAuthority | Sequence[FactorAuthority],
    actor: str,
    clock: Clock,
    zone: ZoneInfo = SEOUL,
    *,
    tables: Mapping[str, Rows] | None = None,
    coefficients: Mapping[str, str] | None = None,
    version: str | None = None,
) -> Run | Refusal:
    """Quantify one period by a methodology's newest version, and keep inputs, readings, outputs.

    `series` names a series for each role as "entity#attribute", (entity, attribute) or the hub's
    number. `tables` brings rows for each table role, every one with an id of its own.
    `authority` says on whose word the factors are used, one for each commodity needed, or none;
    `coefficients` names another set than the methodology's own for a table of coefficients.
    The same inputs again give the run that is already there. A run whose gates did not hold is
    kept too, with the status not-yet-measurable, and cannot be claimed.

    Refused: unknown-methodology, parameter-invalid, unknown-series, role-missing, row-invalid,
    factor codes of `choose_factor`, factor-missing, unknown-coefficients, and the methodology's
    own codes.
    """
    made = methodology(methodology_id, version)
    if isinstance(made, Refusal):
        return made
    stated = check_parameters(made, parameters)
    if isinstance(stated, Refusal):
        return stated
    found = _find_series(conn, city, made, series)
    if isinstance(found, Refusal):
        return found
    typed = check_tables(made, tables or {})
    if isinstance(typed, Refusal):
        return typed
    authorities = [authority] if isinstance(authority, FactorAuthority) else list(authority)
    library = library_of(conn, city)
    factors = factors_for(
        made, {*found, *typed}, authorities, local_day(clock.now(), zone), library,
        local_day(period.end - timedelta(microseconds=1), zone),
    )  # fmt: skip
    if isinstance(factors, Refusal):
        return factors
    coefficient_tables = coefficients_for(made, coefficients or {}, library)
    if isinstance(coefficient_tables, Refusal):
        return coefficient_tables
    span = made.span(stated, period, zone.key)
    taken = hub.snapshot(conn, city, [one.id for one in found.values()], span)
    lines = {role: engine.table_lines(rows_) for role, rows_ in typed.items()}
    inputs = plain(
        {
            "format": engine.FORMAT,
            "city": city,
            "methodology": {"id": made.ID, "version": made.VERSION},
            "parameters": stated,
            "period": {"start": period.start, "end": period.end},
            "zone": zone.key,
            "gwp_set": authorities[0].gwp_set if authorities else None,
            "authorities": [a.document() for a in authorities],
            "factors": {c: f.document() for c, f in factors.items()},
            "factor_sets": {f.set_id: library.set_of(f).digest for f in factors.values()},
            "series": {r: {"entity": s.entity, "attribute": s.attribute} for r, s in found.items()},
            "snapshot": {"digest": taken.digest, "manifest": taken.manifest},
            "tables": _named(lines, typed),
            "coefficients": {t: one.document() for t, one in coefficient_tables.items()},
        }
    )
    lock(conn, city, [f"run {digest(inputs)}"])
    earlier = rows.run_by_inputs(conn, city, digest(inputs))
    if earlier is not None:
        return earlier
    activity = _activity(found, taken)
    outputs = engine.calculate(inputs, activity, plain(typed))
    if isinstance(outputs, Refusal):
        return outputs
    for factor in factors.values():
        _keep_factor_set(conn, city, library.set_of(factor), actor, clock.now())
    made_run = _keep(conn, city, inputs, outputs, activity, span, actor, clock.now())
    _keep_tables(conn, city, made_run, lines, typed)
    seen = quality.look(conn, city, inputs, plain(outputs), list(activity.values()))
    quality.keep(conn, city, made_run.id, seen, actor, clock.now())
    return made_run


def _named(
    lines: Mapping[str, bytes], typed: Mapping[str, Sequence[Mapping[str, Any]]]
) -> dict[str, Any]:
    return {
        role: {"sha256": rows.sha256_of(text), "rows": len(typed[role])}
        for role, text in lines.items()
    }


def _activity(found: Mapping[str, hub.Series], taken: hub.Snapshot) -> dict[str, ActivitySeries]:
    return {
        role: ActivitySeries(
            role, one.entity, one.attribute, one.unit, one.interval_s, one.kind, one.source,
            tuple(taken.points[one.id].times), tuple(taken.points[one.id].values),
        )
        for role, one in found.items()
    }  # fmt: skip


def _find_series(
    conn: Connection, city: str, made: Methodology, series: Mapping[str, SeriesKey]
) -> dict[str, hub.Series] | Refusal:
    roles = {role.name: role for role in made.ROLES}
    for name in [*series, *(n for n, role in roles.items() if role.required)]:
        if name not in roles or name not in series:
            known = ", ".join(roles)
            return Refusal(
                "role-missing",
                f"{made.TITLE_KO} 방법론에 필요한 계열을 확인하세요: {name} (역할: {known}).",
                f"Check the series for {made.ID}: {name} (its roles are {known}).",
                {"role": name, "roles": list(roles)},
            )
    found: dict[str, hub.Series] = {}
    for role, key in series.items():
        one = _series(conn, city, key)
        if one is None:
            return Refusal(
                "unknown-series",
                f"허브에 {role} 계열 {key}이(가) 없습니다.",
                f"The hub has no series {key} for {role}.",
                {"role": role, "series": str(key)},
            )
        found[role] = one
    return found


def _series(conn: Connection, city: str, key: SeriesKey) -> hub.Series | None:
    if isinstance(key, int):
        made = hub.find_series(conn, city, ids=[key])
    else:
        entity, attribute = key if isinstance(key, tuple) else key.rpartition("#")[::2]
        made = hub.find_series(conn, city, entities=[entity], attribute=attribute)
    return made[0] if made else None


def _keep_factor_set(
    conn: Connection, city: str, found: FactorSet, actor: str, at: datetime
) -> None:
    lock(conn, city, [f"factor set {found.digest}"])
    if rows.factor_set_known(conn, city, found.digest):
        return
    made = new_id()
    content = canonical_bytes(found.content()).decode()
    execute(
        conn,
        """INSERT INTO footprint_factor_set
        (city, id, set_id, sha256, content, actor, created_at) VALUES (%s,%s,%s,%s,%s,%s,%s)""",
        (city, made, found.id, found.digest, content, actor, at),
    )
    entry = rows.factor_set_entry(found.id, found.digest, at)
    proof.append(conn, city, "factor-set", made, entry)
    after = {"set": found.id, "digest": found.digest, "maturity": found.maturity}
    proof.audit(conn, city, actor, "factor-set.used", "factor-set", str(made), None, after)


def _keep(
    conn: Connection,
    city: str,
    inputs: Mapping[str, Any],
    outputs: Mapping[str, Any],
    activity: Mapping[str, ActivitySeries],
    span: Period,
    actor: str,
    at: datetime,
) -> Run:
    made = new_id()
    method = methodology(inputs["methodology"]["id"], inputs["methodology"]["version"])
    creditable_now = not isinstance(method, Refusal) and creditable(method)
    inputs_text, outputs_text = canonical_bytes(inputs), canonical_bytes(outputs)
    described = {
        (s["entity"], s["attribute"]): s["sha256"] for s in inputs["snapshot"]["manifest"]["series"]
    }
    shown = json.loads(outputs_text)
    execute(
        conn,
        """INSERT INTO footprint_run (city, id, methodology, version, status, refusal, period,
          co2e_t, energy_wh, lines, inputs, inputs_sha256, outputs, outputs_sha256,
          snapshot_sha256, engine, code_sha256, format, creditable, actor, created_at)
        VALUES (%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s)""",
        (
            city, made, inputs["methodology"]["id"], inputs["methodology"]["version"],
            outputs["status"], Jsonb(shown["refusal"]) if "refusal" in shown else None,
            as_range(_period(inputs["period"])), outputs["co2e_t"] or Decimal(0),
            _energy_wh(outputs["lines"]), Jsonb(shown["lines"]), inputs_text.decode(),
            digest(inputs), outputs_text.decode(), digest(outputs), inputs["snapshot"]["digest"],
            engine.engine_name(), engine.code_digest(), inputs["format"], creditable_now, actor, at,
        ),
    )  # fmt: skip
    for role, one in activity.items():
        sha256 = described[one.entity, one.attribute]
        _keep_readings(conn, city, sha256, one)
        execute(
            conn,
            """INSERT INTO footprint_run_series
            (city, run_id, role, entity, attribute, span, sha256) VALUES (%s,%s,%s,%s,%s,%s,%s)""",
            (city, made, role, one.entity, one.attribute, as_range(span), sha256),
        )
    run = rows.run(conn, city, made)
    assert run is not None
    proof.append(conn, city, "quantification", made, rows.run_entry(run))
    proof.audit(
        conn, city, actor, "quantification.made", "quantification", str(made), None,
        {"methodology": run.methodology, "status": run.status, "co2e_t": run.co2e_t},
    )  # fmt: skip
    return run


def _energy_wh(lines: Sequence[Mapping[str, Any]]) -> Decimal:
    return sum((line["amount"] for line in lines if line["unit"] == "Wh"), Decimal(0))


def _keep_tables(
    conn: Connection,
    city: str,
    run: Run,
    lines: Mapping[str, bytes],
    typed: Mapping[str, tuple[Mapping[str, Any], ...]],
) -> None:
    for role, text in lines.items():
        sha256 = rows.sha256_of(text)
        execute(
            conn,
            """INSERT INTO footprint_readings (city, sha256, count, lines) VALUES (%s,%s,%s,%s)
            ON CONFLICT DO NOTHING""",
            (city, sha256, len(typed[role]), zlib.compress(text, 6)),
        )
        execute(
            conn,
            """INSERT INTO footprint_run_table (city, run_id, role, sha256)
            VALUES (%s,%s,%s,%s)""",
            (city, run.id, role, sha256),
        )
        execute(
            conn,
            """INSERT INTO footprint_run_record (city, run_id, role, record, ticket)
            SELECT %s, %s, %s, unnest(%s::text[]), unnest(%s::text[])""",
            (
                city, run.id, role, [row["id"] for row in typed[role]],
                [str(row.get("ticket", "")).strip() for row in typed[role]],
            ),
        )  # fmt: skip


def _keep_readings(conn: Connection, city: str, sha256: str, one: ActivitySeries) -> None:
    lines = engine.reading_lines(list(one.times), list(one.values))
    execute(
        conn,
        """INSERT INTO footprint_readings (city, sha256, count, lines) VALUES (%s,%s,%s,%s)
        ON CONFLICT DO NOTHING""",
        (city, sha256, len(one.times), zlib.compress(lines, 6)),
    )


def _period(stated: Mapping[str, str]) -> Period:
    return Period(datetime.fromisoformat(stated["start"]), datetime.fromisoformat(stated["end"]))


def recompute(conn: Connection, city: str, run_id: UUID) -> Recomputation | Refusal:
    """Calculate a stored run again from its own inputs and readings and compare the bytes.

    Refused: `unknown-run`. A version of the methodology that is no longer installed, or readings
    whose hash is not the manifest's, give `identical = False` with the reason in `note`.
    """
    stored = rows.run_texts(conn, city, run_id)
    if stored is None:
        return rows.unknown_run(run_id)
    again = check(stored["inputs"], rows.readings(conn, city, run_id))
    note = ""
    if stored["code_sha256"] != engine.code_digest():
        note = "The calculating code has changed since."
    if isinstance(again, Refusal):
        return Recomputation(False, stored["outputs_sha256"], "", stored["engine"], again.en)
    return Recomputation(
        again == stored["outputs"].encode(), stored["outputs_sha256"],
        digest(json.loads(again)), stored["engine"], note,
    )  # fmt: skip


def check(inputs_text: str, lines: Mapping[str, bytes]) -> bytes | Refusal:
    """Recalculate after checking that the readings are those the manifest names."""
    manifest = json.loads(inputs_text)["snapshot"]
    if digest(manifest["manifest"]) != manifest["digest"]:
        return _broken("the manifest's digest", "매니페스트의 해시")
    for one in manifest["manifest"]["series"]:
        if one["sha256"] not in lines:
            return _broken(f"readings of {one['entity']}", f"{one['entity']}의 측정값")
    for role, one in json.loads(inputs_text).get("tables", {}).items():
        if one["sha256"] not in lines:
            return _broken(f"table {role}", f"표 {role}")
    for sha256, text in lines.items():
        if rows.sha256_of(text) != sha256:
            return _broken(f"readings {sha256[:12]}", f"측정값 {sha256[:12]}")
    return engine.recalculate(inputs_text, lines)


def _broken(en: str, ko: str) -> Refusal:
    return Refusal(
        "evidence-broken",
        f"{ko}이(가) 없거나 기록된 해시와 다릅니다.",
        f"Missing, or not of the recorded hash: {en}.",
    )
