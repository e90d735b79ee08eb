"""ISO 20022 bank-to-customer statements (camt.053.001.02 and later). Pure.

Booked entries only (Sts BOOK, with or without a Cd inside, as the versions differ). An entry of
several transactions is one line: the bank booked one amount.
"""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from onsil.ledger.reconciliation.cells import Problems, as_won
from onsil.ledger.reconciliation.defused import Node, XmlRefused, parse
from onsil.ledger.reconciliation.terms import RawFile, RawLine

_SPACE = "urn:iso:std:iso:20022:tech:xsd:camt.053.001."
CURRENCY = "KRW"


def camt_053(content: bytes, zone: ZoneInfo, problems: Problems) -> RawFile:
    """Lines, closing booked balances (CLBD) and the days covered."""
    nothing = RawFile((), {}, frozenset())
    try:
        root = parse(content)
    except XmlRefused as error:
        problems.add(
            error.line, "", "", f"XML로 읽을 수 없습니다: {error}", f"not readable XML: {error}"
        )
        return nothing
    if not root.space.startswith(_SPACE):
        problems.add(root.line, "xmlns", root.space, "camt.053 문서가 아닙니다.",
                     "this is no camt.053 document")  # fmt: skip
        return nothing
    lines: list[RawLine] = []
    balances: dict[date, int] = {}
    days: set[date] = set()
    for statement in root.all("BkToCstmrStmt/Stmt"):
        days |= _covered(statement, zone)
        for entry in statement.all("Ntry"):
            line = _entry(entry, zone, problems)
            if line is not None:
                lines.append(line)
        for node in statement.all("Bal"):
            if node.words("Tp/CdOrPrtry/Cd") == "CLBD":
                day, amount = _day(node.first("Dt"), zone), _amount(node, "Bal", problems)
                if day is not None and amount is not None:
                    balances[day] = amount
    return RawFile(tuple(lines), balances, frozenset(days | set(balances)))


def _covered(statement: Node, zone: ZoneInfo) -> set[date]:
    start = _instant(statement.words("FrToDt/FrDtTm"), zone)
    end = _instant(statement.words("FrToDt/ToDtTm"), zone)
    if start is None or end is None or end < start:
        return set()
    first = start.astimezone(zone).date()
    last = (end - timedelta(microseconds=1)).astimezone(zone).date()
    return {first + timedelta(days=n) for n in range((last - first).days + 1)}


def _entry(entry: Node, zone: ZoneInfo, problems: Problems) -> RawLine | None:
    status = entry.words("Sts/Cd") or entry.words("Sts")
    if status and status != "BOOK":
        return None
    amount = _amount(entry, "Ntry", problems)
    booked = entry.first("BookgDt") or entry.first("ValDt")
    day = _day(booked, zone)
    if day is None:
        problems.add(entry.line, "BookgDt", "", "기장일이 없거나 날짜가 아닙니다.",
                     "no booking date, or not a date")  # fmt: skip
    if amount is None or day is None or not amount:
        return None
    moment = _instant(booked.words("DtTm") if booked is not None else "", zone)
    details = entry.first("NtryDtls/TxDtls")
    reference, text, party = "", entry.words("AddtlNtryInf"), ""
    if details is not None:
        end_to_end = details.words("Refs/EndToEndId")
        reference = "" if end_to_end == "NOTPROVIDED" else end_to_end
        remittance = " ".join(n.text.strip() for n in details.all("RmtInf/Ustrd"))
        structured = details.words("RmtInf/Strd/CdtrRefInf/Ref")
        reference = structured or reference
        text = " ".join(part for part in (remittance, text) if part)
        side = "Dbtr" if amount > 0 else "Cdtr"
        party = details.words(f"RltdPties/{side}/Pty/Nm") or details.words(f"RltdPties/{side}/Nm")
    at = moment or datetime.combine(day, time(), zone)
    return RawLine(
        entry.line, day, at, amount, None, reference, text, party,
        entry.words("AcctSvcrRef") or entry.words("NtryRef"),
    )  # fmt: skip


def _amount(node: Node, where: str, problems: Problems) -> int | None:
    amount = node.first("Amt")
    if amount is None:
        problems.add(node.line, f"{where}/Amt", "", "금액이 없습니다.", "the amount is missing")
        return None
    currency = amount.attributes.get("Ccy", "")
    if currency != CURRENCY:
        problems.add(amount.line, "Ccy", currency, f"{CURRENCY}이 아닙니다.", f"not {CURRENCY}")
        return None
    found = as_won(amount.text)
    if found is None:
        problems.add(amount.line, "Amt", amount.text, "원 단위 금액이 아닙니다.",
                     "not an amount in whole won")  # fmt: skip
        return None
    sign = node.words("CdtDbtInd")
    if sign not in ("CRDT", "DBIT"):
        problems.add(node.line, "CdtDbtInd", sign, "입금(CRDT)도 출금(DBIT)도 아닙니다.",
                     "neither CRDT nor DBIT")  # fmt: skip
        return None
    return found if sign == "CRDT" else -found


def _instant(text: str, zone: ZoneInfo) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=zone)


def _day(node: Node | None, zone: ZoneInfo) -> date | None:
    """A DateAndDateTimeChoice as the city's day."""
    if node is None:
        return None
    moment = _instant(node.words("DtTm"), zone)
    if moment is not None:
        return moment.astimezone(zone).date()
    try:
        return date.fromisoformat(node.words("Dt")[:10])
    except ValueError:
        return None
