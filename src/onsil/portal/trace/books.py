"""The ledger as a trace reads it: transfers, and who brought or took which positions of a lot."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from uuid import UUID

from onsil import ledger
from onsil.core.database import Connection


@dataclass(frozen=True)
class Held:
    """Positions [start, end) of the lot of these terms in one account."""

    account: str
    asset: str
    terms: ledger.LotTerms
    start: int
    end: int

    @property
    def amount(self) -> int:
        return self.end - self.start


@dataclass(frozen=True)
class Share:
    """Part of a piece of a transfer's leg: `start` and `end` count from the piece's beginning."""

    transfer: ledger.Transfer
    leg: ledger.PostedLeg
    piece: ledger.Piece
    start: int
    end: int

    @property
    def amount(self) -> int:
        return self.end - self.start

    @property
    def taken(self) -> Held | None:
        """The positions it left; None for value that was issued or came without lots."""
        return self._held(self.leg.source, self.piece.taken)

    @property
    def made(self) -> Held | None:
        """The positions it entered; None where its destination keeps no lots."""
        return self._held(self.leg.destination, self.piece.made)

    def _held(self, account: str, first: int | None) -> Held | None:
        if first is None:
            return None
        terms = self.piece.terms
        return Held(account, self.leg.asset, terms, first + self.start, first + self.end)


@dataclass
class Books:
    """Transfers, read once each while one trace is made."""

    conn: Connection
    city: str
    _transfers: dict[UUID, ledger.Transfer | None] = field(default_factory=dict)

    def transfer(self, transfer_id: UUID) -> ledger.Transfer | None:
        if transfer_id not in self._transfers:
            self._transfers[transfer_id] = ledger.transfer(self.conn, self.city, transfer_id)
        return self._transfers[transfer_id]

    def brought(self, held: Held) -> Iterator[Share]:
        """The pieces that first brought these positions. What came back by a reversal had been
        brought before."""
        found = ledger.credits_of(
            self.conn, self.city, held.account, held.asset, held.terms, held.start, held.end
        )
        for stretch in found:
            transfer = self.transfer(stretch.transfer_id)
            assert transfer is not None, "the journal keeps what it names"
            piece = transfer.legs[stretch.leg].pieces[stretch.piece]
            assert piece.made is not None
            yield self._share(transfer, stretch, piece.made)

    def took(self, held: Held) -> Iterator[Share]:
        """The pieces that took these positions and were not reversed since."""
        found = ledger.debits_of(
            self.conn, self.city, held.account, held.asset, held.terms, held.start, held.end
        )
        for stretch in found:
            transfer = self.transfer(stretch.transfer_id)
            assert transfer is not None, "the journal keeps what it names"
            piece = transfer.legs[stretch.leg].pieces[stretch.piece]
            assert piece.taken is not None
            if transfer.reversed_by is None:
                yield self._share(transfer, stretch, piece.taken)

    @staticmethod
    def _share(transfer: ledger.Transfer, stretch: ledger.Stretch, first: int) -> Share:
        leg = transfer.legs[stretch.leg]
        piece = leg.pieces[stretch.piece]
        return Share(transfer, leg, piece, stretch.start - first, stretch.end - first)


def shares_of(transfer: ledger.Transfer) -> list[Share]:
    """Every piece of a transfer, whole."""
    return [
        Share(transfer, leg, piece, 0, piece.amount)
        for leg in transfer.legs
        for piece in leg.pieces
    ]


def is_issued(share: Share) -> bool:
    """Whether the value came into being here."""
    return share.taken is None and share.made is not None
