"""Money of a citizen's own in the demonstration: charged, spent with cashback, given. Once."""

from uuid import UUID, uuid5

from onsil.citizen import services as citizen
from onsil.citizen.models import ChargeOrder, Gift, Payment
from onsil.citizen.services import budgets, simulated_deposits
from onsil.core.clock import SystemClock
from onsil.demonstration.cast import Cast
from onsil.demonstration.loop import granted
from onsil.tenancy import current_city

CHARGED_KRW = 50_000
PAID_KRW = 10_000
GIVEN_KRW = 5_000
_NAMESPACE = UUID("6f6e7369-6c00-5000-8000-6f776e6d6f00")


def charge_pay_and_give(cast: Cast) -> tuple[ChargeOrder, Payment, Gift]:
    """The second citizen charges from the simulated bank's file, pays at the shop, which adds two
    percent to the city's cashback, and gives some of it to the third, who accepts."""
    _, giver, receiver = cast.citizens
    budgets.fund_budgets()
    if not cast.merchant.cashback_percent:
        cast.merchant.cashback_percent = 2  # pyright: ignore[reportAttributeAccessIssue]
        cast.merchant.save(update_fields=["cashback_percent"])
    order = granted(citizen.charges.order(giver, CHARGED_KRW, uuid5(_NAMESPACE, "charge")))
    if order.open:
        order = granted(simulated_deposits.pay_in(order))
    payment = Payment.objects.filter(
        city=current_city(), citizen=giver, merchant=cast.merchant
    ).first()
    if payment is None:
        code = granted(citizen.codes.show_amount(cast.merchant, PAID_KRW, clock=SystemClock()))
        payment = granted(citizen.payments.pay(code.pk, giver))
    gift = Gift.objects.filter(pk=uuid5(_NAMESPACE, "gift")).first()
    if gift is None:
        code = citizen.members.member(receiver).code
        gift = granted(
            citizen.gifts.offer(
                giver, code, GIVEN_KRW, uuid5(_NAMESPACE, "gift"), words="함께 걸어요"
            )
        )
        gift = granted(citizen.gifts.accept(gift, receiver))
    return order, payment, gift


def missing(cast: Cast) -> list[str]:
    """Do all of it; what has not come about, in words."""
    order, payment, gift = charge_pay_and_give(cast)
    checks = (
        (order.outcome == "done", "the charge has not been paid in"),
        (payment.cashbacks.filter(state="applied").exists(), "no cashback was given"),
        (gift.end == "accepted", "the gift was not accepted"),
    )
    return [words for holds, words in checks if not holds]
