"""What a statement calls things, Korean and English; and what each reader may see. Pure."""

from collections.abc import Sequence
from datetime import datetime

from onsil.ledger.statements.terms import Counterpart, Paper, Reader, StatementLine, Taken

_KINDS = {
    "award": ("보상", "award"), "conversion": ("전환", "conversion"),
    "payment": ("결제", "payment"),
    "cancellation": ("결제 취소", "cancelled payment"), "reversal": ("취소", "reversal"),
    "settlement": ("정산", "settlement"), "payout": ("지급", "pay-out"),
    "budget": ("예산 편성", "budget"), "charge": ("충전", "charge"), "refund": ("환불", "refund"),
    "deposit": ("입금", "deposit"), "gift": ("선물", "gift"), "cashback": ("캐시백", "cashback"),
    "claw-back": ("캐시백 회수", "cashback taken back"), "expiry": ("기간 만료", "expiry"),
    "grant": ("지원금", "grant"), "fee": ("수수료", "fee"),
    "subsidy": ("수수료 지원", "fee subsidy"),
    "interest": ("이자", "interest"), "sale": ("크레딧 판매", "credit sale"),
    "issuance": ("크레딧 발행", "credits issued"), "retirement": ("크레딧 사용", "credits retired"),
    "correction": ("정정", "correction"), "charge-paid": ("충전", "charge"),
    "cashback-return": ("캐시백 회수", "cashback taken back"), "gift-taken": ("선물", "gift"),
    "claim-collected": ("회수금 정리", "claim collected"), "policy-grant": ("정책 지원금", "grant"),
    "policy-budget": ("정책 예산", "policy budget"), "policy-cover": ("정책 재원", "policy cover"),
    "fee-subsidy": ("수수료 지원", "fee subsidy"),
    "fee-subsidy-late": ("수수료 지원(늦게)", "fee subsidy, late"),
    "deposit-assigned": ("입금 연결", "deposit assigned"),
    "deposit-return": ("입금 반환", "deposit returned"),
    "refund-payout": ("환불 지급", "refund paid out"),
}  # fmt: skip
_FAMILIES = {
    "citizen": ("시민", "a citizen"), "merchant": ("가맹점", "a shop"),
    "company": ("기업", "a company"), "fund": ("기금", "fund"), "budget": ("예산", "budget"),
    "reserve": ("적립금", "reserve"), "trust": ("신탁 계정", "trust account"),
    "issuer": ("발행 계정", "issuing account"), "payable": ("지급할 돈", "payable"),
    "receivable": ("받을 돈", "receivable"),
    "external": ("은행", "bank"), "float": ("카드사 미정산금", "card float"),
    "fee": ("수수료 계정", "fee account"), "subsidy": ("지원금 계정", "subsidy account"),
    "breakage": ("만료금 계정", "breakage"), "interest": ("이자 계정", "interest account"),
    "quota": ("한도", "quota"), "settlement": ("정산 계정", "settlement account"),
    "suspense": ("미확인금 계정", "suspense account"), "project": ("감축 사업", "project"),
    "retired": ("사용 완료", "retired"),
}  # fmt: skip
_COLUMNS = {
    "number": ("번호", "No."), "recorded_at": ("기록한 때", "Recorded"),
    "effective_at": ("효력이 생긴 때", "Effective"), "kind": ("종류", "Kind"),
    "counterpart": ("상대", "Counterpart"), "memo": ("적요", "Memo"), "origin": ("근거", "Origin"),
    "incoming": ("들어옴", "In"), "outgoing": ("나감", "Out"), "balance": ("잔액", "Balance"),
    "lots": ("값의 조건", "Terms of the value"), "transfer_id": ("거래 번호", "Transfer"),
}  # fmt: skip
COLUMNS = tuple(_COLUMNS)
# What may stand in a shop's or a citizen's statement: ids of things they know themselves.
_OWN_ORIGINS = {
    "citizen": frozenset(
        {"payment", "conversion", "award", "charge", "refund", "gift", "cashback"}
    ),
    "merchant": frozenset({"payment", "settlement", "cancellation"}),
}
_PERSONAL = frozenset({"citizen"})


def _said(pair: tuple[str, str], paper: Paper) -> str:
    return pair[1] if paper.english else pair[0]


def kind_word(kind: str, language: str) -> str:
    """A transfer's kind in the reader's language; one that is not known, as it is."""
    found = _KINDS.get(kind)
    return kind if found is None else found[1 if language.startswith("en") else 0]


def account_word(code: str, language: str) -> str:
    """The family of an account in the reader's language; one that is not known, as it is."""
    family = code.partition(":")[0]
    found = _FAMILIES.get(family)
    return family if found is None else found[1 if language.startswith("en") else 0]


def asset_word(asset: str, currency: str, language: str) -> str:
    """What an asset's amounts are counted in."""
    family = asset.partition(":")[0]
    english = language.startswith("en")
    if family == "local":
        return f"{currency} (KRW)" if english else f"{currency}(원)"
    if family == "point":
        return "points" if english else "점"
    if family == "claim":
        return "cashback to give back (KRW)" if english else "돌려줄 캐시백(원)"
    if family == "credit":
        return "tCO2e"
    return ("KRW" if english else "원") if asset == "KRW" else asset


def heading(column: str, paper: Paper) -> str:
    return _said(_COLUMNS[column], paper)


def counterpart_word(other: Counterpart, paper: Paper) -> str:
    """Who stands opposite, as this reader may know it.

    People are never named to a shop or to another citizen, not even by a number; officials see the
    account's code beside the word.
    """
    word = _said(_FAMILIES.get(other.family, (other.family, other.family)), paper)
    if paper.reader == "official":
        name = paper.names.get(other.code)
        return f"{name} ({other.code})" if name else f"{word} ({other.code})"
    if other.family in _PERSONAL:
        return word
    return paper.names.get(other.code, word)


def _masked(text: str, reader: Reader) -> str:
    """No account code of a person in a text that a shop or another person reads."""
    if reader == "official" or "citizen:" not in text:
        return text
    return " ".join("citizen:…" if "citizen:" in word else word for word in text.split(" "))


def memo_word(line: StatementLine, paper: Paper) -> str:
    return _masked(line.memo, paper.reader)


def origin_word(line: StatementLine, paper: Paper) -> str:
    """`payment 0190…`: what the entry came from, where this reader may know it."""
    if not line.origin_kind:
        return ""
    if paper.reader == "official":
        return f"{line.origin_kind} {line.origin_id}".strip()
    if line.origin_kind not in _OWN_ORIGINS[paper.reader]:
        return ""
    return f"{kind_word(line.origin_kind, paper.language)} {line.origin_id}".strip()


def local(instant: datetime, paper: Paper) -> datetime:
    """The city's own wall clock, without a zone and to the second, as offices write it."""
    return instant.astimezone(paper.zone).replace(tzinfo=None, microsecond=0)


def _lot_word(lot: Taken, paper: Paper, *, alone: bool) -> str:
    parts = [] if alone else [f"{lot.amount:,}"]
    if lot.fund:
        parts.append(lot.fund)
    if lot.expires_at is not None:
        day = local(lot.expires_at, paper).date().isoformat()
        parts.append(f"until {day}" if paper.english else f"{day}까지")
    if lot.merchant_rule:
        place = lot.merchant_rule
        parts.append(f"only {place}" if paper.english else f"{place}에서만")
    if lot.refundable:
        parts.append("refundable" if paper.english else "환불 가능")
    return " · ".join(parts)


def lots_word(lots: Sequence[Taken], paper: Paper) -> str:
    """The terms of the value that moved, piece by piece: who funded it, until when, where."""
    words = [_lot_word(lot, paper, alone=len(lots) == 1) for lot in lots]
    return "; ".join(word for word in words if word)


def row(number: int, line: StatementLine, paper: Paper) -> dict[str, object]:
    """One line as its columns, texts ready to be read, times on the city's clock."""
    return {
        "number": number,
        "recorded_at": local(line.recorded_at, paper),
        "effective_at": local(line.effective_at, paper),
        "kind": kind_word(line.kind, paper.language),
        "counterpart": counterpart_word(line.counterpart, paper),
        "memo": memo_word(line, paper),
        "origin": origin_word(line, paper),
        "incoming": line.incoming,
        "outgoing": line.outgoing,
        "balance": line.balance,
        "lots": lots_word(line.lots, paper),
        "transfer_id": str(line.transfer_id),
    }
