"""The demonstration project's papers: real documents drawn from its run, every one labelled.

Each number in them is read from a stored run or claim and names where (see `footprint.reports`).
What a person would have to state (certificates, accreditations, minutes) is said to be missing.
"""

import logging
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from onsil import footprint
from onsil.core.canonical import digest, plain
from onsil.footprint import reports
from onsil.footprint.projects import Upload
from onsil.footprint.reports import Facts, Figure, Paragraph, Report, Section, Source, Table

# Each step of drawing a page would be told between the demonstration's progress bars.
for _talks in ("weasyprint", "weasyprint.progress"):
    logging.getLogger(_talks).setLevel(logging.ERROR)

LABEL = "시연 문서: 실측값으로 만들었으나 실제 사업·기관·심의의 문서가 아닙니다."
KO, TITLES = (
    "ko",
    {
        "project-plan": "사업계획서 (시연)",
        "additionality-evidence": "추가성 증빙 (시연)",
        "feasibility-report": "타당성 평가 보고서 (시연)",
        "review-minutes": "심의 결과 (시연)",
        "monitoring-report": "모니터링 보고서 (시연)",
        "verification-report": "검증보고서 (시연)",
    },
)


@dataclass(frozen=True)
class Papers:
    """What every paper is about: the project, its run and claim, and the run's stored outputs."""

    project: footprint.Project
    run: footprint.Run
    outputs: dict[str, Any]
    city_name: str
    at: datetime
    claim: footprint.Claim | None = None

    def upload(self, kind: str) -> Upload:
        """The paper of a kind, as a tagged PDF."""
        report = Report(
            kind, self.project.id, KO, self.city_name, TITLES[kind],
            f"{self.project.name_ko} ({self.project.code})", self.at,
            (*_SECTIONS[kind](self), _evidence(self)), (LABEL,),
        )  # fmt: skip
        content = reports.pdf(report, digest(plain(reports.document(report))))
        return Upload(
            kind, TITLES[kind], KO, f"{self.project.code}-{kind}.pdf", "application/pdf", content
        )

    def figure(self, pointer: str, value: Any, unit: str) -> Figure:
        return Figure(Decimal(str(value)), unit, Source("run", str(self.run.id), pointer))

    @property
    def reduction(self) -> Figure:
        return self.figure("/co2e_t", self.outputs["co2e_t"], "tCO2e")


def _plan(given: Papers) -> tuple[Section, ...]:
    return (
        Section("1. 사업 개요", (Facts((
            ("사업", given.project.name_ko),
            ("방법론", f"{given.run.methodology} {given.run.version}"),
            ("인증 기간", f"{given.project.starts} ~ {given.project.ends}"),
            ("연간 예상 감축량", given.reduction),
            ("등록부 번호", "없음 (시연이므로 받지 않았습니다)"),
        )),)),
        Section("2. 산정 방법", (Paragraph(
            "보고 기간의 기온에서 기준 기간의 모형이 말하는 사용량과 실제 사용량의 차이를"
            " 절감량으로 봅니다. 모형은 결과를 보기 전에 정했습니다(요일과 기온)."
        ),)),
        Section("3. 경계", (Paragraph(
            "건물 한 동의 전체 전력 계량기. 실측 자료를 2025년으로 재생하며, 건물의 실제 위치는"
            " 출처가 밝히지 않았습니다."
        ),)),
    )  # fmt: skip


def _additionality(_: Papers) -> tuple[Section, ...]:
    said = "시연에서 절차를 보이기 위해 적은 것이며, 실제 확인이 아닙니다."
    tests = (("법적 추가성", said), ("경제적 추가성", said), ("관행 분석", said))
    return (Section("1. 추가성 검토", (Table("항목별 검토", ("항목", "내용"), tests),)),)


def _feasibility(given: Papers) -> tuple[Section, ...]:
    return (
        Section("1. 확인한 것", (Facts((
            ("사업계획서의 예상 감축량", given.reduction),
            ("지적과 처리", "1건 제기, 답변 확인 뒤 종결"),
            ("기관의 인정 번호", "없음 (시연 기관)"),
        )),)),
        Section("2. 의견", (Paragraph("계획한 모니터링으로 감축량을 산정할 수 있습니다 (시연)."),)),
    )  # fmt: skip


def _minutes(given: Papers) -> tuple[Section, ...]:
    return (Section("1. 심의", (Facts((
        ("안건", f"{given.project.name_ko} 승인"),
        ("결과", "승인 (시연: 실제 위원회가 열리지 않았습니다)"),
        ("연간 예상 감축량", given.reduction),
    )),)),)  # fmt: skip


def _monitoring(given: Papers) -> tuple[Section, ...]:
    lines = tuple(
        (line["meter"], line["quantity"],
         given.figure(f"/lines/{n}/amount", line["amount"], line["unit"]))
        for n, line in enumerate(given.outputs["lines"])
    )  # fmt: skip
    rows: list[tuple[str, Any]] = [("감축량", given.reduction)]
    if given.claim is not None:
        rows.append(("청구한 감축량", Figure(
            given.claim.co2e_t, "tCO2e", Source("claim", str(given.claim.id), "/co2e_t")
        )))  # fmt: skip
    half = given.outputs["uncertainty"].get("half_width_t")
    if half is not None:
        rows.append(("불확도 (95 %)", given.figure("/uncertainty/half_width_t", half, "tCO2e")))
    return (
        Section("1. 감축량", (Facts(tuple(rows)),)),
        Section("2. 계량", (Table("계량기별 양", ("계량기", "종류", "양"), lines),)),
        Section("3. 자료의 상태", (Facts(tuple(_coverage(given))), Paragraph(
            "12월 자료는 늦게 들어와, 들어온 뒤에 다시 산정했습니다. 앞선 산정은 그대로 남아 있고"
            " 두 산정의 차이는 작업장에서 볼 수 있습니다."
        ))),
    )  # fmt: skip


def _coverage(given: Papers) -> list[tuple[str, Any]]:
    told: list[tuple[str, Any]] = []
    for carrier, parts in sorted(given.outputs["coverage"].items()):
        if not isinstance(parts, dict) or not isinstance(parts.get("reporting"), dict):
            continue
        for part, words in (("baseline", "기준 기간"), ("reporting", "보고 기간")):
            for name, what in (("used", "쓴 날"), ("missing", "빠진 날")):
                pointer = f"/coverage/{carrier}/{part}/{name}"
                figure = given.figure(pointer, parts[part][name], "")
                told.append((f"{carrier}: {words} {what}", figure))
    return told


def _verification(given: Papers) -> tuple[Section, ...]:
    return (
        Section("1. 검증한 감축량", (Facts((
            ("보고한 감축량", given.reduction),
            ("다시 계산", "저장한 입력으로 다시 계산한 결과가 한 글자도 다르지 않습니다."),
            ("지적과 처리", "1건 제기(늦게 들어온 자료), 답변 확인 뒤 종결"),
            ("기관의 인정 번호", "없음 (시연 기관)"),
        )),)),
        Section("2. 의견", (Paragraph("합리적 보증 수준에서 적정 (시연)."),)),
    )  # fmt: skip


def _evidence(given: Papers) -> Section:
    return Section("증거", (Facts((
        ("산정", str(given.run.id)),
        ("입력 SHA-256", given.run.inputs_digest),
        ("결과 SHA-256", given.run.outputs_digest),
    )),))  # fmt: skip


_SECTIONS = {
    "project-plan": _plan, "additionality-evidence": _additionality,
    "feasibility-report": _feasibility, "review-minutes": _minutes,
    "monitoring-report": _monitoring, "verification-report": _verification,
}  # fmt: skip
