"""From money back: a payment to the lots it took, the conversions and awards that made them."""

from collections.abc import Iterable
from uuid import UUID

from onsil import footprint, ledger
from onsil.citizen.models import Conversion, Payment
from onsil.portal.terms import Figure, Step, StepKind, Words
from onsil.portal.trace.attribution import Part, parts_of
from onsil.portal.trace.awards import visit_award
from onsil.portal.trace.books import Books, Held, Share, is_issued, shares_of
from onsil.portal.trace.carbon import sale_words, visit_batch, visit_retirement
from onsil.portal.trace.figures import points, won
from onsil.portal.trace.walk import Walk, as_uuid

_KINDS = {
    "payment": Words("가게에서 결제", "Paid at a shop"),
    "cancellation": Words("결제 취소", "Payment cancelled"),
    "conversion": Words("포인트를 지역화폐로", "Points became local currency"),
    "award": Words("포인트가 지갑에 들어옴", "Points entered the wallet"),
    "charge": Words("충전 신청", "Charge ordered"),
    "charge-paid": Words("내 돈으로 충전", "Charged with own money"),
    "cashback": Words("캐시백", "Cashback"),
    "cashback-return": Words("캐시백 회수", "Cashback taken back"),
    "gift": Words("선물 보냄", "Gift sent"),
    "gift-taken": Words("선물 받음", "Gift accepted"),
    "refund": Words("환불", "Refund"),
    "policy-grant": Words("정책수당 지급", "Allowance granted"),
    "breakage": Words("유효기간이 지나 소멸", "Expired"),
    "reversal": Words("거래 취소", "Transfer reversed"),
    "settlement": Words("가맹점 정산", "Settled with the shop"),
    "payout": Words("정산금 송금", "Paid out to the shop"),
    "issuance": Words("크레딧 입고", "Credits entered"),
    "sale": Words("크레딧 판매", "Credits sold"),
    "retirement": Words("크레딧 사용 완료", "Credits retired"),
}
_STATIONS = dict.fromkeys(_KINDS, "spend") | {
    "award": "reward", "policy-grant": "fund", "issuance": "credit", "sale": "sell",
    "retirement": "sell",
}  # fmt: skip
_OTHER = Words("이체", "Transfer")


def visit_transfer(walk: Walk, books: Books, transfer_id: UUID) -> str | None:
    """Add a transfer and everything its value came from; None when there is no such transfer."""
    transfer = books.transfer(transfer_id)
    if transfer is None:
        return None
    key = add_transfer(walk, transfer)
    _visit_business(walk, key, transfer)
    shares = [share for share in shares_of(transfer) if share.leg.asset != "KRW"]
    for share in [share for share in shares if is_issued(share)] or shares:
        if walk.may_pass(share.leg.source):
            _visit_share(walk, books, key, share)
    return key


def add_transfer(walk: Walk, transfer: ledger.Transfer) -> str:
    """The step of one transfer, without its sources."""
    key = f"transfer-{transfer.id}"
    if walk.has(key):
        return key
    shared = walk.note_owners(
        code for leg in transfer.legs for code in (leg.source, leg.destination)
    )
    entry = ledger.transfer_entry(walk.conn, walk.city, transfer.id)
    return walk.add(
        Step(
            key=key,
            kind=StepKind.TRANSFER,
            id=str(transfer.id),
            at=transfer.recorded_at,
            station=_STATIONS.get(transfer.kind, "fund"),
            title=_KINDS.get(transfer.kind, _OTHER),
            words=_transfer_words(walk, transfer),
            figures=tuple(_figures(transfer)),
            proof=walk.proof("transfer", transfer.id, entry, shared=shared),
        )
    )


def _figures(transfer: ledger.Transfer) -> Iterable[Figure]:
    for leg in transfer.legs:
        asset, unit = unit_of(leg.asset)
        yield Figure(asset, leg.amount, unit)


def unit_of(asset: str) -> tuple[Words, str]:
    """An asset's name for readers and the unit of its amounts."""
    if asset == "KRW":
        return Words("뒷받침하는 원화", "Won behind it"), "KRW"
    if asset.startswith("local:"):
        return Words("지역화폐", "Local currency"), "KRW"
    if asset.startswith("point:"):
        return Words("포인트", "Points"), "P"
    return Words("크레딧", "Credits"), "tCO2e"


def _transfer_words(walk: Walk, transfer: ledger.Transfer) -> Words:
    if transfer.kind == "payment":
        return _payment_words(walk, transfer)
    if transfer.kind == "conversion":
        return _conversion_words(walk, transfer)
    amount = transfer.legs[0].amount
    if transfer.kind == "award":
        ko, en = points(amount)
        return Words(f"{ko}이 지갑에 들어왔습니다.", f"{en} entered the wallet.")
    if transfer.kind in ("issuance", "sale", "retirement"):
        return Words(
            f"크레딧 {amount:,}톤이 원장에서 옮겨졌습니다.",
            f"{amount:,} credits moved in the ledger.",
        )
    ko, en = won(amount)
    return Words(
        f"{ko}을 옮겼습니다. {transfer.memo}".strip(), f"{en} moved. {transfer.memo}".strip()
    )


def _payment_words(walk: Walk, transfer: ledger.Transfer) -> Words:
    ko, en = won(transfer.legs[0].amount)
    payment = (
        Payment.objects.select_related("merchant")
        .filter(city=walk.city, id=as_uuid(transfer.origin_id))
        .first()
    )
    if payment is None:
        return Words(f"{ko}을 결제했습니다.", f"{en} paid.")
    shop = payment.merchant.name
    ko, en = f"{shop}에서 {ko}을 결제했습니다.", f"{en} paid at {shop}."
    if transfer.reversed_by:
        ko, en = f"{ko} 나중에 취소되었습니다.", f"{en} It was cancelled later."
    return Words(ko, en)


def _conversion_words(walk: Walk, transfer: ledger.Transfer) -> Words:
    conversion = Conversion.objects.filter(city=walk.city, transfer_id=transfer.id).first()
    if conversion is None:
        return Words("포인트를 지역화폐로 바꾸었습니다.", "Points were turned into local currency.")
    (p_ko, p_en), (w_ko, w_en) = points(conversion.points), won(conversion.won)
    return Words(
        f"포인트 {p_ko}을 지역화폐 {w_ko}으로 바꾸었습니다.",
        f"{p_en} became {w_en} of local currency.",
    )


def _visit_business(walk: Walk, key: str, transfer: ledger.Transfer) -> None:
    """Credits' transfers come from the batch, the sale or the retirement they carry out."""
    origin = as_uuid(transfer.origin_id)
    if origin is None:
        return
    if transfer.kind == "issuance":
        _link_to(walk, key, visit_batch(walk, origin))
    elif transfer.kind == "retirement":
        _link_to(walk, key, visit_retirement(walk, origin))
    elif transfer.kind == "sale":
        sales = footprint.sales(walk.conn, walk.city)
        sale = next((s for s in sales if s.transfer_id == transfer.id), None)
        if sale is not None:
            step = walk.steps[key]
            walk.steps[key] = Step(**{**step.__dict__, "words": sale_words(sale)})
            _link_to(walk, key, visit_batch(walk, sale.batch_id), sale.tonnes)


def _link_to(walk: Walk, later: str, earlier: str | None, amount: int | None = None) -> None:
    if earlier is not None:
        walk.link(later, earlier, amount, "tCO2e" if amount is not None else "")


def _visit_share(walk: Walk, books: Books, key: str, share: Share) -> None:
    """What part of a transfer stems from: the positions it took, the award that issued it, or what
    its owner gave up for it in the same transfer."""
    if share.taken is not None:
        _visit_held(walk, books, key, share.taken)
    elif share.piece.terms.origin_kind == "award":
        award = as_uuid(share.piece.terms.origin_id)
        step = visit_award(walk, award) if award is not None else None
        if step is not None:
            walk.link(key, step, share.amount, "P")
    else:
        given = given_for(share)
        parts = [Part(str(n), source.piece.amount) for n, source in enumerate(given)]
        total = share.piece.amount
        for part, (low, high) in parts_of(parts, total, share.start, share.end) if parts else ():
            source = given[int(part.source)]
            _visit_share(
                walk, books, key, Share(source.transfer, source.leg, source.piece, low, high)
            )


def _visit_held(walk: Walk, books: Books, later: str, held: Held) -> None:
    """`later` took these positions: go on to the transfers that had brought them."""
    for share in books.brought(held):
        key = add_transfer(walk, share.transfer)
        walk.link(later, key, share.amount, unit_of(held.asset)[1])
        if walk.may_pass(share.leg.source):
            _visit_share(walk, books, key, share)


def given_for(issued: Share) -> list[Share]:
    """What its owner gave up, out of the same fund and under the same rule, in the transfer that
    issued value to them: points that became won."""
    given = [
        share
        for share in shares_of(issued.transfer)
        if share.taken is not None and share.leg.source == issued.leg.destination
    ]
    return [share for share in given if _pocket(share) == _pocket(issued)] or given


def _pocket(share: Share) -> tuple[str, str]:
    return share.piece.terms.fund, share.piece.terms.merchant_rule
