"""The monitoring report of a project's period, from stored runs, claims and what was checked."""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from onsil.core.database import Connection
from onsil.core.periods import Period, local_day
from onsil.core.refusal import Refusal
from onsil.footprint import rows
from onsil.footprint.credits import batches_of_period
from onsil.footprint.methodologies import methodology
from onsil.footprint.projects import Bench, bench, engagements, monitoring, project, sites
from onsil.footprint.quality import findings_of
from onsil.footprint.reports.terms import (
    Cell,
    Facts,
    Figure,
    Paragraph,
    Report,
    Section,
    Source,
    Table,
)
from onsil.footprint.reports.words import SEVERITY, STATUS, word
from onsil.footprint.terms import Claim, Monitoring, Project, Run
from onsil.footprint.uncertainty import combine

CO2E = "tCO2e"


class _Writer:
    """Words in one language, and figures with their sources."""

    def __init__(self, english: bool, zone: ZoneInfo) -> None:
        self.english, self.zone = english, zone

    def say(self, ko: str, en: str) -> str:
        return en if self.english else ko

    def day(self, at: datetime | None) -> str:
        return "–" if at is None else local_day(at, self.zone).isoformat()

    def days(self, period: Period) -> str:
        last = local_day(period.end - timedelta(microseconds=1), self.zone)
        return f"{self.day(period.start)} ~ {last.isoformat()}"

    def figure(self, kind: str, subject: UUID, pointer: str, value: Any, unit: str) -> Figure:
        return Figure(Decimal(str(value)), unit, Source(kind, str(subject), pointer))


def monitoring_report(
    conn: Connection,
    city: str,
    city_name: str,
    monitoring_id: UUID,
    language: str,
    made_at: datetime,
    zone: ZoneInfo,
) -> Report | Refusal:
    """The report of one monitoring period in Korean or English.

    Every number carries the record and pointer it was read from (`reports.numbers` checks them).
    Refused: `unknown-monitoring`, `no-claims` while nothing has been handed in.
    """
    found = monitoring(conn, city, monitoring_id)
    if found is None:
        return Refusal(
            "unknown-monitoring", "모니터링 기간을 찾을 수 없습니다.", "There is no such period."
        )
    owner = project(conn, city, found.project_id)
    assert owner is not None
    held = [c for i in found.claim_ids if (c := rows.claim_of(conn, city, i)) is not None]
    if not held:
        return Refusal(
            "no-claims",
            "제출된 감축량이 없어 보고서를 만들 수 없습니다.",
            "Nothing has been handed in for this period, so there is nothing to report.",
        )
    say = _Writer(language == "en", zone)
    runs = _runs(conn, city, held)
    texts = {i: rows.run_texts(conn, city, i) for i in runs}
    outputs = {i: json.loads(t["outputs"]) for i, t in texts.items() if t is not None}
    inputs = {i: json.loads(t["inputs"]) for i, t in texts.items() if t is not None}
    sections = (
        _overview(conn, city, owner, found, say),
        _reductions(found, held, runs, outputs, say),
        _measurement(runs, outputs, say),
        _factors(runs, inputs, say),
        _uncertainty(held, runs, outputs, say),
        _quality(conn, city, runs, say),
        _verification(conn, city, found, say),
        _issued(conn, city, found, say),
        _fingerprints(runs, say),
    )
    name = owner.name_en if say.english else owner.name_ko
    return Report(
        "monitoring", found.id, language, city_name,
        say.say("모니터링 보고서", "Monitoring report"),
        f"{name} ({owner.code}) · {say.days(found.period)}", made_at,
        tuple(s for s in sections if s.blocks), _labels(inputs.values(), say),
    )  # fmt: skip


def _runs(conn: Connection, city: str, held: Iterable[Claim]) -> dict[UUID, Run]:
    found = {c.run_id: rows.run(conn, city, c.run_id) for c in held}
    return {i: made for i, made in found.items() if made is not None}


def _labels(inputs: Iterable[Mapping[str, Any]], say: _Writer) -> tuple[str, ...]:
    """Simulated readings are named on the first page."""
    sources = {one["source"] for each in inputs for one in each["snapshot"]["manifest"]["series"]}
    if "simulated" not in sources:
        return ()
    return (say.say("모의 계측값이 들어 있습니다.", "Contains simulated readings."),)


def _overview(
    conn: Connection, city: str, owner: Project, found: Monitoring, say: _Writer
) -> Section:
    made = methodology(owner.methodology)
    title = owner.methodology
    if not isinstance(made, Refusal):
        title = made.TITLE_EN if say.english else made.TITLE_KO
    members = sites(conn, city, owner.id)
    facts: list[tuple[str, Cell]] = [
        (say.say("사업", "Project"), owner.name_en if say.english else owner.name_ko),
        (say.say("사업 번호", "Code"), owner.code),
        (say.say("감축 제도", "Programme"), owner.programme),
        (say.say("방법론", "Methodology"), f"{title} ({owner.methodology})"),
        (say.say("인정 기간", "Crediting period"), f"{owner.starts} ~ {owner.ends}"),
        (say.say("모니터링 기간", "Monitoring period"), say.days(found.period)),
        (say.say("상태", "State"), word(STATUS[found.status], say.english)),
        (say.say("제출", "Submitted"), f"{found.maker or '–'} · {say.day(found.submitted_at)}"),
        (say.say("승인", "Approved"), f"{found.checker or '–'} · {say.day(found.decided_at)}"),
    ]
    blocks: list[Any] = [Facts(tuple(facts))]
    if members:
        blocks.append(
            Table(
                say.say("대상 현장", "Sites"),
                (say.say("번호", "Code"), say.say("이름", "Name")),
                tuple((m.code, m.name_en if say.english else m.name_ko) for m in members),
            )
        )
    return Section(say.say("1. 사업과 기간", "1. Project and period"), tuple(blocks))


def _reductions(
    found: Monitoring,
    held: list[Claim],
    runs: Mapping[UUID, Run],
    outputs: Mapping[UUID, Any],
    say: _Writer,
) -> Section:
    lines: list[tuple[Cell, ...]] = [
        (
            say.days(c.period), f"{runs[c.run_id].methodology} v{runs[c.run_id].version}",
            f"{(c.share_to - c.share_from) / 100:g} %",
            say.figure("run", c.run_id, "/co2e_t", outputs[c.run_id]["co2e_t"], CO2E),
            say.figure("claim", c.id, "/co2e_t", c.co2e_t, CO2E),
        )
        for c in held
    ]  # fmt: skip
    quantities: list[tuple[Cell, ...]] = []
    for run_id, made in outputs.items():
        for n, line in enumerate(made["lines"]):
            name, unit = ("amount_wh", "Wh") if "amount_wh" in line else ("amount", line["unit"])
            quantities.append((
                line["meter"], line["quantity"],
                say.figure("run", run_id, f"/lines/{n}/{name}", line[name], unit),
            ))  # fmt: skip
    gases: list[tuple[Cell, ...]] = [
        (gas.upper(), say.figure("run", run_id, f"/gases_kg/{gas}", kg, "kg"))
        for run_id, made in outputs.items()
        for gas, kg in (made["gases_kg"] or {}).items()
    ]
    blocks = [
        Facts((
            (say.say("이 기간의 감축량", "Reduction of the period"),
             say.figure("monitoring", found.id, "/co2e_t", found.co2e_t, CO2E)),
        )),
        Table(
            say.say("등록한 감축량", "Claimed reductions"),
            (say.say("기간", "Period"), say.say("방법론", "Methodology"), say.say("몫", "Share"),
             say.say("산정량", "Quantified"), say.say("등록량", "Claimed")),
            tuple(lines),
            say.say("감축량은 계산 도중 반올림하지 않으며, 발행할 때 한 번 톤 미만을 버립니다.",
                    "Nothing is rounded on the way; part tonnes are cut once, at issuance."),
        ),
        Table(
            say.say("측정한 물량", "Quantities measured"),
            (say.say("계량기·기록", "Meter or record"), say.say("무엇", "What"),
             say.say("물량", "Amount")),
            tuple(quantities),
        ),
    ]  # fmt: skip
    if gases:
        blocks.append(
            Table(say.say("가스별", "By gas"), (say.say("가스", "Gas"), say.say("양", "Amount")),
                  tuple(gases))
        )  # fmt: skip
    return Section(say.say("2. 감축량", "2. Reductions"), tuple(blocks))


def _measurement(runs: Mapping[UUID, Run], outputs: Mapping[UUID, Any], say: _Writer) -> Section:
    lines: list[tuple[Cell, ...]] = []
    for run_id, made in outputs.items():
        for role, base, one in _coverages(made.get("coverage", {})):
            counts = [
                say.figure("run", run_id, f"{base}/{name}", one[name], "") if name in one else "–"
                for name in ("expected", "used", "missing")
            ]
            excluded = sum(int(n) for n in one.get("excluded", {}).values())
            share = (
                say.figure("run", run_id, f"{base}/used_pct", one["used_pct"], "%")
                if "used_pct" in one
                else "–"
            )
            left_out = one.get("excluded", {})
            told = _excluded(left_out, run_id, base, say) if excluded else "–"
            lines.append((say.days(runs[run_id].period), role, *counts, told, share))
    if not lines:
        return Section(say.say("3. 측정", "3. Measurement"), ())
    table = Table(
        say.say("쓰인 구간, 제외한 구간, 빠진 구간", "Intervals used, excluded and missing"),
        (say.say("기간", "Period"), say.say("계열", "Series"), say.say("기대", "Expected"),
         say.say("사용", "Used"), say.say("누락", "Missing"), say.say("제외", "Excluded"),
         say.say("사용률", "Used")),
        tuple(lines),
        say.say("빠진 구간은 0으로 보지 않습니다.", "A gap is never taken for zero."),
    )  # fmt: skip
    return Section(say.say("3. 측정", "3. Measurement"), (table,))


def _excluded(found: Mapping[str, Any], run_id: UUID, base: str, say: _Writer) -> Cell:
    """One reason is a number of its own; several are told together."""
    if len(found) == 1:
        reason, count = next(iter(found.items()))
        return say.figure("run", run_id, f"{base}/excluded/{reason}", count, "")
    return ", ".join(f"{reason} {count}" for reason, count in found.items())


def _coverages(
    coverage: Mapping[str, Any], base: str = "/coverage"
) -> Iterable[tuple[str, str, Mapping[str, Any]]]:
    """Every block of counts in a run's coverage, however deep, with its pointer."""
    for name, one in coverage.items():
        if not isinstance(one, Mapping):
            continue
        where = f"{base}/{name.replace('~', '~0').replace('/', '~1')}"
        if "expected" in one and "used" in one:
            yield where.removeprefix("/coverage/"), where, one
        else:
            yield from _coverages(one, where)


def _factors(runs: Mapping[UUID, Run], inputs: Mapping[UUID, Any], say: _Writer) -> Section:
    seen: dict[str, tuple[Cell, ...]] = {}
    for run_id, made in inputs.items():
        for commodity, factor in made["factors"].items():
            key = f"{factor['id']} {made['gwp_set']}"
            if key in seen:
                continue
            gases = factor.get("gases_kg") or factor.get("gases_kg_per_mwh") or {}
            field = "gases_kg" if "gases_kg" in factor else "gases_kg_per_mwh"
            base = f"/inputs/factors/{commodity}"
            unit = f"kg/{factor.get('per', 'MWh')}"
            amounts = [
                say.figure("run", run_id, f"{base}/{field}/{gas}", gases[gas], unit)
                if gas in gases
                else "–"
                for gas in ("co2", "ch4", "n2o")
            ]
            seen[key] = (factor["id"], str(made["gwp_set"]), *amounts, _total(
                factor, run_id, base, unit, say))  # fmt: skip
    if not seen:
        return Section(say.say("4. 배출계수", "4. Emission factors"), ())
    table = Table(
        say.say("쓴 배출계수", "Factors used"),
        (say.say("계수", "Factor"), "GWP", "CO2", "CH4", "N2O", say.say("CO2e 합계", "CO2e total")),
        tuple(seen.values()),
        say.say("출처와 확인 정도는 배출계수 도서관의 해당 계수집에 있습니다.",
                "Source and maturity stand with the set in the factor library."),
    )  # fmt: skip
    return Section(say.say("4. 배출계수", "4. Emission factors"), (table,))


def _total(factor: Mapping[str, Any], run_id: UUID, base: str, unit: str, say: _Writer) -> Cell:
    for field in ("co2e_total_kg", "co2e_kg_per_mwh", "co2e_kg"):
        if factor.get(field) is not None:
            return say.figure("run", run_id, f"{base}/{field}", factor[field], unit)
    return "–"


def _uncertainty(
    held: list[Claim], runs: Mapping[UUID, Run], outputs: Mapping[UUID, Any], say: _Writer
) -> Section:
    lines: list[tuple[Cell, ...]] = []
    for run_id, made in outputs.items():
        stated = made.get("uncertainty") or {}
        if "relative_pct" not in stated or stated["relative_pct"] is None:
            continue
        lines.append((
            say.days(runs[run_id].period), runs[run_id].methodology,
            say.figure("run", run_id, "/uncertainty/relative_pct", stated["relative_pct"], "%"),
            say.figure("run", run_id, "/uncertainty/confidence_pct", stated["confidence_pct"],
                       "%"),
        ))  # fmt: skip
    together = combine((c.co2e_t, outputs[c.run_id].get("uncertainty")) for c in held)
    said = say.say(
        "같은 이름의 불확도 원천(같은 계량기, 같은 계수)은 완전히 상관된 것으로 보고 합칩니다.",
        "Sources of the same name (one meter, one factor) are combined as fully correlated.",
    )
    if together.relative_pct is not None:
        percent = f"{together.relative_pct:.2f}"
        said += say.say(
            f" 기간 전체의 합성 불확도는 위 값들에서 계산한 ±{percent} % (신뢰수준 95 %)입니다.",
            f" Combined from the values above, the period's is ±{percent} % at 95 %.",
        )
    table = Table(
        say.say("산정별 불확도", "Uncertainty of each run"),
        (say.say("기간", "Period"), say.say("방법론", "Methodology"),
         say.say("상대 불확도", "Relative"), say.say("신뢰수준", "Confidence")),
        tuple(lines),
    )  # fmt: skip
    blocks = (table, Paragraph(said)) if lines else (Paragraph(said),)
    return Section(say.say("5. 불확도", "5. Uncertainty"), blocks)


def _quality(conn: Connection, city: str, runs: Mapping[UUID, Run], say: _Writer) -> Section:
    lines = tuple(
        (word(SEVERITY[one.severity], say.english), one.subject, one.en if say.english else one.ko)
        for run_id in runs
        for one in findings_of(conn, city, run_id)
    )
    title = say.say("6. 자료 품질", "6. Data quality")
    if not lines:
        return Section(title, (Paragraph(say.say("지적 사항이 없습니다.", "No findings.")),))
    head = (say.say("정도", "Severity"), say.say("대상", "Subject"), say.say("내용", "Finding"))
    return Section(title, (Table(say.say("지적 사항", "Findings"), head, lines),))


def _verification(conn: Connection, city: str, found: Monitoring, say: _Writer) -> Section:
    title = say.say("7. 검증", "7. Verification")
    theirs = [
        bench(conn, city, one)
        for one in engagements(conn, city, found.project_id)
        if one.monitoring_id == found.id
    ]
    lines: list[tuple[Cell, ...]] = [
        (
            one.engagement.organisation,
            f"{one.engagement.starts_on} ~ {one.engagement.ends_on}",
            *_opinion(one, say),
        )
        for one in theirs
    ]
    if not lines:
        none = say.say("이 기간의 검증 의견이 아직 없습니다.", "No opinion on this period yet.")
        return Section(title, (Paragraph(none),))
    head = (
        say.say("검증기관", "Body"), say.say("기간", "Engaged"), say.say("의견", "Opinion"),
        say.say("보증 수준", "Assurance"), say.say("날짜", "Day"),
    )  # fmt: skip
    told = say.say(
        "의견의 내용과 지적 사항은 사업 화면과 투명성 로그에 있습니다.",
        "The opinion's text and the findings stand with the project and in the transparency log.",
    )
    return Section(title, (Table(say.say("검증", "Verification"), head, tuple(lines), told),))


def _opinion(of: Bench, say: _Writer) -> tuple[Cell, Cell, Cell]:
    if not of.opinions:
        return "–", "–", "–"
    newest = of.opinions[0]
    return newest.outcome, newest.assurance, say.day(newest.created_at)


def _issued(conn: Connection, city: str, found: Monitoring, say: _Writer) -> Section:
    lines: list[tuple[Cell, ...]] = [
        (
            str(one.vintage),
            say.figure("batch", one.id, "/tonnes", one.tonnes, CO2E),
            say.figure("batch", one.id, "/buffer_tonnes", one.buffer_tonnes, CO2E),
            say.figure("batch", one.id, "/carried_out_t", one.carried_out_t, CO2E),
            one.serials if one.tonnes else "–",
        )
        for one in batches_of_period(conn, city, found.id)
    ]
    title = say.say("8. 발행", "8. Issuance")
    if not lines:
        none = say.say("아직 발행하지 않았습니다.", "Nothing has been issued yet.")
        return Section(title, (Paragraph(none),))
    head = (
        say.say("빈티지", "Vintage"), say.say("발행", "Issued"), say.say("버퍼", "Buffer"),
        say.say("이월", "Carried on"), say.say("일련번호", "Serials"),
    )  # fmt: skip
    return Section(title, (Table(say.say("발행한 크레딧", "Units issued"), head, tuple(lines)),))


def _fingerprints(runs: Mapping[UUID, Run], say: _Writer) -> Section:
    head = (
        say.say("산정", "Run"), say.say("입력 SHA-256", "Inputs SHA-256"),
        say.say("결과 SHA-256", "Outputs SHA-256"), say.say("엔진", "Engine"),
    )  # fmt: skip
    lines = tuple((str(i), r.inputs_digest, r.outputs_digest, r.engine) for i, r in runs.items())
    told = say.say(
        "누구나 증거 묶음을 내려받아 다른 프로그램으로 같은 결과를 다시 계산할 수 있습니다.",
        "Anybody can take the evidence bundle and recompute the same bytes with another program.",
    )
    table = Table(say.say("지문", "Fingerprints"), head, lines, told)
    return Section(say.say("9. 증거", "9. Evidence"), (table,))
