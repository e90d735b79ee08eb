"""The rules of the local currency in words that officials read, and what they do to an example."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from onsil.citizen.models import Merchant
from onsil.core.refusal import Refusal
from onsil.ledger import rules
from onsil.ledger.rules import DatedRule, RuleSet
from onsil.ledger.rules.cashback import Funder, Shop

Facts = list[tuple[str, str]]
EXAMPLE_KRW = 100_000


@dataclass(frozen=True)
class Example:
    """What a payment of the example sum does at one kind of shop."""

    title: str
    cashback: int
    fee: int
    subsidy: int
    shop_net: int
    pay_day: date
    chart: dict[str, Any]


def titles() -> dict[str, str]:
    """The topics as they are called, in the order in which they are shown."""
    return {
        "charging": _("충전"), "spending": _("쓰는 순서"), "merchants": _("가맹점"),
        "cashback": _("캐시백"), "refund": _("환불"), "gift": _("선물"), "expiry": _("유효기간"),
        "policy": _("정책지원금"), "settlement": _("정산과 수수료"), "trust": _("예치금 관리"),
    }  # fmt: skip


def facts(version: DatedRule, language: str, places: Mapping[str, str]) -> Facts:
    """A rule as pairs of what it is about and what it says; `places` romanises districts."""
    if version.topic == "merchants":
        return _merchants(version.rule, language, places)
    return _FACTS[version.topic](version.rule, language)


def problem_words() -> dict[str, str]:
    """Why a row of a list cannot be paid."""
    return {
        "person-missing": _("대상자가 비어 있습니다"),
        "person-unknown": _("이 도시의 시민 지갑이 아닙니다"),
        "amount-wrong": _("금액을 읽을 수 없습니다"),
        "over-person-limit": _("1인 한도를 넘습니다"),
        "fund-missing": _("재원이 비어 있습니다"),
        "fund-wrong": _("재원 코드의 형식이 다릅니다"),
        "end-missing": _("사용기한을 읽을 수 없습니다"),
        "end-past": _("사용기한이 지났습니다"),
        "end-too-far": _("사용기한이 너무 멉니다"),
        "rule-unknown": _("허용되지 않은 사용처입니다"),
        "duplicate": _("앞의 행과 겹칩니다"),
    }


def examples(found: RuleSet, language: str) -> tuple[Example, ...]:
    """100,000 won of one's own money at a small restaurant and at a market stall."""
    shops = (
        (_("연 매출 1억 원인 음식점"), Shop("", "restaurant", own_percent=Decimal(0)), 10**8),
        (_("캐시백 2%를 더 주는 전통시장 점포"), Shop("", "market", own_percent=Decimal(2)), 10**8),
        (_("연 매출 20억 원인 식료품점"), Shop("", "grocery", own_percent=Decimal(0)), 2 * 10**9),
    )
    made = (_example(found, title, shop, sales, language) for title, shop, sales in shops)
    return tuple(one for one in made if one is not None)


def _example(found: RuleSet, title: str, shop: Shop, sales: int, language: str) -> Example | None:
    plenty = {funder.code: EXAMPLE_KRW for funder in found.cashback.funders}
    granted = rules.cashback.grants(found.cashback, shop, EXAMPLE_KRW, {}, plenty)
    own = sum(g.amount for g in granted if g.funder == rules.cashback.SHOP)
    figure = rules.settlement.figure(
        UUID(int=0), EXAMPLE_KRW, 0, sales, found.day, found.settlement, cashback=own
    )
    if isinstance(figure, Refusal):
        return None
    payer, bank, fee = _("시민이 낸 돈"), _("가맹점 통장"), _("수수료")
    wallet, repaid = _("시민에게 캐시백"), _("시의 수수료 지원")
    names = {
        funder.code: _("캐시백: %(who)s") % {"who": _funder(funder, language)}
        for funder in found.cashback.funders
    }
    links = [
        {"source": payer, "target": bank, "value": figure.net - figure.subsidy},
        {"source": payer, "target": fee, "value": figure.fee},
        {"source": payer, "target": wallet, "value": own},
        {"source": repaid, "target": bank, "value": figure.subsidy},
    ]
    links += [
        {"source": names[g.funder], "target": wallet, "value": g.amount}
        for g in granted if g.funder != rules.cashback.SHOP
    ]  # fmt: skip
    links = [link for link in links if link["value"]]
    chart = {
        "title": title, "kind": "sankey", "unit": _("원"), "links": links, "description": "",
        "greens": {payer: "citizen"},
    }  # fmt: skip
    return Example(
        title, sum(g.amount for g in granted), figure.fee, figure.subsidy, figure.net,
        figure.pay_day, chart,
    )  # fmt: skip


def _funder(funder: Funder, language: str) -> str:
    return funder.en if language.startswith("en") else funder.ko


def won(value: int, language: str) -> str:
    """12,400원 or ₩12,400."""
    return f"₩{value:,}" if language.startswith("en") else f"{value:,}원"


def _budget(value: int, language: str) -> str:
    """A large round sum as it is said: 30억원."""
    hundred_million = 10**8
    if language.startswith("en") or value % hundred_million or not value:
        return won(value, language)
    return f"{value // hundred_million:,}억원"


def _cap(value: int | None, language: str) -> str:
    return _("한도 없음") if value is None else won(value, language)


def _large(value: int | None, language: str) -> str:
    return _("한도 없음") if value is None else _budget(value, language)


def _percent(value: Decimal) -> str:
    return f"{value.normalize():f} %"


def _list(values: Sequence[object]) -> str:
    return ", ".join(str(value) for value in values) or "–"


def _kinds(kinds: Sequence[str] | frozenset[str]) -> str:
    known = {str(value): word for value, word in Merchant.Kind.choices}
    return _list([_(str(known.get(kind, kind))) for kind in sorted(kinds)])


def _charging(rule: Any, language: str) -> Facts:
    return [
        (_("한 사람이 한 달에"), _cap(rule.person_month_krw, language)),
        (_("보유 한도"), _cap(rule.holding_krw, language)),
        (_("시 전체 월 발행"), _large(rule.city_month_krw, language)),
        (_("한 번에"), _("%(a)s부터, %(b)s 단위") % {
            "a": won(rule.minimum_krw, language), "b": won(rule.step_krw, language)}),
        (_("유효기간"), _("%(n)s년") % {"n": rule.validity_years}),
    ]  # fmt: skip


def _spending(rule: Any, language: str) -> Facts:
    usual = _("사용처가 정해진 돈, 기한이 이른 돈, 오래된 돈 순")
    made = [(_("먼저 쓰는 돈"), _list([fund_word(f) for f in rule.first])), (_("그다음"), usual)]
    if rule.excluded_funds:
        made.append((_("쓸 수 없는 재원"), _list(sorted(rule.excluded_funds))))
    return made


def _merchants(rule: Any, language: str, places: Mapping[str, str]) -> Facts:
    english = language.startswith("en")
    made = [
        (_("일반 금액: 연 매출"), _limit(rule.sales_limit_krw, language)),
        (_("정책지원금: 연 매출"), _limit(rule.policy_sales_limit_krw, language)),
        (_("제외 업종"), _kinds(rule.excluded_kinds)),
    ]
    for one in rule.exceptions:
        where = _list([places.get(r, r) if english else r for r in sorted(one.regions)])
        made.append((_("매출 한도 예외"), f"{where} · {_kinds(one.kinds)}"))
    if rule.recheck_months:
        months = _list([_("%(n)s월") % {"n": m} for m in rule.recheck_months])
        made.append((_("다시 확인하는 달"), months))
    return made


def _limit(value: int | None, language: str) -> str:
    return (
        _("제한 없음") if value is None
        else _("%(won)s 이하") % {"won": _budget(value, language)}
    )  # fmt: skip


def _cashback(rule: Any, language: str) -> Facts:
    made: Facts = []
    for funder in rule.funders:
        rate = (
            _("가맹점이 %(a)s–%(b)s 안에서 정함") % {
                "a": _percent(funder.least_percent), "b": _percent(funder.most_percent)}
            if funder.percent is None
            else _percent(funder.percent)
        )  # fmt: skip
        cap = (
            "" if funder.month_base_krw is None
            else " · " + _("월 %(won)s까지") % {"won": won(funder.month_base_krw, language)}
        )  # fmt: skip
        made.append((_funder(funder, language), rate + cap))
        if funder.year_krw:
            made.append((_("그 연간 예산"), _budget(funder.year_krw, language)))
    excluded = _list([fund_word(f) for f in sorted(rule.excluded_funds)])
    return [*made, (_("캐시백이 없는 돈"), excluded)]


def _refund(rule: Any, language: str) -> Facts:
    made: Facts = [
        (_("안 쓴 충전"), _("%(n)s일 안에 전액") % {"n": rule.unused_days}),
    ]
    for share in rule.used:
        words = (
            _("그 밖의 충전") if share.up_to_krw is None
            else _("%(won)s 이하 충전") % {"won": won(share.up_to_krw, language)}
        )  # fmt: skip
        made.append((words, _("%(p)s 이상 쓰면 나머지") % {"p": _percent(share.percent)}))
    late = _("%(p)s, %(n)s년까지") % {
        "p": _percent(rule.expired_percent), "n": rule.expired_years}  # fmt: skip
    return [*made, (_("기한이 지난 돈"), late)]


def _gift(rule: Any, language: str) -> Facts:
    return [
        (_("선물할 수 있는 돈"), _list([fund_word(f) for f in rule.giftable])),
        (_("받을 때까지"), _("%(n)s시간") % {"n": rule.timeout_hours}),
        (_("한 번에"), _cap(rule.maximum_krw, language)),
        (_("한 달에"), _cap(rule.person_month_krw, language)),
    ]


def _expiry(rule: Any, language: str) -> Facts:
    made = []
    for term in rule.terms:
        if term.year_end:
            length = _("그해 말까지")
        elif term.years:
            length = _("%(n)s년") % {"n": term.years}
        else:
            length = _("%(n)s개월") % {"n": term.months}
        made.append((fund_word(term.fund), length))
    before = _list([_("%(n)s일 전") % {"n": n} for n in rule.notice_days])
    return [*made, (_("알림"), before)]


def _policy(rule: Any, language: str) -> Facts:
    return [
        (_("1인 한도"), won(rule.person_krw, language)),
        (_("한 번에 지급하는 합계"), _budget(rule.grant_krw, language)),
        (_("한 번에 올리는 인원"), _("%(n)s명") % {"n": f"{rule.rows:,}"}),
        (_("가장 먼 사용기한"), _("%(n)s일 뒤") % {"n": rule.most_days}),
    ]


def _settlement(rule: Any, language: str) -> Facts:
    made = [(_("지급일"), _("영업일 기준 D+%(n)s") % {"n": rule.days})]
    for fee in rule.fees:
        word = fee.en if language.startswith("en") else fee.ko
        repaid = (
            " · " + _("%(p)s를 시가 지원") % {"p": _percent(fee.subsidy_percent)}
            if fee.subsidy_percent else ""
        )  # fmt: skip
        made.append((word, _percent(fee.percent) + repaid))
    if rule.subsidy_year_krw:
        made.append((_("수수료 지원 연간 예산"), _budget(rule.subsidy_year_krw, language)))
    return made


def _trust(rule: Any, language: str) -> Facts:
    what = {"circulating": _("유통 중인 전액"), "refundable": _("환불할 수 있는 금액")}
    means = {"trust": _("신탁"), "deposit": _("예치"), "insurance": _("보험")}
    return [
        (_("지켜야 하는 돈"), f"{what[rule.counts]} × {_percent(rule.percent)}"),
        (_("방법"), means[rule.means]),
    ]


def fund_word(fund: str) -> str:
    """A fund, or group of funds, as people call it."""
    head, _colon, rest = fund.partition(":")
    known = {
        "own": _("직접 충전한 돈"), "policy": _("정책지원금"), "cashback": _("캐시백"),
        "city": _("시 예산"), "province": _("도 예산"), "national": _("국비"),
        "incentive": _("탄소 판매 수익"), "private": _("민간 후원"),
    }  # fmt: skip
    word = known.get(head, head or _("구분 없음"))
    rest = str({"cashback:city": _("시"), "cashback:shop": _("가맹점")}.get(fund, rest))
    return f"{word} ({rest})" if rest else word


_FACTS = {
    "charging": _charging, "spending": _spending, "cashback": _cashback,
    "refund": _refund, "gift": _gift, "expiry": _expiry, "policy": _policy,
    "settlement": _settlement, "trust": _trust,
}  # fmt: skip
