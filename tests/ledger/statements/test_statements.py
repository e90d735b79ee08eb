"""Statements on a real ledger: cut by period, complete, the same in all three forms."""

import csv
import io
import re
import zlib
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook

from onsil import ledger
from onsil.core.clock import FixedClock
from onsil.core.periods import Period, local_month
from onsil.core.refusal import OperationError, Refusal
from onsil.ledger import AccountSpec, Leg, LotTerms, TransferRequest
from onsil.ledger.statements import (
    Paper,
    Seal,
    Statement,
    csv_chunks,
    download,
    read_statement,
)
from onsil.ledger.statements import reading as reading_module

CITY, LOCAL = "pyeongtaek", "local:pyeongtaek"
SEOUL = ZoneInfo("Asia/Seoul")
MARCH = local_month(2026, 3, SEOUL)
CITIZEN = "citizen:0190aaaa-0000-7000-8000-000000000001"
SHOP = "merchant:0190bbbb-0000-7000-8000-000000000002"


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(datetime(2026, 2, 27, 14, 59, tzinfo=UTC))


@pytest.fixture
def books(conn):
    ledger.open_accounts(conn, CITY, [
        AccountSpec("issuer:local", LOCAL, "issuer", minimum=None),
        AccountSpec("external:bank", "KRW", "external", minimum=None),
        AccountSpec("trust:local", "KRW", "trust"),
        AccountSpec(CITIZEN, LOCAL, "citizen", lots=True),
        AccountSpec(SHOP, LOCAL, "merchant", lots=True),
    ])  # fmt: skip
    return conn


def charge(conn, clock, key: str, amount: int, **more) -> None:
    legs = (
        Leg("external:bank", "trust:local", "KRW", amount),
        Leg("issuer:local", CITIZEN, LOCAL, amount,
            lot=LotTerms("charge", datetime(2031, 1, 1, tzinfo=UTC), refundable=True)),
    )  # fmt: skip
    request = TransferRequest(key, "charge", legs, origin_kind="charge", origin_id=key, **more)
    assert ledger.post(conn, CITY, [request], clock)[key]


def pay(conn, clock, key: str, amount: int, **more) -> None:
    leg = Leg(CITIZEN, SHOP, LOCAL, amount)
    request = TransferRequest(key, "payment", (leg,), origin_kind="payment", origin_id=key, **more)
    assert ledger.post(conn, CITY, [request], clock)[key]


def read(conn, clock, account=CITIZEN, asset=LOCAL, period=MARCH) -> Statement:
    found = read_statement(conn, CITY, account, asset, period, clock)
    assert isinstance(found, Statement), found
    return found


def paper(reader="citizen", language="ko", **more) -> Paper:
    seal = Seal("onsil/pyeongtaek/2026", 1234, "ab" * 32, datetime(2026, 4, 1, tzinfo=UTC))
    facts = {"holder": "데모 시민", "seal": seal, "how_to_verify": "https://onsil.invalid/verify/"}
    return Paper(reader, language, SEOUL, "평택시", "평택사랑상품권", **{**facts, **more})


def a_month(conn, clock) -> None:
    """A charge before March, on its first instant, and payments up to its last and beyond."""
    charge(conn, clock, "before", 10_000)
    clock.instant = MARCH.start
    charge(conn, clock, "first", 5_000, memo="=1+1", effective_at=MARCH.start - timedelta(days=2))
    clock.advance(timedelta(days=3))
    pay(conn, clock, "lunch", 7_000)
    clock.instant = MARCH.end - timedelta(microseconds=1)
    pay(conn, clock, "last", 500)
    clock.instant = MARCH.end
    pay(conn, clock, "after", 250)
    clock.advance(timedelta(days=1))


def table(content: bytes) -> list[list[str]]:
    assert content.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def entries_of(rows: list[list[str]]) -> list[list[str]]:
    return [row for row in rows if row and row[0].isdigit()]


def test_a_period_is_half_open_and_cut_in_the_citys_zone(books, clock):
    a_month(books, clock)
    found = read(books, clock)
    assert [line.origin_id for line in found.lines()] == ["first", "lunch", "last"]
    assert (found.opening, found.incoming, found.outgoing, found.closing) == (
        10_000, 5_000, 7_500, 7_500,
    )  # fmt: skip
    assert [(k.kind, k.count, k.incoming, k.outgoing) for k in found.kinds] == [
        ("charge", 1, 5_000, 0), ("payment", 2, 0, 7_500),
    ]  # fmt: skip
    assert [line.balance for line in found.lines()] == [15_000, 8_000, 7_500]
    assert not found.provisional


def test_lines_can_be_walked_twice_and_pages_do_not_show(books, clock, monkeypatch):
    monkeypatch.setattr(reading_module, "PAGE", 2)
    a_month(books, clock)
    found = read(books, clock)
    assert list(found.lines()) == list(found.lines())
    assert [line.origin_id for line in found.lines()] == ["first", "lunch", "last"]


def test_a_quiet_period_opens_and_closes_alike(books, clock):
    charge(books, clock, "before", 10_000)
    found = read(books, clock, period=local_month(2026, 1, SEOUL))
    assert (found.opening, found.closing, found.count) == (0, 0, 0)
    clock.advance(timedelta(days=90))
    found = read(books, clock)
    assert (found.opening, found.closing, found.count) == (10_000, 10_000, 0)


def test_a_period_that_is_not_over_says_so(books, clock):
    clock.instant = MARCH.start + timedelta(days=1)
    charge(books, clock, "one", 100)
    found = read(books, clock)
    assert found.provisional
    text = b"".join(csv_chunks(found, paper())).decode()
    assert "기간이 아직 끝나지 않아" in text


def test_an_account_that_is_not_there_is_refused(books, clock):
    found = read_statement(books, CITY, "citizen:nobody", LOCAL, MARCH, clock)
    assert isinstance(found, Refusal)
    assert found.code == "statement-no-account"


def test_entries_that_do_not_follow_are_not_written_down(books, clock, monkeypatch):
    a_month(books, clock)
    honest = reading_module.entries

    def altered(*args):
        page = honest(*args)
        from dataclasses import replace

        return [replace(e, amount=e.amount - 1) if e.origin_id == "lunch" else e for e in page]

    monkeypatch.setattr(reading_module, "entries", altered)
    with pytest.raises(OperationError, match="balance after"):
        read_statement(books, CITY, CITIZEN, LOCAL, MARCH, clock)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_opening_and_movements_make_the_closing_balance(conn, data):
    """However entries lie around the bounds, and wherever a period is cut in two."""
    from onsil.core.database import cursor

    with cursor(conn) as run:
        run.execute("SAVEPOINT example")
    try:
        _movements_add_up(conn, data)
    finally:  # an example that is given up half-way must leave nothing to the next
        with cursor(conn) as run:
            run.execute("ROLLBACK TO SAVEPOINT example")


def _movements_add_up(conn, data) -> None:
    clock = FixedClock(datetime(2026, 2, 27, tzinfo=UTC))
    ledger.open_accounts(conn, CITY, [
        AccountSpec("issuer:local", LOCAL, "issuer", minimum=None),
        AccountSpec("external:bank", "KRW", "external", minimum=None),
        AccountSpec("trust:local", "KRW", "trust"),
        AccountSpec(CITIZEN, LOCAL, "citizen", lots=True),
        AccountSpec(SHOP, LOCAL, "merchant", lots=True),
    ])  # fmt: skip
    have = 0
    for number in range(data.draw(st.integers(0, 12))):
        clock.advance(timedelta(hours=data.draw(st.integers(0, 400))))
        if have and data.draw(st.booleans()):
            amount = data.draw(st.integers(1, have))
            pay(conn, clock, f"p{number}", amount)
            have -= amount
        else:
            amount = data.draw(st.integers(1, 10_000))
            charge(conn, clock, f"c{number}", amount)
            have += amount
    middle = MARCH.start + timedelta(hours=data.draw(st.integers(1, 700)))
    clock.advance(timedelta(days=400))
    whole = read(conn, clock)
    first = read(conn, clock, period=Period(MARCH.start, middle))
    second = read(conn, clock, period=Period(middle, MARCH.end))
    for one in (whole, first, second):
        assert one.opening + one.incoming - one.outgoing == one.closing
        running = one.opening
        for line in one.lines():
            running += line.amount
            assert running == line.balance
        assert running == one.closing
    assert first.closing == second.opening
    assert [*first.lines(), *second.lines()] == list(whole.lines())


def test_the_csv_of_a_month_word_for_word(books, clock):
    a_month(books, clock)
    rows = table(b"".join(csv_chunks(read(books, clock), paper())))
    assert rows[0] == ["거래내역서"]
    assert ["기간", "2026-03-01 – 2026-03-31 (Asia/Seoul)"] in rows
    head = next(row for row in rows if row and row[0] == "번호")
    assert head == ["번호", "기록한 때", "효력이 생긴 때", "종류", "상대", "적요", "근거", "들어옴",
                    "나감", "잔액", "값의 조건", "거래 번호"]  # fmt: skip
    first, lunch, last = entries_of(rows)
    assert first[:10] == ["1", "2026-03-01 00:00:00", "2026-02-27 00:00:00", "충전", "발행 계정",
                          "'=1+1", "충전 first", "5000", "0", "15000"]  # fmt: skip
    assert lunch[3:10] == ["결제", "가맹점", "", "결제 lunch", "0", "7000", "8000"]
    assert lunch[10] == "charge · 2031-01-01까지 · 환불 가능"
    assert last[1] == "2026-03-31 23:59:59"
    at = rows.index(head)
    assert rows[at + 1][3] == "처음 잔액"
    assert rows[at + 1][9] == "10000"
    assert rows[at + 5][3] == "마지막 잔액"
    assert rows[at + 5][9] == "7500"
    assert ["합계", "3", "5000", "7500"] in rows
    assert any("1,234" in row[0] and "ab" * 32 in row[0] for row in rows if row)


def test_value_of_several_terms_is_told_piece_by_piece(books, clock):
    clock.instant = MARCH.start
    charge(books, clock, "one", 300)
    legs = (Leg("external:bank", "trust:local", "KRW", 500),
            Leg("issuer:local", CITIZEN, LOCAL, 500,
                lot=LotTerms("policy:2026", None, merchant_rule="market")))  # fmt: skip
    assert ledger.post(books, CITY, [TransferRequest("two", "grant", legs)], clock)["two"]
    pay(books, clock, "both", 600)
    clock.advance(timedelta(days=40))
    line = list(read(books, clock).lines())[-1]
    assert [(t.amount, t.fund, t.merchant_rule) for t in line.lots] == [
        (500, "policy:2026", "market"), (100, "charge", ""),
    ]  # fmt: skip
    text = b"".join(csv_chunks(read(books, clock), paper())).decode()
    assert "500 · policy:2026 · market에서만; 100 · charge · 2031-01-01까지 · 환불 가능" in text


def test_a_shop_never_reads_who_paid(books, clock):
    a_month(books, clock)
    pay(books, clock, "tagged", 10, memo=f"for {CITIZEN} thanks")
    april = local_month(2026, 4, SEOUL)
    clock.advance(timedelta(days=60))
    for period in (MARCH, april):
        made = read(books, clock, SHOP, LOCAL, period)
        for form in ("csv", "xlsx", "pdf"):
            found = download(made, paper("merchant", holder="데모 빵집"), form)
            assert not isinstance(found, Refusal)
            text = plain_text(form, b"".join(found.chunks))
            assert "0190aaaa" not in text, form
            assert "0190aaaa" not in found.name
    assert "시민" in plain_text("csv", b"".join(csv_chunks(made, paper("merchant"))))


def test_an_official_reads_the_accounts_code(books, clock):
    a_month(books, clock)
    text = b"".join(csv_chunks(read(books, clock, SHOP), paper("official", "en"))).decode()
    assert f"a citizen ({CITIZEN})" in text
    assert "Statement of account" in text


def plain_text(form: str, content: bytes) -> str:
    """What a reader can find in a file of any of the forms."""
    if form == "csv":
        return content.decode("utf-8-sig")
    if form == "xlsx":
        book = load_workbook(io.BytesIO(content))
        return "\n".join(
            " ".join(str(c) for c in row if c is not None)
            for row in book.worksheets[0].iter_rows(values_only=True)
        )
    return pdf_text(content)


def _streams(content: bytes) -> dict[int, tuple[bytes, bytes]]:
    """Objects of a PDF by number: dictionary and unpacked stream; those in object streams too."""
    found: dict[int, tuple[bytes, bytes]] = {}
    for match in re.finditer(rb"(\d+) 0 obj\s*(.*?)(?:stream\r?\n(.*?)\r?\nendstream\s*)?endobj",
                             content, re.DOTALL):  # fmt: skip
        raw = match.group(3) or b""
        if b"/FlateDecode" in match.group(2):
            raw = zlib.decompress(raw)
        found[int(match.group(1))] = (match.group(2), raw)
    for dictionary, raw in list(found.values()):
        if b"/ObjStm" in dictionary:
            first = int(re.search(rb"/First (\d+)", dictionary)[1])  # pyright: ignore
            numbers = [int(n) for n in raw[:first].split()]
            for number, start, end in zip(
                numbers[::2], numbers[1::2], [*numbers[3::2], len(raw) - first], strict=True
            ):
                found[number] = (raw[first + start : first + end], b"")
    return found


def _unicode_maps(objects: dict[int, tuple[bytes, bytes]]) -> dict[bytes, dict[int, str]]:
    """Font resource name to glyph -> text, from each font's ToUnicode."""
    maps: dict[int, dict[int, str]] = {}
    for number, (dictionary, _) in objects.items():
        reference = re.search(rb"/ToUnicode (\d+) 0 R", dictionary)
        if reference:
            table = objects[int(reference[1])][1].decode()
            maps[number] = {
                int(a, 16): bytes.fromhex(b).decode("utf-16-be")
                for a, b in re.findall(r"<([0-9a-fA-F]+)> <([0-9a-fA-F]+)>\n", table)
            }
    named: dict[bytes, dict[int, str]] = {}
    for dictionary, _ in objects.values():
        for name, number in re.findall(rb"/([\w-]+) (\d+) 0 R", dictionary):
            if int(number) in maps:
                named[name] = maps[int(number)]
    return named


def pdf_text(content: bytes) -> str:
    """The words of a PDF in the order they are drawn."""
    objects = _streams(content)
    fonts = _unicode_maps(objects)
    words: list[str] = []
    for dictionary, raw in objects.values():
        if b" Tf" not in raw or b"/Type" in dictionary:
            continue
        font: dict[int, str] = {}
        for match in re.finditer(rb"/([\w-]+) [\d.]+ Tf|<([0-9a-fA-F]+)>|(BT)|(ET)", raw):
            if match.group(1):
                font = fonts[match.group(1)]
            elif match.group(2):
                codes = bytes.fromhex(match.group(2).decode())
                words.extend(
                    font[int.from_bytes(codes[i : i + 2], "big")] for i in range(0, len(codes), 2)
                )
            else:
                words.append("\n")
    return "".join(words)


def test_the_pdf_is_tagged_and_says_everything(books, clock):
    a_month(books, clock)
    note = "시연을 위해 모의로 만든 자료입니다."
    found = download(read(books, clock), paper(notes=(note,)), "pdf")
    assert not isinstance(found, Refusal)
    content = b"".join(found.chunks)
    everything = b"".join(d + s for d, s in _streams(content).values())
    assert b"/MarkInfo" in everything
    assert b"/StructTreeRoot" in everything
    assert b"pdfuaid:part" in everything
    assert re.search(rb"/Lang ?\(ko", everything)
    text = pdf_text(content)
    said = text.replace("\n", "").replace(" ", "")
    for word in ("거래내역서", "평택시", "평택사랑상품권(원)", "처음 잔액", "10,000", "7,500", note,
                 "2026-03-01 – 2026-03-31", "onsil/pyeongtaek/2026", "ab" * 32, "1 / 1",
                 "https://onsil.invalid/verify/"):  # fmt: skip
        assert word.replace(" ", "") in said, word


def test_a_pdf_too_long_is_refused_and_the_way_out_is_told(books, clock, monkeypatch):
    from onsil.ledger.statements import document

    a_month(books, clock)
    monkeypatch.setattr(document, "PDF_LINES_MAX", 2)
    found = download(read(books, clock), paper(), "pdf")
    assert isinstance(found, Refusal)
    assert found.code == "statement-too-long"
    assert "CSV" in found.ko


def test_the_workbooks_formulas_stand_beside_the_figures_they_must_equal(books, clock):
    a_month(books, clock)
    found = download(read(books, clock), paper(), "xlsx")
    assert not isinstance(found, Refusal)
    sheet = load_workbook(io.BytesIO(b"".join(found.chunks))).worksheets[0]
    header = next(row[0].row for row in sheet.iter_rows() if row[0].value == "번호")
    assert sheet.freeze_panes == f"A{header + 1}"
    assert sheet.print_title_rows == f"${header}:${header}"
    sums = {sheet.cell(r, 1).value: r for r in range(1, header)}
    first, last = header + 1, header + 3
    incoming = sum(sheet.cell(r, 8).value for r in range(first, last + 1))
    assert sheet.cell(sums["들어온 합"], 3).value == incoming == 5_000
    assert sheet.cell(sums["들어온 합"], 4).value == f"=SUM(H{first}:H{last})"
    closing = sheet.cell(sums["마지막 잔액"], 4).value
    assert closing == (
        f"=C{sums['처음 잔액']}+SUM(H{first}:H{last})-SUM(I{first}:I{last})"
    )  # fmt: skip
    assert sheet.cell(sums["마지막 잔액"], 3).value == 7_500
    memo = sheet.cell(first, 6)
    assert (memo.value, memo.data_type) == ("=1+1", "s")
    assert isinstance(sheet.cell(first, 2).value, datetime)
    assert sheet.cell(last + 1, 1).value is None


def test_thirty_thousand_entries_come_in_pieces_and_small_memory(clock):
    """The CSV is made while it is read: nothing of the size of the whole is ever held."""
    import tracemalloc
    from uuid import UUID

    from onsil.ledger.statements.terms import Counterpart, KindTotal, StatementLine

    def lines():
        balance = 0
        for number in range(30_000):
            balance += 10
            yield StatementLine(
                UUID(int=number), "charge", MARCH.start, MARCH.start, Counterpart("issuer:local"),
                "메모", "charge", str(number), None, 10, balance,
            )  # fmt: skip

    made = Statement(CITY, CITIZEN, LOCAL, MARCH, MARCH.end, 0, 300_000, 300_000, 0, 30_000,
                     (KindTotal("charge", 30_000, 300_000, 0),), lines)  # fmt: skip
    tracemalloc.start()
    count = size = 0
    for chunk in csv_chunks(made, paper()):
        count, size = count + 1, size + len(chunk)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count > 60
    assert size > 3_000_000
    assert peak < 1_000_000, peak
