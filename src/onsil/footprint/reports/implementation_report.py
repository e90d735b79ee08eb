"""The implementation result report (이행 결과보고서) of a plan's year, from its sealed review."""

import json
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from onsil.core.database import Connection
from onsil.core.refusal import Refusal
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
from onsil.footprint.reports.words import VERDICTS, word
from onsil.footprint.targets import Measure, Review, measures, plan, review

CO2E = "tCO2e"


def implementation_report(
    conn: Connection,
    city: str,
    city_name: str,
    review_id: UUID,
    language: str,
    made_at: datetime,
) -> Report | Refusal:
    """The report of a year's review that was handed in; its numbers are the review's own.

    Refused: `unknown-review`, `review-state` while nothing was handed in.
    """
    found = review(conn, city, review_id)
    if found is None:
        return Refusal("unknown-review", "이행점검을 찾을 수 없습니다.", "There is no such review.")
    if found.content is None:
        return Refusal(
            "review-state",
            "제출된 이행점검만 보고서로 만들 수 있습니다.",
            "Only a review that was handed in can become a report.",
        )
    owner = plan(conn, city, found.plan_id)
    assert owner is not None
    english = language == "en"
    known = {str(m.id): m for m in measures(conn, city, owner.id)}
    content = json.loads(found.content)
    sections = (
        _summary(found, content, english),
        _measures(found, content, known, english),
        _comments(content, known, english),
        _seal(found, english),
    )
    approved = ("승인된 이행점검입니다.", "The review is approved.")
    waiting = ("아직 승인되지 않은 이행점검입니다.", "The review is not approved yet.")
    return Report(
        "implementation", found.id, language, city_name,
        word(("이행 결과보고서", "Implementation result report"), english),
        f"{owner.name_en if english else owner.name_ko} · {found.year}", made_at, sections,
        (word(approved if found.status == "approved" else waiting, english),),
    )  # fmt: skip


def _figure(found: Review, pointer: str, value: Any, unit: str) -> Cell:
    if value is None:
        return "–"
    return Figure(Decimal(str(value)), unit, Source("review", str(found.id), pointer))


def _summary(found: Review, content: dict[str, Any], english: bool) -> Section:
    covered = content["coverage"]

    def fact(ko: str, en: str, name: str, unit: str) -> tuple[str, Cell]:
        return word((ko, en), english), _figure(found, f"/coverage/{name}", covered[name], unit)

    facts = (
        fact("추진 중인 과제", "Measures in force", "in_force", ""),
        fact("근거가 이어진 과제", "Measures with evidence", "with_evidence", ""),
        fact("점검한 과제", "Measures reviewed", "covered", ""),
        fact("점검 비율", "Share reviewed", "covered_pct", "%"),
    )
    return Section(word(("1. 요약", "1. Summary"), english), (Facts(facts),))


def _measures(
    found: Review, content: dict[str, Any], known: dict[str, Measure], english: bool
) -> Section:
    lines: list[tuple[Cell, ...]] = []
    for n, one in enumerate(content["measures"]):
        terms = known[one["measure"]].terms
        target = one["target"] or {}
        verdict = VERDICTS[one["verdict"]] if one["verdict"] else ("–", "–")
        lines.append((
            one["code"], terms.name_en if english else terms.name_ko,
            terms.owner_en if english else terms.owner_ko,
            _figure(found, f"/measures/{n}/target/co2e_t", target.get("co2e_t"), CO2E),
            _figure(found, f"/measures/{n}/co2e_t", one["co2e_t"], CO2E),
            _figure(found, f"/measures/{n}/share_pct", one["share_pct"], "%"),
            word(("실측", "measured") if one["measured"] else ("–", "–"), english),
            word(verdict, english),
        ))  # fmt: skip
    head = (
        ("번호", "Code"), ("과제", "Measure"), ("맡은 부서", "Owner"), ("목표", "Target"),
        ("확인된 양", "Confirmed"), ("달성률", "Reached"), ("근거", "Evidence"),
        ("점검 결과", "Verdict"),
    )  # fmt: skip
    note = (
        "비어 있는 값은 0이 아니라 아직 알려지지 않은 값입니다.",
        "What is empty is not known yet; it is not zero.",
    )
    table = Table(
        word(("과제별 이행 결과", "Results by measure"), english),
        tuple(word(pair, english) for pair in head), tuple(lines), word(note, english),
    )  # fmt: skip
    return Section(word(("2. 과제별 결과", "2. Measures"), english), (table,))


def _comments(content: dict[str, Any], known: dict[str, Measure], english: bool) -> Section:
    lines = tuple(
        (one["code"], word(VERDICTS[one["verdict"]], english), one["comment"])
        for one in content["measures"]
        if one["comment"] and one["verdict"]
    )
    title = word(("3. 사유와 앞으로의 조치", "3. Reasons and what is next"), english)
    if not lines:
        return Section(title, (Paragraph(word(("없음", "None"), english)),))
    head = (("번호", "Code"), ("점검 결과", "Verdict"), ("내용", "Text"))
    return Section(title, (Table(title[3:], tuple(word(p, english) for p in head), lines),))


def _seal(found: Review, english: bool) -> Section:
    facts: tuple[tuple[str, Cell], ...] = (
        (word(("제출", "Submitted by"), english), found.maker or "–"),
        (word(("승인", "Approved by"), english), found.checker or "–"),
        ("SHA-256", found.sha256 or "–"),
    )
    return Section(word(("4. 확인", "4. Seal"), english), (Facts(facts),))
