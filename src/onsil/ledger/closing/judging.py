"""Whether a day is in order: what stands in the way of closing it, and what to know. Pure."""

from collections.abc import Iterator, Sequence

from onsil.ledger.closing.terms import AccountFigures, Adjustment, Reason
from onsil.ledger.reconciliation import BankAccount, Setup
from onsil.ledger.terms import Imbalance

_IMBALANCES_SHOWN = 5


def reasons(
    setup: Setup, found: Sequence[AccountFigures], imbalances: Sequence[Imbalance],
    circulating: int, trust: int, pending: int, adjustments: Sequence[Adjustment], waiting: int,
) -> tuple[Reason, ...]:  # fmt: skip
    """What blocks the close first, then what is only told."""
    all_of_them = [
        *(Reason(f"ledger-{i.code}", "block", i.ko, i.en) for i in imbalances[:_IMBALANCES_SHOWN]),
        *_trust(circulating, trust),
        *(r for one in found for r in _account(setup.accounts[one.code], one)),
        *_notes(pending, adjustments, waiting),
    ]
    return tuple(sorted(all_of_them, key=lambda r: r.severity != "block"))


def _trust(circulating: int, trust: int) -> Iterator[Reason]:
    if trust < circulating:
        yield Reason(
            "trust-short", "block",
            f"신탁 잔액 {trust:,}원이 유통 중인 지역화폐 {circulating:,}원보다 적습니다.",
            f"The trust holds {trust:,} KRW, but {circulating:,} of local currency circulate.",
        )  # fmt: skip


def _account(account: BankAccount, one: AccountFigures) -> Iterator[Reason]:
    ko, en = account.name.ko, account.name.en
    in_use = one.matched or one.open_bank or one.open_book
    if in_use and not one.covered:
        yield Reason(
            "no-file", "block",
            f"{ko}: 이 날의 파일이 들어오지 않았습니다.",
            f"{en}: no file for this day has come in.",
        )  # fmt: skip
    if one.unexplained:
        yield Reason(
            "unexplained", "block",
            f"{ko}: 은행 잔액 {one.bank:,}원과 장부 {one.book:,}원의 차이 가운데 "
            f"{one.unexplained:,}원을 설명할 수 없습니다.",
            f"{en}: of the difference between the bank's {one.bank:,} and the books' {one.book:,} "
            f"KRW, {one.unexplained:,} is not explained.",
        )  # fmt: skip
    elif one.covered and account.holds and one.bank is None:
        yield Reason(
            "no-balance", "note", f"{ko}: 파일에 잔액이 없어 은행 잔액과 견주지 못했습니다.",
            f"{en}: the file gives no balance to hold against the books.",
        )  # fmt: skip
    count = sum(one.exceptions.values())
    if not count:
        return
    stale = one.oldest_days > account.stale_days
    yield Reason(
        "stale-exceptions" if stale else "open-exceptions", "block" if stale else "note",
        f"{ko}: 예외 {count:,}건이 열려 있고 가장 오래된 것은 {one.oldest_days}일째입니다.",
        f"{en}: {count:,} exceptions are open, the oldest for {one.oldest_days} days.",
    )  # fmt: skip


def _notes(pending: int, adjustments: Sequence[Adjustment], waiting: int) -> Iterator[Reason]:
    if pending:
        yield Reason(
            "pending", "note", f"확정되지 않은 거래가 {pending:,}만큼 값을 잡아 두고 있습니다.",
            f"Transfers that are not settled yet hold a value of {pending:,}.",
        )  # fmt: skip
    if adjustments:
        yield Reason(
            "adjustments", "note",
            f"이미 마감한 날에 효력이 미치는 기록이 {len(adjustments):,}건 있습니다(조정).",
            f"{len(adjustments):,} postings count for days closed before; shown as adjustments.",
        )  # fmt: skip
    if waiting:
        yield Reason(
            "proposals", "note", f"승인을 기다리는 대사 요청이 {waiting:,}건 있습니다.",
            f"{waiting:,} requests wait for a second person's approval.",
        )  # fmt: skip
