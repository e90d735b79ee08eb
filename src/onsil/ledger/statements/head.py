"""The head and foot that every form of a statement shares, as pairs of words. Pure."""

from datetime import time, timedelta

from onsil.core.periods import Period
from onsil.ledger.statements import words
from onsil.ledger.statements.terms import Paper, Statement


def period_word(period: Period, paper: Paper) -> str:
    """First and last day when cut at local midnights, else both instants (the end not included)."""
    start, end = words.local(period.start, paper), words.local(period.end, paper)
    if start.time() == end.time() == time():
        last = (end - timedelta(days=1)).date()
        return f"{start.date().isoformat()} – {last.isoformat()}"
    return f"{start.isoformat(' ')} – {end.isoformat(' ')}"


def title(paper: Paper) -> str:
    return "Statement of account" if paper.english else "거래내역서"


def facts(made: Statement, paper: Paper, *, notes: bool = True) -> list[tuple[str, str]]:
    """Who, what and when, without the figures; with the paper's notes or without."""
    english = paper.english
    unit = words.asset_word(made.asset, paper.currency, paper.language)
    zone = str(paper.zone)
    found = [
        ("City" if english else "도시", paper.city_name),
        ("Account" if english else "계정", _account(made, paper)),
        ("Unit" if english else "단위", unit),
        ("Period" if english else "기간", f"{period_word(made.period, paper)} ({zone})"),
        ("Made at" if english else "만든 때", words.local(made.made_at, paper).isoformat(" ")),
    ]
    if made.provisional:
        found.append(
            ("Note", "The period has not ended; entries may follow.")
            if english
            else ("알림", "기간이 아직 끝나지 않아 거래가 더해질 수 있습니다.")
        )
    shown = paper.notes if notes else ()
    return found + [("Note" if english else "알림", note) for note in shown]


def _account(made: Statement, paper: Paper) -> str:
    if paper.reader == "official":
        return f"{paper.holder} ({made.account})" if paper.holder else made.account
    return paper.holder


def sums(made: Statement, paper: Paper) -> list[tuple[str, int]]:
    """Opening balance, totals and closing balance."""
    labels = (
        ("Opening balance", "In", "Out", "Closing balance")
        if paper.english
        else ("처음 잔액", "들어온 합", "나간 합", "마지막 잔액")
    )
    return list(
        zip(labels, (made.opening, made.incoming, made.outgoing, made.closing), strict=True)
    )


def verification(paper: Paper) -> list[str]:
    """How anyone checks the entries against the transparency log."""
    seal, english = paper.seal, paper.english
    if seal is None:
        return [
            "The transparency log had no checkpoint yet when this was made."
            if english
            else "만들 때 투명성 기록에 아직 확인점이 없었습니다."
        ]
    signed = ""
    if seal.signed_at is not None:
        when = words.local(seal.signed_at, paper).isoformat(" ")
        signed = f", signed {when}" if english else f", {when} 서명"
    lines = [
        f"Transparency log {seal.origin}, {seal.size:,} entries, root {seal.root_hex}{signed}."
        if english
        else f"투명성 기록 {seal.origin}, 항목 {seal.size:,}개, 뿌리 {seal.root_hex}{signed}."
    ]
    way = f" {paper.how_to_verify}" if paper.how_to_verify else ""
    lines.append(
        f"Each transfer number is a leaf of this log. How to verify:{way}"
        if english
        else f"거래 번호마다 이 기록에 잎이 하나씩 있습니다. 확인하는 방법:{way}"
    )
    return lines


def kind_heading(paper: Paper) -> tuple[str, str, str, str]:
    return ("Kind", "Entries", "In", "Out") if paper.english else ("종류", "건수", "들어옴", "나감")
