"""The ledger's lots as a trace reads them: what each was made of and which stretch who took."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from uuid import UUID

from onsil import ledger
from onsil.core.database import Connection
from onsil.portal.trace.attribution import Stretch, Taking, stretches

_PAGE = 500


@dataclass
class Books:
    """Lots and their takings, read once an account and kept while one trace is made."""

    conn: Connection
    city: str
    _lots: dict[tuple[str, str], dict[UUID, ledger.Lot]] = field(default_factory=dict)
    _takings: dict[tuple[str, str], dict[UUID, list[Taking]]] = field(default_factory=dict)
    _transfers: dict[UUID, ledger.Transfer | None] = field(default_factory=dict)

    def transfer(self, transfer_id: UUID) -> ledger.Transfer | None:
        if transfer_id not in self._transfers:
            self._transfers[transfer_id] = ledger.transfer(self.conn, self.city, transfer_id)
        return self._transfers[transfer_id]

    def lot(self, account: str, asset: str, lot_id: UUID) -> ledger.Lot:
        """A lot of an account, spent ones included. Raises KeyError when the account has none."""
        return self.lots(account, asset)[lot_id]

    def lots(self, account: str, asset: str) -> dict[UUID, ledger.Lot]:
        place = (account, asset)
        if place not in self._lots:
            held = ledger.lots(self.conn, self.city, account, asset, spent=True)
            self._lots[place] = {lot.id: lot for lot in held}
        return self._lots[place]

    def stretches(
        self, account: str, asset: str, lot: ledger.Lot
    ) -> dict[tuple[str, int], list[Stretch]]:
        """Every taking's stretches of a lot, by transfer and piece."""
        return stretches(lot.initial, self.takings(account, asset).get(lot.id, []))

    def takings(self, account: str, asset: str) -> dict[UUID, list[Taking]]:
        """What was taken from each lot of an account, in the order in which it happened."""
        place = (account, asset)
        if place not in self._takings:
            found: dict[UUID, list[Taking]] = {}
            for entry in sorted(self._entries(*place), key=lambda e: (e.transfer_id, e.leg)):
                for n, piece in enumerate(entry.pieces):
                    if piece.taken is not None and entry.amount < 0:
                        taking = Taking(
                            str(entry.transfer_id), piece_key(entry.leg, n), piece.amount
                        )
                        found.setdefault(piece.taken, []).append(taking)
                    elif piece.made is not None and entry.reverses is not None:
                        taking = Taking(
                            str(entry.transfer_id), piece_key(entry.leg, n), piece.amount,
                            undoes=str(entry.reverses),
                        )  # fmt: skip
                        found.setdefault(piece.made, []).append(taking)
            self._takings[place] = found
        return self._takings[place]

    def _entries(self, account: str, asset: str) -> Iterator[ledger.Entry]:
        before = None
        while True:
            page = ledger.statement(self.conn, self.city, account, asset, _PAGE, before)
            yield from page
            if len(page) < _PAGE:
                return
            before = page[-1].transfer_id


def piece_key(leg: int, piece: int) -> int:
    """One number for a piece within its transfer."""
    return leg * 1_000_000 + piece
