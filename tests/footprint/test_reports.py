"""Reports: every number is what its source says, in every form, in both languages."""

import io
import re
import zipfile
import zlib
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from footprint_world import CITY, SEOUL, World
from hwpx.tools.validator import validate_document
from openpyxl import load_workbook

from onsil import footprint
from onsil.core.canonical import decimal_text
from onsil.footprint import reports, targets
from onsil.footprint.reports import Report


@pytest.fixture
def monitored(world: World) -> footprint.Monitoring:
    project = world.project("REP-1", 500)
    held = world.claimed(world.solar_run("7.123456", date(2025, 6, 1)))
    period = world.approved(project, [held.id], date(2025, 6, 1))
    footprint.issue(world.conn, CITY, period.id, "official", world.clock)
    found = footprint.monitoring(world.conn, CITY, period.id)
    assert found is not None
    return found


def made(world: World, period: footprint.Monitoring, language: str = "ko") -> Report:
    found = reports.monitoring_report(
        world.conn, CITY, "평택시", period.id, language, world.clock.now(), SEOUL
    )
    assert isinstance(found, Report), found
    return found


def kept(world: World, report: Report) -> tuple[Report, str]:
    made_id = reports.keep_report(world.conn, CITY, report, "official", world.clock)
    found = reports.kept_report(world.conn, CITY, made_id)
    assert found is not None
    return found


@pytest.mark.parametrize("language", ["ko", "en"])
def test_every_number_is_what_its_source_says(world, monitored, language):
    found = reports.numbers(world.conn, CITY, made(world, monitored, language))
    assert len(found) > 10
    assert [n.figure.source.text() for n in found if not n.holds] == []
    assert {n.figure.source.kind for n in found} >= {"run", "claim", "monitoring", "batch"}


def test_a_changed_number_is_found_and_not_kept(world, monitored, refused):
    report = made(world, monitored)
    (facts, *rest) = report.sections[1].blocks
    label, figure = facts.rows[0]
    wrong = replace(facts, rows=((label, replace(figure, value=figure.value + 1)),))
    section = replace(report.sections[1], blocks=(wrong, *rest))
    forged = replace(report, sections=(report.sections[0], section, *report.sections[2:]))
    refused(
        reports.keep_report(world.conn, CITY, forged, "official", world.clock), "report-differs"
    )
    lost = replace(figure.source, pointer="/nowhere")
    assert (
        reports.numbers(
            world.conn,
            CITY,
            replace(
                report,
                sections=(
                    reports.Section(
                        "x", (replace(facts, rows=((label, replace(figure, source=lost)),)),)
                    ),
                ),
            ),
        )[0].found
        is None
    )


def test_a_report_is_kept_once_and_logged(world, monitored):
    report = made(world, monitored)
    first = reports.keep_report(world.conn, CITY, report, "official", world.clock)
    assert reports.keep_report(world.conn, CITY, report, "official", world.clock) == first
    again, sha256 = kept(world, report)
    assert again == report
    assert footprint.entry_of(world.conn, CITY, "report", first)["sha256"] == sha256
    assert [r[0] for r in reports.kept_reports(world.conn, CITY, monitored.id)] == [first]


def test_nothing_handed_in_is_no_report(world, refused):
    project = world.project("REP-2")
    opened = footprint.open_monitoring_period(
        world.conn, CITY, project.id, world.day(date(2025, 6, 1)), "maker", world.clock
    )
    answer = reports.monitoring_report(
        world.conn, CITY, "평택시", opened.id, "ko", world.clock.now(), SEOUL
    )
    refused(answer, "no-claims")


def test_the_page_escapes_and_numbers_its_figures(world, monitored):
    report, sha256 = kept(world, replace(made(world, monitored), title="<b>위험</b>"))
    page = reports.page_source(report, sha256)
    assert "<b>위험" not in page
    assert page.count("<sup>") == len(reports.figures(report))
    for one in reports.figures(report):
        assert decimal_text(one.value) in page


def inflated(stream: bytes) -> bytes:
    try:
        return zlib.decompress(stream)
    except zlib.error:
        return stream


def test_the_pdf_is_tagged(world, monitored):
    report, sha256 = kept(world, made(world, monitored))
    found = reports.pdf(report, sha256)
    assert found.startswith(b"%PDF-")
    streams = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", found, re.DOTALL)
    everything = found + b"".join(inflated(one) for one in streams)
    assert b"/MarkInfo" in everything
    assert b"/StructTreeRoot" in everything
    assert b"pdfuaid:part" in everything


def test_every_cell_of_the_pdf_names_its_headers(world, monitored):
    """PDF/UA: a table's cell is read with the headers it belongs to; the text has a language."""
    report, sha256 = kept(world, made(world, monitored))
    found = reports.pdf(report, sha256)
    streams = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", found, re.DOTALL)
    everything = found + b"".join(inflated(one) for one in streams)
    cells = [one for one in re.findall(rb"<<[^<>]*(?:<<[^<>]*>>[^<>]*)*>>", everything)
             if re.search(rb"/S\s*/TD\b", one)]  # fmt: skip
    assert cells
    assert all(re.search(rb"/Headers\s*\[\s*[<(]?\S", one) for one in cells)
    assert b"/DisplayDocTitle true" in everything
    assert re.search(rb"/Lang\s*\(ko\)", everything)


def test_the_hwpx_is_valid_by_the_published_schema(world, monitored):
    report, sha256 = kept(world, made(world, monitored))
    said = validate_document(io.BytesIO(reports.hwpx(report, sha256)))
    assert said.ok
    assert said.issues == ()
    assert {part.rpartition("/")[2] for part in said.validated_parts} >= {
        "header.xml", "section0.xml",
    }  # fmt: skip


def test_the_workbook_has_every_exact_value(world, monitored):
    report, sha256 = kept(world, made(world, monitored))
    book = load_workbook(io.BytesIO(reports.xlsx(report, sha256)))
    rows = list(book.worksheets[-1].iter_rows(min_row=2, values_only=True))
    exact = [decimal_text(one.value) for one in reports.figures(report)]
    assert [row[2] for row in rows] == exact
    assert all(Decimal(str(row[1])).is_finite() for row in rows)
    assert book.worksheets[0]["B5"].value == sha256


def test_the_hwpx_has_every_figure_and_its_source(world, monitored):
    report, sha256 = kept(world, made(world, monitored))
    with zipfile.ZipFile(io.BytesIO(reports.hwpx(report, sha256))) as archive:
        assert archive.read("mimetype").startswith(b"application/hwp+zip")
        body = b"".join(archive.read(n) for n in archive.namelist() if "section" in n).decode()
    text = re.sub(r"<[^>]+>", " ", body)
    assert sha256 in text
    for one in reports.figures(report):
        assert decimal_text(one.value) in text
        assert one.source.pointer in text


def test_the_implementation_report_reads_its_sealed_review(world, refused):
    conn, clock = world.conn, world.clock
    plan = targets.adopt_plan(conn, CITY, "REP", ("계획", "Plan"), 2018, "시험", "official", clock)
    terms = targets.MeasureTerms(
        "building", "태양광", "Solar", "부서", "Owner", "용량", "Capacity", "kW", 2025, 2030, "시험"
    )
    one = targets.put_measure(conn, CITY, plan.id, "B-1", terms, "official", clock)
    run = world.solar_run("3")
    targets.link_evidence(conn, CITY, one.id, 2025, "run", str(run.id), "official", clock)
    opened = targets.open_review(conn, CITY, plan.id, 2025, "maker", clock)
    answer = reports.implementation_report(conn, CITY, "평택시", opened.id, "ko", clock.now())
    refused(answer, "review-state")
    targets.judge_measure(conn, CITY, opened.id, one.id, "behind", "자재 지연", "maker", clock)
    targets.submit_review(conn, CITY, opened.id, "maker", clock)
    targets.approve_review(conn, CITY, opened.id, "checker", clock)
    report = reports.implementation_report(conn, CITY, "평택시", opened.id, "en", clock.now())
    assert isinstance(report, Report), report
    found = reports.numbers(conn, CITY, report)
    assert all(n.holds for n in found)
    assert run.co2e_t in {n.figure.value for n in found}
    assert "behind" in reports.page_source(report, "0" * 64)
