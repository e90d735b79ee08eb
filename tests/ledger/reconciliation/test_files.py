"""Bank and card files in every format: what they say, and every way in which they are wrong."""

import io
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from openpyxl import Workbook

from onsil.core.refusal import OperationError
from onsil.ledger.reconciliation import read_setup
from onsil.ledger.reconciliation.files import keys, read_file
from onsil.ledger.reconciliation.formats import read_format

SEOUL = ZoneInfo("Asia/Seoul")
SETUP = read_setup(Path(__file__).parents[3] / "cities" / "pyeongtaek" / "reconciliation")
HEAD = "거래일자,거래시간,출금금액,입금금액,잔액,적요,보낸분/받는분,거래메모,거래번호"
ROWS = [
    "2026-03-02,09:30:00,0,\"5,000\",\"15,000\",타행이체,김하나,91234567890128,T1",
    "2026.03.03,10:00,3000,,12000,이체,데모 빵집,,T2",
]  # fmt: skip


def read(content: bytes, form: str = "bank-csv"):
    return read_file(content, SETUP.formats[form], SEOUL)


def csv_file(*rows: str, head: str = HEAD, above: tuple[str, ...] = ()) -> str:
    return "\r\n".join([*above, head, *rows]) + "\r\n"


def problems(content: bytes, form: str = "bank-csv") -> list[tuple[int, str]]:
    _, wrong = read(content, form)
    assert wrong
    for one in wrong.found:
        assert one.ko
        assert one.en
    return [(p.number, p.field) for p in wrong.found]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp949"])
def test_a_korean_banks_table_in_any_of_its_encodings(encoding: str):
    above = ("예금주,평택시", "조회기간,2026-03-01~2026-03-03", "")
    content = csv_file(*ROWS, "합계,,3000,5000,,,,,", above=above).encode(encoding)
    found, wrong = read(content)
    assert not wrong, wrong
    came, went = found.lines
    assert (came.day, came.amount, came.balance, came.party) == (date(2026, 3, 2), 5_000, 15_000,
                                                                 "김하나")  # fmt: skip
    assert came.at == datetime(2026, 3, 2, 0, 30, tzinfo=UTC)
    assert (came.reference, came.text, came.bank_id) == ("91234567890128", "타행이체", "T1")
    assert (went.day, went.amount) == (date(2026, 3, 3), -3_000)
    assert found.balances == {date(2026, 3, 2): 15_000, date(2026, 3, 3): 12_000}
    assert found.days == {date(2026, 3, 2), date(2026, 3, 3)}


def test_the_same_table_as_a_workbook_with_typed_cells():
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.append(["예금주", "평택시"])
    sheet.append([])
    sheet.append(HEAD.split(","))
    morning = datetime(2026, 3, 2, 9, 30)  # noqa: DTZ001 - a cell has no zone
    sheet.append([morning, None, None, 5000, 15000.0, "타행이체", "김하나", 91234567890128, "T1"])
    sheet.append(
        ["2026-03-03", "10:00:00", "3,000", None, "12,000", "이체", "데모 빵집", None, "T2"]
    )
    out = io.BytesIO()
    book.save(out)
    found, wrong = read(out.getvalue(), "bank-xlsx")
    assert not wrong, wrong
    assert [line.amount for line in found.lines] == [5_000, -3_000]
    assert found.lines[0].reference == "91234567890128"
    assert found.lines[0].at == datetime(2026, 3, 2, 0, 30, tzinfo=UTC)


def test_what_is_wrong_is_told_by_line_and_field():
    rows = ["어제,09:00,0,1,1,,,,", "2026-03-02,25:00,0,1,1,,,,", "2026-03-02,09:00,1,1,1,,,,",
            "2026-03-02,09:00,0,1.5,1,,,,", "2026-03-02,09:00,0,-5,1,,,,",
            "2026-03-02,09:00,0,1,많음,,,,"]  # fmt: skip
    found = problems(csv_file(*rows).encode())
    assert found == [(2, "day"), (3, "time"), (4, "outgoing"), (5, "incoming"), (6, "incoming"),
                     (7, "balance")]  # fmt: skip


def test_a_missing_column_is_named():
    head = HEAD.replace("잔액", "남은돈").replace("거래일자", "날")
    assert problems(csv_file(*ROWS, head=head).encode()) == [(1, "day"), (1, "balance")]


def test_a_missing_line_shows_in_the_balances():
    gap = [ROWS[0], "2026-03-03,10:00,3000,,11000,이체,,,T3"]
    assert problems(csv_file(*gap).encode()) == [(3, "balance")]


@pytest.mark.parametrize(
    ("content", "form"),
    [(b"", "bank-csv"), (HEAD.encode(), "bank-csv"), (b"\x00\xff\xfe\xfa" * 9, "bank-csv"),
     (b"PK no workbook", "bank-xlsx"), (b"", "camt-053"), (b"", "card-fixed")],
)  # fmt: skip
def test_what_is_no_such_file_is_said_to_be_none(content: bytes, form: str):
    assert problems(content, form)


def test_too_many_faults_are_counted_not_listed():
    _, wrong = read(csv_file(*["x,09:00,0,1,,,,,"] * 80).encode())
    assert (len(wrong.found), wrong.more) == (50, 30)


def test_lines_that_say_the_same_are_two_and_keep_their_keys_in_another_file():
    twin = "2026-03-02,09:30:00,0,700,,충전,김하나,,"
    first, _ = read(csv_file(twin, twin).encode())
    longer, _ = read(csv_file(twin, twin, "2026-03-04,09:30:00,0,700,,충전,,,").encode("cp949"))
    ours = [key for key, _ in keys(first.lines)]
    assert len(set(ours)) == 2
    assert [key for key, _ in keys(longer.lines)][:2] == ours


CAMT = """<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.{version}"><BkToCstmrStmt>
<GrpHdr><MsgId>M1</MsgId></GrpHdr><Stmt><Id>S1</Id>
<FrToDt><FrDtTm>2026-03-01T00:00:00+09:00</FrDtTm><ToDtTm>2026-03-04T00:00:00+09:00</ToDtTm></FrToDt>
<Bal><Tp><CdOrPrtry><Cd>OPBD</Cd></CdOrPrtry></Tp><Amt Ccy="KRW">10000</Amt>
<CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2026-03-01</Dt></Dt></Bal>
<Bal><Tp><CdOrPrtry><Cd>CLBD</Cd></CdOrPrtry></Tp><Amt Ccy="KRW">12000</Amt>
<CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2026-03-03</Dt></Dt></Bal>
<Ntry><Amt Ccy="KRW">5000</Amt><CdtDbtInd>CRDT</CdtDbtInd>{status}
<BookgDt><DtTm>2026-03-01T23:30:00Z</DtTm></BookgDt><AcctSvcrRef>B1</AcctSvcrRef>
<NtryDtls><TxDtls><Refs><EndToEndId>E2E-0001</EndToEndId></Refs>
<RltdPties><Dbtr>{debtor}</Dbtr></RltdPties>
<RmtInf><Ustrd>91234567890128</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>
<Ntry><Amt Ccy="KRW">3000.00</Amt><CdtDbtInd>DBIT</CdtDbtInd>{status}
<BookgDt><Dt>2026-03-03</Dt></BookgDt></Ntry>
<Ntry><Amt Ccy="KRW">1</Amt><CdtDbtInd>DBIT</CdtDbtInd>{pending}
<BookgDt><Dt>2026-03-03</Dt></BookgDt></Ntry>
</Stmt></BkToCstmrStmt></Document>"""
OLD = {"version": "02", "status": "<Sts>BOOK</Sts>", "pending": "<Sts>PDNG</Sts>",
       "debtor": "<Nm>Kim Hana</Nm>"}  # fmt: skip
NEW = {"version": "08", "status": "<Sts><Cd>BOOK</Cd></Sts>", "pending": "<Sts><Cd>PDNG</Cd></Sts>",
       "debtor": "<Pty><Nm>Kim Hana</Nm></Pty>"}  # fmt: skip


@pytest.mark.parametrize("parts", [OLD, NEW])
def test_an_iso_20022_statement_old_and_new(parts: dict[str, str]):
    found, wrong = read(CAMT.format(**parts).encode(), "camt-053")
    assert not wrong, wrong
    came, went = found.lines
    assert (came.day, came.amount, came.reference) == (date(2026, 3, 2), 5_000, "E2E-0001")
    assert (came.text, came.party, came.bank_id) == ("91234567890128", "Kim Hana", "B1")
    assert (went.day, went.amount) == (date(2026, 3, 3), -3_000)
    assert found.balances == {date(2026, 3, 3): 12_000}
    assert found.days == {date(2026, 3, d) for d in (1, 2, 3)}


@pytest.mark.parametrize(
    ("was", "now"),
    [
        ('<?xml version="1.0" encoding="UTF-8"?>',
         '<!DOCTYPE d [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]>'),
        ('<?xml version="1.0" encoding="UTF-8"?>', '<!DOCTYPE d SYSTEM "file:///etc/passwd">'),
        ("camt.053.001", "pain.001.001"), ('Ccy="KRW">5000', 'Ccy="USD">5000'),
        (">5000<", ">5000.5<"), (">5000<", ">many<"), ("</Stmt>", ""),
        ("<CdtDbtInd>DBIT</CdtDbtInd><Sts>BOOK</Sts>", "<Sts>BOOK</Sts>"),
        ("<BookgDt><Dt>2026-03-03</Dt></BookgDt>", ""),
    ],
)  # fmt: skip
def test_xml_that_hurts_or_says_nothing_is_refused(was: str, now: str):
    text = CAMT.format(**OLD)
    assert was in text
    assert problems(text.replace(was, now, 1).encode(), "camt-053")


def test_xml_too_deep_is_refused():
    assert problems(b"<a>" * 100 + b"</a>" * 100, "camt-053")


def card_record(
    day: str, amount: int, approval: str, name: str = "데모 시민", sign: str = "1"
) -> bytes:
    text = f"D{day}093000{sign}{amount:012d}{approval:<12}".encode("cp949")
    return (text + name.encode("cp949").ljust(30) + approval.encode().ljust(20)).ljust(100)


def card_file(*data: bytes, count: int | None = None, total: int | None = None, end=b"\n") -> bytes:
    amounts = [int(d[16:28]) * (1 if d[15:16] == b"1" else -1) for d in data]
    n = len(data) if count is None else count
    s = sum(amounts) if total is None else total
    header, trailer = b"H".ljust(100), f"T{n:06d}{s:015d}".encode().ljust(100)
    return end.join([header, *data, trailer])


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b""])
def test_a_card_networks_records_of_one_length(end: bytes):
    data = (card_record("20260302", 5_000, "A0001234"), card_record("20260303", 700, "A0009999",
                                                                    "홍길동", "2"))  # fmt: skip
    found, wrong = read(card_file(*data, end=end), "card-fixed")
    assert not wrong, wrong
    assert [(x.day, x.amount, x.reference, x.party) for x in found.lines] == [
        (date(2026, 3, 2), 5_000, "A0001234", "데모 시민"),
        (date(2026, 3, 3), -700, "A0009999", "홍길동"),
    ]  # fmt: skip


def test_a_card_file_is_held_against_its_trailer():
    data = card_record("20260302", 5_000, "A0001234")
    assert problems(card_file(data, count=2), "card-fixed") == [(3, "count")]
    assert problems(card_file(data, total=1), "card-fixed") == [(3, "sum")]
    assert problems(card_file(data) + b"\nX" + b" " * 99, "card-fixed") == [(4, "")]
    assert problems(card_file(data[:-1]), "card-fixed")[0] == (2, "")
    assert problems(card_file(card_record("20260302", 5, "A", sign="9")), "card-fixed") == [
        (2, "sign")
    ]


@pytest.mark.parametrize(
    ("table", "words"),
    [({"kind": "pdf"}, "kind"), ({"kind": "delimited", "columns": {"when": "x"}}, "when"),
     ({"kind": "delimited", "columns": {"day": "x"}}, "amount"),
     ({"kind": "delimited", "columns": {"amount": "x"}}, "day"),
     ({"kind": "camt.053"}, "name"),
     ({"kind": "fixed", "record": [{"type": "body"}]}, "record.type")],
)  # fmt: skip
def test_a_layout_that_cannot_work_is_named(table: dict, words: str):
    with pytest.raises(OperationError, match=words):
        read_format("x", table, "x.toml")


@pytest.mark.parametrize(
    ("was", "now", "words"),
    [("limit_krw = 100_000", "", "limit_krw"), ("sign = -1", "sign = 0", "sign"),
     ('"camt-053"', '"mt940"', "mt940"), ('kind = "window"', 'kind = "x"', "amount-and-day"),
     ("starts = 2025-01-01", 'starts = "soon"', "soon"),
     ('choose = "only"', 'choose = "x"', "choose"),
     ("kind =", "kind", "trust.toml")],
)  # fmt: skip
def test_a_citys_set_up_that_cannot_work_is_named(tmp_path: Path, was: str, now: str, words):
    folder = Path(__file__).parents[3] / "cities" / "pyeongtaek" / "reconciliation"
    (tmp_path / "formats").mkdir()
    for path in (folder / "formats").glob("*.toml"):
        (tmp_path / "formats" / path.name).write_text(path.read_text("utf-8"), "utf-8")
    text = (folder / "trust.toml").read_text("utf-8")
    assert was in text
    (tmp_path / "trust.toml").write_text(text.replace(was, now, 1), "utf-8")
    with pytest.raises(OperationError, match=words):
        read_setup(tmp_path)


def test_a_city_without_bank_accounts_has_an_empty_set_up(tmp_path: Path):
    assert read_setup(tmp_path).accounts == {}
