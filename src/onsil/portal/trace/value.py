"""From money back: a payment to the lots it took, the conversions and awards that made them."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from onsil import footprint, ledger
from onsil.citizen.models import Conversion, Payment
from onsil.portal.terms import Figure, Step, StepKind, Words
from onsil.portal.trace.attribution import Part, Stretch, parts_of, slice_of
from onsil.portal.trace.awards import visit_award
from onsil.portal.trace.books import Books, piece_key
from onsil.portal.trace.carbon import sale_words, visit_batch, visit_retirement
from onsil.portal.trace.figures import points, won
from onsil.portal.trace.walk import Walk, as_uuid

_STATIONS = {
    "payment": "spend", "conversion": "spend", "settlement": "spend", "payout": "spend",
    "award": "reward", "issuance": "credit", "sale": "sell", "retirement": "sell",
}  # fmt: skip
_KINDS = {
    "payment": Words("가게에서 결제", "Paid at a shop"),
    "conversion": Words("포인트를 지역화폐로", "Points became local currency"),
    "award": Words("포인트가 지갑에 들어옴", "Points entered the wallet"),
    "settlement": Words("가맹점 정산", "Settled with the shop"),
    "payout": Words("정산금 송금", "Paid out to the shop"),
    "issuance": Words("크레딧 입고", "Credits entered"),
    "sale": Words("크레딧 판매", "Credits sold"),
    "retirement": Words("크레딧 사용 완료", "Credits retired"),
}
_OTHER = Words("이체", "Transfer")


def visit_transfer(walk: Walk, books: Books, transfer_id: UUID) -> str | None:
    """Add a transfer and everything its value came from; None when there is no such transfer."""
    transfer = books.transfer(transfer_id)
    if transfer is None:
        return None
    key = add_transfer(walk, transfer)
    _visit_business(walk, key, transfer)
    issued = [lot for lot in transfer.lots if lot.parent_id is None and lot.asset != "KRW"]
    if issued:
        for lot in issued:
            _visit_sources(walk, books, key, transfer, lot, [(0, lot.initial)])
        return key
    for number, leg in enumerate(transfer.legs):
        for n, piece in enumerate(leg.pieces):
            if piece.taken is None:
                continue
            lot = books.lot(leg.source, leg.asset, piece.taken)
            place = (str(transfer.id), piece_key(number, n))
            taken = books.stretches(leg.source, leg.asset, lot).get(place, [])
            _visit_lot(walk, books, key, leg.source, leg.asset, lot, taken)
    return key


def add_transfer(walk: Walk, transfer: ledger.Transfer) -> str:
    """The step of one transfer, without its sources."""
    key = f"transfer-{transfer.id}"
    if walk.has(key):
        return key
    for leg in transfer.legs:
        for code in (leg.source, leg.destination):
            if code.startswith("citizen:"):
                walk.owners.add(code.removeprefix("citizen:"))
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
            proof=walk.proof("transfer", transfer.id, entry),
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


def _visit_lot(
    walk: Walk, books: Books, later: str, account: str, asset: str, lot: ledger.Lot,
    taken: Sequence[Stretch],
) -> None:  # fmt: skip
    """`later` took these stretches of a lot: go on to the transfer that made the lot."""
    maker = books.transfer(lot.transfer_id)
    amount = sum(high - low for low, high in taken)
    if maker is None or not amount:
        return
    key = add_transfer(walk, maker)
    walk.link(later, key, amount, unit_of(asset)[1])
    made = next((m for m in maker.lots if m.id == lot.id), None)
    if made is not None:
        _visit_sources(walk, books, key, maker, made, taken)


def _visit_sources(
    walk: Walk, books: Books, key: str, maker: ledger.Transfer, made: Any,
    taken: Sequence[Stretch],
) -> None:  # fmt: skip
    """What stretches of a lot stem from: an award that issued it, or the lots it was made of."""
    if made.parent_id is None and made.terms.origin_kind == "award":
        award = as_uuid(made.terms.origin_id)
        step = visit_award(walk, award) if award is not None else None
        if step is not None:
            walk.link(key, step, sum(high - low for low, high in taken), "P")
        return
    sources = sources_of(books, maker, made)
    if not sources:
        return
    wanted: dict[str, list[Stretch]] = {}
    for low, high in taken:
        for part, own in parts_of([s.part for s in sources], made.initial, low, high):
            wanted.setdefault(part.source, []).append(own)
    for source in sources:
        for low, high in wanted.get(source.part.source, ()):
            _visit_lot(
                walk, books, key, source.account, source.asset, source.lot,
                slice_of(source.taken, low, high),
            )  # fmt: skip


class Source:
    """A lot that a transfer took from to make another, and the stretches it took."""

    def __init__(self, books: Books, maker: ledger.Transfer, number: int, n: int) -> None:
        leg = maker.legs[number]
        piece = leg.pieces[n]
        assert piece.taken is not None
        self.piece = piece_key(number, n)
        self.account, self.asset = leg.source, leg.asset
        self.lot = books.lot(leg.source, leg.asset, piece.taken)
        place = (str(maker.id), self.piece)
        self.taken = books.stretches(leg.source, leg.asset, self.lot).get(place, [])
        self.part = Part(f"{number}:{n}", piece.amount)
        self.pocket = (self.lot.terms.fund, self.lot.terms.merchant_rule)


def sources_of(books: Books, maker: ledger.Transfer, made: Any) -> list[Source]:
    """The pieces a lot was made of: those that became it, or, for newly issued value, what its
    owner gave up in the same transfer out of the same fund and under the same rule."""
    moved = [
        Source(books, maker, number, n)
        for number, leg in enumerate(maker.legs)
        for n, piece in enumerate(leg.pieces)
        if piece.made == made.id and piece.taken is not None
    ]
    if moved or made.parent_id is not None:
        return moved
    given = [
        Source(books, maker, number, n)
        for number, leg in enumerate(maker.legs)
        for n, piece in enumerate(leg.pieces)
        if piece.taken is not None and leg.source == made.account
    ]
    pocket = (made.terms.fund, made.terms.merchant_rule)
    return [source for source in given if source.pocket == pocket] or given
