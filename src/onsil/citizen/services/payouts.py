"""Paying settlements out: a second person lets a day's money go, banks get it on its pay day.

The city's part of the fees is posted by itself: where its budget is empty, shops still get the rest
on time, and the city's part follows when there is money again.
"""

import logging
from collections.abc import Sequence

from onsil import ledger, proof
from onsil.citizen import refusals
from onsil.citizen.models import Settlement, SettlementLine
from onsil.citizen.services import postings
from onsil.citizen.services.postings import SYSTEM
from onsil.core.clock import Clock
from onsil.core.ids import new_id
from onsil.core.periods import local_day
from onsil.core.refusal import Refusal
from onsil.ledger import rules
from onsil.ledger.rules import names
from onsil.tenancy import current_city, transaction
from onsil.tenancy.cities import city as city_profile

_log = logging.getLogger(__name__)
_PATIENCE_S = 60.0


def release(settlement_id: object, *, actor: str, clock: Clock = SYSTEM) -> Settlement | Refusal:
    """Let a settlement's money go; somebody other than who made it. Safe to repeat.

    The banks get it on the settlement's pay day, at once where that day has come. Refusals:
    `maker-is-checker`, `decision-out-of-turn` while postings are still out.
    """
    city, now = current_city(), clock.now()
    with transaction() as tx:
        made = Settlement.objects.select_for_update().get(city=city, pk=settlement_id)
        if made.made_by == actor:
            return refusals.maker_is_checker()
        if made.released_at is None:
            if any(line.pending for line in made.lines.all()):
                return refusals.decision_out_of_turn("pending")
            made.released_by, made.released_at = actor, now
            made.save(update_fields=["released_by", "released_at"])
            proof.audit(
                tx, city, actor, "settlement.released", "settlement", str(made.pk), None,
                {"day": made.day.isoformat(), "net_krw": made.net, "sha256": made.digest,
                 "pay_day": made.pay_day.isoformat()},
            )  # fmt: skip
    _pay_if_due(made, clock)
    return made


def pay_due(*, clock: Clock = SYSTEM) -> list[Settlement]:
    """Pay out every settlement that was let go and whose pay day has come; and what of the city's
    part of fees is still open. Safe to repeat."""
    city = current_city()
    today = local_day(clock.now(), city_profile(city).zone)
    due = Settlement.objects.filter(city=city, released_at__isnull=False, pay_day__lte=today)
    unpaid = SettlementLine.objects.filter(city=city, payout_transfer_id__isnull=True, net__gt=0)
    short = SettlementLine.objects.filter(
        city=city, subsidy__gt=0, subsidy_transfer_id__isnull=True
    )
    open_days = set(unpaid.values_list("settlement_id", flat=True)) | set(
        short.values_list("settlement_id", flat=True)
    )
    found = list(due.filter(pk__in=open_days).defer("content").order_by("day"))
    for made in found:
        _pay_if_due(made, clock)
    return found


def pay_subsidies(made: Settlement) -> None:
    """Post the city's part of the fees for the lines that are settled; what its budget does not
    cover stays open. A shop that has its money already gets the part straight to its bank."""
    with transaction() as tx:
        lines = [
            line
            for line in made.lines.select_for_update(of=("self",)).filter(subsidy__gt=0)
            if line.applied and line.subsidy_open
        ]
        if not lines:
            return
        known = [line.subsidy_key for line in lines if line.subsidy_key]
        answers = ledger.answers(tx, made.city, known) if known else {}
        asked = []
        for line in lines:
            answer = answers.get(line.subsidy_key)
            if not line.subsidy_key or (answer is not None and answer.state == "refused"):
                line.subsidy_key = f"subsidy:{made.day.isoformat()}:{new_id().hex}"
                line.save(update_fields=["subsidy_key"])
                asked.append(_subsidy(made, line))
        ledger.submit(tx, made.city, asked)
    found = ledger.wait(
        postings.dsn(), made.city, [line.subsidy_key for line in lines], _PATIENCE_S
    )
    with transaction():
        for line in lines:
            answer = found.get(line.subsidy_key)
            if answer is None or answer.transfer_id is None:
                _log.warning(
                    "%s: subsidy of %s won for %s is not covered", made.city, line.subsidy, made.day
                )
                continue
            line.subsidy_transfer_id = answer.transfer_id
            line.save(update_fields=["subsidy_transfer_id"])


def _pay_if_due(made: Settlement, clock: Clock) -> None:
    today = local_day(clock.now(), city_profile(made.city).zone)
    if made.released_at is None or made.pay_day > today:
        return
    pay_subsidies(made)
    now = clock.now()
    with transaction() as tx:
        lines = [
            line
            for line in made.lines.select_for_update(of=("self",)).filter(payout_key="")
            if line.applied and _payable(line) > 0
        ]
        requests = []
        for line in lines:
            line.payout_key = f"payout:{made.day.isoformat()}:{line.merchant_id}"
            line.save(update_fields=["payout_key"])
            leg = ledger.Leg(f"payable:{line.merchant_id}", names.BANK, names.KRW, _payable(line))
            requests.append(
                ledger.TransferRequest(
                    key=line.payout_key, kind="payout", legs=(leg,), effective_at=now,
                    origin_kind="settlement", origin_id=str(made.pk),
                )
            )  # fmt: skip
        ledger.submit(tx, made.city, requests)
    _note_payouts(made)


def _payable(line: SettlementLine) -> int:
    """What lies on the shop's payable for this line now."""
    return line.net - (line.subsidy if line.subsidy_open else 0)


def _subsidy(made: Settlement, line: SettlementLine) -> ledger.TransferRequest:
    payable = f"payable:{line.merchant_id}"
    request = rules.settlement.subsidy_request(
        payable=payable, subsidy=line.subsidy, key=line.subsidy_key, origin_id=str(made.pk)
    )
    if not line.payout_key:
        return request
    late = ledger.Leg(payable, names.BANK, names.KRW, line.subsidy)
    return ledger.TransferRequest(
        key=request.key, kind="fee-subsidy-late", legs=(*request.legs, late),
        origin_kind=request.origin_kind, origin_id=request.origin_id,
    )  # fmt: skip


def _note_payouts(made: Settlement) -> None:
    """Remember the pay-outs' transfers once the ledger has made them."""
    out: Sequence[SettlementLine] = list(
        made.lines.filter(payout_transfer_id__isnull=True).exclude(payout_key="")
    )
    if not out:
        return
    found = ledger.wait(postings.dsn(), made.city, [x.payout_key for x in out], _PATIENCE_S)
    with transaction():
        for line in out:
            answer = found.get(line.payout_key)
            if answer is not None and answer.transfer_id is not None:
                line.payout_transfer_id = answer.transfer_id
                line.save(update_fields=["payout_transfer_id"])
