"""The city's side of refunds: seeing to each, and paying them out by a file for the bank."""

import base64
import hashlib
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from onsil import ledger, proof
from onsil.citizen import payout_file, refusals, sealing
from onsil.citizen.models import Refund, RefundFile
from onsil.citizen.services import postings
from onsil.citizen.services.postings import SYSTEM
from onsil.citizen.services.refunds import ACCOUNT, payable
from onsil.core.clock import Clock
from onsil.core.periods import local_day
from onsil.core.refusal import Refusal
from onsil.tenancy import current_city, transaction
from onsil.tenancy.cities import city as city_profile

FILE = "refund-file"
Stage = Refund.Stage
_PATIENCE_S = 30.0


def open_refunds(*, clock: Clock = SYSTEM) -> list[Refund]:
    """The refunds that wait for the city, oldest first."""
    found = Refund.objects.filter(city=current_city(), stage__in=(Stage.ASKED, Stage.APPROVED))
    rows = found.select_related("citizen").order_by("submitted_at")
    return [row for row in (postings.refresh(one, clock) for one in rows) if row.applied]


def files(limit: int = 50) -> list[RefundFile]:
    """The files released so far, newest first, without their contents."""
    found = RefundFile.objects.filter(city=current_city())
    return list(found.defer("sealed").order_by("-released_at")[:limit])


def approve(refund_id: UUID, *, actor: str, clock: Clock = SYSTEM) -> Refund | Refusal:
    """Find a refund in order; it goes into the next file. Refusals: `decision-out-of-turn`,
    `maker-is-checker`."""
    with transaction() as tx:
        row = _taken_up(refund_id, actor, clock)
        if isinstance(row, Refusal):
            return row
        row.stage, row.seen_to_by, row.seen_to_at = Stage.APPROVED, actor, clock.now()
        row.save()
        proof.audit(
            tx, row.city, actor, "refund.approved", "refund", str(row.pk), {"stage": Stage.ASKED},
            {"payout_krw": row.payout},
        )  # fmt: skip
    return row


def refuse(refund_id: UUID, *, actor: str, reason: str, clock: Clock = SYSTEM) -> Refund | Refusal:
    """Send a refund back: the value returns to the wallet as it was. Refusals:
    `decision-out-of-turn`, `maker-is-checker`, and the ledger's own."""
    with transaction() as tx:
        row = _taken_up(refund_id, actor, clock)
        if isinstance(row, Refusal):
            return row
        assert row.transfer_id is not None
        answer = ledger.reverse(tx, row.city, row.transfer_id, f"{row.key}:refused", clock)
        no = answer if isinstance(answer, Refusal) else answer.refusal
        if no is not None:
            return no
        row.stage, row.seen_to_by, row.seen_to_at = Stage.REFUSED, actor, clock.now()
        row.reason, row.account_sealed = reason[:300], ""
        row.save()
        proof.audit(
            tx, row.city, actor, "refund.refused", "refund", str(row.pk), {"stage": Stage.ASKED},
            {"reason": row.reason},
        )  # fmt: skip
    return row


def release(*, actor: str, clock: Clock = SYSTEM) -> RefundFile | Refusal:
    """Pay out every approved refund that somebody else saw to: one file, one transfer each.

    Refusal: `nothing-to-release`.
    """
    city, now = current_city(), clock.now()
    with transaction() as tx:
        waiting = Refund.objects.select_for_update(of=("self",)).filter(
            city=city, stage=Stage.APPROVED
        ).exclude(seen_to_by=actor)  # fmt: skip
        rows = list(waiting.order_by("submitted_at"))
        if not rows:
            return refusals.nothing_to_release()
        made = _file(city, rows, actor, now)
        requests = [_payout(row, made, now) for row in rows]
        ledger.submit(tx, city, requests)
        proof.audit(
            tx, city, actor, "refunds.released", "refund-file", str(made.pk), None,
            {"refunds": made.payouts, "total_krw": made.total, "sha256": made.digest},
        )  # fmt: skip
    _note_payouts(made)
    return made


def content(made: RefundFile) -> bytes:
    """The file itself, for who hands it to the bank."""
    return base64.b64decode(sealing.opened(made.sealed, FILE))


def _taken_up(refund_id: UUID, actor: str, clock: Clock) -> Refund | Refusal:
    """A refund that is to be decided on, locked; nobody decides on an own one."""
    row = Refund.objects.select_for_update(of=("self",)).get(city=current_city(), pk=refund_id)
    if actor == f"user:{row.citizen_id}":
        return refusals.maker_is_checker()
    if row.stage != Stage.ASKED or not row.applied:
        return refusals.decision_out_of_turn(row.stage)
    return row


def _file(city: str, rows: Sequence[Refund], actor: str, now: datetime) -> RefundFile:
    text = payout_file.file_bytes(
        local_day(now, city_profile(city).zone),
        [payout_file.Payout(row.bank, sealing.opened(row.account_sealed, ACCOUNT), row.holder,
                            row.payout, _reference(row)) for row in rows],
    )  # fmt: skip
    return RefundFile.objects.create(
        city=city, sealed=sealing.seal(base64.b64encode(text).decode(), FILE),
        digest=hashlib.sha256(text).hexdigest(), payouts=len(rows),
        total=sum(row.payout for row in rows), released_by=actor, released_at=now,
    )  # fmt: skip


def _payout(row: Refund, made: RefundFile, now: datetime) -> ledger.TransferRequest:
    row.stage, row.file, row.account_sealed = Stage.PAID, made, ""
    row.payout_key = f"{row.key}:paid"
    row.save()
    leg = ledger.Leg(payable(row.pk), "external:bank", "KRW", row.payout)
    return ledger.TransferRequest(
        key=row.payout_key, kind="refund-payout", legs=(leg,), effective_at=now,
        memo=_reference(row), origin_kind="refund", origin_id=str(row.pk),
    )  # fmt: skip


def _reference(row: Refund) -> str:
    """What stands in the bank's statement beside the pay-out: short, and nobody's name."""
    return f"RF{row.pk.hex[-12:].upper()}"


def _note_payouts(made: RefundFile) -> None:
    out = list(made.refunds.filter(payout_transfer_id__isnull=True))
    found = ledger.wait(postings.dsn(), made.city, [row.payout_key for row in out], _PATIENCE_S)
    for row in out:
        answer = found.get(row.payout_key)
        if answer is not None and answer.transfer_id is not None:
            Refund.objects.filter(pk=row.pk).update(payout_transfer_id=answer.transfer_id)
