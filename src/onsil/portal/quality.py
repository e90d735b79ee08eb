"""The five indicators of a data set's quality in words and figures, for its page."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import ROUND_DOWN, Decimal
from typing import Any

from django.utils.translation import gettext as _

from onsil.hub.datasets.quality import INDICATORS, Indicator

DAYS = 30


def indicator_words() -> dict[str, tuple[str, str]]:
    """Each indicator's name, and what its share is of."""
    return {
        "completeness": (_("완전성"), _("있어야 할 값 가운데 들어온 값")),
        "validity": (_("유효성"), _("받은 값 가운데 단위와 범위에 맞는 값")),
        "accuracy": (_("정확성"), _("살펴본 센서 가운데 의심할 것이 없는 센서")),
        "uniqueness": (_("유일성"), _("개체 가운데 겹치지 않는 개체")),
        "consistency": (_("일관성"), _("서로 어긋나지 않는 값과 참조")),
    }


def part_words() -> dict[tuple[str, str], str]:
    return {
        ("completeness", "readings"): _("들어온 값"),
        ("completeness", "attributes"): _("빈칸 없는 속성"),
        ("validity", "readings"): _("규칙에 맞는 값"),
        ("validity", "entities"): _("모델에 맞는 개체"),
        ("accuracy", "sensors"): _("믿을 만한 센서"),
        ("uniqueness", "entities"): _("겹치지 않는 개체"),
        ("consistency", "references"): _("찾아지는 참조"),
        ("consistency", "readings"): _("바뀌지 않은 값"),
    }


def share_text(share: Decimal | None) -> str:
    """A share as percent, cut to one place, so that only what is whole says 100 %."""
    if share is None:
        return ""
    percent = (share * 100).quantize(Decimal("0.1"), ROUND_DOWN)
    return f"{int(percent) if percent == int(percent) else percent}%"


def _chart(
    span: Sequence[date], drawn: Sequence[tuple[str, Sequence[Decimal | None]]]
) -> dict[str, Any]:
    """Thirty days of what could be measured; days without it stay gaps."""
    return {
        "title": _("지난 30일"),
        "kind": "line",
        "unit": "%",
        "labels": [day.strftime("%m-%d") for day in span],
        "series": [
            {"name": name, "values": [None if one is None else one * 100 for one in line]}
            for name, line in drawn if any(one is not None for one in line)
        ],
    }  # fmt: skip


def quality_of(days: Mapping[date, Sequence[Indicator]], today: date) -> dict[str, Any]:
    """What the page shows: the newest day's indicators with their parts, and thirty days of each.

    Without a measured day the five stand there all the same, as not measurable yet.
    """
    day = max(days, default=None)
    newest = {one.name: one for one in days[day]} if day is not None else {}
    words, parts = indicator_words(), part_words()
    span = [(day or today) - timedelta(days=back) for back in range(DAYS - 1, -1, -1)]
    shares = {at: {one.name: one.share for one in days.get(at, ())} for at in span}
    drawn = [(words[key][0], [shares[at].get(key) for at in span]) for key in INDICATORS]
    several = sum(any(one.values()) for one in shares.values()) > 1
    return {
        "day": day,
        "chart": _chart(span, drawn) if several else None,
        "rows": [
            {
                "name": words[key][0],
                "what": words[key][1],
                "share": newest[key].share if key in newest else None,
                "text": share_text(newest[key].share) if key in newest else "",
                "parts": [
                    (parts[key, one.name], one.good, one.total)
                    for one in (newest[key].parts if key in newest else ())
                ],
            }
            for key in INDICATORS
        ],
    }
