"""A company's screens of the market. Officials see them too, but cannot buy."""

from dataclasses import dataclass
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from onsil import footprint, ledger
from onsil.citizen.models import Role
from onsil.console.frame import STAFF, Request, needs, page
from onsil.console.market.forms import PurchaseForm, RetirementForm, TonnesForm
from onsil.core.clock import SystemClock
from onsil.core.database import Connection
from onsil.core.refusal import Refusal
from onsil.tenancy import transaction

_CLOCK = SystemClock()
FUND = "fund:incentive"


@dataclass(frozen=True)
class Offer:
    """A listing with what it is a listing of."""

    listing: footprint.Listing
    batch: footprint.CreditBatch
    project: footprint.Project


def company_of(request: Request) -> str | None:
    """The account code of the company the person buys for; None for officials."""
    membership = request.user.memberships.filter(
        city=request.city.code, role=Role.BUYER, organisation__isnull=False
    ).first()
    return f"company:{membership.organisation}" if membership else None


def _offer(conn: Connection, city: str, listing: footprint.Listing) -> Offer:
    batch = footprint.batch(conn, city, listing.batch_id)
    assert batch is not None
    project = footprint.project(conn, city, batch.project_id)
    assert project is not None
    return Offer(listing, batch, project)


@require_safe
@needs(*STAFF, Role.BUYER)
def market(request: Request) -> HttpResponse:
    """What is offered, what the company has to spend, and what the fund received."""
    city, company = request.city.code, company_of(request)
    with transaction(city) as conn:
        offers = [_offer(conn, city, listing) for listing in footprint.listings(conn, city)]
        money = ledger.balance(conn, city, company, "KRW") if company else None
        sales = footprint.sales(conn, city)
        fund = ledger.balance(conn, city, FUND, "KRW")
    return page(
        request,
        "console/market/market.html",
        section="market",
        offers=offers,
        money=money,
        company=company,
        form=TonnesForm(initial={"tonnes": 1}),
        sold_tonnes=sum(sale.tonnes for sale in sales),
        revenue_krw=sum(sale.amount_krw for sale in sales),
        fund_krw=fund,
        sales=sales[:20],
        newest=max((sale.created_at for sale in sales), default=None),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@needs(Role.BUYER)
def buy(request: Request, listing: UUID) -> HttpResponse:
    """Show what is about to be bought, then buy it once however often it is sent."""
    city, company = request.city.code, company_of(request)
    if company is None:
        raise Http404
    with transaction(city) as conn:
        found = [x for x in footprint.listings(conn, city, open_only=False) if x.id == listing]
        if not found:
            raise Http404
        offer = _offer(conn, city, found[0])
        money = ledger.balance(conn, city, company, "KRW")
    if request.method == "POST":
        form = PurchaseForm(request.POST)
        if form.is_valid():
            return _buy(request, offer, company, form.cleaned_data)
    else:
        asked = TonnesForm(request.GET)
        if not asked.is_valid():
            messages.error(request, _("1톤 이상의 온전한 톤을 적어 주세요."))
            return redirect("market")
        form = PurchaseForm(
            initial={
                "tonnes": asked.cleaned_data["tonnes"],
                "unit_price_krw": offer.listing.unit_price_krw,
            }
        )
    tonnes = int(form["tonnes"].value() or 0)
    amount = tonnes * offer.listing.unit_price_krw
    return page(
        request,
        "console/market/buy.html",
        section="market",
        offer=offer,
        form=form,
        tonnes=tonnes,
        amount=amount,
        money=money,
        after=money - amount,
    )


def _buy(request: Request, offer: Offer, company: str, data: dict) -> HttpResponse:
    city = request.city.code
    with transaction(city) as conn:
        sale = footprint.buy(
            conn, city, offer.batch.id, company, data["tonnes"], data["unit_price_krw"],
            str(data["key"]), f"user:{request.user.pk}", _CLOCK,
        )  # fmt: skip
    if isinstance(sale, Refusal):
        messages.error(request, sale.text(get_language() or "ko"))
        return redirect("market")
    messages.success(
        request,
        _("%(tonnes)d톤을 %(amount)s원에 샀습니다.")
        % {"tonnes": sale.tonnes, "amount": f"{sale.amount_krw:,}"},
    )
    return redirect("market-holdings")


@require_safe
@needs(*STAFF, Role.BUYER)
def holdings(request: Request) -> HttpResponse:
    """What the company holds, bought and used up; for officials, of all companies."""
    city, company = request.city.code, company_of(request)
    with transaction(city) as conn:
        sales = footprint.sales(conn, city, buyer=company)
        accounts = [company] if company else sorted({sale.buyer for sale in sales})
        held = [
            (account, holding, footprint.project(conn, city, holding.batch.project_id))
            for account in accounts
            for holding in footprint.holdings(conn, city, account)
        ]
        retirements = footprint.retirements(conn, city, company=company)
        money = ledger.balance(conn, city, company, "KRW") if company else None
    return page(
        request,
        "console/market/holdings.html",
        section="market",
        company=company,
        held=held,
        sales=sales,
        retirements=retirements,
        money=money,
    )


@require_http_methods(["GET", "HEAD", "POST"])
@needs(Role.BUYER)
def retire(request: Request, batch: UUID) -> HttpResponse:
    """Use credits up for a beneficiary; it ends with a public certificate."""
    city, company = request.city.code, company_of(request)
    if company is None:
        raise Http404
    with transaction(city) as conn:
        held = {h.batch.id: h for h in footprint.holdings(conn, city, company)}
        found = footprint.batch(conn, city, batch)
        if found is None:
            raise Http404
        project = footprint.project(conn, city, found.project_id)
    form = RetirementForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        with transaction(city) as conn:
            made = footprint.retire(
                conn, city, batch, company, data["tonnes"], data["beneficiary"], data["reason"],
                str(data["key"]), f"user:{request.user.pk}", _CLOCK,
            )  # fmt: skip
        if not isinstance(made, Refusal):
            return redirect("certificate", retirement=made.id)
        form.add_error(None, made.text(get_language() or "ko"))
    tonnes = held[batch].tonnes if batch in held else 0
    return page(
        request,
        "console/market/retire.html",
        section="market",
        batch=found,
        project=project,
        form=form,
        held=tonnes,
    )
